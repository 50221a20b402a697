"""Messages that arrive while a group is worked on form the next one."""

from __future__ import annotations

import asyncio
import threading

import pytest

from stele.errors import DoesNotExist, Unavailable
from stele.server.grouping import Grouper


def test_what_arrives_meanwhile_is_the_next_group():
    groups: list[list[int]] = []
    started, go_on = threading.Event(), threading.Event()

    def work(group):
        groups.append(list(group))
        started.set()
        assert go_on.wait(30)
        return [None if number != 3 else DoesNotExist("no 3") for number in group]

    async def scenario():
        grouper = Grouper(work)
        first = asyncio.create_task(grouper.submit(1))
        await asyncio.to_thread(started.wait, 30)
        others = [asyncio.create_task(grouper.submit(number)) for number in (2, 3, 4)]
        await asyncio.sleep(0)  # they are submitted
        go_on.set()
        await first
        return await asyncio.gather(*others, return_exceptions=True)

    second, third, fourth = asyncio.run(scenario())
    assert groups == [[1], [2, 3, 4]]
    assert (second, fourth) == (None, None)
    assert isinstance(third, DoesNotExist)


def test_a_group_that_fails_fails_for_all_and_the_next_one_works():
    calls = []

    def work(group):
        calls.append(group)
        if len(calls) == 1:
            raise Unavailable("the disk is full")
        return [None] * len(group)

    async def scenario():
        grouper = Grouper(work)
        with pytest.raises(Unavailable, match="disk"):
            await grouper.submit(1)
        await grouper.submit(2)

    asyncio.run(scenario())


def test_a_client_that_went_away_does_not_stop_the_others():
    started, go_on = threading.Event(), threading.Event()

    def work(group):
        started.set()
        assert go_on.wait(30)
        return [None] * len(group)

    async def scenario():
        grouper = Grouper(work)
        first = asyncio.create_task(grouper.submit(1))
        await asyncio.to_thread(started.wait, 30)
        gone = asyncio.create_task(grouper.submit(2))
        stays = asyncio.create_task(grouper.submit(3))
        await asyncio.sleep(0)
        gone.cancel()
        go_on.set()
        await first
        await stays
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(scenario())
