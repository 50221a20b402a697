"""``stele journal``: look at what waits to be sent, send it, or throw it away."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct

from stele.cli.config import masked
from stele.cli.output import Column, heading, json_option, note, show_facts, show_json, show_table
from stele.cli.sync import chosen_journals, sync, waiting_files
from stele.cli.teaching import Group
from stele.cli.text import size
from stele.errors import Conflict, InvalidParameterValue, shown
from stele.schema.display import duration
from stele.stores.journal.files import DEAD, HEADER, LOCK, read_lines, remove_journal
from stele.stores.journal.journal import Journal
from stele.stores.journal.locks import Lock
from stele.stores.journal.replay import recorded_runs

__all__ = ["journal"]


class Listed(Struct, kw_only=True):
    """One journal.

    ``size`` is in bytes, ``created`` in milliseconds since 1970. ``runs`` counts those with something that is not
    stored yet, ``files`` those that wait, ``in_use`` says that the process which writes it lives, and ``problem`` why
    the journal cannot be read.
    """

    id: str
    path: str
    store: str = ""
    offline: bool = False
    process: int = 0
    in_use: bool
    created: int
    runs: int = 0
    points: int = 0
    requests: int = 0
    files: int = 0
    refused: int = 0
    size: int
    problem: str = ""


@click.group(cls=Group)
def journal() -> None:
    r"""Look at what was logged and is not in its store yet, send it, or throw it away.

    \b
    stele journal list
    stele journal show 4f2a
    """


@journal.command("list", short_help="List the journals of this user.")
@json_option
def list_(as_json: bool) -> None:
    r"""List the journals of this user.

    \b
    stele journal list
    """
    found: list[Listed] = []
    for path in chosen_journals(()):
        with contextlib.suppress(FileNotFoundError):
            found.append(_listed(path))
    if as_json:
        show_json(found)
        return
    columns = [
        Column("Journal", "id"), Column("Store"), Column("Owner"), Column("Created", "time"), Column("Runs", "number"),
        Column("Points", "number"), Column("Requests", "number"), Column("Files", "number"),
        Column("Refused", "number"), Column("Size", "size"),
    ]  # fmt: skip
    rows = [
        [
            item.id,
            item.store,
            _owner(item),
            item.created,
            item.runs,
            item.points,
            item.requests,
            item.files,
            item.refused,
            item.size,
        ]
        for item in found
    ]
    if rows:
        show_table(columns, rows, optional=4)
        for item in found:
            if item.problem:
                note(f"{item.id}: {item.problem}")
    else:
        click.echo("There is no journal: everything that was logged is in its store.")


@journal.command(short_help="Show what a journal holds.")
@click.argument("name", metavar="JOURNAL")
@json_option
def show(name: str, as_json: bool) -> None:
    r"""Show what a journal holds: its runs, and what the store refused with the reasons.

    \b
    stele journal show 4f2a
    """
    path = _one(name)
    item = _listed(path)
    if item.problem:
        raise InvalidParameterValue(item.problem)
    runs = [
        {
            "run_id": run.run_id,
            "points": run.points,
            "metrics": len(run.metrics),
            "params": len(run.params),
            "tags": len(run.tags),
        }
        for run in recorded_runs(Journal.peek(path)).values()
    ]
    letters: list[dict[str, Any]] = list(read_lines(path / DEAD, dict))
    if as_json:
        show_json({**msgspec.to_builtins(item), "recorded": runs, "refusals": letters})
        return
    age = duration(time.time_ns() // 1_000_000 - item.created)
    show_facts(
        {
            "Journal": item.path,
            "Store": item.store,
            "Owner": _owner(item),
            "Age": age,
            "Size": size(item.size),
            "Points": item.points,
            "Requests": item.requests,
            "Files": item.files,
        }
    )
    if runs:
        heading("Not stored yet")
        columns = [Column("Run", "id"), *(Column(title, "number") for title in ("Points", "Metrics", "Params", "Tags"))]
        show_table(columns, [list(run.values()) for run in runs])
    if letters:
        heading("Refused by the store")
        rows = [[_about(letter), letter["time"], letter["reason"]] for letter in letters]
        show_table([Column("What"), Column("When", "time"), Column("Reason")], rows)


journal.add_command(sync)


@journal.command(short_help="Throw a journal away.")
@click.argument("name", metavar="JOURNAL")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def discard(name: str, yes: bool, as_json: bool) -> None:
    r"""Throw a journal away, with everything that is not stored yet. Nothing brings it back.

    \b
    stele journal discard 4f2a
    """
    path = _one(name)
    item = _listed(path)
    lock = Lock.take(str(path / LOCK))
    if lock is None:
        raise Conflict(f"The process {item.process} is writing to the journal {item.id}.")
    try:
        if not yes:
            held = f"{item.points} points, {item.requests} requests and {item.files} files for {item.store}"
            what = f"the journal {path}, which cannot be read" if item.problem else held
            click.confirm(f"Throw away {what}? Nothing brings them back.", abort=True, err=True)
        remove_journal(path)
    finally:
        lock.release()
    if as_json:
        show_json(item)
    else:
        click.echo(f"Threw away the journal {item.id}.")


def _one(name: str) -> Path:
    found = chosen_journals((name,))
    if len(found) > 1:
        raise InvalidParameterValue(f"{shown(name)} stands for {len(found)} journals. Give more of the id.")
    return found[0]


def _listed(path: Path) -> Listed:
    """What is known of a journal.

    Raises:
        FileNotFoundError: It was sent meanwhile.
    """
    lock = Lock.take(str(path / LOCK))
    if lock is not None:
        lock.release()
    made = int(path.stat().st_mtime * 1000)
    item = Listed(id=path.name, path=str(path), in_use=lock is None, created=made, size=_size(path))
    try:
        peeked = Journal.peek(path)
        recorded = recorded_runs(peeked)
        item.refused = sum(1 for _ in read_lines(path / DEAD, msgspec.Raw))
        item.files = sum(1 for _ in waiting_files(path))
    except (InvalidParameterValue, OSError, ValueError) as error:
        (path / HEADER).stat()
        item.problem = str(error)
        return item
    header = peeked.header
    item.store, item.offline, item.process = masked("", header.uri), header.offline, header.process
    item.created, item.runs = header.created, len(recorded)
    item.points = sum(run.points for run in recorded.values())
    item.requests = peeked.end()[1] - peeked.state.operations
    return item


def _size(path: Path) -> int:
    """The bytes of a directory to which another process may be writing."""
    found = 0
    for file in path.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            found += file.lstat().st_size
    return found


def _owner(item: Listed) -> str:
    return f"process {item.process}" if item.in_use else "nobody"


def _about(letter: dict[str, Any]) -> str:
    if "operation" in letter:
        request = letter["request"]
        run_id = request.get("run_id") if isinstance(request, dict) else None
        return (letter["operation"] or "a damaged line") + (f" of run {run_id}" if run_id else "")
    if "files" in letter:
        owner = f"model {letter['model_id']}" if "model_id" in letter else f"run {letter['run_id']}"
        return f"files of {owner}, now in {letter['files']}"
    return f"{letter['key']} = {letter['value']} at step {letter['step']} of run {letter['run_id']}"
