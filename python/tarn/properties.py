"""Options that several calls share, by deltalake's names; its own objects of these classes are taken too."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from . import _lib
from .exceptions import UsageError


@dataclass
class Transaction:
    """An application's own number of a write: one that is not above the newest written under app_id is skipped.

        >>> Transaction("loader", 7)
        Transaction(app_id='loader', version=7, last_updated=None)
    """
    app_id: str
    version: int
    last_updated: Optional[int] = None


@dataclass
class CommitProperties:
    """What goes into a commit: custom_metadata beside its operation; how often a change of rows is tried when others win; transactions (one at most)."""
    custom_metadata: Optional[Dict[str, Any]] = None
    max_commit_retries: Optional[int] = None
    app_transactions: Optional[List[Transaction]] = None


@dataclass
class PostCommitHookProperties:
    """Taken for compatibility: checkpoints are written as the table's properties (delta.checkpointInterval) say."""
    create_checkpoint: bool = True
    cleanup_expired_logs: Optional[bool] = None


def place(uri: Any) -> str:
    """A path or URL as text; ~ is not expanded, as deltalake does not."""
    return os.fspath(uri)


def columns(value: Any) -> List[str]:
    """One name or several, or none, as a list."""
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def commit_options(properties: Any = None, custom_metadata: Optional[Mapping[str, Any]] = None, target_file_size: Optional[int] = None) -> Tuple:
    """The C struct, and what it points to, which lives as long as it."""
    metadata = dict(getattr(properties, "custom_metadata", None) or {})
    metadata.update(custom_metadata or {})
    transactions = getattr(properties, "app_transactions", None) or []
    if len(transactions) > 1:
        raise UsageError("one commit carries one application's transaction")
    pairs = _lib.pairs(metadata)
    options = _lib.CommitOptions(metadata=pairs, metadata_n=_lib.count(pairs), target_file_bytes=target_file_size or 0,
                                 tries=(getattr(properties, "max_commit_retries", None) or 0))
    for one in transactions:
        options.app_id, options.app_version = one.app_id.encode(), one.version
    return options, pairs


def partition_filter(filters: Any) -> Optional[str]:
    """[("day", "=", "2024-01-01"), ("shop", "in", ["a", "b"])] as SQL; None for none. A list of such lists is an OR of them."""
    if not filters:
        return None
    if isinstance(filters[0], list):
        return " OR ".join(f"({partition_filter(f)})" for f in filters)
    return " AND ".join(_comparison(*f) for f in filters)


def _comparison(column: str, operator: str, value: Any) -> str:
    name, operator = '"' + column.replace('"', '""') + '"', operator.lower()
    if operator in ("in", "not in"):
        return f"{name} {operator.upper()} ({', '.join(literal(v) for v in value)})"
    if operator not in ("=", "==", "!=", "<", "<=", ">", ">="):
        raise UsageError(f"'{operator}' compares nothing: =, !=, <, <=, >, >=, in, not in")
    if value is None or value == "":
        return f"{name} IS {'NOT ' if operator == '!=' else ''}NULL"
    return f"{name} {'=' if operator == '==' else operator} {literal(value)}"


def literal(value: Any) -> str:
    """A Python value as SQL text.

        >>> literal("it's"), literal([1, None]), literal(True)
        ("'it''s'", '[1, NULL]', 'true')
    """
    import datetime
    import decimal
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, decimal.Decimal)):
        return str(value)
    if isinstance(value, float):
        return f"'{value!r}'::DOUBLE"
    if isinstance(value, (bytes, bytearray)):
        return f"unhex('{bytes(value).hex()}')"
    if isinstance(value, datetime.datetime):
        return f"{'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'} '{value.isoformat(' ')}'"
    if isinstance(value, datetime.date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(str(k))}: {literal(v)}" for k, v in value.items()) + "}"
    return "'" + str(value).replace("'", "''") + "'"


def moment_ms(value: Any) -> int:
    """A datetime, or its ISO text, as milliseconds since 1970 in UTC; without a zone it is UTC."""
    import datetime
    if isinstance(value, str):
        text = value.strip().replace("Z", "+00:00")
        try:
            value = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(f"'{value}' is no instant: write 2024-01-31T12:00:00Z") from None
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (value - epoch) // datetime.timedelta(milliseconds=1)


def state(value: Any) -> Any:
    """A version (int) or an instant (datetime, ISO text) as the C struct; None: the newest."""
    if value is None:
        return None
    if isinstance(value, bool) or not (isinstance(value, int) or hasattr(value, "isoformat") or isinstance(value, str)):
        raise UsageError(f"a state is a version, a datetime or its text, not {type(value).__name__}")
    return _lib.at(version=value) if isinstance(value, int) else _lib.at(timestamp_ms=moment_ms(value))
