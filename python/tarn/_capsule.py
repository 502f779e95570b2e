"""PyCapsules over Arrow's C structs, made and taken through the Python C API.

Whoever holds a struct whose `release` is not NULL calls it once. A capsule owns its struct until a consumer has moved the stream out of it.
"""
from __future__ import annotations

import ctypes
import os
from typing import Any

from ._lib import Stream

STREAM, SCHEMA = b"arrow_array_stream", b"arrow_schema"
_api = ctypes.pythonapi
_capsule_new = _api.PyCapsule_New
_capsule_new.restype, _capsule_new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
pointer_of = _api.PyCapsule_GetPointer
pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
# For the destructor: the capsule is dying, so no Python object may be made of it.
_dying_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))
_Release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

_open: dict = {}  # address -> the struct of a capsule that lives
_pid = os.getpid()


def release(stream: Stream) -> None:
    """Releases a stream that was not moved; does nothing otherwise, nor in a child of fork()."""
    if stream.release and getattr(stream, "pid", _pid) == os.getpid():
        _Release(stream.release)(ctypes.addressof(stream))


@ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
def _destroy(capsule: int, pointer: Any = _dying_pointer, name: bytes = STREAM, streams: dict = _open, free: Any = release) -> None:
    stream = streams.pop(pointer(capsule, name), None)
    if stream is not None:
        free(stream)


_api.Py_IncRef(ctypes.py_object(_destroy))  # the last capsules die after this module


def capsule(stream: Stream) -> Any:
    """A PyCapsule that owns the stream: what `__arrow_c_stream__` gives."""
    address = ctypes.addressof(stream)
    _open[address] = stream
    return _capsule_new(address, STREAM, ctypes.cast(_destroy, ctypes.c_void_p))
