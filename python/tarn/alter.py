"""ALTER TABLE: each call is one commit that writes no data file."""
from __future__ import annotations

from typing import Any, List, Mapping, Optional, Union

from .exceptions import UsageError
from .properties import columns as names_of
from .properties import literal
from .schema import Field, quoted, sql_type


class TableAlterer:
    """Made by DeltaTable.alter.

        >>> table = tarn.DeltaTable(getfixture("prices"))
        >>> table.alter.add_columns([tarn.Field("note", "string")])
        >>> table.alter.add_constraint({"positive": "price > 0"})
        >>> table.alter.set_table_properties({"delta.enableChangeDataFeed": "true"})
        >>> table.schema().names, table.version()
        (['id', 'price', 'note'], 3)
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def sql(self, change: str) -> None:
        """Anything that ALTER TABLE can: the text behind the table's name, as in `RENAME COLUMN a TO b` (docs/manual/sql.md)."""
        self._table._handle.call("tarn_alter", change.encode())

    def add_columns(self, fields: Any, *, commit_properties: Any = None, post_commithook_properties: Any = None) -> None:
        """One field or several: tarn's or deltalake's."""
        several = fields if isinstance(fields, (list, tuple)) else [fields]
        self.sql("ADD COLUMNS (" + ", ".join(_column(f) for f in several) + ")")

    def drop_columns(self, columns: Union[str, List[str]]) -> None:
        """Needs column mapping: set_table_properties({"delta.columnMapping.mode": "name"})."""
        self.sql("DROP COLUMNS (" + ", ".join(_path(c) for c in names_of(columns)) + ")")

    def rename_column(self, column: str, name: str) -> None:
        """Needs column mapping."""
        self.sql(f"RENAME COLUMN {_path(column)} TO {quoted(name)}")

    def set_column_type(self, column: str, type: Any) -> None:
        """To a wider one; needs delta.enableTypeWidening=true."""
        self.sql(f"ALTER COLUMN {_path(column)} TYPE {sql_type(type)}")

    def set_column_not_null(self, column_name: str) -> None:
        """All rows are looked at."""
        self.sql(f"ALTER COLUMN {_path(column_name)} SET NOT NULL")

    def drop_column_not_null(self, column_name: str, commit_properties: Any = None, post_commithook_properties: Any = None) -> None:
        self.sql(f"ALTER COLUMN {_path(column_name)} DROP NOT NULL")

    def set_column_metadata(self, column: str, metadata: Mapping[str, str], *, commit_properties: Any = None,
                            post_commithook_properties: Any = None) -> None:
        """{"comment": ".."} is what a column's metadata may be given."""
        if set(metadata) != {"comment"}:
            raise UsageError("of a column's metadata only its comment can be set")
        self.sql(f"ALTER COLUMN {_path(column)} COMMENT {literal(metadata['comment'])}")

    def add_constraint(self, constraints: Mapping[str, str], *, commit_properties: Any = None, post_commithook_properties: Any = None) -> None:
        """name -> SQL that every row must satisfy; the rows there are looked at."""
        for name, expression in constraints.items():
            self.sql(f"ADD CONSTRAINT {quoted(name)} CHECK ({expression})")

    def drop_constraint(self, name: str, raise_if_not_exists: bool = True, *, commit_properties: Any = None,
                        post_commithook_properties: Any = None) -> None:
        self.sql(f"DROP CONSTRAINT {'' if raise_if_not_exists else 'IF EXISTS '}{quoted(name)}")

    def set_table_properties(self, properties: Mapping[str, str], raise_if_not_exists: bool = True, *, commit_properties: Any = None,
                             post_commithook_properties: Any = None) -> None:
        self.sql("SET TBLPROPERTIES (" + ", ".join(f"{literal(str(k))} = {literal(str(v))}" for k, v in properties.items()) + ")")

    def unset_table_properties(self, keys: Union[str, List[str]], raise_if_not_exists: bool = True) -> None:
        self.sql(f"UNSET TBLPROPERTIES {'' if raise_if_not_exists else 'IF EXISTS '}(" + ", ".join(literal(k) for k in names_of(keys)) + ")")

    def add_feature(self, feature: Any, allow_protocol_versions_increase: bool = False, *, commit_properties: Any = None,
                    post_commithook_properties: Any = None) -> None:
        """By the protocol's name ("deletionVectors"), or deltalake's enum. The protocol's versions rise as the feature asks."""
        several = feature if isinstance(feature, (list, tuple)) else [feature]
        self.set_table_properties({f"delta.feature.{_feature(f)}": "supported" for f in several})

    def drop_feature(self, feature: Any) -> None:
        self.sql(f"DROP FEATURE {_feature(feature)}")

    def set_table_description(self, description: Optional[str], *, commit_properties: Any = None, post_commithook_properties: Any = None) -> None:
        self.sql(f"COMMENT {literal(description)}")

    def cluster_by(self, columns: Union[str, List[str], None]) -> None:
        """Liquid clustering by these columns; None: no more. Rewrites nothing: optimize.compact() orders what comes, compact(full=True) all."""
        names = names_of(columns)
        self.sql("CLUSTER BY " + ("(" + ", ".join(_path(c) for c in names) + ")" if names else "NONE"))


def _path(column: str) -> str:
    """"a.b" goes into a struct."""
    return ".".join(quoted(part) for part in column.split("."))


def _feature(feature: Any) -> str:
    name = feature if isinstance(feature, str) else getattr(feature, "name", str(feature))
    return name[0].lower() + name[1:]


def _column(f: Any) -> str:
    metadata = dict(getattr(f, "metadata", None) or {})
    if not isinstance(f, Field) and not hasattr(f, "to_json"):
        raise UsageError(f"a {type(f).__name__} is no column: give tarn.Field(name, type)")
    return f"{quoted(f.name)} {sql_type(f.type)}{'' if f.nullable else ' NOT NULL'}" + (f" COMMENT {literal(metadata['comment'])}"
                                                                                    if "comment" in metadata else "")
