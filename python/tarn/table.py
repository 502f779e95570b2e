"""DeltaTable: one Delta table, anywhere, at one of its versions."""
from __future__ import annotations

import json
import os
import threading
from ctypes import byref, c_int64, c_void_p
from typing import Any, Dict, List, Mapping, Optional

from . import _lib
from ._arrow import Rows
from ._engine import engine_for, uses_engine
from ._lib import Outcome, Stream
from ._options import write_options
from .exceptions import TableNotFoundError, UsageError
from .properties import columns as names_of
from .properties import commit_options, literal, partition_filter, place, state
from .schema import Metadata, Protocol, Schema, schema_json

_ABSENT = 1  # TARN_OPEN_ABSENT


class Handle:
    """A table's C handle, used by one thread at a time. The table may be absent when `absent` says so."""

    def __init__(self, uri: Any, version: Any = None, storage_options: Optional[Mapping[str, str]] = None, absent: bool = False) -> None:
        self.uri, self.storage_options, self.lock = place(uri), dict(storage_options or {}), threading.RLock()
        self.pointer, self.pid = c_void_p(), os.getpid()
        at = state(version)
        _lib.call("tarn_table_open", engine_for(storage_options), self.uri.encode(), at and byref(at), _ABSENT if absent else 0,
                  byref(self.pointer))
        uses_engine(self)

    def close(self) -> None:
        pointer, self.pointer = self.pointer, c_void_p()
        if pointer and self.pid == os.getpid():
            _lib.lib.tarn_table_close(pointer)

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self.close()

    def open_pointer(self) -> c_void_p:
        _lib.same_process(self.pid)
        if not self.pointer:
            raise UsageError("the table was closed at the end of the process")
        return self.pointer

    def interrupt(self) -> None:
        _lib.lib.tarn_table_interrupt(self.pointer)

    def call(self, name: str, *args: Any) -> None:
        with self.lock:
            _lib.long_call(self.interrupt, name, self.open_pointer(), *args)

    def json(self, name: str, *args: Any) -> Any:
        with self.lock:
            return json.loads(_lib.text_call(name, self.open_pointer(), *args, interrupt=self.interrupt))

    def change(self, name: str, *args: Any) -> Outcome:
        outcome = Outcome()
        self.call(name, *args, byref(outcome))
        return outcome

    def rows(self, name: str, *args: Any) -> Rows:
        stream = Stream()
        self.call(name, *args, byref(stream))
        return Rows(stream)

    @property
    def version(self) -> int:
        with self.lock:
            return _lib.lib.tarn_table_version(self.open_pointer())


class DeltaTable:
    """A Delta table at one version: the newest, until it is loaded at another one. A change works on the newest version and leaves the object there.

        >>> table = DeltaTable(getfixture("prices"))
        >>> table.version(), table.schema().names
        (0, ['id', 'price'])
        >>> table.delete("id = 1")["num_deleted_rows"]
        1
        >>> DeltaTable(table.table_uri, version=0).scan(columns=["id"]).fetchall()
        [(1,), (2,)]

    Threads may share an object; its calls then wait for one another. Objects of their own run at the same time.
    Whatever takes `__arrow_c_stream__` takes a DeltaTable: `polars.DataFrame(table)`, `duckdb.sql("FROM prices")`, `tarn.write_delta(other, table)`.
    """

    def __init__(self, table_uri: Any, version: Any = None, storage_options: Optional[Mapping[str, str]] = None, without_files: bool = False,
                 log_buffer_size: Optional[int] = None, skip_stats: bool = False) -> None:
        """version: a number, a datetime or its ISO text; None: the newest. storage_options: of buckets, by deltalake's names or AWS_*; what they do not say
        comes from the environment. The last three are taken for compatibility and mean nothing."""
        self._handle = Handle(table_uri, version, storage_options)

    @classmethod
    def _of(cls, handle: Handle) -> "DeltaTable":
        table = cls.__new__(cls)
        table._handle = handle
        return table

    @staticmethod
    def is_deltatable(table_uri: Any, storage_options: Optional[Mapping[str, str]] = None) -> bool:
        """Is there a Delta table?

            >>> DeltaTable.is_deltatable("/nowhere")
            False
        """
        try:
            Handle(table_uri, None, storage_options)
        except TableNotFoundError:
            return False
        return True

    @classmethod
    def create(cls, table_uri: Any, schema: Any, mode: str = "error", partition_by: Any = None, name: Optional[str] = None,
               description: Optional[str] = None, configuration: Optional[Mapping[str, Optional[str]]] = None,
               storage_options: Optional[Mapping[str, str]] = None, *, cluster_by: Any = None, commit_properties: Any = None,
               post_commithook_properties: Any = None, raise_if_key_not_exists: bool = True) -> "DeltaTable":
        """A table without rows. schema: a list of tarn.Field, a tarn, deltalake or pyarrow schema. mode: "error", "ignore" and "append" (a table that is
        there stays), "overwrite" (it is made anew).

            >>> table = DeltaTable.create(getfixture("folder") + "/new", [tarn.Field("id", "long", nullable=False), tarn.Field("day", "date")],
            ...                           partition_by="day", description="by day")
            >>> table.schema(), table.count()
            (Schema([id long, day date]), 0)
        """
        commit, _keep = commit_options(commit_properties)
        options, _kept = write_options(mode, partition_by=partition_by, cluster_by=cluster_by, name=name, description=description,
                                       configuration=configuration, commit=commit, schema=schema_json(schema))
        handle = Handle(table_uri, None, storage_options, absent=True)
        handle.change("tarn_create", byref(options))
        return cls._of(handle)

    # ---- what it is ----

    @property
    def table_uri(self) -> str:
        return self._handle.uri

    def version(self) -> int:
        """The version that this object holds."""
        return self._handle.version

    def _describe(self) -> Dict[str, Any]:
        return self._handle.json("tarn_table_describe")

    def schema(self) -> Schema:
        return Schema(self._describe()["schema"], lambda: self.scan(limit=1))

    def metadata(self) -> Metadata:
        d = self._describe()
        return Metadata(d["id"], d["name"], d["description"], d["partition_columns"], d["created"], d["configuration"])

    def protocol(self) -> Protocol:
        p = self._describe()["protocol"]
        return Protocol(p["minReaderVersion"], p["minWriterVersion"], p["readerFeatures"], p["writerFeatures"])

    def detail(self) -> Dict[str, Any]:
        """All of it as one dict: location, version, timestamp (ms), schema, protocol, configuration, files, bytes, rows (None: not known without
        reading), ..."""
        return self._describe()

    def files(self) -> List[str]:
        """Paths of the data files, as the log has them."""
        return [f["path"] for f in self._handle.json("tarn_table_files")]

    def file_uris(self, partition_filters: Any = None) -> List[str]:
        """Places of the data files. partition_filters: [("day", "=", "2024-01-01"), ...]."""
        if partition_filters:
            return sorted({row[0] for row in self._matching_files(partition_filter(partition_filters))})
        return [f["location"] for f in self._handle.json("tarn_table_files")]

    def get_add_actions(self) -> List[Dict[str, Any]]:
        """The data files as dicts: path, location, size, modified (ms), partition_values, stats, deletion_vector."""
        return self._handle.json("tarn_table_files")

    def _matching_files(self, where: Optional[str]) -> List[tuple]:
        """(location, partition values as a dict) of files whose partition values satisfy a predicate."""
        fields = {f.name: f for f in self.schema().fields}
        keys = {name: fields[name].metadata.get("delta.columnMapping.physicalName", name) for name in self.metadata().partition_columns}
        files = [(f["location"], {name: f["partition_values"].get(key) for name, key in keys.items()}) for f in self.get_add_actions()]
        if where is None or not files:
            return files
        types = {name: fields[name].type for name in keys}
        sql_types = {"string": "VARCHAR", "long": "BIGINT", "integer": "INTEGER", "short": "SMALLINT", "byte": "TINYINT", "timestamp": "TIMESTAMPTZ",
                     "timestamp_ntz": "TIMESTAMP", "binary": "BLOB"}
        columns = ", ".join(f"CAST(p[{literal(name)}] AS {sql_types.get(types[name], types[name])}) AS " + '"' + name.replace('"', '""') + '"' for name in keys)
        values = ", ".join(f"({i}, MAP {literal(p)})" for i, (_, p) in enumerate(files))
        rows = self._handle.rows("tarn_table_query", b"this", f"SELECT i FROM (SELECT i, {columns} FROM (VALUES {values}) AS t(i, p)) WHERE {where}"
                                 .encode()).fetchall()
        return [files[i] for i, in rows]

    def partitions(self, partition_filters: Any = None) -> List[Dict[str, Optional[str]]]:
        """The partitions that have files."""
        found = {tuple(sorted(p.items())): p for _, p in self._matching_files(partition_filter(partition_filters))}
        return list(found.values())

    def history(self, limit: Optional[int] = None) -> List[Dict[str, Any]]:
        """Commits, newest first."""
        return self._handle.json("tarn_table_history", limit or 0)

    def count(self) -> int:
        """Rows, from statistics where the log has them."""
        rows = self._describe()["rows"]
        return rows if rows is not None else self.query("SELECT count(*) FROM this").fetchall()[0][0]

    def transaction_version(self, app_id: str) -> Optional[int]:
        """The newest version written under an application's name (see Transaction); None: none."""
        out = c_int64()
        self._handle.call("tarn_table_app_version", app_id.encode(), byref(out))
        return None if out.value < 0 else out.value

    # ---- reading ----

    def scan(self, columns: Optional[List[str]] = None, predicate: Optional[str] = None, limit: Optional[int] = None) -> Rows:
        """Rows of this version. predicate is SQL; files that it rules out are not opened.

            >>> DeltaTable(getfixture("prices")).scan(["price"], "id = 2").to_pylist()
            [{'price': 7.0}]
        """
        names = _lib.texts(columns)
        options = _lib.ScanOptions(columns=names, columns_n=_lib.count(names), where=_lib.text(predicate), limit=limit or 0)
        return self._handle.rows("tarn_table_scan", byref(options))

    def query(self, sql: str, name: str = "this") -> Rows:
        """A SELECT over this version, which it sees as `this`. SQL is DuckDB's.

            >>> DeltaTable(getfixture("prices")).query("SELECT max(price) AS top FROM this").to_pylist()
            [{'top': 9.5}]
        """
        return self._handle.rows("tarn_table_query", name.encode(), sql.encode())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.scan().__arrow_c_stream__(requested_schema)

    def to_arrow(self, columns: Optional[List[str]] = None, predicate: Optional[str] = None) -> Any:
        """A pyarrow.RecordBatchReader."""
        return self.scan(columns, predicate).to_arrow()

    def to_pyarrow_table(self, partitions: Any = None, columns: Optional[List[str]] = None, filesystem: Any = None, filters: Any = None) -> Any:
        """A pyarrow.Table. filters: [("a", ">", 1), ...] or a pyarrow expression."""
        expression = filters if filters is not None and not isinstance(filters, (list, tuple)) else None
        parts = [partition_filter(f) for f in (partitions, None if expression is not None else filters) if f]
        rows = self.scan(columns, " AND ".join(f"({p})" for p in parts) or None).to_pyarrow_table()
        return rows if expression is None else rows.filter(expression)

    def to_pyarrow_dataset(self, partitions: Any = None, **_: Any) -> Any:
        """A pyarrow dataset with the rows in memory."""
        import pyarrow.dataset
        return pyarrow.dataset.dataset(self.to_pyarrow_table(partitions))

    def to_pandas(self, partitions: Any = None, columns: Optional[List[str]] = None, filesystem: Any = None, filters: Any = None,
                  types_mapper: Any = None) -> Any:
        """A pandas.DataFrame."""
        return self.to_pyarrow_table(partitions, columns, filesystem, filters).to_pandas(types_mapper=types_mapper)

    def to_polars(self, columns: Optional[List[str]] = None, predicate: Optional[str] = None) -> Any:
        """A polars.DataFrame."""
        return self.scan(columns, predicate).to_polars()

    def load_cdf(self, starting_version: int = 0, ending_version: Optional[int] = None, starting_timestamp: Any = None, ending_timestamp: Any = None,
                 columns: Optional[List[str]] = None, predicate: Optional[str] = None, allow_out_of_range: bool = False) -> Rows:
        """The change data feed: rows with _change_type, _commit_version and _commit_timestamp, of a range of versions, both ends included."""
        begin = state(starting_timestamp if starting_timestamp is not None else starting_version)
        end = state(ending_timestamp if ending_timestamp is not None else ending_version)
        try:
            rows = self._handle.rows("tarn_table_changes", byref(begin), end and byref(end))
        except TableNotFoundError:
            if not allow_out_of_range:
                raise
            rows = self._handle.rows("tarn_table_query", b"this", b"SELECT *, NULL::VARCHAR AS _change_type, NULL::BIGINT AS _commit_version, "
                                     b"NULL::TIMESTAMPTZ AS _commit_timestamp FROM this LIMIT 0")
        if columns is None and predicate is None:
            return rows
        from .lake import connect
        names = ", ".join('"' + c.replace('"', '""') + '"' for c in columns) if columns else "*"
        with connect(None) as session:
            return session.sql(f"SELECT {names} FROM changes" + (f" WHERE ({predicate}\n)" if predicate else ""), changes=rows)

    # ---- other states ----

    def load_as_version(self, version: Any) -> None:
        """Moves this object to a version, or to the newest one at an instant (datetime, ISO text)."""
        at = state(version)
        self._handle.call("tarn_table_load", at and byref(at))

    def update_incremental(self) -> None:
        """Moves this object to the newest version."""
        self._handle.call("tarn_table_load", None)

    # ---- changing rows ----

    def delete(self, predicate: Optional[str] = None, writer_properties: Any = None, *, commit_properties: Any = None,
               post_commithook_properties: Any = None, custom_metadata: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """Deletes the rows for which the predicate (SQL) is true; None: all. Gives counts."""
        options, _keep = commit_options(commit_properties, custom_metadata)
        out = self._handle.change("tarn_delete", _lib.text(predicate), byref(options))
        return {"num_deleted_rows": out.deleted, "num_copied_rows": out.copied, **_file_counts(out)}

    def update(self, updates: Optional[Mapping[str, str]] = None, new_values: Optional[Mapping[str, Any]] = None, predicate: Optional[str] = None,
               writer_properties: Any = None, error_on_type_mismatch: bool = True, *, commit_properties: Any = None,
               post_commithook_properties: Any = None, custom_metadata: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """Sets columns where the predicate is true; None: everywhere. updates: column -> SQL; new_values: column -> a Python value.

            >>> DeltaTable(getfixture("prices")).update({"price": "price + 1"}, predicate="id = 1")["num_updated_rows"]
            1
        """
        if (updates is None) == (new_values is None):
            raise UsageError("give updates (SQL) or new_values (Python values), one of the two")
        sets = updates if updates is not None else {k: literal(v) for k, v in (new_values or {}).items()}
        pairs = _lib.pairs(sets)
        options, _keep = commit_options(commit_properties, custom_metadata)
        out = self._handle.change("tarn_update", pairs, _lib.count(pairs), _lib.text(predicate), byref(options))
        return {"num_updated_rows": out.updated, "num_copied_rows": out.copied, **_file_counts(out)}

    def merge(self, source: Any, predicate: str, source_alias: Optional[str] = None, target_alias: Optional[str] = None, merge_schema: bool = False,
              error_on_type_mismatch: bool = True, writer_properties: Any = None, streamed_exec: bool = True, *, commit_properties: Any = None,
              post_commithook_properties: Any = None, custom_metadata: Optional[Mapping[str, Any]] = None) -> Any:
        """A merge of source into this table: give its clauses, then execute(). source: any data that write_delta takes, or a SELECT as text.
        Without aliases the two are called source and target."""
        from .merge import TableMerger
        return TableMerger(self, source, predicate, source_alias, target_alias, merge_schema, commit_properties, custom_metadata)

    # ---- looking after it ----

    @property
    def optimize(self) -> "TableOptimizer":
        """.optimize.compact(), .optimize.z_order(["a", "b"])"""
        return TableOptimizer(self)

    @property
    def alter(self) -> Any:
        """.alter.add_columns([...]), .alter.set_table_properties({...}), ..."""
        from .alter import TableAlterer
        return TableAlterer(self)

    def vacuum(self, retention_hours: Optional[float] = None, dry_run: bool = True, enforce_retention_duration: bool = True, *,
               commit_properties: Any = None, post_commithook_properties: Any = None, full: bool = True) -> List[str]:
        """Removes files that no version within the retention needs; gives their paths. dry_run is on unless it is switched off. A retention shorter than
        the table's needs enforce_retention_duration=False: then nobody may be writing, or reading an old version. full=False: files are looked for in
        the log, not in the folder."""
        ms = 0 if retention_hours is None else max(1, int(retention_hours * 3_600_000))
        options = _lib.VacuumOptions(retention_ms=ms, dry_run=dry_run, allow_short=not enforce_retention_duration, lite=not full)
        return self._handle.json("tarn_vacuum", byref(options))["paths"]

    def restore(self, target: Any, *, ignore_missing_files: bool = False, protocol_downgrade_allowed: bool = False, commit_properties: Any = None,
                post_commithook_properties: Any = None) -> Dict[str, Any]:
        """A new version with the rows of an older one: a number, a datetime or its ISO text."""
        at = state(target)
        done = self._handle.json("tarn_restore", at and byref(at), int(ignore_missing_files))
        return {"numRestoredFile": done["files_restored"], "numRemovedFile": done["files_removed"], **done}

    def create_checkpoint(self) -> None:
        """Writes a checkpoint of this version."""
        self._handle.call("tarn_checkpoint")

    def cleanup_metadata(self) -> int:
        """Removes commits and checkpoints past delta.logRetentionDuration; gives their number."""
        out = c_int64()
        self._handle.call("tarn_log_cleanup", byref(out))
        return out.value

    def compact_logs(self, starting_version: int = -1, ending_version: int = -1) -> bool:
        """Writes commits as one file that readers may take in their place; -1: from the newest checkpoint, to the newest version. False: it was there."""
        return self._handle.json("tarn_log_compact", starting_version, ending_version)["written"]

    def clone(self, table_uri: Any, shallow: bool = False, replace: bool = False) -> "DeltaTable":
        """A new table with the rows of this version. shallow: it names the same files and copies none; vacuum of this table does not know of it."""
        self._handle.json("tarn_clone", place(table_uri).encode(), int(shallow) + 2 * int(replace))
        return DeltaTable(table_uri, storage_options=self._handle.storage_options)

    def repair(self, dry_run: bool = False, *, allow_all: bool = False, commit_properties: Any = None,
               post_commithook_properties: Any = None) -> Dict[str, Any]:
        """Takes entries whose files are gone out of the log: their rows are lost, the others can be read again. allow_all: also when no file is left."""
        done = self._handle.json("tarn_repair", (1 if dry_run else 0) | (2 if allow_all else 0))
        return {"dry_run": dry_run, "files_removed": [lost["path"] for lost in done["lost"]], "version": done["version"]}

    def check(self, values: bool = False) -> Dict[str, Any]:
        """Looks at everything that the newest version rests on. Damage is in "findings"; values: rows are read and held against the statistics."""
        return self._handle.json("tarn_check", int(values))

    def __repr__(self) -> str:
        return f"DeltaTable({self.table_uri!r}, version={self.version()})"


def _file_counts(out: Outcome) -> Dict[str, int]:
    return {"num_added_files": out.files_added, "num_removed_files": out.files_removed, "num_added_bytes": out.bytes_added,
            "num_deletion_vectors_added": out.vectors_added, "version": out.version}


class TableOptimizer:
    """Packing files. Counts are named as deltalake names them."""

    def __init__(self, table: DeltaTable) -> None:
        self._table = table

    def compact(self, partition_filters: Any = None, target_size: Optional[int] = None, *, where: Optional[str] = None,
                min_file_size: Optional[int] = None, full: bool = False, commit_properties: Any = None, **_: Any) -> Dict[str, Any]:
        """Packs small files into ones near target_size (bytes; default: delta.targetFileSize, else 256 MiB), partition by partition. A clustered
        table is ordered along its columns; full: what was ordered by other columns too."""
        return self._run([], partition_filters, where, target_size, min_file_size, commit_properties, full)

    def z_order(self, columns: Any, partition_filters: Any = None, target_size: Optional[int] = None, *, where: Optional[str] = None,
                commit_properties: Any = None, **_: Any) -> Dict[str, Any]:
        """Rewrites the files in Z-order of the columns, so that predicates on any of them open few files."""
        return self._run(names_of(columns), partition_filters, where, target_size, None, commit_properties)

    def purge(self, partition_filters: Any = None, *, where: Optional[str] = None, commit_properties: Any = None) -> Dict[str, Any]:
        """Rewrites the files that have a deletion vector, without the deleted rows, and no other."""
        return self._run([], partition_filters, where, None, None, commit_properties, purge=True)

    def _run(self, zorder: List[str], filters: Any, where: Optional[str], target: Optional[int], least: Optional[int], commit: Any,
             full: bool = False, purge: bool = False) -> Dict[str, Any]:
        names, metadata = _lib.texts(zorder), _lib.pairs(getattr(commit, "custom_metadata", None))
        options = _lib.OptimizeOptions(where=_lib.text(where or partition_filter(filters)), zorder_by=names, zorder_by_n=_lib.count(names),
                                       target_file_bytes=target or 0, min_file_bytes=least or 0, metadata=metadata, metadata_n=_lib.count(metadata),
                                       full=full, purge=purge)
        done = self._table._handle.json("tarn_optimize", byref(options))
        return {"numFilesAdded": done["files_added"], "numFilesRemoved": done["files_removed"], "partitionsOptimized": done["partitions"],
                "totalConsideredFiles": done["files_considered"], "totalFilesSkipped": done["files_skipped"], "bytesAdded": done["bytes_added"],
                "bytesRemoved": done["bytes_removed"], "rows": done["rows"], "version": done["version"]}
