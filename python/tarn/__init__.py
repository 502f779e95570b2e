"""Delta tables and lakes from Python: write, merge, read, maintain.

    >>> import tarn, tempfile
    >>> place = tempfile.mkdtemp() + "/prices"
    >>> tarn.write_delta(place, [{"id": 1, "price": 9.5}, {"id": 2, "price": 7.0}])
    >>> table = tarn.DeltaTable(place)
    >>> done = table.merge([{"id": 2, "price": 8.0}, {"id": 3, "price": 1.0}], "s.id = t.id", source_alias="s", target_alias="t") \\
    ...     .when_matched_update_all().when_not_matched_insert_all().execute()
    >>> done["num_target_rows_updated"], done["num_target_rows_inserted"], table.version()
    (1, 1, 1)
    >>> sorted(table.scan().fetchall())
    [(1, 9.5), (2, 8.0), (3, 1.0)]

Data comes as anything with `__arrow_c_stream__` (pandas, polars, pyarrow, DuckDB relations, tarn's own tables and rows), as lists of dicts or as dicts of
lists; rows go out the same way. Nothing but Python is needed. DuckDB inside is tarn's own: Python's `duckdb` may be used beside it.
"""
from ._arrow import Rows
from ._lib import lib as _libtarn
from .exceptions import (AccessError, AmbiguousError, CancelledError, CommitFailedError, CorruptError, DataError, InternalError, LimitError, SqlError,
                         StorageError, TableExistsError, TableNotFoundError, TarnError, UnsupportedError, UsageError)
from .alter import TableAlterer
from .lake import Lake, connect
from .merge import TableMerger
from .properties import CommitProperties, PostCommitHookProperties, Transaction
from .schema import Field, Metadata, Protocol, Schema
from .table import DeltaTable
from .writer import write_delta, write_deltalake

__version__ = _libtarn.tarn_version().decode()

__all__ = ["DeltaTable", "write_delta", "write_deltalake", "connect", "Lake", "Rows", "TableMerger", "TableAlterer", "Schema", "Field", "Metadata", "Protocol",
           "CommitProperties", "PostCommitHookProperties", "Transaction", "TarnError", "UsageError", "SqlError", "DataError", "TableNotFoundError",
           "TableExistsError", "CommitFailedError", "UnsupportedError", "CorruptError", "StorageError", "AccessError", "AmbiguousError", "LimitError",
           "CancelledError", "InternalError"]
