"""The log of a server: one line a request, and what else it has to say."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

__all__ = ["access_log", "set_up_logging"]

access_log = logging.getLogger("stele.access")


class _TextFormat(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None)
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        if fields is None:
            text = f"{moment} {record.levelname.lower()} {record.name}: {record.getMessage()}"
            return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text
        return (
            f"{moment} {fields['method']} {fields['path']} {fields['status']} {fields['milliseconds']} ms "
            f"{fields['principal']} {fields['request_id']}"
        )


class _JsonFormat(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        entry |= getattr(record, "fields", None) or {"message": record.getMessage()}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def set_up_logging(log_format: str) -> None:
    """Send the log of Stele to standard error, one line an event, as text or as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormat() if log_format == "json" else _TextFormat())
    logger = logging.getLogger("stele")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
