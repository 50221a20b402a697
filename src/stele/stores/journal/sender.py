"""The thread that carries a journal to its store: often while the store answers, rarely while it does not."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

from stele.errors import InvalidParameterValue, SteleError, Unavailable
from stele.stores.base import TrackingStore
from stele.stores.journal.files import find_journals, store_directory, sweep
from stele.stores.journal.journal import Journal
from stele.stores.journal.refusals import Refusal
from stele.stores.journal.shipping import Shipment, Upload
from stele.stores.journal.thinning import make_room

__all__ = ["Connect", "Progress", "Sender", "close", "ship", "ship_leftovers"]

_LOGGER = logging.getLogger(__name__)
_INTERVAL_SECONDS = 0.2
_LEFTOVERS_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_AWAITED_PAUSE_SECONDS = 1.0
_PROGRESS_SECONDS = 0.25
_STOP_SECONDS = 1.0

Connect = Callable[[], TrackingStore]
"""Opens the store for the sender, or gives the one that is open. It does not try again by itself."""
Progress = Callable[[int], None]
"""Is told now and then how many points and requests wait."""


class Sender:
    """Sends what is in a journal, on a thread of its own that never raises.

    Args:
        journal: The journal of this process.
        connect: See :data:`Connect`; None means that nothing is sent, only room is made.
        upload: For leftover journals that hold files.
    """

    def __init__(self, journal: Journal, connect: Connect | None, upload: Upload) -> None:
        self._journal = journal
        self._connect = connect
        self._upload = upload
        self._shipment: Shipment | None = None
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._stopping = False
        self._awaited = 0
        self._round = self._failed_round = self._failures = 0
        self._leftovers_round = 0  # the last round that looked for leftovers
        self._leftovers_after = 0  # they are wanted in a round after this one
        self._next_leftovers = 0.0
        self.between_steps = threading.Lock()
        """Held while the store works for this thread."""
        self.error: SteleError | None = None
        """Why the store took nothing when it was last asked; None when it did."""
        self._thread = threading.Thread(target=self._work, name="stele-journal", daemon=True)
        self._thread.start()

    def flush(
        self, seconds: float, *, patient: bool = True, leftovers: bool = False, progress: Progress | None = None
    ) -> bool:
        """Wait until everything that is in the journal now is stored or set aside.

        Args:
            seconds: How long at most.
            patient: Whether to go on waiting when the store does not answer.
            leftovers: Whether to wait for what processes that have ended left for this store, too.
            progress: See :data:`Progress`.

        Returns:
            Whether it is.
        """
        end, operations = self._journal.end()

        def is_sent() -> bool:
            state = self._journal.state
            return state.stop >= end and state.acknowledged and state.operations >= operations

        return self.wait_for(is_sent, seconds, patient=patient, leftovers=leftovers, progress=progress)

    def wait_for(
        self,
        is_done: Callable[[], bool],
        seconds: float,
        *,
        patient: bool = True,
        leftovers: bool = False,
        progress: Progress | None = None,
    ) -> bool:
        """Wait until something is true that sending makes true; see :meth:`flush`."""
        if self._connect is None:
            return False
        deadline = time.monotonic() + seconds
        with self._changed:
            begun = self._round
            if is_done() and not leftovers:
                return True
            if leftovers:  # the round that is going on may have looked for them already
                self._leftovers_after = begun
            self._awaited += 1
            self._wake.set()
            try:
                while not (is_done() and (not leftovers or self._leftovers_round > begun)):
                    left = deadline - time.monotonic()
                    if left <= 0 or not self._thread.is_alive() or (not patient and self._failed_round > begun):
                        return False
                    self._changed.wait(min(left, _PROGRESS_SECONDS))
                    if progress is not None:
                        progress(self.waiting())
                return True
            finally:
                self._awaited -= 1

    def waiting(self) -> int:
        """How many points and requests are not stored yet, about."""
        end, operations = self._journal.end()
        state = self._journal.state
        sent = state.stop if state.acknowledged else state.start
        return max(end - sent, 0) + operations - state.operations

    def has_sent_everything(self) -> bool:
        """Whether nothing of this journal waits, whatever other processes have left."""
        return not self.waiting()

    def is_settled(self, record: int) -> bool:
        """Whether the point with this number is stored or set aside."""
        return self._shipment is not None and self._shipment.is_settled(record)

    def refusal_of_record(self, record: int) -> Refusal | None:
        """Why a point was set aside; None when it was not."""
        return None if self._shipment is None else self._shipment.refused_records.get(record)

    def refusal_of_operation(self, number: int) -> Refusal | None:
        """Why a request was set aside; None when it was not."""
        return None if self._shipment is None else self._shipment.refused_operations.get(number)

    def refusals(self) -> list[Refusal]:
        """Everything that was refused, requests first."""
        if self._shipment is None:
            return []
        found = [*self._shipment.refused_operations.values(), *self._shipment.refused_records.values()]
        return list({id(refusal): refusal for refusal in found}.values())

    def stop(self) -> bool:
        """End the thread after what it does now; False when it still waits for an answer of the store."""
        self._stopping = True
        self._wake.set()
        self._thread.join(_STOP_SECONDS)
        return not self._thread.is_alive()

    def _work(self) -> None:
        pause = _INTERVAL_SECONDS
        while not self._stopping:
            self._wake.wait(min(pause, _AWAITED_PAUSE_SECONDS) if self._awaited else pause)
            self._wake.clear()
            with self._changed:
                self._round += 1
            error = self._send_everything()
            with self._changed:
                self.error = error
                if error is not None:
                    self._failed_round = self._round
                self._failures = 0 if error is None else self._failures + 1
                self._changed.notify_all()
            pause = _INTERVAL_SECONDS if error is None else _pause_seconds(self._failures, error.retry_after_seconds)

    def _send_everything(self) -> SteleError | None:
        """One round; what stopped it."""
        try:
            if self._connect is None:
                make_room(self._journal)
                return None
            if self._shipment is None:
                self._shipment = Shipment(self._journal, self._connect(), self._upload)
            shipment = self._shipment
            while self._step(shipment):
                with self._changed:
                    self._changed.notify_all()
                if self._stopping:
                    return None
            with self.between_steps:
                self._send_leftovers(self._connect())
        except SteleError as error:
            _LOGGER.info("The journal %s waits for its store: %s", self._journal.directory, error)
            with contextlib.suppress(SteleError):  # a variable was changed to nonsense; `error` says so
                make_room(self._journal)
            return error
        except Exception as error:
            self._journal.warn_once("sender", "Sending the journal failed and is tried again: %r", error)
            return Unavailable(f"Sending the journal failed: {error!r}")
        return None

    def _warn_of_leftover(self, directory: Path, error: Exception) -> None:
        self._journal.warn_once(
            str(directory), "The journal %s of an ended process cannot be sent: %r", directory, error
        )

    def _step(self, shipment: Shipment) -> bool:
        with self.between_steps:
            return shipment.step()

    def _send_leftovers(self, store: TrackingStore) -> None:
        if self._leftovers_round > self._leftovers_after and time.monotonic() < self._next_leftovers:
            return
        ship_leftovers(self._journal.header.uri, store, self._upload, self._warn_of_leftover)
        self._next_leftovers = time.monotonic() + _LEFTOVERS_SECONDS
        self._leftovers_round = self._round


def ship_leftovers(
    uri: str, store: TrackingStore, upload: Upload, warn: Callable[[Path, Exception], None] | None = None
) -> None:
    """Send what processes that have ended left for a store.

    Args:
        uri: The store, as their journals name it.
        store: The same.
        upload: See :data:`Upload`.
        warn: Is told which journal cannot be read or written, and why; the others are sent.

    Raises:
        SteleError: The store cannot take it now.
    """
    sweep(store_directory(uri))
    for directory in find_journals(store_directory(uri)):
        try:
            journal = Journal.adopt(directory)
            if journal is not None:
                ship(journal, store, upload)
        except InvalidParameterValue:  # gone meanwhile, or of a newer version, which will send it
            continue
        except (OSError, ValueError) as error:
            if warn is not None:
                warn(directory, error)


def ship(journal: Journal, store: TrackingStore, upload: Upload, progress: Progress | None = None) -> Shipment:
    """Send an adopted journal and remove it, unless it holds dead letters.

    Raises:
        SteleError: The store cannot take it now; the journal is given back as far as it got.
    """
    shipment = Shipment(journal, store, upload)
    done = False
    try:
        while shipment.step():
            if progress is not None:
                progress(shipment.stored)
        shipment.upload_files()
        done = True
    finally:
        close(journal, is_sent=done)
    return shipment


def close(journal: Journal, *, is_sent: bool) -> None:
    """Give back a journal; of one that is sent nothing stays but what was refused."""
    if is_sent:
        for index in list(journal.segments.buffers):
            journal.segments.remove(index)
    journal.close(remove=is_sent and not journal.has_dead_letters())


def _pause_seconds(failures: int, named: float | None) -> float:
    """What the server names, else 0.5 s, 1 s, 2 s, ...; up to half is random, so that its clients come back spread."""
    if named is not None:
        return min(named, _LONGEST_PAUSE_SECONDS) * random.uniform(1.0, 1.5)  # noqa: S311 - not a secret
    longest = min(_FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
