"""A lake: SQL over all of its relations."""
from __future__ import annotations

import os
import threading
from ctypes import byref, c_int64, c_void_p
from typing import Any, Mapping, Optional

from . import _lib
from ._arrow import Exported, Rows
from ._engine import options_of, uses_engine
from ._lib import Stream
from .exceptions import UsageError
from .properties import place


class Lake:
    """Made by connect(). Threads may share it; its statements then wait for one another."""

    def __init__(self, url: Any, env: str, storage_options: Optional[Mapping[str, str]], memory_limit: Optional[str], threads: int) -> None:
        self.lock, self._handle, self._pid = threading.RLock(), c_void_p(), os.getpid()
        options, _keep = options_of(storage_options, memory_limit, threads)
        _lib.call("tarn_open_with", None if url is None else place(url).encode(), env.encode(), byref(options), byref(self._handle))
        uses_engine(self)

    def _interrupt(self) -> None:
        _lib.lib.tarn_interrupt(self._handle)

    def _call(self, name: str, *args: Any) -> None:
        if not self._handle:
            raise UsageError("the lake is closed")
        _lib.same_process(self._pid)
        _lib.long_call(self._interrupt, name, self._handle, *args)

    def sql(self, statement: str, **data: Any) -> Rows:
        """One statement: SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE TABLE, OPTIMIZE, ... Data given by name are temporary tables that it sees.
        Rows are kept by the result: later statements do not end them. A statement without rows says in `.note` what it did.

            >>> lake = tarn.connect(getfixture("folder") + "/lake")
            >>> lake.sql("CREATE TABLE raw.items AS SELECT * FROM new", new=[{"id": 1, "name": "a"}]).note
            'created raw.items: 1 row, version 0'
            >>> lake.sql("SELECT * FROM raw.items").to_pylist()
            [{'id': 1, 'name': 'a'}]
            >>> lake.close()
        """
        stream, note = Stream(), c_void_p()
        with self.lock:
            try:
                for name, rows in data.items():
                    source = Exported(rows)
                    self._call("tarn_bind", name.encode(), source.address)
                self._call("tarn_run", statement.encode(), byref(stream), byref(note))
            finally:
                for name in data:
                    _lib.call("tarn_bind", self._handle, name.encode(), None)
        return Rows(stream if stream.release else None, _lib.take_text(note))

    def stream(self, statement: str) -> Rows:
        """One query whose rows come as they are made, in bounded memory. They end with the next statement on this lake."""
        stream = Stream()
        with self.lock:
            self._call("tarn_query", statement.encode(), byref(stream))
        return Rows(stream)

    def write(self, table: str, data: Any, mode: str = "append") -> int:
        """Rows into "schema.table", pinned and published as one change; gives their number. mode: "append" (an absent table is made), "overwrite" (the table's
        schema becomes the rows'), "create".

            >>> with tarn.connect(getfixture("folder") + "/lake") as lake:
            ...     lake.write("raw.items", [{"id": 1}]), lake.write("raw.items", [{"id": 2}, {"id": 3}])
            (1, 2)
        """
        source, rows = Exported(data), c_int64()
        with self.lock:
            self._call("tarn_land", table.encode(), mode.encode(), source.address, byref(rows))
        return rows.value

    def close(self) -> None:
        with self.lock:
            handle, self._handle = self._handle, c_void_p()
            if handle and self._pid == os.getpid():
                _lib.lib.tarn_close(handle)

    def __enter__(self) -> "Lake":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) and self._pid == os.getpid():
            _lib.lib.tarn_close(self._handle)


def connect(url: Any = None, env: str = "prod", *, storage_options: Optional[Mapping[str, str]] = None, memory_limit: Optional[str] = None,
            threads: int = 0) -> Lake:
    """Opens a lake: a folder or s3://bucket/prefix, made when it is absent. env: which pins are read and changed. Without a url there is no lake, only
    places: SELECT * FROM delta."/data/prices".

        >>> with tarn.connect() as session:
        ...     session.sql("SELECT 40 + 2 AS n").fetchall()
        [(42,)]
    """
    return Lake(url, env, storage_options, memory_limit, threads)
