"""Engines: one for each set of storage options, made when it is first needed and kept."""
from __future__ import annotations

import atexit
import os
import threading
import weakref
from ctypes import byref, c_void_p
from typing import Any, Dict, Mapping, Optional, Tuple

from . import _lib

_engines: Dict[Tuple, c_void_p] = {}
_lock = threading.Lock()
_handles: "weakref.WeakSet[Any]" = weakref.WeakSet()  # what stands on an engine


def options_of(storage_options: Optional[Mapping[str, Any]], memory_limit: Optional[str] = None, threads: int = 0) -> Tuple:
    """The C struct, and what it points to."""
    storage = _lib.pairs(storage_options)
    return _lib.EngineOptions(storage=storage, storage_n=_lib.count(storage), memory_limit=_lib.text(memory_limit),
                              temp_directory=_lib.text(os.environ.get("TARN_TEMP_DIRECTORY")), threads=threads), storage


def engine_for(storage_options: Optional[Mapping[str, Any]]) -> c_void_p:
    """TARN_MEMORY_LIMIT and TARN_THREADS are obeyed by all. A child of fork() gets engines of its own."""
    key = (os.getpid(), *sorted((str(k), str(v)) for k, v in (storage_options or {}).items()))
    with _lock:
        if key not in _engines:
            options, _keep = options_of(storage_options, os.environ.get("TARN_MEMORY_LIMIT"), int(os.environ.get("TARN_THREADS") or 0))
            handle = c_void_p()
            _lib.call("tarn_engine_open", byref(options), byref(handle))
            _engines[key] = handle
        return _engines[key]


def uses_engine(handle: Any) -> None:
    """handle.close() is called at the end of the process, if nobody uses it then."""
    _handles.add(handle)


@atexit.register
def _close_all() -> None:
    """So that DuckDB takes away what it has spilled."""
    for handle in list(_handles):
        if handle.lock.acquire(blocking=False):
            try:
                handle.close()
            finally:
                handle.lock.release()
    with _lock:
        mine = [key for key in _engines if key[0] == os.getpid()]
        for key in mine:
            _lib.lib.tarn_engine_close(_engines.pop(key))
