"""What a table is made of: schema, metadata, protocol."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional


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
