"""write_delta: rows into a table that may not be there yet."""
from __future__ import annotations

from ctypes import byref
from typing import Any, List, Mapping, Optional, Union

from ._arrow import Exported
from ._options import check_mode, write_options
from .properties import commit_options
from .table import DeltaTable, Handle

def write_delta(table_or_uri: Any, data: Any, *, partition_by: Union[List[str], str, None] = None, mode: str = "error", name: Optional[str] = None,
                description: Optional[str] = None, configuration: Optional[Mapping[str, Optional[str]]] = None, schema_mode: Optional[str] = None,
                storage_options: Optional[Mapping[str, str]] = None, predicate: Optional[str] = None, dynamic_partitions: bool = False, cluster_by: Union[List[str], str, None] = None,
                target_file_size: Optional[int] = None, writer_properties: Any = None, commit_properties: Any = None,
                post_commithook_properties: Any = None, custom_metadata: Optional[Mapping[str, Any]] = None) -> None:
    """Writes rows as one commit; the table is made when it is absent. Takes what deltalake.write_deltalake takes.

        >>> place = getfixture("folder") + "/days"
        >>> write_delta(place, {"day": ["mon", "tue"], "n": [1, 2]}, partition_by="day")
        >>> write_delta(place, [{"day": "tue", "n": 5}], mode="overwrite", predicate="day = 'tue'")
        >>> write_delta(place, [{"day": "wed", "n": 7, "note": "new"}], mode="append", schema_mode="merge")
        >>> sorted(DeltaTable(place).scan(["day", "n"]).fetchall())
        [('mon', 1), ('tue', 5), ('wed', 7)]

    table_or_uri: a DeltaTable (it moves to the new version), a path or a URL.
    data: anything with `__arrow_c_stream__` (pandas, polars, pyarrow, a DuckDB relation, a DeltaTable), a pyarrow dataset, a list of dicts, a dict of lists;
        or a SELECT in DuckDB's SQL as text ("FROM read_parquet('new/*.parquet')"). Columns are matched by name, ignoring case.
    mode: "error", "append", "overwrite" or "ignore" (nothing is done when there is a table).
    schema_mode: "merge" adds new columns; "overwrite" (with mode "overwrite") makes the rows' schema the table's.
    predicate: with mode "overwrite", only rows for which this SQL is true are replaced; each new row must satisfy it.
    dynamic_partitions: with mode "overwrite", only the partitions that the new rows have are replaced.
    partition_by, name, description, configuration: of a new table. cluster_by: its columns of liquid clustering, which optimize.compact() keeps up.
    target_file_size: bytes. custom_metadata: goes into the commit beside its operation, as CommitProperties(custom_metadata=) does.
    """
    check_mode(mode, schema_mode)
    handle = table_or_uri._handle if isinstance(table_or_uri, DeltaTable) else _handle_of(table_or_uri, storage_options)
    commit, _keep = commit_options(commit_properties, custom_metadata, target_file_size)
    options, _kept = write_options(mode, schema_mode, partition_by=partition_by, cluster_by=cluster_by, name=name, description=description,
                                   configuration=configuration, predicate=predicate, dynamic_partitions=dynamic_partitions, commit=commit)
    if isinstance(data, str):
        handle.change("tarn_write_select", data.encode(), byref(options))
    else:
        source = Exported(data)
        handle.change("tarn_write", source.address, byref(options))


def _handle_of(table_or_uri: Any, storage_options: Optional[Mapping[str, str]]) -> Handle:
    uri = getattr(table_or_uri, "table_uri", table_or_uri)  # deltalake's own DeltaTable is taken by its place
    return Handle(uri, None, storage_options, absent=True)


write_deltalake = write_delta
