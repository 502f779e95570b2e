"""MERGE: clauses one after the other, then execute()."""
from __future__ import annotations

from ctypes import byref, pointer
from typing import Any, Dict, List, Mapping, Optional, Tuple

from . import _lib
from ._arrow import Exported
from .exceptions import UsageError
from .properties import commit_options
from .schema import quoted

_MATCHED, _NOT_MATCHED, _BY_SOURCE = 0, 1, 2  # tarn_when
_UPDATE, _UPDATE_ALL, _DELETE, _INSERT, _INSERT_ALL = 0, 1, 2, 3, 4  # tarn_do


class TableMerger:
    """Made by DeltaTable.merge. Of each kind the first clause whose predicate is true acts on a row; rows that several source rows would change
    are an error.

        >>> table = tarn.DeltaTable(getfixture("prices"))
        >>> done = (table.merge([{"id": 2, "price": 8.5}, {"id": 9, "price": 0.5}], "s.id = t.id", source_alias="s", target_alias="t")
        ...         .when_matched_update({"price": "s.price"}, predicate="s.price > t.price")
        ...         .when_not_matched_insert_all()
        ...         .when_not_matched_by_source_delete()
        ...         .execute())
        >>> done["num_target_rows_updated"], done["num_target_rows_inserted"], done["num_target_rows_deleted"]
        (1, 1, 1)
    """

    def __init__(self, table: Any, source: Any, predicate: str, source_alias: Optional[str], target_alias: Optional[str], merge_schema: bool,
                 commit_properties: Any, custom_metadata: Optional[Mapping[str, Any]]) -> None:
        self._table, self._source, self._on = table, source, predicate
        self._source_alias, self._target_alias, self._merge_schema = source_alias, target_alias, merge_schema
        self._commit = (commit_properties, custom_metadata)
        self._clauses: List[Tuple[int, int, Optional[str], Optional[Mapping[str, str]]]] = []

    def _add(self, when: int, what: int, predicate: Optional[str], sets: Optional[Mapping[str, str]] = None) -> "TableMerger":
        self._clauses.append((when, what, predicate, sets))
        return self

    def when_matched_update(self, updates: Mapping[str, str], predicate: Optional[str] = None) -> "TableMerger":
        """updates: column -> SQL over both sides."""
        return self._add(_MATCHED, _UPDATE, predicate, _plain(updates, self._target_alias))

    def when_matched_update_all(self, predicate: Optional[str] = None, except_cols: Optional[List[str]] = None) -> "TableMerger":
        """Every column from the source's column of that name."""
        return self._all(_MATCHED, _UPDATE_ALL, _UPDATE, predicate, except_cols)

    def when_matched_delete(self, predicate: Optional[str] = None) -> "TableMerger":
        return self._add(_MATCHED, _DELETE, predicate)

    def when_not_matched_insert(self, updates: Mapping[str, str], predicate: Optional[str] = None) -> "TableMerger":
        """updates: column -> SQL over the source; columns left out are NULL."""
        return self._add(_NOT_MATCHED, _INSERT, predicate, _plain(updates, self._target_alias))

    def when_not_matched_insert_all(self, predicate: Optional[str] = None, except_cols: Optional[List[str]] = None) -> "TableMerger":
        return self._all(_NOT_MATCHED, _INSERT_ALL, _INSERT, predicate, except_cols)

    def when_not_matched_by_source_update(self, updates: Mapping[str, str], predicate: Optional[str] = None) -> "TableMerger":
        """updates: column -> SQL over the table."""
        return self._add(_BY_SOURCE, _UPDATE, predicate, _plain(updates, self._target_alias))

    def when_not_matched_by_source_delete(self, predicate: Optional[str] = None) -> "TableMerger":
        return self._add(_BY_SOURCE, _DELETE, predicate)

    def _all(self, when: int, everything: int, some: int, predicate: Optional[str], except_cols: Optional[List[str]]) -> "TableMerger":
        if not except_cols:
            return self._add(when, everything, predicate)
        left_out = {c.lower() for c in except_cols}
        alias = quoted(self._source_alias or "source")
        return self._add(when, some, predicate, {name: f"{alias}.{quoted(name)}" for name in self._table.schema().names
                                                 if name.lower() not in left_out})

    def execute(self) -> Dict[str, Any]:
        """Runs it as one commit; gives counts."""
        if not self._clauses:
            raise UsageError("a merge without clauses does nothing: add when_matched_update_all(), when_not_matched_insert_all(), ...")
        sets = [_lib.pairs(s) for _, _, _, s in self._clauses]
        clauses = (_lib.MergeClause * len(self._clauses))(*[
            _lib.MergeClause(when, what, _lib.text(predicate), pairs, _lib.count(pairs)) for (when, what, predicate, _), pairs in zip(self._clauses, sets)])
        commit, _keep = commit_options(*self._commit)
        options = _lib.MergeOptions(on=self._on.encode(), target_alias=_lib.text(self._target_alias), source_alias=_lib.text(self._source_alias),
                                    clauses=clauses, clauses_n=len(clauses), commit=pointer(commit), schema_evolution=int(self._merge_schema))
        if isinstance(self._source, str):
            out = self._table._handle.change("tarn_merge_select", self._source.encode(), byref(options))
        else:
            data = Exported(self._source)
            out = self._table._handle.change("tarn_merge", data.address, byref(options))
        return {"num_source_rows": out.source_rows, "num_target_rows_inserted": out.inserted, "num_target_rows_updated": out.updated,
                "num_target_rows_deleted": out.deleted, "num_target_rows_copied": out.copied,
                "num_output_rows": out.inserted + out.updated + out.copied, "num_target_files_added": out.files_added,
                "num_target_files_removed": out.files_removed, "num_deletion_vectors_added": out.vectors_added, "version": out.version}


def _plain(updates: Mapping[str, str], alias: Optional[str]) -> Dict[str, str]:
    """Column names without the target's alias: deltalake's users write {"t.price": "s.price"} too."""
    head = f"{alias or 'target'}."
    return {(k[len(head):] if k.startswith(head) else k).strip('`"'): v for k, v in updates.items()}
