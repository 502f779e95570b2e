"""Data in and out as Arrow C streams, without pyarrow."""
from __future__ import annotations

import os
from typing import Any, Iterable, List, Mapping, Optional

from ._capsule import STREAM, capsule, pointer_of, release
from ._lib import Stream
from ._rows import RowStream, read_rows
from .exceptions import UsageError


class Exported:
    """Data as the address of a stream for one C call, which moves or releases it."""

    def __init__(self, data: Any) -> None:
        source = _exportable(data)
        self._keep = source.__arrow_c_stream__()
        self.address = pointer_of(self._keep, STREAM)


def _exportable(data: Any) -> Any:
    """Something with `__arrow_c_stream__` that has the rows of `data`."""
    if hasattr(data, "__arrow_c_stream__"):
        return data
    if hasattr(data, "collect") and type(data).__module__.startswith("polars"):  # LazyFrame
        return _exportable(data.collect())
    if hasattr(data, "to_reader"):  # pyarrow.dataset.Scanner
        return data.to_reader()
    if hasattr(data, "scanner"):  # pyarrow.dataset.Dataset
        return data.scanner().to_reader()
    if hasattr(data, "__arrow_c_array__"):
        return _pyarrow("a single Arrow array").Table.from_batches([_pyarrow("").record_batch(data)])
    if type(data).__module__.startswith("pandas"):  # before 2.2
        return _exportable(_pyarrow("a pandas frame of this version").Table.from_pandas(data, preserve_index=False))
    if isinstance(data, Mapping):
        return RowStream({str(k): list(v) for k, v in data.items()})
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes)):
        return _of_items(list(data))
    raise UsageError(f"cannot write a {type(data).__name__}: give something with __arrow_c_stream__ (pandas, polars, pyarrow, a DuckDB relation), "
                     "a list of dicts or a dict of lists")


def _of_items(items: List[Any]) -> Any:
    if items and all(hasattr(i, "__arrow_c_array__") for i in items):
        pa = _pyarrow("a list of Arrow batches")
        return pa.Table.from_batches([pa.record_batch(i) for i in items])
    if items and all(isinstance(i, Mapping) for i in items):
        names = {str(k): None for row in items for k in row}
        return RowStream({name: [row.get(name) for row in items] for name in names})
    raise UsageError("a list to be written holds dicts, one a row, and at least one" if not items else
                     f"a list to be written holds dicts, one a row, not {type(items[0]).__name__}")


def _pyarrow(what: str) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ImportError(f"{what} needs pyarrow: pip install pyarrow") from None
    return pyarrow


class Rows:
    """Rows of a query. Read them once, by whatever takes `__arrow_c_stream__`:

        >>> rows = tarn.DeltaTable(place).scan()          # doctest: +SKIP
        >>> pyarrow.RecordBatchReader.from_stream(rows)   # doctest: +SKIP
        >>> polars.DataFrame(rows)                        # doctest: +SKIP

    or by its own methods. Rows come batch by batch; nothing is held in memory that the consumer does not hold.
    """

    def __init__(self, stream: Optional[Stream], note: Optional[str] = None) -> None:
        self._stream = stream
        if stream is not None:
            stream.pid = os.getpid()
        #: What a statement without rows did ("created silver.x: 10 rows, version 0"); else None.
        self.note = note

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        if self._stream is None:
            raise UsageError(f"there are no rows: {self.note}" if self.note else "these rows were read already; they are read once")
        stream, self._stream = self._stream, None
        return capsule(stream)

    def __del__(self) -> None:
        stream = getattr(self, "_stream", None)
        if stream is not None:
            release(stream)

    def to_arrow(self) -> Any:
        """A pyarrow.RecordBatchReader, read as it is asked for."""
        return _pyarrow("to_arrow").RecordBatchReader.from_stream(self)

    def to_pyarrow_table(self) -> Any:
        """A pyarrow.Table with all rows."""
        return self.to_arrow().read_all()

    def to_pandas(self, **options: Any) -> Any:
        """A pandas.DataFrame; options are those of pyarrow.Table.to_pandas."""
        return self.to_pyarrow_table().to_pandas(**options)

    df = to_pandas

    def to_polars(self) -> Any:
        """A polars.DataFrame."""
        import polars
        return polars.DataFrame(self)

    pl = to_polars

    def to_pylist(self) -> List[dict]:
        """A list of dicts, one a row. Needs nothing installed."""
        names, rows = read_rows(self)
        return [dict(zip(names, row)) for row in rows]

    def fetchall(self) -> List[tuple]:
        """A list of tuples. Needs nothing installed."""
        return read_rows(self)[1]

    def __iter__(self) -> Any:
        return iter(self.to_pylist())
