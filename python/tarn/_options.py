"""What a write takes, as the C struct."""
from __future__ import annotations

from ctypes import pointer
from typing import Any, Mapping, Optional, Tuple

from . import _lib
from .exceptions import UsageError
from .properties import columns

_MODES = {"error": 0, "append": 1, "overwrite": 2, "ignore": 3}
_SCHEMA_MODES = {None: 0, "merge": 1, "overwrite": 2}


def check_mode(mode: str, schema_mode: Optional[str]) -> None:
    if mode not in _MODES or schema_mode not in _SCHEMA_MODES:
        raise UsageError(f"mode is one of {', '.join(_MODES)}, schema_mode merge, overwrite or None; not {mode!r}, {schema_mode!r}")


def write_options(mode: str, schema_mode: Optional[str] = None, *, partition_by: Any = None, cluster_by: Any = None, name: Optional[str] = None,
                  description: Optional[str] = None, configuration: Optional[Mapping[str, Optional[str]]] = None, predicate: Optional[str] = None,
                  dynamic_partitions: bool = False, commit: Any = None, schema: Optional[str] = None) -> Tuple:
    """The C struct, and what it points to."""
    check_mode(mode, schema_mode)
    partitions, clustering = _lib.texts(columns(partition_by)), _lib.texts(columns(cluster_by))
    properties = _lib.pairs({k: v for k, v in (configuration or {}).items() if v is not None})
    return _lib.WriteOptions(mode=_MODES[mode], schema_mode=_SCHEMA_MODES[schema_mode], partition_by=partitions, partition_by_n=_lib.count(partitions),
                             predicate=_lib.text(predicate), dynamic_partitions=dynamic_partitions, name=_lib.text(name),
                             description=_lib.text(description), properties=properties, properties_n=_lib.count(properties),
                             commit=pointer(commit) if commit is not None else None, cluster_by=clustering, cluster_by_n=_lib.count(clustering),
                             schema_json=_lib.text(schema)), (partitions, clustering, properties, commit)
