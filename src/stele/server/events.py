"""What is new, told while it happens: server-sent events for pages.

One task looks into the database once a second while anybody listens, for all who do. A listener hears which of its
experiments and runs have changed, and reads them by itself. Whoever has read before listening says how long ago that
was, and hears at once of what has changed since: nothing is lost between the reading and the stream.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Protocol

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stele import limits, settings
from stele.errors import InvalidParameterValue, SteleError, TooManyRequests
from stele.schema.codec import Message, decode_query, encode
from stele.schema.routes import Permission
from stele.server.endpoints import Endpoint
from stele.server.protocol import ENDLESS
from stele.stores.sql.core import experiment_number
from stele.stores.sql.recent_changes import RecentChanges

__all__ = ["Watcher", "event_endpoints"]

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0
_HEARTBEAT_SECONDS = 15.0
_MOST_IDS = 50
_LATE_MILLISECONDS = 2_000
"""How much older than it says a listener's knowledge is taken to be: an answer was read before it came."""
_BEGIN = b"retry: 2000\n\n"
_HEARTBEAT = b":\n\n"
_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Listen(Message):
    """To what a listener listens: up to 50 experiments and up to 50 runs.

    ``age`` is how many milliseconds ago it has read what it knows of them; None if it reads once the stream is open.
    """

    experiment_id: list[str] = []  # noqa: RUF012 - msgspec copies defaults
    run_id: list[str] = []  # noqa: RUF012
    age: int | None = None


class Changed(Message):
    """The data of an event ``changed``: those that the listener asked for."""

    experiments: list[str]
    runs: list[str]


class ChangeSource(Protocol):
    """A store that says what is new."""

    def look_for_changes(
        self, experiment_ids: Collection[int], run_ids: Collection[str], since: int | None
    ) -> RecentChanges:
        """See :meth:`stele.stores.sql.recent_changes.RecentChangeOperations.look_for_changes`."""
        ...


class _Listener:
    """Somebody who listens, and what was not told yet."""

    def __init__(self, wanted: Listen) -> None:
        self.experiments = frozenset(wanted.experiment_id)
        self.runs = frozenset(wanted.run_id)
        self.age = wanted.age
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._changed: tuple[set[str], set[str]] = set(), set()
        self._events: dict[bytes, None] = {}
        self._news = asyncio.Event()

    def tell(self, experiments: Collection[str], runs: Collection[str], events: Collection[bytes]) -> None:
        """Note what has changed, the listener's own or not."""
        self._changed[0].update(self.experiments.intersection(experiments))
        self._changed[1].update(self.runs.intersection(runs))
        self._events |= dict.fromkeys(events)
        if any(self._changed) or self._events:
            self._news.set()

    async def next_bytes(self) -> bytes:
        """What to send next: events, or after a while the sign that the stream is alive."""
        try:
            async with asyncio.timeout(_HEARTBEAT_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return _HEARTBEAT
        self._news.clear()
        experiments, runs = map(sorted, self._changed)
        sent = b"".join(b"event: %s\ndata: {}\n\n" % event for event in self._events)
        if experiments or runs:
            sent += b"event: changed\ndata: %s\n\n" % encode(Changed(experiments=experiments, runs=runs))
        self._changed = set(), set()
        self._events.clear()
        return sent


class Watcher:
    """Looks for changes as long as somebody listens; used on the event loop only.

    Args:
        store: Where to look.
    """

    def __init__(self, store: ChangeSource) -> None:
        self._store = store
        self._listeners: list[_Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._at_once = asyncio.Event()
        self._forget()

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @property
    def is_looking(self) -> bool:
        """Whether the database is being asked."""
        return self._task is not None

    async def add(self, wanted: Listen) -> _Listener:
        """Begin to listen; what changes after this has returned is told, and with an age what has changed since then.

        Raises:
            TooManyRequests: ``STELE_EVENT_STREAMS`` listen already.
            Unavailable: The database does not answer.
        """
        if len(self._listeners) >= (most := settings.EVENT_STREAMS.get()):
            raise TooManyRequests(
                f"This process has {most} streams of events (STELE_EVENT_STREAMS). Ask from time to time."
            )
        listener = _Listener(wanted)
        self._listeners.append(listener)
        self._at_once.set()
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        try:
            await listener.begun
        except BaseException:
            self.remove(listener)
            raise
        return listener

    def remove(self, listener: _Listener) -> None:
        """Listen no longer; the last one ends the looking."""
        with suppress(ValueError):
            self._listeners.remove(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None
            self._forget()

    def _forget(self) -> None:
        self._time: int | None = None
        self._stamps: dict[str, int] = {}
        self._known: tuple[set[str], set[str]] = set(), set()
        self._marks: dict[bytes, tuple[int, int]] = {}

    async def _watch(self) -> None:
        while True:
            self._at_once.clear()
            listeners = list(self._listeners)
            try:
                await self._look(listeners)
            except Exception as e:  # a task's top: the database may be gone for a while
                logger.warning("changes could not be looked for", exc_info=True)
                self._refuse(listeners, e)
            with suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_SECONDS):
                    await self._at_once.wait()

    @staticmethod
    def _refuse(listeners: list[_Listener], error: Exception) -> None:
        for listener in listeners:
            if not listener.begun.done():
                listener.begun.set_exception(error if isinstance(error, SteleError) else SteleError(str(error)))

    async def _look(self, listeners: list[_Listener]) -> None:
        wanted = _union(item.experiments for item in listeners), _union(item.runs for item in listeners)
        numbers = [int(number) for number in wanted[0]]
        found = await anyio.to_thread.run_sync(self._store.look_for_changes, numbers, wanted[1], self._time)
        changed = [item for item in found.runs if self._stamps.get(item.run_id) != item.stamp]
        experiments = {item.experiment_id for item in changed if item.stamp > found.since} & self._known[0]
        runs = {item.run_id for item in changed} & self._known[1]
        marks = {b"models": found.registry, b"experiments": found.experiments}
        events = [name for name, mark in marks.items() if self._marks.get(name, mark) != mark]
        self._time, self._known, self._marks = found.time, wanted, marks
        self._stamps = {item.run_id: item.stamp for item in found.runs}
        for listener in listeners:
            if listener.begun.done():
                listener.tell(experiments, runs, events)
            else:
                listener.tell(*_missed(listener, found))
                listener.begun.set_result(None)


def _missed(listener: _Listener, found: RecentChanges) -> tuple[Collection[str], Collection[str], list[bytes]]:
    """Experiments, runs and events that a listener is told of at first: what may have changed since it has read."""
    if listener.age is None:
        return (), (), []
    start = found.time - listener.age - _LATE_MILLISECONDS
    if start < found.since:
        return listener.experiments, listener.runs, [b"models", b"experiments"]
    later = [item for item in found.runs if item.stamp > start]
    times = {b"models": found.registry_time, b"experiments": found.experiments_time}
    return (
        {item.experiment_id for item in later},
        {item.run_id for item in later},
        [name for name, time in times.items() if time > start],
    )


def _union(sets: Iterable[frozenset[str]]) -> set[str]:
    return set().union(*sets)


class _EventStream(Response):
    """An answer that goes on until the client leaves or the server stops."""

    def __init__(self, watcher: Watcher, listener: _Listener) -> None:
        super().__init__(headers=_HEADERS)
        self._watcher = watcher
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async with anyio.create_task_group() as group:
                group.start_soon(self._tell, send)
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()
        finally:
            self._watcher.remove(self._listener)

    async def _tell(self, send: Send) -> None:
        sent = _BEGIN
        while True:
            await send({"type": "http.response.body", "body": sent, "more_body": True})
            if sent not in (_BEGIN, _HEARTBEAT):
                await asyncio.sleep(_PAUSE_SECONDS)
            sent = await self._listener.next_bytes()


def event_endpoints(watcher: Watcher) -> list[Endpoint]:
    """Where one listens."""

    async def listen(request: Request) -> Response:
        query: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            query.setdefault(name, []).append(value)
        wanted = _checked(decode_query(query, Listen))
        if request.method == "HEAD":
            return Response(headers=_HEADERS)
        listener = await watcher.add(wanted)
        request.scope[ENDLESS] = True
        return _EventStream(watcher, listener)

    paths = ("/api/2.0/stele/events", "/ajax-api/2.0/stele/events")
    return [Endpoint("GET", path, Permission.READ_EXPERIMENT, listen, "listen") for path in paths]


def _checked(request: Listen) -> Listen:
    for name, ids in (("experiment_id", request.experiment_id), ("run_id", request.run_id)):
        if len(ids) > _MOST_IDS:
            raise InvalidParameterValue(f"{name} is given {len(ids)} times, at most {_MOST_IDS} are allowed.")
    if request.age is not None and request.age < 0:
        raise InvalidParameterValue(f"age is {request.age}, it must be at least 0 milliseconds.")
    for run_id in request.run_id:
        limits.check_run_id(run_id, "run_id")
    # One spelling for each: '007' is the experiment '7'.
    numbers = [str(experiment_number(number)) for number in request.experiment_id]
    return Listen(experiment_id=numbers, run_id=request.run_id, age=request.age)
