"""The runs of an experiment as CSV, whatever their number, in the memory of one page.

Which columns there are is known when the last run was seen, so the rows wait on disk meanwhile.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from stele.cli.text import moment
from stele.client.client import Client
from stele.limits import DEFAULT_PAGE
from stele.schema.runs import Run

__all__ = ["write_csv"]

_INFO = ("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time")
_KINDS = ("metrics", "params", "tags")
_BYTES_IN_MEMORY = 8_000_000
_LENGTH_BYTES = 8


def write_csv(client: Client, experiment_id: str, condition: str, view: int, target: Path | None) -> int:
    """Write runs as CSV, to a file or to standard output, once all of them were read.

    Args:
        client: Where to read.
        experiment_id: Whose runs.
        condition: A filter; an empty text finds all.
        view: A value of ``ViewType``.
        target: The file; None means standard output.

    Returns:
        How many runs were written.
    """
    names: dict[str, dict[str, None]] = {kind: {} for kind in _KINDS}
    with tempfile.SpooledTemporaryFile(max_size=_BYTES_IN_MEMORY) as waiting:
        count = 0
        for run in _runs(client, experiment_id, condition, view):
            values = {kind: getattr(run.data, kind) for kind in _KINDS}
            for kind, found in values.items():
                names[kind].update(dict.fromkeys(found))
            message = msgspec.msgpack.encode((_info(run), [values[kind] for kind in _KINDS]))
            waiting.write(len(message).to_bytes(_LENGTH_BYTES) + message)
            count += 1
        waiting.seek(0)
        _write(target, _rows(waiting, {kind: list(found) for kind, found in names.items()}))
    return count


def _runs(client: Client, experiment_id: str, condition: str, view: int) -> Iterator[Run]:
    token: str | None = None
    while True:
        page = client.search_runs([experiment_id], condition, view, DEFAULT_PAGE, page_token=token)
        yield from page
        token = page.token
        if token is None:
            return


def _info(run: Run) -> list[Any]:
    info = run.info
    times = [_time(info.start_time), _time(info.end_time)]
    return [info.run_id, info.experiment_id, info.status, info.artifact_uri, *times]


def _time(milliseconds: int | None) -> str:
    """As pandas writes it, and reads it back."""
    if milliseconds is None:
        return ""
    found = moment(milliseconds)
    return str(milliseconds) if found is None else found.isoformat(" ", "milliseconds")


def _rows(waiting: IO[bytes], names: dict[str, list[str]]) -> Iterator[list[Any]]:
    yield [*_INFO, *(f"{kind}.{name}" for kind in _KINDS for name in names[kind])]
    for info, values in _messages(waiting):
        cells = [value.get(name, "") for kind, value in zip(_KINDS, values, strict=True) for name in names[kind]]
        yield [*info, *cells]


def _messages(waiting: IO[bytes]) -> Iterator[Any]:
    while length := waiting.read(_LENGTH_BYTES):
        yield msgspec.msgpack.decode(waiting.read(int.from_bytes(length)))


def _write(target: Path | None, rows: Iterable[list[Any]]) -> None:
    if target is None:
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
        return
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
