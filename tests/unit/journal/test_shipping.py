"""What is in a journal reaches the store once, whatever breaks in between."""

import contextlib
import json
import math
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal_tools import BrokenLine, adopted, history, new_run, no_files, send_leftovers
from stele.errors import (
    DeadlineExceeded,
    EndpointNotFound,
    SteleError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from stele.schema import runs as r
from stele.schema.runs import LogBatch, Param, RunTag
from stele.stores.journal import files, sender
from stele.stores.journal.journal import Journal
from stele.stores.journal.sender import close
from stele.stores.journal.shipping import Shipment

KEYS = ("loss", "acc", "naïve")


class Life:
    """A journal and what carries it, through crashes: what was in memory is gone, what is on disk is not."""

    def __init__(self, uri, line):
        self.uri, self.line = uri, line
        self.journal = Journal.create(uri)
        self.shipment = Shipment(self.journal, line, no_files)
        self.sent_by_adoption = []

    def append(self, run_id, key, value, step):
        self.journal.appender(run_id, key)(value, step, 1000)

    def step(self):
        try:
            return self.shipment.step()
        except Unavailable:
            return True

    def crash(self):
        """End the process: another adopts what is there, and the program goes on with a new journal."""
        self.journal.close(remove=False)
        left = Journal.adopt(self.journal.directory)
        self.sent_by_adoption.append(Shipment(left, self.line, no_files))
        self.journal = Journal.create(self.uri)
        self.shipment = Shipment(self.journal, self.line, no_files)

    def finish(self):
        self.line.breaks = []
        for shipment in [*self.sent_by_adoption, self.shipment]:
            while shipment.step():
                pass
            close(shipment.journal, is_sent=True)


ACTIONS = st.one_of(
    st.tuples(st.just("append"), st.sampled_from(KEYS), st.integers(1, 40)),
    st.tuples(st.just("step"), st.sampled_from(["", "before", "after"])),
    st.tuples(st.just("crash")),
    st.tuples(st.just("crash in a batch"), st.sampled_from(["before", "after"])),
    st.tuples(st.just("step of a leftover"), st.sampled_from(["", "before", "after"])),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(actions=st.lists(ACTIONS, max_size=25))
def test_a_journal_and_its_sender_are_a_direct_store(store, uri, actions):
    line = BrokenLine(store)
    life = Life(uri, line)
    run_id = new_run(store)
    expected = {key: [] for key in KEYS}
    for action, *arguments in actions:
        if action == "append":
            key, count = arguments
            for _ in range(count):
                step = len(expected[key])
                life.append(run_id, key, step * 0.5, step)
                expected[key].append((step, step * 0.5))
        elif action == "crash":
            life.crash()
        else:
            line.breaks = [arguments[0]] if arguments[0] else []
            if action != "step of a leftover":
                life.step()
            elif life.sent_by_adoption:
                shipment = life.sent_by_adoption[len(expected["loss"]) % len(life.sent_by_adoption)]
                with contextlib.suppress(Unavailable):
                    shipment.step()
            if action == "crash in a batch":
                life.crash()
    life.finish()
    assert {key: history(store, run_id, key) for key in KEYS} == expected
    assert line.points == sum(map(len, expected.values()))  # each of them was stored once


def test_an_answer_that_was_lost_is_no_reason_to_store_twice(store, uri):
    line = BrokenLine(store, ["after", "before", "after"])
    run_id = new_run(store)
    journal = Journal.create(uri)
    for step in range(100):
        journal.appender(run_id, "x")(1.0, step)
    shipment = Shipment(journal, line, no_files)
    with pytest.raises(Unavailable):
        shipment.step()
    journal.appender(run_id, "x")(1.0, 100)  # it is in no batch that was begun before
    journal.close(remove=False)
    again = Shipment(adopted(uri), line, no_files)
    for _ in range(2):
        with pytest.raises(Unavailable):
            again.step()
    while again.step():
        pass
    assert (line.points, len(history(store, run_id, "x"))) == (101, 101)
    close(again.journal, is_sent=True)


@pytest.mark.parametrize("error", [Unavailable, DeadlineExceeded, TooManyRequests, Unauthenticated, SteleError])
def test_what_may_succeed_later_is_tried_again(store, uri, error):
    line = BrokenLine(store, ["before"])
    line.error = lambda: error("not now")
    run_id = new_run(store)
    journal = Journal.create(uri)
    journal.appender(run_id, "x")(1.0)
    shipment = Shipment(journal, line, no_files)
    with pytest.raises(error):
        shipment.step()
    assert shipment.step()
    assert history(store, run_id, "x") == [(0, 1.0)]
    assert not journal.has_dead_letters()
    close(journal, is_sent=True)


def test_points_of_a_run_that_is_refused_are_set_aside_and_the_others_go_on(store, uri, caplog):
    line = BrokenLine(store)
    good, bad = new_run(store), new_run(store)
    store.delete_run(r.DeleteRun(run_id=bad))
    journal = Journal.create(uri)
    for step in range(50):
        for key in ("x", "y"):
            journal.appender(good, key)(1.0, step)
            journal.appender(bad, key)(math.inf, step)
            journal.appender("f" * 32, key)(2.0, step)
    shipment = Shipment(journal, line, no_files)
    while shipment.step():
        pass
    assert len(history(store, good, "x")) == len(history(store, good, "y")) == 50
    letters = list(files.read_lines(journal.directory / files.DEAD, dict))
    assert len(letters) == len(shipment.refused_records) == 200
    assert {letter["run_id"] for letter in letters} == {bad, "f" * 32}
    assert {letter["value"] for letter in letters} == {"Infinity", 2.0}
    assert all(letter["reason"] and letter["time"] and letter["error_code"] for letter in letters)
    assert caplog.text.count("refuses") == 2
    close(journal, is_sent=True)
    assert not list(journal.directory.glob("*.points"))
    assert (journal.directory / files.DEAD).exists()


def test_a_run_that_is_full_is_thinned_and_said_so_once(store, uri, monkeypatch, caplog):
    monkeypatch.setenv("STELE_MAX_POINTS_PER_RUN", "1500")
    full, free = new_run(store), new_run(store)
    journal = Journal.create(uri)
    shipment = Shipment(journal, BrokenLine(store), no_files)
    for part in range(5):
        for step in range(part * 1_000, part * 1_000 + 1_000):
            journal.appender(full, "x")(1.0, step)
        journal.appender(free, "y")(1.0, part)
        while shipment.step():
            pass
    steps = [step for step, _ in history(store, full, "x")]
    assert 1_400 <= len(steps) <= 1_500
    assert steps[:1_000] == list(range(1_000))
    assert len(history(store, free, "y")) == 5
    assert caplog.text.count("thinned") == 1
    assert not journal.has_dead_letters()
    close(journal, is_sent=True)


def test_one_bad_point_among_many_is_found(store, uri):
    run_id = new_run(store)
    journal = Journal.create(uri)
    for step in range(1_000):
        journal.appender(run_id, "x")(1.0, step, -1 if step == 617 else 1000)
    shipment = Shipment(journal, BrokenLine(store), no_files)
    steps = 0
    while shipment.step():
        steps += 1
    assert [step for step, _ in history(store, run_id, "x")] == [step for step in range(1_000) if step != 617]
    (letter,) = files.read_lines(journal.directory / files.DEAD, dict)
    assert (letter["step"], letter["timestamp"]) == (617, -1)
    assert steps < 50
    close(journal, is_sent=True)


def test_a_server_without_batches_in_columns_gets_them_as_it_knows_them(store, uri):
    class Old(BrokenLine):
        def ingest(self, _request):
            raise EndpointNotFound("no such address")

    run_id = new_run(store)
    journal = Journal.create(uri)
    for step in range(2_500):
        journal.appender(run_id, "x")(step * 0.5, step)
    shipment = Shipment(journal, Old(store, ["", "after"]), no_files)
    with pytest.raises(Unavailable):
        shipment.step()
    while shipment.step():
        pass
    assert history(store, run_id, "x") == [(step, step * 0.5) for step in range(2_500)]
    close(journal, is_sent=True)


def test_requests_keep_their_order_and_neighbours_are_joined(store, uri):
    line = BrokenLine(store)
    run_id = new_run(store)
    journal = Journal.create(uri)
    for i in range(250):
        journal.submit("log_batch", LogBatch(run_id=run_id, params=[Param(f"p{i}", str(i))]), ordered=False)
        journal.submit("log_batch", LogBatch(run_id=run_id, tags=[RunTag("t", str(i))]), ordered=False)
    shipment = Shipment(journal, line, no_files)
    steps = 0
    while shipment.step():
        steps += 1
    data = store.get_run(r.GetRun(run_id=run_id)).run.data
    assert (len(data.params), data.tags["t"]) == (250, "249")
    assert steps <= 6
    close(journal, is_sent=True)


def test_a_refused_request_spares_its_neighbours(store, uri):
    run_id = new_run(store)
    store.log_param(r.LogParam(run_id=run_id, key="p", value="1"))
    journal = Journal.create(uri)
    for name in ("a", "p", "b"):
        journal.submit("log_batch", LogBatch(run_id=run_id, params=[Param(name, "2")]), ordered=False)
    shipment = Shipment(journal, BrokenLine(store), no_files)
    while shipment.step():
        pass
    assert store.get_run(r.GetRun(run_id=run_id)).run.data.params == {"a": "2", "b": "2", "p": "1"}
    assert list(shipment.refused_operations) == [2]
    (letter,) = files.read_lines(journal.directory / files.DEAD, dict)
    assert letter["request"]["params"] == [{"key": "p", "value": "2"}]
    close(journal, is_sent=True)


def test_the_same_param_twice_is_never_in_one_request(store, uri):
    run_id = new_run(store)
    journal = Journal.create(uri)
    for _ in range(10):
        journal.submit("log_batch", LogBatch(run_id=run_id, params=[Param("p", "x")]), ordered=False)
    shipment = Shipment(journal, BrokenLine(store), no_files)
    while shipment.step():
        pass
    assert not shipment.refused_operations
    close(journal, is_sent=True)


def test_the_end_of_a_run_comes_after_its_points(store, uri):
    class Watching(BrokenLine):
        def __getattr__(self, name):
            if name == "update_run":
                seen.append(len(history(store, run_id, "x")))
            return super().__getattr__(name)

    seen = []
    run_id = new_run(store)
    journal = Journal.create(uri)
    for step in range(10):
        journal.appender(run_id, "x")(1.0, step)
    journal.submit("update_run", r.UpdateRun(run_id=run_id, status="FINISHED", end_time=5), ordered=True)
    journal.appender(run_id, "x")(1.0, 10)
    shipment = Shipment(journal, Watching(store), no_files)
    while shipment.step():
        pass
    assert seen == [10]
    assert len(history(store, run_id, "x")) == 11
    assert store.get_run(r.GetRun(run_id=run_id)).run.info.status == "FINISHED"
    close(journal, is_sent=True)


def test_a_record_that_is_completed_late_is_not_lost(store, uri):
    from stele.stores.journal.segments import MARK_OFFSET, MARKS, RECORD_SHIFT, pack_mark

    line = BrokenLine(store)
    run_id = new_run(store)
    journal = Journal.create(uri)
    for step in range(5):
        journal.appender(run_id, "x")(1.0, step)
    pack_mark(journal.segments.buffers[0], (2 << RECORD_SHIFT) + MARK_OFFSET, 0)  # its thread has not come so far
    shipment = Shipment(journal, line, no_files)
    while shipment.step():
        pass
    assert [step for step, _ in history(store, run_id, "x")] == [0, 1, 3, 4]
    assert not shipment.is_settled(2)
    pack_mark(journal.segments.buffers[0], (2 << RECORD_SHIFT) + MARK_OFFSET, 2 % MARKS + 1)
    line.breaks = ["after"]
    with pytest.raises(Unavailable):
        shipment.step()
    journal.close(remove=False)
    again = Shipment(adopted(uri), line, no_files)
    while again.step():
        pass
    assert [step for step, _ in history(store, run_id, "x")] == [0, 1, 2, 3, 4]
    assert line.points == 5
    close(again.journal, is_sent=True)


def test_a_point_without_the_name_of_its_series_is_set_aside(store, uri):
    run_id = new_run(store)
    journal = Journal.create(uri)
    journal.appender(run_id, "x")(1.0, 1)
    journal.appender(run_id, "y")(2.0, 2)
    journal.close(remove=False)
    names = (journal.directory / files.SERIES).read_bytes().splitlines(keepends=True)
    (journal.directory / files.SERIES).write_bytes(names[0])
    send_leftovers(uri, store)
    assert history(store, run_id, "x") == [(1, 1.0)]
    (letter,) = files.read_lines(journal.directory / files.DEAD, dict)
    assert (letter["step"], letter["run_id"]) == (2, "")


def test_leftovers_are_sent_by_the_next_client_and_removed(store, uri):
    run_id = new_run(store)
    for part in range(3):
        journal = Journal.create(uri)
        journal.appender(run_id, "x")(1.0, part)
        journal.close(remove=False)
    alive = Journal.create(uri)
    alive.appender(run_id, "x")(1.0, 99)
    send_leftovers(uri, store)
    assert [step for step, _ in history(store, run_id, "x")] == [0, 1, 2]
    assert [path.name for path in files.store_directory(uri).glob("*")] == [alive.header.client_id]
    alive.close(remove=True)


def test_the_state_is_written_before_a_batch_is_sent(store, uri):
    """Whoever carries on must know the batch; a state that names it later would make another one with its number."""
    run_id = new_run(store)
    journal = Journal.create(uri)
    journal.appender(run_id, "x")(1.0)

    class Looking(BrokenLine):
        def __getattr__(self, name):
            states.append(json.loads((journal.directory / "state.json").read_text()))
            return super().__getattr__(name)

    states = []
    shipment = Shipment(journal, Looking(store), no_files)
    while shipment.step():
        pass
    assert [(state["sequence"], state["stop"], state["acknowledged"]) for state in states] == [(1, 1, False)]
    close(journal, is_sent=True)


def test_the_end_of_a_run_does_not_wait_for_the_next_look_at_leftovers(store, uri, monkeypatch):
    """A round that is going on when somebody begins to wait does not count for them; the next one does, at once."""
    monkeypatch.setattr(sender, "_LEFTOVERS_SECONDS", 3_600.0)
    run_id = new_run(store)
    journal = Journal.create(uri)
    in_a_round, go_on = threading.Event(), threading.Event()

    class Slow:
        def ingest(self, request):
            in_a_round.set()
            assert go_on.wait(30)
            return store.ingest(request)

    shipping = sender.Sender(journal, Slow, no_files)
    journal.appender(run_id, "x")(1.0, 1)
    assert in_a_round.wait(30)
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(shipping.flush(20.0, leftovers=True)))
    waiter.start()
    while not shipping._awaited:
        time.sleep(0)  # gives the other thread its turn
    go_on.set()
    waiter.join()
    assert answers == [True]
    assert shipping.stop()
    close(journal, is_sent=True)
