"""Params and tags as rows of ``run_texts``, the narrow table that finds runs by them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete

from stele.stores.sql import dialect
from stele.stores.sql.keys import Keys, Name
from stele.stores.sql.tables import KIND_PARAM, KIND_TAG, TEXT_PREFIX, run_texts

__all__ = ["forget_text", "forget_texts", "number_in", "text_names", "text_rows", "write_rows", "write_texts"]

_MAX_NUMBER_CHARACTERS = 64
_WRITE = dialect.Prepared(lambda name: dialect.upsert_of(name, run_texts))


def number_in(text: str) -> float | None:
    """The finite number that a param's text spells, None when it spells none: ``0.01``, ``-3``, ``1e-5``."""
    if not text or len(text) > _MAX_NUMBER_CHARACTERS or not text.isascii() or "_" in text or text != text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def text_names(params: Iterable[str], tags: Iterable[str]) -> list[Name]:
    """What to resolve before :func:`write_texts`."""
    return [(KIND_PARAM, key) for key in params] + [(KIND_TAG, key) for key in tags]


def write_texts(
    connection: Connection, run: int, params: dict[str, str], tags: dict[str, str], ids: dict[Name, int]
) -> None:
    """Make params and tags findable; a value that is there already is replaced."""
    write_rows(connection, text_rows(run, params, tags, ids))


def text_rows(run: int, params: dict[str, str], tags: dict[str, str], ids: dict[Name, int]) -> list[dict[str, Any]]:
    """The rows of a run's params and tags, for :func:`write_rows`."""
    rows = [_row(run, ids[KIND_PARAM, key], value, number_in(value)) for key, value in params.items()]
    return rows + [_row(run, ids[KIND_TAG, key], value, None) for key, value in tags.items()]


def write_rows(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Make params and tags of any runs findable; a value that is there already is replaced."""
    if rows:
        _WRITE.many(connection, rows)


def forget_text(connection: Connection, keys: Keys, run: int, experiment_id: int, tag: str) -> None:
    """Remove a tag."""
    key_id = keys.resolve(connection, experiment_id, [(KIND_TAG, tag)])[KIND_TAG, tag]
    forget_texts(connection, [run], key_id)


def forget_texts(connection: Connection, numbers: list[int], key_id: int) -> None:
    """Remove a tag of runs."""
    connection.execute(delete(run_texts).where(run_texts.c.run.in_(numbers), run_texts.c.key_id == key_id))


def _row(run: int, key_id: int, value: str, number: float | None) -> dict[str, Any]:
    rest = value[TEXT_PREFIX:] or None
    return {"run": run, "key_id": key_id, "value": value[:TEXT_PREFIX], "rest": rest, "number": number}
