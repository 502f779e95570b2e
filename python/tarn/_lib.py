"""libtarn.so through ctypes: finding it, the structs of its headers (include/tarn), errors as exceptions, calls that Ctrl-C can end.

ctypes lets other threads run during a call. A handle belongs to one thread at a time: its owner keeps a lock.
"""
from __future__ import annotations

import ctypes
import os
import pathlib
import threading
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_int64, c_size_t, c_void_p
from typing import Any, Callable, Mapping, Optional, Sequence

from .exceptions import UsageError, error_of

_HERE = pathlib.Path(__file__).resolve().parent


def _find() -> str:
    """TARN_LIBRARY; beside this file (installed); the build folder of the source tree; the system's."""
    given = os.environ.get("TARN_LIBRARY")
    if given:
        return given
    for place in (_HERE / "libtarn.so", _HERE.parent.parent / "build/release/libtarn.so"):
        if place.is_file():
            return str(place)
    return "libtarn.so.0"


def _load() -> ctypes.CDLL:
    path = _find()
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"cannot load {path}: {error}. Build it with `make`, or name it in TARN_LIBRARY") from None


class Error(ctypes.Structure):
    _fields_ = [("code", c_int), ("message", c_char * 4096), ("hint", c_char * 512)]


class Stream(ctypes.Structure):
    """struct ArrowArrayStream."""
    _fields_ = [(n, c_void_p) for n in ("get_schema", "get_next", "get_last_error", "release", "private_data")]


class Pair(ctypes.Structure):
    _fields_ = [("key", c_char_p), ("value", c_char_p)]


class At(ctypes.Structure):
    _fields_ = [("version", c_int64), ("timestamp_ms", c_int64)]


class _Options(ctypes.Structure):
    """A struct that begins with its size."""

    def __init__(self, **values: Any) -> None:
        super().__init__(size=ctypes.sizeof(type(self)), **values)


class EngineOptions(_Options):
    _fields_ = [("size", c_size_t), ("storage", POINTER(Pair)), ("storage_n", c_size_t), ("memory_limit", c_char_p), ("temp_directory", c_char_p),
                ("threads", c_int)]


class ScanOptions(_Options):
    _fields_ = [("size", c_size_t), ("columns", POINTER(c_char_p)), ("columns_n", c_size_t), ("where", c_char_p), ("limit", c_int64)]


class CommitOptions(_Options):
    _fields_ = [("size", c_size_t), ("metadata", POINTER(Pair)), ("metadata_n", c_size_t), ("app_id", c_char_p), ("app_version", c_int64),
                ("target_file_bytes", c_int64), ("tries", c_int)]


class WriteOptions(_Options):
    _fields_ = [("size", c_size_t), ("mode", c_int), ("schema_mode", c_int), ("partition_by", POINTER(c_char_p)), ("partition_by_n", c_size_t),
                ("predicate", c_char_p), ("dynamic_partitions", c_int), ("name", c_char_p), ("description", c_char_p), ("properties", POINTER(Pair)),
                ("properties_n", c_size_t), ("commit", POINTER(CommitOptions)), ("cluster_by", POINTER(c_char_p)), ("cluster_by_n", c_size_t),
                ("schema_json", c_char_p)]


class MergeClause(ctypes.Structure):
    _fields_ = [("when", c_int), ("what", c_int), ("condition", c_char_p), ("sets", POINTER(Pair)), ("sets_n", c_size_t)]


class MergeOptions(_Options):
    _fields_ = [("size", c_size_t), ("on", c_char_p), ("target_alias", c_char_p), ("source_alias", c_char_p), ("clauses", POINTER(MergeClause)),
                ("clauses_n", c_size_t), ("commit", POINTER(CommitOptions)), ("schema_evolution", c_int)]


class OptimizeOptions(_Options):
    _fields_ = [("size", c_size_t), ("where", c_char_p), ("zorder_by", POINTER(c_char_p)), ("zorder_by_n", c_size_t), ("target_file_bytes", c_int64),
                ("min_file_bytes", c_int64), ("metadata", POINTER(Pair)), ("metadata_n", c_size_t), ("full", c_int), ("purge", c_int)]


class VacuumOptions(_Options):
    _fields_ = [("size", c_size_t), ("retention_ms", c_int64), ("dry_run", c_int), ("allow_short", c_int), ("lite", c_int)]


class Outcome(ctypes.Structure):
    _fields_ = [(n, c_int64) for n in ("version", "changed", "created", "skipped", "inserted", "updated", "deleted", "copied", "files_added",
                                       "files_removed", "bytes_added", "vectors_added", "source_rows")] + [("reserved", c_int64 * 3)]


lib = _load()
_ERR, _TEXT = POINTER(Error), POINTER(c_void_p)
_PROTOTYPES = {
    "tarn_version": (c_char_p, []), "tarn_code_name": (c_char_p, [c_int]), "tarn_code_retryable": (c_int, [c_int]),
    "tarn_text_free": (None, [c_void_p]),
    "tarn_engine_open": (c_int, [POINTER(EngineOptions), POINTER(c_void_p), _ERR]), "tarn_engine_close": (None, [c_void_p]),
    "tarn_table_open": (c_int, [c_void_p, c_char_p, POINTER(At), c_int, POINTER(c_void_p), _ERR]),
    "tarn_table_close": (None, [c_void_p]), "tarn_table_interrupt": (None, [c_void_p]),
    "tarn_table_load": (c_int, [c_void_p, POINTER(At), _ERR]), "tarn_table_version": (c_int64, [c_void_p]),
    "tarn_table_describe": (c_int, [c_void_p, _TEXT, _ERR]), "tarn_table_files": (c_int, [c_void_p, _TEXT, _ERR]),
    "tarn_table_history": (c_int, [c_void_p, c_size_t, _TEXT, _ERR]),
    "tarn_table_app_version": (c_int, [c_void_p, c_char_p, POINTER(c_int64), _ERR]),
    "tarn_table_scan": (c_int, [c_void_p, POINTER(ScanOptions), c_void_p, _ERR]),
    "tarn_table_query": (c_int, [c_void_p, c_char_p, c_char_p, c_void_p, _ERR]),
    "tarn_table_changes": (c_int, [c_void_p, POINTER(At), POINTER(At), c_void_p, _ERR]),
    "tarn_create": (c_int, [c_void_p, POINTER(WriteOptions), POINTER(Outcome), _ERR]), "tarn_alter": (c_int, [c_void_p, c_char_p, _ERR]),
    "tarn_log_compact": (c_int, [c_void_p, c_int64, c_int64, _TEXT, _ERR]),
    "tarn_write_select": (c_int, [c_void_p, c_char_p, POINTER(WriteOptions), POINTER(Outcome), _ERR]),
    "tarn_merge_select": (c_int, [c_void_p, c_char_p, POINTER(MergeOptions), POINTER(Outcome), _ERR]),
    "tarn_write": (c_int, [c_void_p, c_void_p, POINTER(WriteOptions), POINTER(Outcome), _ERR]),
    "tarn_delete": (c_int, [c_void_p, c_char_p, POINTER(CommitOptions), POINTER(Outcome), _ERR]),
    "tarn_update": (c_int, [c_void_p, POINTER(Pair), c_size_t, c_char_p, POINTER(CommitOptions), POINTER(Outcome), _ERR]),
    "tarn_merge": (c_int, [c_void_p, c_void_p, POINTER(MergeOptions), POINTER(Outcome), _ERR]),
    "tarn_optimize": (c_int, [c_void_p, POINTER(OptimizeOptions), _TEXT, _ERR]),
    "tarn_vacuum": (c_int, [c_void_p, POINTER(VacuumOptions), _TEXT, _ERR]),
    "tarn_restore": (c_int, [c_void_p, POINTER(At), c_int, _TEXT, _ERR]),
    "tarn_repair": (c_int, [c_void_p, c_int, _TEXT, _ERR]),
    "tarn_checkpoint": (c_int, [c_void_p, _ERR]), "tarn_log_cleanup": (c_int, [c_void_p, POINTER(c_int64), _ERR]),
    "tarn_clone": (c_int, [c_void_p, c_char_p, c_int, _TEXT, _ERR]), "tarn_check": (c_int, [c_void_p, c_int, _TEXT, _ERR]),
    "tarn_open_with": (c_int, [c_char_p, c_char_p, POINTER(EngineOptions), POINTER(c_void_p), _ERR]),
    "tarn_close": (None, [c_void_p]), "tarn_interrupt": (None, [c_void_p]),
    "tarn_query": (c_int, [c_void_p, c_char_p, c_void_p, _ERR]),
    "tarn_run": (c_int, [c_void_p, c_char_p, c_void_p, _TEXT, _ERR]),
    "tarn_land": (c_int, [c_void_p, c_char_p, c_char_p, c_void_p, POINTER(c_int64), _ERR]),
    "tarn_bind": (c_int, [c_void_p, c_char_p, c_void_p, _ERR]),
}
for _name, (_restype, _argtypes) in _PROTOTYPES.items():
    _function = getattr(lib, _name)
    _function.restype, _function.argtypes = _restype, _argtypes


# ---- values ----

def text(value: Optional[Any]) -> Optional[bytes]:
    return None if value is None else str(value).encode()


def texts(values: Optional[Sequence[str]]) -> Any:
    """An array of C strings, None for none."""
    return (c_char_p * len(values))(*[v.encode() for v in values]) if values else None


def pairs(values: Optional[Mapping[str, Any]]) -> Any:
    """An array of key-value pairs, None for none. None as a value stays NULL."""
    return (Pair * len(values))(*[Pair(str(k).encode(), text(v)) for k, v in values.items()]) if values else None


def count(array: Any) -> int:
    return 0 if array is None else len(array)


def at(version: Optional[int] = None, timestamp_ms: Optional[int] = None) -> At:
    return At(-1 if version is None else version, -(2**63) if timestamp_ms is None else timestamp_ms)


# ---- calls ----

def check(code: int, err: Error) -> None:
    if code != 0:
        raise error_of(code, lib.tarn_code_name(code).decode(), err.message.decode(errors="replace"), err.hint.decode(errors="replace"),
                       bool(lib.tarn_code_retryable(code)))


def same_process(pid: int) -> None:
    """DuckDB's threads are not in a child of fork()."""
    if pid != os.getpid():
        raise UsageError("this was opened before fork(): open it anew in the child")


def call(name: str, *args: Any) -> None:
    """A call that is quick, or that nobody can interrupt."""
    err = Error()
    check(getattr(lib, name)(*args, byref(err)), err)


def long_call(interrupt: Callable[[], None], name: str, *args: Any) -> None:
    """The same, and Ctrl-C ends it: Python sees a signal in its main thread only, and there not before C code returns. So the main
    thread waits while another one calls."""
    if threading.current_thread() is not threading.main_thread():
        call(name, *args)
        return
    err, codes, done = Error(), [], threading.Event()

    def work() -> None:
        try:
            codes.append(getattr(lib, name)(*args, byref(err)))
        finally:
            done.set()

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        done.wait()
    except BaseException:
        while not done.wait(0.05):  # a call is several statements: each is interrupted
            interrupt()
        raise
    finally:
        thread.join()
    check(codes[0], err)


def text_call(name: str, *args: Any, interrupt: Optional[Callable[[], None]] = None) -> str:
    """A call whose last argument but the error is a text that it gives."""
    out = c_void_p()
    if interrupt is None:
        call(name, *args, byref(out))
    else:
        long_call(interrupt, name, *args, byref(out))
    return take_text(out) or ""


def take_text(pointer: c_void_p) -> Optional[str]:
    if not pointer.value:
        return None
    try:
        return ctypes.string_at(pointer.value).decode()
    finally:
        lib.tarn_text_free(pointer)
