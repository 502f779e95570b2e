"""What a table is made of: schema, metadata, protocol."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from .exceptions import UsageError


@dataclass(frozen=True)
class Field:
    """A column. type is Delta's: "long", "decimal(10,2)", or a dict for structs, arrays and maps."""
    name: str
    type: Any
    nullable: bool = True
    metadata: Dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"name": self.name, "type": self.type, "nullable": self.nullable, "metadata": self.metadata})


class Schema:
    """The columns of a table.

        >>> Schema({"type": "struct", "fields": [{"name": "id", "type": "long", "nullable": True, "metadata": {}}]}).fields[0].type
        'long'
    """

    def __init__(self, tree: Dict[str, Any], rows: Any = None) -> None:
        self._tree, self._rows = tree, rows
        self.fields: List[Field] = [Field(f["name"], f["type"], f.get("nullable", True), f.get("metadata") or {}) for f in tree["fields"]]

    @property
    def names(self) -> List[str]:
        return [f.name for f in self.fields]

    def to_json(self) -> str:
        """As it is in the Delta log."""
        return json.dumps(self._tree)

    def to_arrow(self) -> Any:
        """A pyarrow.Schema."""
        return self._rows().to_arrow().schema

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Schema) and self._tree == other._tree

    def __repr__(self) -> str:
        return "Schema([" + ", ".join(f"{f.name} {f.type if isinstance(f.type, str) else json.dumps(f.type)}" for f in self.fields) + "])"


@dataclass(frozen=True)
class Metadata:
    """created_time: milliseconds since 1970."""
    id: str
    name: Optional[str]
    description: Optional[str]
    partition_columns: List[str]
    created_time: Optional[int]
    configuration: Dict[str, str]


@dataclass(frozen=True)
class Protocol:
    """Feature lists are None where the versions stand for them."""
    min_reader_version: int
    min_writer_version: int
    reader_features: Optional[List[str]]
    writer_features: Optional[List[str]]


# ---- schemas from outside ----

_ARROW = {"b": "boolean", "c": "byte", "s": "short", "i": "integer", "l": "long", "C": "short", "S": "integer", "I": "long", "L": "decimal(20,0)",
          "f": "float", "g": "double", "u": "string", "U": "string", "vu": "string", "z": "binary", "Z": "binary", "vz": "binary", "tdD": "date",
          "tdm": "date"}


def schema_json(schema: Any) -> str:
    """The schema of a Delta log, of: a Schema, a list of Fields, deltalake's schema, a pyarrow schema or whatever has `__arrow_c_schema__`.

        >>> json.loads(schema_json([Field("id", "long", nullable=False)]))["fields"][0]["nullable"]
        False
    """
    if isinstance(schema, (list, tuple)):
        return json.dumps({"type": "struct", "fields": [json.loads(f.to_json()) for f in schema]})
    if hasattr(schema, "fields") and hasattr(schema, "to_json"):
        return schema.to_json()
    if hasattr(schema, "__arrow_c_schema__"):
        from ._rows import read_schema
        return json.dumps(read_schema(schema, _struct))
    raise UsageError(f"a {type(schema).__name__} is no schema: give a list of tarn.Field, a pyarrow.Schema or something with __arrow_c_schema__")


def _struct(schema: Any) -> Dict[str, Any]:
    kids = [schema.children[i].contents for i in range(schema.n_children)]
    return {"type": "struct", "fields": [{"name": k.name.decode(), "type": _type(k), "nullable": bool(k.flags & 2), "metadata": {}} for k in kids]}


def _type(schema: Any) -> Any:
    """Delta's type of an Arrow field."""
    fmt = schema.format.decode()
    if schema.dictionary:
        return _type(schema.dictionary.contents)
    if fmt in _ARROW:
        return _ARROW[fmt]
    if fmt.startswith("ts"):
        return "timestamp" if len(fmt) > 4 else "timestamp_ntz"
    if fmt.startswith("d:"):
        return f"decimal({','.join(fmt[2:].split(',')[:2])})"
    if fmt == "+s":
        return _struct(schema)
    if fmt in ("+l", "+L", "+vl", "+vL") or fmt.startswith("+w:"):
        item = schema.children[0].contents
        return {"type": "array", "elementType": _type(item), "containsNull": bool(item.flags & 2)}
    if fmt == "+m":
        key, value = (schema.children[0].contents.children[i].contents for i in (0, 1))
        return {"type": "map", "keyType": _type(key), "valueType": _type(value), "valueContainsNull": bool(value.flags & 2)}
    raise UsageError(f"column '{(schema.name or b'').decode()}' has the Arrow type '{fmt}', which Delta has no type for")


def sql_type(kind: Any) -> str:
    """A Delta type as SQL.

        >>> sql_type({"type": "array", "elementType": "long", "containsNull": True})
        'ARRAY<LONG>'
    """
    if isinstance(kind, str):
        return kind.upper()
    if not isinstance(kind, dict):  # deltalake's own types
        return sql_type(json.loads(kind.to_json()))
    if kind["type"] == "struct":
        return "STRUCT<" + ", ".join(f"{quoted(f['name'])}: {sql_type(f['type'])}" for f in kind["fields"]) + ">"
    if kind["type"] == "map":
        return f"MAP<{sql_type(kind['keyType'])}, {sql_type(kind['valueType'])}>"
    return f"ARRAY<{sql_type(kind['elementType'])}>"


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'
