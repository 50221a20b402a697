"""A journal in front of a store: points are on disk at once and in the store soon, the rest goes straight through."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stele import settings
from stele.errors import Unavailable
from stele.schema.routes import by_operation
from stele.stores.base import TrackingStore
from stele.stores.journal import files
from stele.stores.journal.files import State
from stele.stores.journal.journal import Append, Journal
from stele.stores.journal.sender import Connect, Progress, Sender, close
from stele.stores.journal.shipping import Upload
from stele.stores.offline import OfflineStore

__all__ = ["BufferedStore"]

_LOGGER = logging.getLogger(__name__)

_INDEPENDENT = frozenset(
    """
    create_experiment create_logged_model create_registered_model create_run delete_tag get_experiment
    get_experiment_by_name ingest log_batch log_inputs log_metric log_model log_outputs log_param restore_experiment
    restore_run search_datasets search_experiments search_logged_models search_model_versions search_registered_models
    set_experiment_tag set_tag update_experiment
    """.split()
)
"""Operations whose answer or effect does not depend on points of metrics. All others wait for those in the journal."""

_FORK_PATIENCE_SECONDS = 5.0
_STUCK_SECONDS = 1.0

_Operations: Any = object  # as in stores/rest.py: type checkers see methods of any name

_existing: weakref.WeakSet[BufferedStore] = weakref.WeakSet()


class BufferedStore(_Operations):  # type: ignore[misc]  # the methods come from the route table
    """A :class:`~stele.stores.base.TrackingStore` that keeps a journal in front of another one.

    The journal and its sender begin with the first point or request that is put into it. An operation that could see
    points waits until they are stored, or until the store does not answer.

    Args:
        uri: Address of the store, as it is kept in the journal.
        store: The store; None works offline, see :class:`~stele.stores.offline.OfflineStore`.
        connect: See :data:`~stele.stores.journal.sender.Connect`.
        upload: See :data:`~stele.stores.journal.shipping.Upload`.
    """

    def __init__(self, uri: str, store: TrackingStore | None, connect: Connect, upload: Upload) -> None:
        self.uri = uri
        self.offline = store is None
        self.store: Any = OfflineStore(self.journal) if store is None else store
        self._connect = connect
        self._upload = upload
        self._journal: Journal | None = None
        self._sender: Sender | None = None
        self._making = threading.Lock()
        self._stuck: State | None = None
        _existing.add(self)

    @property
    def transport(self) -> Any:
        """What the store behind a server speaks through; None for any other."""
        return getattr(self.store, "transport", None)

    def journal(self) -> Journal:
        """The journal of this process for this store.

        Raises:
            InvalidParameterValue: A variable about journals has a value that is not allowed.
        """
        if self._journal is None:
            with self._making:
                if self._journal is None:
                    for setting in (settings.JOURNAL_MAX_BYTES, settings.EXIT_TIMEOUT_SECONDS):
                        setting.get()  # a mistake is told now, not when the training is over
                    journal = Journal.create(self.uri, offline=self.offline)
                    self._sender = Sender(journal, None if self.offline else self._connect, self._upload)
                    self._journal = journal
        return self._journal

    def appender(self, run_id: str, key: str) -> Append:
        """What writes points of a metric of a run; the key was checked."""
        return self.journal().appender(run_id, key)

    def submit(self, operation: str, request: Any, *, ordered: bool = False) -> int:
        """Carry out a request later; see :meth:`~stele.stores.journal.journal.Journal.submit`."""
        return self.journal().submit(operation, request, ordered=ordered)

    def patience_seconds(self) -> float:
        """How long an end waits for the store: ``STELE_EXIT_TIMEOUT``; hardly, when another one has done so in vain."""
        seconds = settings.EXIT_TIMEOUT_SECONDS.get()
        is_stuck = self._stuck is not None and self._journal is not None and self._stuck is self._journal.state
        return min(seconds, _STUCK_SECONDS) if is_stuck else seconds

    def give_up(self) -> None:
        """Note that the store does not answer; see :meth:`patience_seconds`."""
        self._stuck = self._journal.state if self._journal is not None else None

    def flush(
        self,
        seconds: float | None = None,
        *,
        patient: bool = True,
        leftovers: bool = False,
        progress: Progress | None = None,
    ) -> bool:
        """Wait until everything that was logged so far is stored or set aside.

        Args:
            seconds: How long at most; None means ``STELE_EXIT_TIMEOUT``.
            patient: Whether to go on waiting when the store does not answer.
            leftovers: Whether to send what processes that have ended left for this store, too.
            progress: Is told now and then how much waits.

        Returns:
            Whether it is, leftovers apart. False too when this store works offline.
        """
        if self._sender is None:
            if not leftovers or self.offline or not files.find_journals(files.store_directory(self.uri)):
                return not self.offline
            self.journal()
        assert self._sender is not None
        if seconds is None:
            seconds = settings.EXIT_TIMEOUT_SECONDS.get()
        sent = self._sender.flush(seconds, patient=patient, leftovers=leftovers, progress=progress)
        if not sent and not self.offline:
            self.give_up()
        return sent or (not self.offline and self._sender.has_sent_everything())

    def wait(self, records: Sequence[int], operations: Sequence[int]) -> None:
        """Wait until points and requests are stored; offline it is enough that they are kept.

        Raises:
            SteleError: What the store refused.
            Unavailable: It takes nothing for ``STELE_EXIT_TIMEOUT``; everything stays in the journal.
        """
        sender, journal = self._sender, self._journal
        if self.offline or sender is None or journal is None:
            return
        last = max(operations, default=0)

        def is_done() -> bool:
            return journal.state.operations >= last and all(map(sender.is_settled, records))

        if not sender.wait_for(is_done, settings.EXIT_TIMEOUT_SECONDS.get()):
            raise Unavailable(f"What was logged is not stored yet, but kept in {journal.directory}: {sender.error}")
        found = [*map(sender.refusal_of_operation, operations), *map(sender.refusal_of_record, records)]
        for refusal in found:
            if refusal is not None:
                refusal.told = True
        for refusal in found:
            if refusal is not None:
                raise refusal.error

    def raise_refused(self) -> None:
        """Raise the first thing that was refused and that nobody was told yet.

        Raises:
            SteleError: As the store gave it.
        """
        untold = [refusal for refusal in self._sender.refusals() if not refusal.told] if self._sender else []
        for refusal in untold:
            refusal.told = True
        if untold:
            raise untold[0].error

    @property
    def error(self) -> str:
        """Why the store took nothing when it was last asked; an empty text when it did."""
        return str(self._sender.error or "") if self._sender is not None else ""

    @property
    def directory(self) -> Path | None:
        """Where the journal lies; None when there is none, or it is in memory."""
        return self._journal.directory if self._journal is not None else None

    def finish(self) -> None:
        """Send what is in the journal and end it; the next point begins another. What cannot be sent stays there."""
        if self._sender is not None and self._journal is not None:
            try:
                sent = self.flush(self.patience_seconds(), leftovers=True)
            except KeyboardInterrupt:  # somebody does not want to wait; the journal keeps it
                sent = False
            waiting = self._sender.waiting()
            stopped = self._sender.stop()
            if waiting and not self.offline:
                _LOGGER.warning(
                    "%d points and requests are not stored (%s). They stay in the journal %s; `stele sync` or the next "
                    "run sends them.",
                    waiting,
                    self._sender.error or "the time was too short",
                    self._journal.directory or "in memory and are lost",
                )
            if stopped:
                close(self._journal, is_sent=sent and not waiting)
            self._journal = self._sender = None

    def close(self) -> None:
        """Send what is in the journal, and give back the store."""
        self.finish()
        self.store.close()

    @property
    def sender(self) -> Sender | None:
        """The sender of the journal; None before there is one."""
        return self._sender

    def abandon(self) -> None:
        """In a forked child: leave the journal to the parent."""
        if self._journal is not None:
            self._journal.leave_to_parent()

    def _before(self, operation: str, *, is_fork: bool) -> None:
        """Make the store know what this operation could see."""
        if self._journal is None or self.offline:
            return
        if operation not in _INDEPENDENT or is_fork or self._journal.operations:
            self.flush(patient=False)


def _operation(name: str) -> Callable[[BufferedStore, Any], Any]:
    def operation(self: BufferedStore, request: Any) -> Any:
        self._before(name, is_fork=bool(getattr(request, "fork_from", "")))
        return getattr(self.store, name)(request)

    operation.__name__ = name
    operation.__qualname__ = f"BufferedStore.{name}"
    operation.__doc__ = f"``{name}`` of the store."
    return operation


for _name in by_operation():
    setattr(BufferedStore, _name, _operation(_name))


_paused: list[Sender] = []


def _before_fork() -> None:
    """Let no sender be inside SQLite or an import: the child would inherit locks which nobody ever gives back."""
    for store in list(_existing):
        sender = store.sender
        # A server may keep a sender waiting; then it holds no lock that matters.
        if sender is not None and sender.between_steps.acquire(timeout=_FORK_PATIENCE_SECONDS):
            _paused.append(sender)


def _after_fork_in_parent() -> None:
    while _paused:
        _paused.pop().between_steps.release()


def _after_fork_in_child() -> None:
    _paused.clear()
    for store in list(_existing):
        store.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
