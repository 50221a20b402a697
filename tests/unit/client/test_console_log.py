# ruff: noqa: T201 - printing is what is tested
"""What a program prints is kept with its run, in parts that are written once, whatever happens to the program."""

import logging
import os
import signal
import subprocess
import sys
import textwrap

import pytest

import stele
from stele.client import console_recorder
from stele.client.console_parts import list_parts
from stele.client.console_recorder import ConsoleRecorder
from stele.errors import Unavailable

POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals and fork of POSIX")


def parts(run, client=None):
    """The text of each part, by number."""
    files = (client or stele.Client()).repository(run.info.run_id)
    texts = [files.open_read(file.path).read().decode() for file in list_parts(files)]
    return dict(enumerate(texts, 1))


def kept(run, client=None):
    return "".join(parts(run, client).values())


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Broken(stele.Client):
    """A client whose files cannot be written while ``breaks`` is set, or whose next answer is lost on its way."""

    breaks = False
    loses_answer = False

    def repository(self, run_id):
        if self.breaks:
            raise Unavailable("There is no way to the files.")
        found = super().repository(run_id)
        if self.loses_answer:
            found.write = lambda *args, write=found.write: self.lose(write(*args))
        return found

    def lose(self, _answer):
        self.loses_answer = False
        raise Unavailable("The answer is lost.")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def run():
    client = stele.Client()
    return client.create_run("0", start_time=stele.Client().create_run("0").info.start_time + 3_600_000)


@pytest.fixture
def recorder(run, clock):
    return ConsoleRecorder(Broken(), run, clock=clock)


# --- With a run


def test_what_is_printed_is_kept():
    with stele.start_run(log_console=True) as run:
        print("to the one")
        print("to the other", file=sys.stderr)
        for percent in range(0, 101, 10):
            print(f"\r{percent} %", end="")
    assert parts(run) == {1: "to the one\nto the other\n100 %\n"}


def test_it_is_off_by_default_and_can_be_turned_on(monkeypatch):
    def is_kept(**options):
        with stele.start_run(**options) as run:
            print("x")
        return kept(run) == "x\n"

    assert not is_kept()
    stele.enable_console_logging()
    assert is_kept()
    assert not is_kept(log_console=False)
    stele.disable_console_logging()
    monkeypatch.setenv("STELE_ENABLE_CONSOLE_LOGGING", "true")
    assert not is_kept()


def test_the_environment_turns_it_on(monkeypatch):
    monkeypatch.setenv("STELE_ENABLE_CONSOLE_LOGGING", "1")
    with stele.start_run() as run:
        print("x")
    assert kept(run) == "x\n"


def test_nested_runs_keep_what_was_printed_while_they_were_open():
    with stele.start_run(log_console=True) as outer:
        print("before")
        with stele.start_run(nested=True, log_console=True) as inner:
            print("inside")
        with stele.start_run(nested=True) as silent:
            print("silent")
    assert (kept(outer), kept(inner), kept(silent)) == ("before\ninside\nsilent\n", "inside\n", "")


def test_a_continued_run_goes_on_with_the_next_part():
    with stele.start_run(log_console=True) as run:
        print("first", end="")
    with stele.start_run(run_id=run.info.run_id, log_console=True):
        print("second")
    assert parts(run) == {1: "first\n", 2: "second\n"}


def test_a_run_that_prints_nothing_has_no_part():
    with stele.start_run(log_console=True) as run:
        pass
    assert parts(run) == {}


def test_the_error_that_ends_a_run_is_kept():
    def fail():
        with stele.start_run(log_console=True) as run:
            runs.append(run)
            raise RuntimeError("the loss is gone")

    runs = []
    with pytest.raises(RuntimeError):
        fail()
    assert kept(runs[0]).startswith("Traceback")
    assert kept(runs[0]).endswith("RuntimeError: the loss is gone\n")


def test_it_works_offline(monkeypatch):
    monkeypatch.setenv("STELE_OFFLINE", "1")
    with stele.start_run(log_console=True) as run:
        print("alone")
    assert kept(run) == "alone\n"


# --- When parts are cut


def test_a_part_is_cut_when_its_oldest_text_has_waited(recorder, run, clock):
    assert recorder.advance() is None
    recorder.hear("one\n")
    assert recorder.advance() == 5
    clock.now += 4
    recorder.hear("two\nthr")
    assert recorder.advance() == 1
    clock.now += 1
    assert recorder.advance() == 5  # for what was begun
    assert parts(run) == {1: "one\ntwo\n"}
    recorder.hear("ee\n")
    clock.now += 5
    assert recorder.advance() is None
    assert parts(run) == {1: "one\ntwo\n", 2: "three\n"}


@pytest.mark.parametrize(("age", "seconds"), [(60, 5), (1000, 50), (7200, 360), (100_000, 600)])
def test_the_older_a_run_the_rarer_are_parts(recorder, clock, age, seconds):
    clock.now += age
    recorder.hear("text")
    assert recorder.advance() == seconds


def test_a_part_is_cut_when_it_is_full(recorder, run):
    recorder.hear("line\n" * 500_000)
    recorder.advance()
    sizes = [len(text) for text in parts(run).values()]
    assert sum(sizes) == 2_500_000
    assert len(sizes) == 3
    assert max(sizes) <= 1 << 20


def test_a_bar_shows_its_latest_form_once_in_each_part(recorder, run, clock):
    for percent in range(100):
        recorder.hear(f"\r{percent:3d} %")
        clock.now += 0.1
        recorder.advance()
    recorder.advance(last=True)
    assert list(parts(run).items()) == [(1, " 49 %"), (2, "\r 99 %"), (3, "\n")]


def test_the_number_is_behind_all_that_are_there(recorder, run):
    stele.Client().log_text(run.info.run_id, "of another process", "logs/console/000041.log")
    stele.Client().log_text(run.info.run_id, "of a user", "logs/console/notes.log")
    recorder.hear("mine\n")
    recorder.advance(last=True)
    assert stele.Client().repository(run.info.run_id).stat("logs/console/000042.log").file_size == 5


# --- When something is wrong


def test_what_could_not_be_stored_is_stored_later_and_one_warning_says_so(recorder, run, clock, caplog):
    recorder._client.breaks = True
    for number in range(3):
        recorder.hear(f"{number}\n")
        clock.now += 5
        assert recorder.advance() == 5
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "There is no way to the files" in caplog.text
    recorder._client.breaks = False
    clock.now += 5
    assert recorder.advance() is None
    assert kept(run) == "0\n1\n2\n"


def test_a_part_that_arrived_though_its_answer_was_lost_is_not_stored_again(recorder, run, clock):
    recorder._client.loses_answer = True
    recorder.hear("one\n")
    recorder.advance(last=True)
    assert recorder.waiting_bytes() == 4
    recorder.hear("two\n")
    recorder.advance(last=True)
    assert parts(run) == {1: "one\n", 2: "two\n"}


def test_a_number_that_another_process_took_meanwhile_is_left_to_it(recorder, run):
    recorder._client.loses_answer = True
    recorder.hear("mine\n")
    recorder.advance(last=True)
    files = stele.Client().repository(run.info.run_id)
    files.write("logs/console/000001.log", [b"of another process\n"])
    recorder.advance(last=True)
    assert parts(run) == {1: "of another process\n", 2: "mine\n"}


def test_what_waits_has_a_bound_and_a_line_says_what_is_missing(recorder, run, clock):
    recorder._client.breaks = True
    for number in range(3_000):
        recorder.hear(f"{number:099d}\n" * 100)
        if number % 100 == 0:
            clock.now += 5
            recorder.advance()
    assert recorder.waiting_bytes() <= 17 << 20
    recorder._client.breaks = False
    recorder.advance(last=True)
    text = kept(run)
    lines = text.splitlines()
    notice = next(line for line in lines if line.startswith("[stele: "))
    assert int(notice.split()[1]) + sum(len(line) + 1 for line in lines if line != notice) == 30_000_000
    assert int(lines[-1]) == 2999
    assert len(text) < 17 << 20


def test_a_text_beyond_all_bounds_loses_its_beginning(recorder, run):
    recorder.hear("x" * (20 << 20) + "end\n")
    recorder.advance(last=True)
    assert kept(run).startswith(f"[stele: {(14 << 20) + 4} bytes")
    assert kept(run).endswith("xend\n")


def test_what_is_lost_in_the_end_is_told(monkeypatch, caplog):
    with stele.start_run(log_console=True) as run:
        print("lost")
        monkeypatch.setattr(console_recorder, "next_part", lambda _: "..")
    assert "The last 5 bytes that were printed are not kept" in caplog.text
    assert stele.get_run(run.info.run_id).info.status == "FINISHED"


def test_warnings_about_it_do_not_go_round(capsys, monkeypatch):
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger("stele").addHandler(handler)
    monkeypatch.setattr(console_recorder, "next_part", lambda _: "..")
    with stele.start_run(log_console=True):
        print("x")
    logging.getLogger("stele").removeHandler(handler)
    assert capsys.readouterr().err.count("cannot be stored") == 1


# --- Programs


def run_program(code, workplace, **options):
    program = workplace / "program.py"
    program.write_text(textwrap.dedent(code), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, str(program)], env=env, text=True, **(pipes | options))


def only_run():
    (run,) = stele.search_runs(["0"], output_format="list")
    return run


def test_a_program_that_dies_leaves_its_traceback(workplace):
    code = """
    import stele
    stele.start_run(log_console=True)
    print("half a line", end="")
    raise RuntimeError("gone")
    """
    out, err = run_program(code, workplace).communicate()
    assert (out, err.count("RuntimeError: gone")) == ("half a line", 1)
    assert only_run().info.status == "FAILED"
    assert kept(only_run()).splitlines()[0] == "half a lineTraceback (most recent call last):"
    assert kept(only_run()).splitlines()[-1] == "RuntimeError: gone"


@POSIX
def test_a_program_that_is_told_to_end_leaves_everything(workplace):
    code = """
    import stele
    with stele.start_run(log_console=True):
        print("begun", flush=True)
        while True:  # signal.pause() would wait for ever for a signal that came just before it
            pass
    """
    program = run_program(code, workplace)
    assert program.stdout.readline() == "begun\n"
    program.send_signal(signal.SIGTERM)
    program.communicate()
    assert only_run().info.status == "KILLED"
    assert kept(only_run()) == "begun\n"


@POSIX
def test_a_forked_child_keeps_nothing_twice(workplace):
    code = """
    import os
    import stele
    with stele.start_run(log_console=True):
        print("parent", flush=True)
        child = os.fork()
        if child == 0:
            print("child", flush=True)
            with stele.start_run(run_name="of the child", nested=True, log_console=True):
                print("of the child", flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print("parent again")
    """
    out, err = run_program(code, workplace).communicate()
    assert out == "parent\nchild\nof the child\nparent again\n", err
    runs = {run.info.run_name: kept(run) for run in stele.search_runs(["0"], output_format="list")}
    assert runs.pop("of the child") == "of the child\n"
    assert list(runs.values()) == ["parent\nparent again\n"]


@POSIX
def test_a_signal_handler_may_print_at_any_time(workplace):
    code = """
    import itertools, os, signal, threading
    import stele
    count = itertools.count()

    def alarm(*_):
        print(f"alarm {next(count)}")
        signal.setitimer(signal.ITIMER_REAL, 0.0005)  # the next one comes when this one is over

    signal.signal(signal.SIGALRM, alarm)
    with stele.start_run(log_console=True):
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        number = 0
        while next(count) < 2000 or number < 20_000:
            number += 1
            print("line", number)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print("end")
    """
    # Into a file: Python refuses to print while it waits for a pipe that is full.
    with (workplace / "out.txt").open("w+") as out:
        _, err = run_program(code, workplace, stdout=out).communicate()
        out.seek(0)
        assert out.read().endswith("end\n"), err
    assert kept(only_run()).endswith("end\n")
