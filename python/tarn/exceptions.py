"""What can go wrong, by class. Every error has `.code` (the number in docs/manual/errors.md), `.name` ("NOTFOUND"), `.hint` (what to do, or "") and
`.retryable`. All are TarnError; most are the Python exception of the same idea too, so that `except FileNotFoundError` works.

    try:
        tarn.DeltaTable("/data/none")
    except tarn.TableNotFoundError as error:
        print(error, error.hint)
"""
from __future__ import annotations

__all__ = ["TarnError", "UsageError", "SqlError", "DataError", "TableNotFoundError", "TableExistsError", "CommitFailedError", "UnsupportedError",
           "CorruptError", "StorageError", "AccessError", "AmbiguousError", "LimitError", "CancelledError", "InternalError"]


class TarnError(Exception):
    """Any failure of tarn."""

    code: int = 0
    name: str = ""
    hint: str = ""
    retryable: bool = False

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\nhint: {self.hint}" if self.hint else message


class UsageError(TarnError, ValueError):
    """Arguments that do not go together, a wrong name, type or value."""


class SqlError(TarnError):
    """SQL that DuckDB refuses; the message is DuckDB's."""


class DataError(TarnError, ValueError):
    """Rows that violate a constraint or do not fit the table."""


class TableNotFoundError(TarnError, FileNotFoundError):
    """No table there, or no such version."""


class TableExistsError(TarnError, FileExistsError):
    """A table is there already (mode "error")."""


class CommitFailedError(TarnError):
    """Another commit won and collides with this change; nothing of it is there. Run it again."""


class UnsupportedError(TarnError, NotImplementedError):
    """A feature of a table that cannot be read or written, by name."""


class CorruptError(TarnError):
    """A log or a file that cannot be."""


class StorageError(TarnError, OSError):
    """The disk, the network or TLS failed."""


class AccessError(StorageError, PermissionError):
    """Permission denied, credentials refused."""


class AmbiguousError(StorageError):
    """The answer to a commit was lost: look whether it is there."""


class LimitError(TarnError):
    """A named limit was reached."""


class CancelledError(TarnError):
    """The call was interrupted; what was not committed is not there."""


class InternalError(TarnError):
    """tarn is wrong."""


_CLASSES = {
    "USAGE": UsageError, "SYNTAX": UsageError, "TYPE": UsageError, "NAME": UsageError, "VALUE": UsageError, "SQL": SqlError, "DATA": DataError,
    "NOTFOUND": TableNotFoundError, "EXISTS": TableExistsError, "IO": StorageError, "ACCESS": AccessError, "BUSY": StorageError,
    "NET": StorageError, "TLS": StorageError, "AUTH": AccessError, "TIMEOUT": StorageError, "AMBIGUOUS": AmbiguousError,
    "CONFLICT": CommitFailedError, "UNSUPPORTED": UnsupportedError, "CORRUPT": CorruptError, "LIMIT": LimitError, "CANCELLED": CancelledError,
}


def error_of(code: int, name: str, message: str, hint: str, retryable: bool) -> TarnError:
    """The exception of one result code."""
    error = _CLASSES.get(name, InternalError)(message)
    error.code, error.name, error.hint, error.retryable = code, name, hint, retryable
    return error
