"""Small writes that arrive while a commit is under way share the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import anyio.to_thread

from stele.errors import SteleError

__all__ = ["Grouper"]

T = TypeVar("T")

_MOST = 1_000


class Grouper(Generic[T]):
    """Hands messages over in groups, one group at a time; used on the event loop only.

    No message waits for others to come: a group is whatever has arrived when the one before is done.

    Args:
        work: Does the work of a group in a thread; returns for each message None, or why it failed.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[SteleError | None]]) -> None:
        self._work = work
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, message: T) -> None:
        """Return when the message has been worked on.

        Raises:
            SteleError: Why it failed.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, done))
        if self._worker is None:
            self._worker = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                outcome = await anyio.to_thread.run_sync(self._work, [message for message, _ in group])
            except Exception as error:
                for _, done in group:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, done), failure in zip(group, outcome, strict=True):
                if done.done():  # its client is gone
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)
        self._worker = None
