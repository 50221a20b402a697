"""``stele sync``: what journals hold goes to its stores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
from msgspec import Struct

from stele.artifacts.base import walk
from stele.artifacts.local import LocalRepository
from stele.cli.config import masked
from stele.cli.output import json_option, note, show_json
from stele.cli.progress import in_all, progress
from stele.cli.teaching import Command
from stele.client.shipments import upload_files
from stele.client.stores import get_tracking_uri, open_store, resolve_uri
from stele.errors import InvalidParameterValue, SteleError, shown
from stele.schema.artifacts import FileInfo
from stele.stores.journal.files import FILES, find_journals, journal_root
from stele.stores.journal.journal import Journal
from stele.stores.journal.segments import RECORD_BYTES
from stele.stores.journal.sender import ship

__all__ = ["chosen_journals", "sync", "waiting_files"]

_WATCH_SECONDS = 5.0


class Outcome(Struct):
    """What became of one journal.

    ``status`` is ``sent``, ``in use`` (its process lives and sends it), or ``kept`` (the store does not take it now).
    """

    journal: str
    store: str
    status: str
    points: int = 0
    requests: int = 0
    refused: int = 0
    reason: str = ""


def chosen_journals(names: tuple[str, ...], *, missing_ok: bool = False) -> list[Path]:
    """The journals that were named by their path, a path above them or the beginning of their id; all without a name.

    Raises:
        InvalidParameterValue: A name stands for no journal, and ``missing_ok`` does not say that it was sent already.
    """
    known = find_journals(journal_root())
    if not names:
        return known
    found: list[Path] = []
    for name in names:
        path = Path(name)
        matching = find_journals(path) if path.exists() else [item for item in known if item.name.startswith(name)]
        if not matching and not missing_ok:
            raise InvalidParameterValue(f"There is no journal {shown(name)}. `stele journal list` shows all.")
        found += matching
    return list(dict.fromkeys(found))


@click.command(cls=Command)
@click.argument("journals", nargs=-1, metavar="[JOURNAL]...")
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C; journals that come later are sent too.")
@click.option("--to", "target", metavar="URI", help="Send to this store instead of the one that a journal names.")
@json_option
@click.pass_context
def sync(ctx: click.Context, journals: tuple[str, ...], watch: bool, target: str | None, as_json: bool) -> None:
    r"""Send what journals hold: of offline runs, and of processes that ended before their store had everything.

    A journal is named by its directory or by the beginning of its id; without a name all of this user are sent. Doing
    it again, or after an interruption, sends nothing twice. What the store refuses is set aside in the journal. One
    that lies elsewhere than those of this user goes to the current store, or where --to says, and nowhere else. The
    exit code is 1 when something is left to be sent. With --watch and --json each round that had something to do
    prints a list.

    \b
    stele sync
    stele sync --watch
    stele sync 4f2a --to http://localhost:5000
    stele journal sync 4f2a
    stele sync /scratch/journals
    """
    target = resolve_uri(target) if target else None
    outcomes: list[Outcome] = []
    try:
        outcomes = _sent_now(chosen_journals(journals), target, as_json=as_json, silent=watch)
        while watch:
            time.sleep(_WATCH_SECONDS)
            outcomes = _sent_now(chosen_journals(journals, missing_ok=True), target, as_json=as_json, silent=True)
    except KeyboardInterrupt:
        if not watch:  # else it is how one ends it, at any moment
            raise
    ctx.exit(1 if any(outcome.status == "kept" for outcome in outcomes) else 0)


def _sent_now(paths: list[Path], target: str | None, *, as_json: bool, silent: bool) -> list[Outcome]:
    """Send some journals and say what became of them; ``silent`` says nothing where nothing was to be done."""
    outcomes = [_sent(path, target, quiet=as_json) for path in paths]
    if not as_json:
        _tell(outcomes, silent=silent)
    elif not silent or any(outcome.status != "in use" for outcome in outcomes):
        show_json(outcomes)
    return outcomes


def _sent(path: Path, target: str | None, *, quiet: bool) -> Outcome:
    outcome = Outcome(str(path), "", "in use")
    try:
        journal = Journal.adopt(path)
    except (InvalidParameterValue, OSError, ValueError) as error:
        outcome.status, outcome.reason = "kept", str(error)
        return outcome
    if journal is None:
        return outcome
    outcome.store, outcome.status = masked("", target or journal.header.uri), "sent"
    end, operations = journal.end()
    begun = journal.state
    try:
        if target is None:
            _demand_own(path, journal.header.uri)
        store = open_store(target or journal.header.uri)
    except SteleError as error:
        journal.close(remove=False)
        outcome.status, outcome.reason = "kept", error.message
        return outcome
    try:
        waiting = (end - begun.start) * RECORD_BYTES + sum(file.file_size or 0 for file in waiting_files(path))
        with progress(f"Sending {path.name[:8]}", 0 if quiet else waiting, in_bytes=True) as advance:
            points = in_all(advance)
            upload = partial(upload_files, progress=_Moved(advance))
            shipment = ship(journal, store, upload, lambda stored: points(stored * RECORD_BYTES))
    except (SteleError, OSError) as error:
        outcome.status, outcome.reason = "kept", str(error)
    else:
        outcome.refused = len(shipment.refused_records) + len(shipment.refused_operations) + len(shipment.refused_files)
        outcome.points, outcome.requests = shipment.stored, operations - begun.operations
    return outcome


def _demand_own(path: Path, uri: str) -> None:
    """Refuse a journal that may be somebody else's, so that our credentials do not go to the address which it names.

    Raises:
        InvalidParameterValue: It lies elsewhere than ours, and does not name the current store.
    """
    root = journal_root()
    if uri != get_tracking_uri() and not path.resolve().is_relative_to(root.resolve()):
        raise InvalidParameterValue(
            f"it lies outside of {root} and names the store {masked('', uri)}, which is not the current one. "
            "Say with --to where it shall go"
        )


class _Moved:
    """Tells a bar of the bytes of files."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self.add = advance

    def done(self) -> None:
        """See :meth:`~stele.artifacts.progress.Progress.done`."""


def waiting_files(path: Path) -> Iterator[FileInfo]:
    """The files that wait in a journal, of all runs and models."""
    for owned in (path / FILES).glob("*"):
        yield from (file for file in walk(LocalRepository(owned)) if not file.is_dir)


def _tell(outcomes: list[Outcome], *, silent: bool) -> None:
    for outcome in outcomes:
        name = Path(outcome.journal).name[:8]
        if outcome.status == "sent" and (outcome.points or outcome.requests or outcome.refused):
            click.echo(f"{name}: {outcome.points} points and {outcome.requests} requests are in {outcome.store}.")
            if outcome.refused:
                note(f"{name}: {outcome.refused} were refused; `stele journal show {name}` tells why.")
        elif outcome.status == "kept":
            note(f"{name}: not sent, and kept: {outcome.reason}")
        elif outcome.status == "in use" and not silent:
            note(f"{name}: its process lives and sends it.")
    if not outcomes and not silent:
        click.echo("There is nothing to send.")
