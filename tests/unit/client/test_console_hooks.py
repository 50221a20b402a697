# ruff: noqa: T201 - printing is what is tested
"""Whoever prints is heard, the text goes where it always went, and streams get back what was theirs."""

import contextlib
import io
import logging
import sys
import threading

import pytest

from stele.client.console_hooks import Hooks


@pytest.fixture
def hooks():
    hooks = Hooks()
    yield hooks
    hooks.forget()


def streams(monkeypatch):
    """What ``sys.stdout`` and ``sys.stderr`` are in a test; pytest puts its own there before the test begins."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    return out, err


class Narrow:
    """A stream that takes no attributes."""

    __slots__ = ("texts",)
    encoding = "utf-8"

    def __init__(self):
        self.texts = []

    def write(self, text):
        self.texts.append(text)
        return len(text)


def test_print_and_handlers_that_hold_the_stream_are_heard(hooks, monkeypatch):
    both = streams(monkeypatch)
    handler, heard = logging.StreamHandler(sys.stderr), []
    hooks.add(heard.append)
    print("printed", 1)
    handler.emit(logging.makeLogRecord({"msg": "logged"}))
    sys.stdout.writelines(["a", "b"])
    assert "".join(heard) == "printed 1\nlogged\nab"
    assert [stream.getvalue() for stream in both] == ["printed 1\nab", "logged\n"]
    assert sys.stdout.write("four") == 4


def test_streams_get_back_what_was_theirs(hooks, monkeypatch):
    both = streams(monkeypatch)
    before = [dict(vars(stream)) for stream in both]
    hooks.add([].append)
    assert all("write" in vars(stream) for stream in both)
    hooks.remove(hooks._listeners[0])
    assert [dict(vars(stream)) for stream in both] == before


def test_a_method_that_somebody_put_there_comes_back(hooks, monkeypatch):
    out, _ = streams(monkeypatch)
    heard, seen = [], []
    out.write = seen.append
    theirs = out.write
    hooks.add(heard.append)
    print("x", end="")
    hooks.remove(heard.append)
    assert ("".join(seen), heard) == ("x", ["x"])
    assert out.write is theirs


def test_a_method_that_somebody_put_over_ours_stays(hooks, monkeypatch):
    out, _ = streams(monkeypatch)
    heard, seen = [], []
    hooks.add(heard.append)
    ours = out.write

    def theirs(text):
        seen.append(text)
        return ours(text)

    out.write = theirs
    hooks.remove(heard.append)
    print("x", end="")
    assert out.write is theirs
    assert ("".join(seen), heard, out.getvalue()) == ("x", [], "x")
    again = []
    hooks.add(again.append)
    print("y", end="")
    assert ("".join(seen), again, out.getvalue()) == ("xy", ["y"], "xy")


def test_a_stream_that_takes_no_attributes_gets_a_wrapper(hooks, monkeypatch):
    streams(monkeypatch)
    narrow, heard = Narrow(), []
    monkeypatch.setattr(sys, "stdout", narrow)
    hooks.add(heard.append)
    print("x")
    sys.stdout.writelines(["a", "b"])
    assert sys.stdout.encoding == "utf-8"
    hooks.remove(heard.append)
    assert sys.stdout is narrow
    assert narrow.texts == heard == ["x", "\n", "a", "b"]
    hooks.add(heard.append)
    wrapper = sys.stdout
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    hooks.remove(heard.append)
    wrapper.write("late")
    assert (narrow.texts[-1], heard[-1]) == ("late", "b")


def test_every_listener_hears_and_one_stream_is_heard_once(hooks, monkeypatch):
    streams(monkeypatch)
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    one, two = [], []
    hooks.add(one.append)
    print("1", end="")
    hooks.add(two.append)
    print("2", end="", file=sys.stderr)
    hooks.remove(one.append)
    print("3", end="")
    assert (one, two) == (["1", "2"], ["2", "3"])


def test_streams_that_take_the_place_of_others_are_heard_once(hooks, monkeypatch):
    """As libraries do it that colour texts for terminals: their stream passes on to the one that was there."""

    out, _ = streams(monkeypatch)

    class Passing(io.StringIO):
        def write(self, text):
            return out.write(text)

    heard = []
    hooks.add(heard.append)
    monkeypatch.setattr(sys, "stdout", Passing())
    later = []
    hooks.add(later.append)
    print("x", end="")
    assert (heard, later, out.getvalue()) == (["x"], ["x"], "x")


@pytest.mark.parametrize("stream", [None, object()])
def test_without_streams_nothing_happens(hooks, monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    hooks.add([].append)
    assert sys.stdout is stream


def test_a_stream_that_was_closed_fails_as_always_and_is_not_heard(hooks, monkeypatch):
    out, _ = streams(monkeypatch)
    heard = []
    hooks.add(heard.append)
    out.close()
    with pytest.raises(ValueError, match="closed"):
        print("x")
    print("y", end="", file=sys.stderr)
    assert heard == ["y"]
    hooks.remove(heard.append)
    assert "write" not in vars(out)


def test_what_is_redirected_is_not_printed(hooks, monkeypatch):
    streams(monkeypatch)
    heard, text = [], io.StringIO()
    hooks.add(heard.append)
    with contextlib.redirect_stdout(text):
        print("elsewhere")
    assert (heard, text.getvalue()) == ([], "elsewhere\n")


def test_many_threads_print(hooks, monkeypatch):
    streams(monkeypatch)
    heard = []
    hooks.add(heard.append)
    threads = [threading.Thread(target=lambda: [print("x") for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == sorted(["x", "\n"] * 1600)


def test_what_is_no_text_fails_as_always(hooks, monkeypatch):
    streams(monkeypatch)
    heard = []
    hooks.add(heard.append)
    with pytest.raises(TypeError):
        sys.stdout.write(b"bytes")
    assert heard == []


def test_a_listener_that_fails_is_not_asked_again_and_printing_goes_on(hooks, monkeypatch, caplog):
    out, _ = streams(monkeypatch)
    asked, heard = [], []

    def failing(text):
        asked.append(text)
        raise MemoryError

    hooks.add(failing)
    hooks.add(heard.append)
    print("x")
    assert (asked, heard, out.getvalue()) == (["x"], ["x", "\n"], "x\n")
    assert "not heard any more" in caplog.text
