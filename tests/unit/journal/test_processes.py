"""Nothing that returned is lost: processes that are killed, fork, spawn, end, or are told to end."""

import os
import random
import signal
import sqlite3
import struct
import sys

import pytest

import stele
from journal_tools import SOURCES, adopted, history, new_run, send_leftovers, start_program
from servers import free_port
from stele.stores.journal.files import find_journals, journal_root, store_directory
from stele.stores.sql import SqlStore

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals and fork of POSIX")

LOGGING = """
import mmap, os, struct, sys
import stele
uri, run_id, path = sys.argv[1:4]
counter = mmap.mmap(os.open(path, os.O_RDWR), 8)
stele.set_tracking_uri(uri)
stele.start_run(run_id=run_id)
stele.log_metric("x", 0.0, step=0)
{hook}
for step in range(1, {count}):
    stele.log_metric("x", step * 0.5, step=step)
    struct.pack_into("<q", counter, 0, step + 1)
    {body}
"""
"""Logs and counts the calls that returned, where the parent can read it when the process is gone."""


def stored_points(path):
    """How many points the store took, equal ones counted as often as they were taken."""
    with sqlite3.connect(path) as connection:
        log = connection.execute("SELECT coalesce(sum(points), 0) FROM ingest_log").fetchone()[0]
        segments = connection.execute("SELECT coalesce(sum(points), 0) FROM segments").fetchone()[0]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return log + segments


class Killed:
    """A program that logs to a run until it is killed, and what can be said afterwards."""

    def __init__(self, uri, workplace, hook="", body="", count=100_000_000):
        with SqlStore(uri, "files") as store:
            self.run_id = new_run(store)
        self.uri, self.database = uri, workplace / "store.db"
        self.counter = workplace / f"counter-{self.run_id}"
        self.counter.write_bytes(bytes(8))
        code = LOGGING.format(hook=hook, body=body, count=count)
        self.process = start_program(code, uri, self.run_id, str(self.counter))

    def returned(self):
        """How many calls have returned."""
        return struct.unpack("<q", self.counter.read_bytes())[0]

    def kill_after(self, calls):
        """Kill it when so many calls have returned."""
        while self.returned() < calls and self.process.poll() is None:
            pass
        self.process.kill()
        self.process.communicate()

    def check(self):
        """Let the next client send what is left; nothing is lost and nothing is there twice."""
        returned = self.returned()
        with SqlStore(self.uri, "files") as store:
            send_leftovers(self.uri, store)
            found = history(store, self.run_id, "x")
        steps = [step for step, _ in found]
        assert steps == list(range(len(steps)))
        assert len(steps) >= returned
        assert all(value == step * 0.5 for step, value in found)
        assert not list(store_directory(self.uri).glob("*"))
        return len(steps)


def test_kill_at_random_moments_loses_no_call_that_returned(uri, workplace):
    total = 0
    for _ in range(4):
        killed = Killed(uri, workplace)
        killed.kill_after(random.choice([1, 1_000, 200_000, 600_000]))
        total += killed.check()
    assert stored_points(workplace / "store.db") == total


EXIT_AT = """
import random
left = [{calls}]
def count(event, _arguments):
    if event.startswith(("open", "os.", "mmap.", "shutil.", "fcntl.", "sqlite3.")):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
sys.addaudithook(count)
"""


@pytest.mark.parametrize("calls", [0, 1, 2, 3, 4, 5, 7, 10, 14, 20, 30])
def test_an_end_before_any_system_call_loses_nothing(uri, workplace, calls):
    """The interpreter tells of each file that it opens, renames, removes or maps; the process ends there."""
    killed = Killed(uri, workplace, hook=EXIT_AT.format(calls=calls), count=2_000_000)
    killed.process.communicate()
    assert killed.process.returncode == 9
    assert stored_points(workplace / "store.db") <= killed.check()
    assert stored_points(workplace / "store.db") == killed.check()


def test_who_carries_on_may_be_killed_too(uri, workplace):
    killed = Killed(uri, workplace)
    killed.kill_after(400_000)
    sending = """
import os, sys
from journal_tools import send_leftovers
from stele.stores.sql import SqlStore
store = SqlStore(sys.argv[1], "files")
left = [int(sys.argv[2])]
def count(event, _arguments):
    if event in ("os.rename", "os.remove"):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
sys.addaudithook(count)
send_leftovers(sys.argv[1], store)
"""
    path = os.pathsep.join(sys.path)
    for renames in (0, 1, 2, 3):
        process = start_program(sending, uri, str(renames), PYTHONPATH=path)
        output = process.communicate()[1]
        assert process.returncode in (0, 9), output
    assert killed.check() == stored_points(workplace / "store.db")


FORK = """
import os, sys
import stele
stele.set_tracking_uri(sys.argv[1])
with stele.start_run() as run:
    print(run.info.run_id, flush=True)
    for step in range(1000):
        stele.log_metric("parent", step, step=step)
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            for step in range(1000):
                stele.log_metric("parent", step, step=10_000 * (number + 1) + step)
                stele.log_metric(f"child{number}", step, step=step)
            os._exit(0)
        children.append(child)
    for step in range(1000, 2000):
        stele.log_metric("parent", step, step=step)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
"""


def finished(process, code=0):
    """What a program printed; it must end as expected."""
    output, errors = process.communicate()
    assert process.returncode == code, errors.decode()
    assert b"Traceback" not in errors, errors.decode()
    return output.decode().split()


def test_forked_children_have_journals_of_their_own(uri, store, workplace):
    (run_id,) = finished(start_program(FORK, uri))
    assert len(history(store, run_id, "parent")) == 2_000 + 4 * 1_000
    for number in range(4):
        assert [step for step, _ in history(store, run_id, f"child{number}")] == list(range(1_000))
    assert stored_points(workplace / "store.db") == 2_000 + 8 * 1_000
    assert not list(store_directory(uri).glob("*"))


WORKERS = """
import multiprocessing, sys
import stele

def work(uri, run_id, number):
    stele.set_tracking_uri(uri)
    for step in range(500):
        stele.log_metric(f"worker{number}", step, step=step, run_id=run_id)

if __name__ == "__main__":
    stele.set_tracking_uri(sys.argv[1])
    with stele.start_run() as run:
        print(run.info.run_id, flush=True)
        context = multiprocessing.get_context(sys.argv[2])
        workers = [context.Process(target=work, args=(sys.argv[1], run.info.run_id, number)) for number in range(3)]
        for worker in workers:
            worker.start()
        for step in range(500):
            stele.log_metric("main", step, step=step)
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0, 0]
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_log_to_one_run(uri, store, workplace, method):
    program = workplace / "program.py"
    program.write_text(WORKERS)
    code = f"import runpy, sys; sys.argv[0] = {str(program)!r}; runpy.run_path({str(program)!r}, run_name='__main__')"
    if method != "fork":  # the children import the main module from its file
        code = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, {str(program)!r}, *sys.argv[1:]]))"
    (run_id,) = finished(start_program(code, uri, method))
    for key in ("main", "worker0", "worker1", "worker2"):
        assert [step for step, _ in history(store, run_id, key)] == list(range(500)), key


def test_32_processes_log_to_one_file_without_a_server(uri, store, workplace):
    run_id = new_run(store)
    code = """
import os, sys
import stele
stele.set_tracking_uri(sys.argv[1])
for step in range(300):
    stele.log_metric("x", step, step=int(sys.argv[3]) * 1000 + step, run_id=sys.argv[2])
if int(sys.argv[3]) % 4 == 0:
    os.kill(os.getpid(), 9)
"""
    processes = [start_program(code, uri, run_id, str(number)) for number in range(32)]
    for number, process in enumerate(processes):
        finished(process, -9 if number % 4 == 0 else 0)
    send_leftovers(uri, store)
    expected = sorted(number * 1000 + step for number in range(32) for step in range(300))
    assert [step for step, _ in history(store, run_id, "x")] == expected
    assert stored_points(workplace / "store.db") == len(expected)
    assert not list(store_directory(uri).glob("*"))


TERMINATED = """
import sys
import stele
stele.set_tracking_uri(sys.argv[1])
{before}
with stele.start_run() as run:
    with stele.start_run(nested=True) as inner:
        step = 0
        while True:
            stele.log_metric("x", step, step=step)
            step += 1
            if step == 100_000:
                print(run.info.run_id, inner.info.run_id, flush=True)
"""


def test_sigterm_ends_runs_as_killed_and_sends_everything(uri, store):
    process = start_program(TERMINATED.format(before=""), uri)
    run_id, inner = process.stdout.readline().decode().split()
    process.send_signal(signal.SIGTERM)
    finished(process, 128 + signal.SIGTERM)
    statuses = {run.info.run_id: run.info.status for run in stele.Client(uri).search_runs(["0"])}
    assert statuses == {run_id: "KILLED", inner: "KILLED"}
    steps = [step for step, _ in history(store, inner, "x")]
    assert steps == list(range(len(steps)))
    assert len(steps) >= 100_000


def test_a_program_with_its_own_answer_to_sigterm_keeps_it(uri):
    before = "import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: os._exit(7))"
    process = start_program(TERMINATED.format(before=before), uri)
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 7


def test_ctrl_c_sends_everything(uri, store):
    process = start_program(TERMINATED.format(before=""), uri)
    _, inner = process.stdout.readline().decode().split()
    process.send_signal(signal.SIGINT)
    process.communicate()
    steps = [step for step, _ in history(store, inner, "x")]
    assert steps == list(range(len(steps)))
    assert len(steps) >= 100_000
    assert not find_journals(journal_root())


def test_an_interrupted_call_leaves_what_others_wrote(uri, store):
    """Ctrl-C may come between any two steps of a call; the record of that call may be missing, no other is."""
    code = """
import random, signal, sys
import stele

class Interrupt(BaseException):
    pass

def interrupt(*_):
    raise Interrupt

signal.signal(signal.SIGALRM, interrupt)
stele.set_tracking_uri(sys.argv[1])
with stele.start_run() as run:
    print(run.info.run_id, flush=True)
    step = 0
    while step < 300_000:
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0001, 0.002))
            while step < 300_000:
                stele.log_metric("x", 1.0, step)
                step += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Interrupt:
            pass
"""
    (run_id,) = finished(start_program(code, uri))
    assert sorted({step for step, _ in history(store, run_id, "x")}) == list(range(300_000))


def test_a_crash_leaves_a_journal_that_the_next_run_sends(uri, store):
    code = """
import os, sys
import stele
stele.set_tracking_uri(sys.argv[1])
stele.start_run(run_id=sys.argv[2])
for step in range(10):
    stele.log_metric("x", step, step=step)
os._exit(1)
"""
    run_id = new_run(store)
    finished(start_program(code, uri, run_id), 1)
    journal = adopted(uri)
    journal.close(remove=False)
    stele.set_tracking_uri(uri)
    with stele.start_run():
        stele.log_metric("y", 1)
    assert [step for step, _ in history(store, run_id, "x")] == list(range(10))
    assert [path for path in store_directory(uri).glob("*") if path != stele_journal(uri)] == []


def stele_journal(uri):
    """The journal of this process."""
    from stele.client.stores import open_journalled

    return open_journalled(uri).directory


def test_a_fork_while_threads_log_hangs_nobody(uri, store):
    """Locks that another thread holds at the fork stay locked in the child; it must not need them."""
    code = """
import os, sys, threading
import stele
stele.set_tracking_uri(sys.argv[1])
with stele.start_run() as run:
    print(run.info.run_id, flush=True)
    stele.log_metric("first", 1)  # an import in a thread at the moment of the fork would be a hang of Python itself
    stop = threading.Event()
    def work(number):
        step = 0
        while not stop.wait(0.0005):
            stele.log_metric(f"t{number}/{step % 500}", step, step=step, run_id=run.info.run_id)
            step += 1
    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for number in range(20):
        child = os.fork()
        if child == 0:
            for step in range(50):
                stele.log_metric("child", step, step=number * 50 + step)
            stele.flush_async_logging()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    for thread in threads:
        thread.join()
"""
    (run_id,) = finished(start_program(code, uri))
    assert [step for step, _ in history(store, run_id, "child")] == list(range(1_000))


def test_nothing_of_the_journal_is_imported_before_the_first_call():
    code = "import sys, stele; stele.log_metric; print(*(name for name in sys.modules if 'journal' in name))"
    assert finished(start_program(code)) == []


def test_a_short_campaign_of_kills(tmp_path):
    """``python -m benchmarks.kill_campaign`` is the long one."""
    code = """
import sys
from pathlib import Path
from benchmarks.kill_campaign import campaign
losses = campaign(3, Path(sys.argv[1]), int(sys.argv[2]), seed=int(sys.argv[3]))
print(losses)
sys.exit(0 if losses.is_clean() and losses.calls else 1)
"""
    path = os.pathsep.join([str(SOURCES.parent), *sys.path])
    seed = str(random.randrange(2**32))
    finished(start_program(code, str(tmp_path), str(free_port()), seed, PYTHONPATH=path))


LOCKED = """
import sqlite3, sys, stele
stele.set_tracking_uri(sys.argv[1])
with stele.start_run() as run:
    stele.log_metric("x", 0, step=0)
    stele.flush_async_logging()
    other = sqlite3.connect("locked.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
print(run.info.run_id, other.in_transaction, flush=True)
"""


def test_a_database_that_another_program_has_locked_holds_up_no_end(workplace):
    """The lock is given back when this process is gone, not before."""
    uri = f"sqlite:///{workplace}/locked.db"
    process = start_program(LOCKED, uri, STELE_EXIT_TIMEOUT="0.5")
    output, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    run_id, in_transaction = output.decode().split()
    assert in_transaction == "True"
    assert b"did not answer in time" in errors
    stele.set_tracking_uri(uri)
    with stele.start_run():
        stele.log_metric("y", 1)
    assert stele.get_run(run_id).info.status == "FINISHED"
