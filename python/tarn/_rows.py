"""Python values to Arrow and back without pyarrow, for small data: lists of dicts in, lists of tuples out.

Layout of an array (https://arrow.apache.org/docs/format/CDataInterface.html): length, null_count, offset, buffers (validity bits first), children. A format
is a short text: "l" int64, "g" double, "u" text, "tsu:UTC" microseconds, "+s" struct, "+l" list, ...
"""
from __future__ import annotations

import ctypes
import datetime
import decimal
import struct
from ctypes import POINTER, c_char_p, c_int64, c_void_p
from typing import Any, List, Optional, Sequence, Tuple

from ._capsule import SCHEMA, STREAM, capsule, pointer_of
from ._lib import Stream
from .exceptions import StorageError, UsageError

EPOCH = datetime.datetime(1970, 1, 1)
EPOCH_DATE = datetime.date(1970, 1, 1)
UTC = datetime.timezone.utc


class Schema(ctypes.Structure):
    pass


Schema._fields_ = [("format", c_char_p), ("name", c_char_p), ("metadata", c_void_p), ("flags", c_int64), ("n_children", c_int64),
                   ("children", POINTER(POINTER(Schema))), ("dictionary", POINTER(Schema)), ("release", c_void_p), ("private_data", c_void_p)]


class Array(ctypes.Structure):
    pass


Array._fields_ = [("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64), ("n_children", c_int64),
                  ("buffers", POINTER(c_void_p)), ("children", POINTER(POINTER(Array))), ("dictionary", POINTER(Array)), ("release", c_void_p),
                  ("private_data", c_void_p)]

_OnSchema = ctypes.CFUNCTYPE(ctypes.c_int, c_void_p, POINTER(Schema))
_OnArray = ctypes.CFUNCTYPE(ctypes.c_int, c_void_p, POINTER(Array))
_OnError = ctypes.CFUNCTYPE(c_char_p, c_void_p)
_OnRelease = ctypes.CFUNCTYPE(None, c_void_p)


# ---- in: what type a column has ----

def _kind(values: Sequence[Any], name: str) -> Tuple:
    """(format, children): children is [(name, kind)] of a struct, [kind] of a list."""
    seen = [v for v in values if v is not None]
    if not seen:
        return ("n", [])
    types = {bool if isinstance(v, bool) else int if isinstance(v, int) else float if isinstance(v, float) else str if isinstance(v, str) else
             bytes if isinstance(v, (bytes, bytearray, memoryview)) else decimal.Decimal if isinstance(v, decimal.Decimal) else
             datetime.datetime if isinstance(v, datetime.datetime) else datetime.date if isinstance(v, datetime.date) else
             dict if isinstance(v, dict) else list if isinstance(v, (list, tuple)) else type(v) for v in seen}
    if types <= {int, float}:
        return ("l" if types == {int} else "g", [])
    if len(types) > 1:
        raise UsageError(f"column '{name}' has values of different types: {', '.join(sorted(t.__name__ for t in types))}")
    kind = types.pop()
    simple = {bool: "b", str: "u", bytes: "z", datetime.date: "tdD"}
    if kind in simple:
        return (simple[kind], [])
    if kind is datetime.datetime:
        return ("tsu:UTC" if seen[0].tzinfo is not None else "tsu:", [])
    if kind is decimal.Decimal:
        scale = max(0, *(-v.as_tuple().exponent for v in seen)) if len(seen) > 1 else max(0, -seen[0].as_tuple().exponent)
        return (f"d:38,{scale}", [])
    if kind is dict:
        names = {str(k): None for v in seen for k in v}
        return ("+s", [(n, _kind([v.get(n) for v in seen], f"{name}.{n}")) for n in names])
    if kind is list:
        return ("+l", [_kind([x for v in seen for x in v], f"{name}[]")])
    raise UsageError(f"column '{name}' has values of type {kind.__name__}, which has no Arrow type here: convert it")


# ---- in: arrays ----

def _bits(flags: Sequence[Any]) -> bytes:
    out = bytearray((len(flags) + 7) // 8)
    for i, flag in enumerate(flags):
        if flag:
            out[i >> 3] |= 1 << (i & 7)
    return bytes(out)


def _micros(value: datetime.datetime) -> int:
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return (value - EPOCH) // datetime.timedelta(microseconds=1)


def _decimal(value: decimal.Decimal, scale: int) -> bytes:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) + exponent + scale > 38:
        raise UsageError(f"{value} does not fit into DECIMAL(38,{scale})")
    number = int("".join(map(str, digits))) * 10 ** (exponent + scale)
    return (-number if sign else number).to_bytes(16, "little", signed=True)


def _fixed(fmt: str, values: Sequence[Any]) -> Optional[bytes]:
    """The data buffer of a type of fixed width."""
    if fmt == "b":
        return _bits(values)
    if fmt == "l":
        try:
            return struct.pack(f"<{len(values)}q", *[0 if v is None else v for v in values])
        except struct.error:
            raise UsageError("an integer does not fit into 64 bits: give a decimal.Decimal") from None
    if fmt == "g":
        return struct.pack(f"<{len(values)}d", *[0.0 if v is None else float(v) for v in values])
    if fmt == "tdD":
        return struct.pack(f"<{len(values)}i", *[0 if v is None else (v - EPOCH_DATE).days for v in values])
    if fmt.startswith("tsu"):
        return struct.pack(f"<{len(values)}q", *[0 if v is None else _micros(v) for v in values])
    if fmt.startswith("d:"):
        scale = int(fmt.split(",")[1])
        return b"".join(bytes(16) if v is None else _decimal(v, scale) for v in values)
    return None


class _Maker:
    """Makes the structs and keeps what they point to: memory is Python's, so releasing only marks a struct as released."""

    def __init__(self) -> None:
        self.keep: List[Any] = []
        self.release_schema = _OnRelease(lambda at: _mark(at, Schema))
        self.release_array = _OnRelease(lambda at: _mark(at, Array))

    def schema(self, out: Schema, name: str, kind: Tuple) -> None:
        fmt, children = kind
        named = [("item", c) for c in children] if fmt == "+l" else children
        kids = [Schema() for _ in named]
        for kid, (child_name, child) in zip(kids, named):
            self.schema(kid, child_name, child)
        pointers = (POINTER(Schema) * max(1, len(kids)))(*[ctypes.pointer(k) for k in kids])
        labels = fmt.encode(), name.encode()
        out.format, out.name, out.flags = *labels, 2
        out.n_children, out.children = len(kids), pointers
        out.release = ctypes.cast(self.release_schema, c_void_p)
        self.keep += [kids, pointers, labels]

    def array(self, out: Array, kind: Tuple, values: Sequence[Any]) -> None:
        fmt, children = kind
        buffers: List[bytes] = [] if fmt == "n" else [_bits([v is not None for v in values])]
        below: List[Tuple[Tuple, Sequence[Any]]] = []
        data = _fixed(fmt, values)
        if data is not None:
            buffers.append(data)
        elif fmt in ("u", "z"):
            parts = [b"" if v is None else v.encode() if fmt == "u" else bytes(v) for v in values]
            buffers += [_offsets([len(p) for p in parts]), b"".join(parts)]
        elif fmt == "+l":
            buffers.append(_offsets([0 if v is None else len(v) for v in values]))
            below = [(children[0], [x for v in values if v is not None for x in v])]
        elif fmt == "+s":
            below = [(child, [None if v is None else v.get(n) for v in values]) for n, child in children]
        kids = [Array() for _ in below]
        for kid, (child, items) in zip(kids, below):
            self.array(kid, child, items)
        pointers = (POINTER(Array) * max(1, len(kids)))(*[ctypes.pointer(k) for k in kids])
        held = [ctypes.create_string_buffer(b, max(1, len(b))) for b in buffers]
        places = (c_void_p * max(1, len(held)))(*[ctypes.addressof(h) for h in held])
        out.length, out.offset, out.n_buffers, out.buffers = len(values), 0, len(held), places
        out.null_count = sum(v is None for v in values)
        out.n_children, out.children = len(kids), pointers
        out.release = ctypes.cast(self.release_array, c_void_p)
        self.keep += [kids, pointers, held, places]


def _mark(at: int, kind: Any) -> None:
    ctypes.cast(at, POINTER(kind)).contents.release = None


def _offsets(lengths: Sequence[int]) -> bytes:
    total, ends = 0, [0]
    for n in lengths:
        total += n
        ends.append(total)
    if total >= 2**31:
        raise UsageError("a column of more than 2 GiB: write it in parts, or as a pyarrow.Table")
    return struct.pack(f"<{len(ends)}i", *ends)


class RowStream:
    """Columns of Python values with `__arrow_c_stream__`: one batch. Made for one call that is over before this object is gone."""

    def __init__(self, columns: dict) -> None:
        lengths = {len(v) for v in columns.values()}
        if len(lengths) != 1:
            raise UsageError("columns of a dict have different lengths" if lengths else "there are no columns")
        kind = ("+s", [(name, _kind(values, name)) for name, values in columns.items()])
        self._maker, self._schema, self._array = _Maker(), Schema(), Array()
        self._maker.schema(self._schema, "", kind)
        self._maker.array(self._array, kind, [dict(zip(columns, row)) for row in zip(*columns.values())])

    def _get_schema(self, _: int, out: Any) -> int:
        ctypes.memmove(out, ctypes.byref(self._schema), ctypes.sizeof(Schema))
        return 0

    def _get_next(self, _: int, out: Any) -> int:
        ctypes.memmove(out, ctypes.byref(self._array), ctypes.sizeof(Array))
        self._array.release = None  # moved; the next answer is the end
        return 0

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        calls = (_OnSchema(self._get_schema), _OnArray(self._get_next), _OnError(lambda _: b""), _OnRelease(lambda at: _mark(at, Stream)))
        stream = Stream(*[ctypes.cast(c, c_void_p).value for c in calls], None)
        stream._keep = (self, calls)
        return capsule(stream)


# ---- out ----

_WIDTHS = {"c": "b", "C": "B", "s": "h", "S": "H", "i": "i", "I": "I", "l": "q", "L": "Q", "f": "f", "g": "d", "tdD": "i", "ttu": "q", "tts": "i",
           "ttm": "i", "ttn": "q"}
_SECONDS = {"s": 1, "m": 10**3, "u": 10**6, "n": 10**9}


def _buffer(array: Array, i: int, size: int) -> bytes:
    return ctypes.string_at(array.buffers[i], size) if size and array.buffers[i] else b""


def _unpack(array: Array, code: str) -> tuple:
    n = array.offset + array.length
    return struct.unpack(f"<{n}{code}", _buffer(array, 1, n * struct.calcsize("<" + code)))[array.offset:] if n else ()


def _text_values(fmt: str, array: Array) -> List[Any]:
    n, wide = array.offset + array.length, fmt in "UZ"
    ends = struct.unpack(f"<{n + 1}{'q' if wide else 'i'}", _buffer(array, 1, (n + 1) * (8 if wide else 4))) if n else (0,)
    data = _buffer(array, 2, ends[-1])
    parts = [data[ends[i]:ends[i + 1]] for i in range(array.offset, n)]
    return [p.decode() for p in parts] if fmt in "uU" else parts


def _instant(value: int, unit: str, zone: bool) -> datetime.datetime:
    try:
        moment = EPOCH + datetime.timedelta(microseconds=value * 10**6 // _SECONDS[unit])
    except OverflowError:
        raise UsageError("a timestamp is outside of what Python's datetime has: read it with pyarrow, or cast it to VARCHAR") from None
    return moment.replace(tzinfo=UTC) if zone else moment


def _plain(schema: Schema, array: Array, fmt: str) -> List[Any]:
    """Values of a type without children, nulls not yet taken out."""
    if fmt == "n":
        return [None] * array.length
    if fmt == "b":
        data = _buffer(array, 1, (array.offset + array.length + 7) // 8)
        return [bool(data[i >> 3] >> (i & 7) & 1) for i in range(array.offset, array.offset + array.length)]
    if fmt in ("u", "U", "z", "Z"):
        return _text_values(fmt, array)
    if fmt.startswith("ts"):
        return list(_unpack(array, "q"))
    if fmt.startswith("d:"):
        bits = int(fmt.split(",")[2]) if fmt.count(",") == 2 else 128
        width, end = bits // 8, array.offset + array.length
        data = _buffer(array, 1, end * width)
        return [int.from_bytes(data[i * width:(i + 1) * width], "little", signed=True) for i in range(array.offset, end)]
    if fmt.startswith("w:"):
        width, end = int(fmt[2:]), array.offset + array.length
        data = _buffer(array, 1, end * width)
        return [data[i * width:(i + 1) * width] for i in range(array.offset, end)]
    if fmt in _WIDTHS:
        return list(_unpack(array, _WIDTHS[fmt]))
    raise UsageError(f"column '{(schema.name or b'').decode()}' has the Arrow type '{fmt}', which is read with pyarrow only: to_arrow()")


def _shown(fmt: str, v: Any) -> Any:
    """One value of a plain type as Python has it."""
    if fmt == "tdD":
        return EPOCH_DATE + datetime.timedelta(days=v)
    if fmt.startswith("ts"):
        return _instant(v, fmt[2], len(fmt) > 4)
    if fmt.startswith("tt"):
        return (EPOCH + datetime.timedelta(microseconds=v * 10**6 // _SECONDS[fmt[2]])).time()
    if fmt.startswith("d:"):
        return decimal.Decimal(v).scaleb(-int(fmt.split(",")[1]), decimal.Context(prec=80))
    return v


def _column(schema: Schema, array: Array) -> List[Any]:
    fmt = schema.format.decode()
    begin, end = array.offset, array.offset + array.length
    if schema.dictionary:
        words = _column(schema.dictionary.contents, array.dictionary.contents)
        values: List[Any] = [words[i] if 0 <= i < len(words) else None for i in _unpack(array, _WIDTHS[fmt])]
        fmt = ""
    elif fmt == "+s":
        kids = [_column(schema.children[i].contents, array.children[i].contents)[begin:end] for i in range(schema.n_children)]
        names = [schema.children[i].contents.name.decode() for i in range(schema.n_children)]
        values = [dict(zip(names, row)) for row in zip(*kids)] if kids else [{}] * array.length
    elif fmt in ("+l", "+L", "+m"):
        wide = fmt == "+L"
        ends = struct.unpack(f"<{end + 1}{'q' if wide else 'i'}", _buffer(array, 1, (end + 1) * (8 if wide else 4))) if end else (0,)
        items = _column(schema.children[0].contents, array.children[0].contents)
        values = [items[ends[i]:ends[i + 1]] for i in range(begin, end)]
        if fmt == "+m":
            values = [dict(tuple(pair.values()) for pair in v) for v in values]
    elif fmt.startswith("+w:"):
        width, items = int(fmt[3:]), _column(schema.children[0].contents, array.children[0].contents)
        values = [items[i * width:(i + 1) * width] for i in range(begin, end)]
    else:
        values = _plain(schema, array, fmt)
    valid = _buffer(array, 0, (end + 7) // 8) if array.null_count != 0 and array.n_buffers > 0 else b""
    return [None if v is None or (valid and not valid[i >> 3] >> (i & 7) & 1) else _shown(fmt, v) if fmt else v
            for i, v in enumerate(values, begin)]


def read_rows(source: Any) -> Tuple[List[str], List[tuple]]:
    """(names, rows) of anything with `__arrow_c_stream__`, all of it."""
    held = source.__arrow_c_stream__()
    at = pointer_of(held, STREAM)
    stream = Stream.from_address(at)
    schema = Schema()
    rows: List[tuple] = []
    _done(stream, at, _OnSchema(stream.get_schema)(at, ctypes.byref(schema)))
    try:
        names = [schema.children[i].contents.name.decode() for i in range(schema.n_children)]
        while True:
            array = Array()
            _done(stream, at, _OnArray(stream.get_next)(at, ctypes.byref(array)))
            if not array.release:
                return names, rows
            try:
                columns = [_column(schema.children[i].contents, array.children[i].contents) for i in range(schema.n_children)]
                rows += zip(*columns)
            finally:
                _OnRelease(array.release)(ctypes.addressof(array))
    finally:
        _OnRelease(schema.release)(ctypes.addressof(schema))


def _done(stream: Stream, at: int, code: int) -> None:
    if code != 0:
        message = _OnError(stream.get_last_error)(at) if stream.get_last_error else None
        raise StorageError((message or b"reading rows failed").decode(errors="replace"))


def read_schema(source: Any, read: Any) -> Any:
    """read(struct ArrowSchema) of anything with `__arrow_c_schema__`."""
    held = source.__arrow_c_schema__()
    return read(Schema.from_address(pointer_of(held, SCHEMA)))
