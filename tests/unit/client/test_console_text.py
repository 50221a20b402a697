"""What was printed, as a terminal shows it, in parts that make the same text again when they are put together."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.client.console_text import Screen, utf8_size

MUCH = 1 << 20
GREEN, RESET = "\x1b[32m", "\x1b[0m"


def shown(*texts: str) -> str:
    screen = Screen()
    for text in texts:
        screen.write(text)
    return rest(screen)


def rest(screen: Screen) -> str:
    screen.end()
    return "".join(iter(lambda: screen.cut(MUCH, unfinished=False), ""))


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("no end", "no end\n"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("\r 10%\r 20%\r100%\ndone\n", "100%\ndone\n"),
        (" 10%\r 20%\r100%\r", "100%\n"),
        ("long form\rshort", "shortform\n"),
        ("long form\r\x1b[Kshort", "short\n"),
        ("long form\x1b[2K\rshort", "short\n"),
        ("1/9\b\b\b2/9\b\b\b\r3/9\n", "3/9\n"),
        ("abc\x1b[2Dx", "axc\n"),
        ("a\x1b[4Cb", "a    b\n"),
        ("abc\x1b[2Gx", "axc\n"),
        ("outer 1\n\rinner 1\x1b[A\router 2\n\rinner 2\x1b[A\n\n", "outer 2\ninner 2\n"),
        ("a\nb\nc\n\x1b[3F\x1b[Jd\n", "d\n"),
        ("\x1b]0;a title\x07text\x1b[?25l\n", "text\n"),
        ("\x1b]0;no end\nnext\n", "]0;no end\nnext\n"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        (f"{GREEN}ok{RESET}\n", f"{GREEN}ok{RESET}\n"),
        (f"{GREEN}1{RESET}\r{GREEN}2{RESET}\n", f"{GREEN}2{RESET}\n"),
        (f"{GREEN}old{RESET} text\rnew\n", f"{GREEN}new{RESET} text\n"),
        ("\x1b[Aup from the top\n", "up from the top\n"),
        ("\ud800 is no text\n", "? is no text\n"),
        ("\x07bell\x00 and\x9b a lone \x1b", "bell and a lone \n"),
        ("", ""),
    ],
)
def test_what_is_seen_of_what_was_printed(printed, seen):
    assert shown(printed) == seen
    assert shown(*printed) == seen  # character by character


def test_a_bar_of_many_forms_is_one_line():
    bar = "".join(f"\r{GREEN}{i:6d}/100000{RESET} [{'#' * (i // 2000)}]" for i in range(20_000))
    assert len(shown(bar)) < 100
    nested = "".join(f"\router {i}\n\rinner {i}\x1b[A" for i in range(5_000))
    assert shown(nested) == "outer 4999\ninner 4999\n"


def test_lines_are_cut_whole_and_the_line_that_is_being_written_waits():
    screen = Screen()
    screen.write("one\ntwo\nthr")
    assert screen.cut(MUCH, unfinished=True) == "one\ntwo\n"
    assert screen.is_waiting
    assert screen.cut(MUCH, unfinished=False) == ""
    screen.write("ee\n")
    assert screen.cut(MUCH, unfinished=False) == "three\n"
    assert not screen.is_waiting


def test_a_line_that_nothing_ends_goes_on_in_the_next_part():
    screen = Screen()
    screen.write("training")
    assert screen.cut(MUCH, unfinished=True) == "training"
    assert screen.cut(MUCH, unfinished=True) == ""
    screen.write(" done\nnext")
    assert screen.cut(MUCH, unfinished=True) == " done\n"
    assert rest(screen) == "next\n"


def test_a_bar_that_goes_on_is_written_over_in_the_next_part():
    screen = Screen()
    screen.write("\r 10% of all")
    assert screen.cut(MUCH, unfinished=True) == " 10% of all"
    screen.write("\r\x1b[K 20%\r 30%")
    assert screen.cut(MUCH, unfinished=True) == "\r 30%       "
    assert rest(screen) == "\n"
    assert rest(screen) == ""


def test_bars_below_each_other_are_told_again_in_each_part():
    screen = Screen()
    screen.write("outer 1\ninner 1\x1b[A\r")
    assert screen.cut(MUCH, unfinished=True) == "outer 1\ninner 1\n"
    assert not screen.is_waiting
    screen.write("outer 2\n\rinner 2\x1b[A\r")
    assert screen.cut(MUCH, unfinished=True) == "outer 2\ninner 2\n"
    assert rest(screen) == ""


def test_parts_have_about_the_size_that_was_asked_for():
    screen = Screen()
    screen.write("".join(f"line {i} ä\n" for i in range(10_000)))
    parts = list(iter(lambda: screen.cut(10_000, unfinished=False), ""))
    assert all(9_900 < len(part.encode()) <= 10_000 for part in parts[:-1])
    assert all(part.endswith("\n") for part in parts)
    assert "".join(parts).splitlines() == [f"line {i} ä" for i in range(10_000)]


def test_a_line_that_is_longer_than_a_part_is_cut_in_the_middle():
    screen = Screen()
    screen.write("before\n" + "x" * 300_000 + "\nafter\n")
    parts = list(iter(lambda: screen.cut(100_000, unfinished=False), ""))
    assert max(map(len, parts)) <= 100_000
    assert "".join(parts) == "before\n" + "x" * 300_000 + "\nafter\n"


def test_the_oldest_lines_are_dropped_and_a_line_says_how_much():
    screen = Screen()
    screen.write("".join(f"{i:09d}\n" for i in range(100)))
    screen.drop_beyond(500)
    text = screen.cut(MUCH, unfinished=False)
    assert re.match(r"\[stele: 500 bytes of output are missing here", text)
    assert text.splitlines()[1:] == [f"{i:09d}" for i in range(50, 100)]
    screen.write("half a li")
    screen.tell_lost(7)
    screen.write("new\n")
    assert [line[:16] for line in rest(screen).splitlines()] == ["half a li", "[stele: 7 bytes ", "new"]


PIECES = st.text("ab\n\r\b ä", max_size=12) | st.sampled_from(
    [
        "\x1b[K",
        "\x1b[2K",
        "\x1b[A",
        "\x1b[31m",
        RESET,
        "\x1b[3C",
        "\x1b[J",
        "line\n",
        "\x1b",
        "\x07",
        "\x1b[",
        "\x1b]0;x",
    ]
)


@given(st.lists(PIECES, max_size=20), st.integers(1, 40))
def test_whatever_is_printed_it_stays_small_and_ends_with_a_line(texts, most):
    screen = Screen()
    for text in texts:
        screen.write(text)
        screen.cut(most, unfinished=True)
        assert screen.size == utf8_size(screen._rows)
    assert rest(screen)[-1:] in ("", "\n")
    assert screen.size == 0
    assert not screen.is_waiting


@given(st.lists(st.text("ab\nä", max_size=12), max_size=20), st.integers(1, 40))
def test_parts_of_plain_text_make_the_text_again(texts, most):
    screen = Screen()
    parts = []
    for text in texts:
        screen.write(text)
        parts.append(screen.cut(most, unfinished=len(parts) % 2 == 0))
    parts.append(rest(screen))
    printed = "".join(texts)
    assert "".join(parts) == printed + ("\n" if printed and not printed.endswith("\n") else "")
