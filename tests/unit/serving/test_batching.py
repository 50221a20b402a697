"""Requests that come together are answered together, each with its own answer."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from stele.errors import DeadlineExceeded, InvalidParameterValue, TooManyRequests, Unavailable
from stele.serving.batching import Batcher, Job


class Worker:
    """Answers with what it got; can be held up, and remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.open = threading.Event()
        self.begun = threading.Event()
        self.open.set()

    def __call__(self, jobs: list[Job]) -> list[bytes | BaseException]:
        self.batches.append([job.work for job in jobs])
        self.begun.set()
        self.open.wait()
        return [InvalidParameterValue(job.work) if job.work.startswith("bad") else job.work.encode() for job in jobs]


async def pile_up(worker: Worker, batcher: Batcher, works: list[tuple[str, Any]]) -> list[Any]:
    """Submit ``works`` while the worker is busy with a first one."""
    worker.open.clear()
    first = asyncio.create_task(batcher.submit("first", group=None, rows=1, timeout=60))
    while not worker.begun.is_set():
        await asyncio.sleep(0)
    rest = [asyncio.create_task(batcher.submit(work, group=group, rows=1, timeout=60)) for work, group in works]
    for _ in range(3):
        await asyncio.sleep(0)
    worker.open.set()
    return await asyncio.gather(first, *rest, return_exceptions=True)


def run(worker: Worker, works: list[tuple[str, Any]], **options: Any) -> list[Any]:
    batcher = Batcher(worker, **options)
    try:
        return asyncio.run(pile_up(worker, batcher, works))
    finally:
        batcher.close()


def test_what_waits_is_one_batch() -> None:
    worker = Worker()
    answers = run(worker, [("a", "g"), ("b", "g"), ("c", "g")])
    assert answers == [b"first", b"a", b"b", b"c"]
    assert worker.batches == [["first"], ["a", "b", "c"]]


def test_groups_are_not_mixed_and_order_is_kept() -> None:
    worker = Worker()
    run(worker, [("a", "g"), ("b", "h"), ("c", "h"), ("d", None), ("e", None)])
    assert worker.batches == [["first"], ["a"], ["b", "c"], ["d"], ["e"]]


def test_batches_are_bounded() -> None:
    worker = Worker()
    run(worker, [(str(n), "g") for n in range(5)], max_rows=2)
    assert worker.batches == [["first"], ["0", "1"], ["2", "3"], ["4"]]


def test_one_that_fails_fails_alone() -> None:
    answers = run(Worker(), [("a", "g"), ("bad b", "g"), ("c", "g")])
    assert answers[1] == b"a"
    assert isinstance(answers[2], InvalidParameterValue)
    assert answers[3] == b"c"


def test_work_that_raises_answers_everybody() -> None:
    def broken(jobs: list[Job]) -> list[bytes | BaseException]:
        raise RuntimeError("broken")

    batcher = Batcher(broken)
    with pytest.raises(RuntimeError, match="broken"):
        asyncio.run(batcher.submit("a", group=None, rows=1, timeout=60))
    with pytest.raises(RuntimeError, match="broken"):  # and goes on
        asyncio.run(batcher.submit("a", group=None, rows=1, timeout=60))
    batcher.close()


def test_a_slow_prediction_is_given_up() -> None:
    worker = Worker()
    worker.open.clear()
    batcher = Batcher(worker)
    with pytest.raises(DeadlineExceeded):
        asyncio.run(batcher.submit("slow", group=None, rows=1, timeout=0.01))
    worker.open.set()
    batcher.close()


def test_too_many_waiting_are_refused_with_a_time() -> None:
    worker = Worker()
    answers = run(worker, [("a", "g"), ("b", "g"), ("c", "g")], max_waiting=2)
    assert answers[1:3] == [b"a", b"b"]
    assert isinstance(answers[3], TooManyRequests)
    assert answers[3].retry_after_seconds == 1


def test_a_delay_waits_for_others() -> None:
    worker = Worker()
    batcher = Batcher(worker, delay_seconds=0.05)

    async def both() -> list[bytes]:
        return await asyncio.gather(*(batcher.submit(name, group="g", rows=1, timeout=60) for name in "ab"))

    assert asyncio.run(both()) == [b"a", b"b"]
    assert worker.batches == [["a", "b"]]
    batcher.close()


def test_what_waits_when_the_server_stops_is_told() -> None:
    worker = Worker()

    async def stop() -> list[Any]:
        worker.open.clear()
        batcher = Batcher(worker)
        first = asyncio.create_task(batcher.submit("first", group=None, rows=1, timeout=60))
        while not worker.begun.is_set():
            await asyncio.sleep(0)
        second = asyncio.create_task(batcher.submit("second", group=None, rows=1, timeout=60))
        await asyncio.sleep(0)
        batcher.close()
        worker.open.set()
        return await asyncio.gather(first, second, return_exceptions=True)

    answers = asyncio.run(stop())
    assert answers[0] == b"first"
    assert isinstance(answers[1], Unavailable)


class Threads:
    """Answers, and remembers on which thread it did."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[str], bool]] = []
        self.clock = 0.0

    def __call__(self, jobs: list[Job]) -> list[bytes | BaseException]:
        names = [job.work for job in jobs]
        self.batches.append((names, threading.current_thread() is threading.main_thread()))
        self.clock += 1.0 if "slow" in names else 0.0001
        return [name.encode() for name in names]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    """A model whose predictions take the time that it says."""
    worker = Threads()
    monkeypatch.setattr("stele.serving.batching.time.perf_counter", lambda: worker.clock)
    return worker


def ask(worker: Threads, *rounds: list[str], rows: int = 1, **options: Any) -> list[tuple[list[str], bool]]:
    """Submit each round at once, and the next one when it was answered; the batches, and whether the loop did them."""
    batcher = Batcher(worker, **options)

    async def all_rounds() -> None:
        for works in rounds:
            calls = [
                batcher.submit(work, group=work[:1], rows=rows, timeout=60, computes=not work.startswith("waits"))
                for work in works
            ]
            assert await asyncio.gather(*calls) == [work.encode() for work in works]

    asyncio.run(all_rounds())
    batcher.close()
    return worker.batches


def test_what_is_known_to_be_quick_is_computed_without_a_thread(threads: Threads) -> None:
    assert ask(threads, ["a"], ["a"], ["a1", "a2", "b"]) == [
        (["a"], False),  # nobody knows yet how long it takes
        (["a"], True),
        (["a1", "a2"], True),
        (["b"], True),
    ]


def test_what_may_wait_for_others_or_is_large_is_not(threads: Threads) -> None:
    assert ask(threads, ["a"], ["waits"], ["a"]) == [(["a"], False), (["waits"], False), (["a"], True)]
    assert ask(Threads(), ["a"], ["a"], rows=65) == [(["a"], False), (["a"], False)]


def test_after_a_slow_one_threads_predict_until_it_is_forgotten(threads: Threads) -> None:
    batches = ask(threads, ["a"], ["slow"], *[["a"]] * 100)
    assert batches[1] == (["slow"], True)
    assert [by_loop for _, by_loop in batches[2:12]] == [False] * 10
    assert batches[-1] == (["a"], True)


def test_batches_of_the_loop_are_bounded_too(threads: Threads) -> None:
    batches = ask(threads, ["a"], ["a1", "a2", "a3"], max_rows=2)
    assert batches[1:] == [(["a1", "a2"], True), (["a3"], True)]
