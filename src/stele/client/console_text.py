"""What a terminal would show of text that was printed, cut into parts to keep.

Progress bars write over themselves: with carriage returns, backspaces, and by moving the cursor up. Only the last form
of a line is kept, so that hours of a bar are one line and not megabytes. Colours stay; other escape sequences and
control characters have done their work here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["Screen", "utf8_size"]

_LONGEST_ROW = 16_384
"""Characters after which a line goes on in another row, so that what is written over stays short."""

_LONGEST_NUMBER = 6
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PIECE = re.compile(
    r"[^\x00-\x08\n-\x1f\x7f-\x9f]+"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # colours and movements
    r"|\x1b\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)"  # titles and links
    r"|\x1b[^\[\]]"
    r"|[\s\S]"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]{0,60}[ -/]{0,9}|\][^\x07\x1b\n]{0,2000}\x1b?)?\Z")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_RESETS = ("\x1b[m", "\x1b[0m")


class Screen:
    """The rows that were printed and are not cut off yet, with a cursor.

    One thread at a time uses it.
    """

    def __init__(self) -> None:
        self._rows = [""]  # a row ends with its line end, when it has one
        self._size = 0  # of all rows, in bytes
        self._row = 0
        self._column = 0
        self._colours = ""  # those that wait for the text they are for
        self._unfinished = ""  # the beginning of an escape sequence
        self._cut_off = ""  # the beginning of the first row, when a part has it already
        self._lost = 0
        self._changed = False

    @property
    def is_waiting(self) -> bool:
        """Whether there is text that no part has."""
        return self._changed or self._lost > 0

    @property
    def size(self) -> int:
        """Bytes of what is there, in UTF-8."""
        return self._size

    def write(self, text: str) -> None:
        """Show more text, where the cursor is."""
        if not text.isascii():  # names of files may hold what is no text
            text = text.encode("utf-8", "replace").decode("utf-8")
        text = self._unfinished + text
        beginning = _UNFINISHED.search(text)
        self._unfinished = beginning[0] if beginning else ""
        text = text[: len(text) - len(self._unfinished)]
        self._changed = self._changed or bool(text)
        if self._is_at_end() and not self._colours and not _CONTROLS.search(text):
            self._append(text)
            return
        for piece in _PIECE.findall(text):
            self._take(piece)

    def tell_lost(self, size: int) -> None:
        """Say here, in a line of its own, that so many bytes are missing."""
        self._row = len(self._rows) - 1
        self._column = _width(self._rows[-1])
        if self._rows[-1]:
            self._end_line()
        self._append(_notice(size))
        self._changed = True

    def drop_beyond(self, most_bytes: int) -> None:
        """Forget the oldest rows when all take more than this."""
        count, too_many = 0, self._size - most_bytes
        while too_many > 0 and count < self._row:
            size = utf8_size([self._rows[count]])
            too_many -= size
            self._lost += size
            count += 1
        self._forget(count)

    def end(self) -> None:
        """End the line that is being written, so that all can be cut off."""
        self._settle_colours()
        if self.is_waiting or self._cut_off:
            self._row = len(self._rows) - 1
            if self._rows[-1]:
                self._end_line()
        else:  # bars that a part shows already
            self._rows, self._size, self._row, self._column = [""], 0, 0, 0

    def cut(self, most_bytes: int, *, unfinished: bool) -> str:
        """Take off what the next part holds: whole lines, as many as fit.

        Args:
            most_bytes: About how large it may be.
            unfinished: Whether the line that is being written is taken when there is no other. It goes on in the next
                part, which begins with a carriage return when the line was written over.

        Returns:
            The text; empty when there is nothing to take.
        """
        part = ""
        if self._row:
            count = self._fitting(most_bytes)
            part = self._joined(self._rows[:count])
            self._forget(count)
            self._changed = any(self._rows)
        elif self._changed and unfinished:
            part = self._joined(self._rows)
            self._changed = False
            self._cut_off = self._rows[0]
            if len(self._rows) > 1:
                part, self._cut_off = part + "\n" * (not part.endswith("\n")), ""
        if self._lost:
            part, self._lost = _notice(self._lost) + part, 0
        return part

    # --- The cursor

    def _is_at_end(self) -> bool:
        return self._row == len(self._rows) - 1 and self._column == _width(self._rows[-1])

    def _append(self, text: str) -> None:
        """Add text without controls at the end."""
        self._size += utf8_size([text])
        first, *others = text.split("\n")
        lines = [f"{self._rows.pop()}{first}", *others]
        last = lines.pop()
        for line in lines:
            self._rows += _chopped(f"{line}\n")
        self._rows += _chopped(last) or [""]
        self._row, self._column = len(self._rows) - 1, _width(self._rows[-1])

    def _take(self, piece: str) -> None:
        if piece == "\n":
            self._end_line()
        elif piece == "\r":
            self._settle_colours()
            self._column = 0
        elif piece == "\b":
            self._column = max(self._column - 1, 0)
        elif piece[0] == "\x1b":
            self._obey(piece)
        elif not _CONTROLS.match(piece):
            for begin in range(0, len(piece), _LONGEST_ROW):
                self._overwrite(piece[begin : begin + _LONGEST_ROW])

    def _end_line(self) -> None:
        self._settle_colours()
        if not self._rows[self._row].endswith("\n"):
            self._replace(self._rows[self._row] + "\n")
        self._row += 1
        self._column = 0
        if self._row == len(self._rows):
            self._rows.append("")

    def _overwrite(self, text: str) -> None:
        line, end = self._line()
        width = _width(line)
        line += " " * (self._column - width)
        if self._column >= width:
            begin = stop = len(line)
        else:
            begin = _index(line, self._column, behind_colours=not self._colours)
            stop = _index(line, self._column + len(text))
        self._replace(f"{line[:begin]}{self._colours}{text}{line[max(begin, stop) :]}{end}")
        self._colours = ""
        self._column += len(text)
        if len(self._rows[self._row]) > _LONGEST_ROW and self._row == len(self._rows) - 1:
            self._rows.append("")
            self._row, self._column = self._row + 1, 0

    def _replace(self, row: str) -> None:
        """Let the row of the cursor be this."""
        self._size += utf8_size([row]) - utf8_size([self._rows[self._row]])
        self._rows[self._row] = row

    def _line(self) -> tuple[str, str]:
        row = self._rows[self._row]
        return (row[:-1], "\n") if row.endswith("\n") else (row, "")

    def _settle_colours(self) -> None:
        """Put colours that no text followed where the cursor is, unless they stand there."""
        if self._colours:
            line, end = self._line()
            begin, stop = (_index(line, self._column, behind_colours=behind) for behind in (False, True))
            if self._colours not in line[begin:stop]:
                self._replace(f"{line[:begin]}{self._colours}{line[begin:]}{end}")
            self._colours = ""

    def _obey(self, sequence: str) -> None:
        """Do what an escape sequence says."""
        if _COLOUR.fullmatch(sequence):
            self._colours = sequence if sequence in _RESETS else self._colours + sequence
            return
        number = sequence[2:-1]
        if sequence[1:2] == "[" and (not number or (number.isdecimal() and len(number) < _LONGEST_NUMBER)):
            self._settle_colours()
            self._move(sequence[-1], int(number) if number else None)

    def _move(self, letter: str, number: int | None) -> None:
        if letter in "ABEF":
            rows = number or 1
            self._row = min(max(self._row + (rows if letter in "BE" else -rows), 0), len(self._rows) - 1)
            self._column = 0 if letter in "EF" else self._column
        elif letter == "C":
            self._move_to(self._column + (number or 1))
        elif letter == "D":
            self._move_to(self._column - (number or 1))
        elif letter == "G":
            self._move_to((number or 1) - 1)
        elif letter == "K":
            self._erase_line(number or 0)
        elif letter == "J" and not number:
            self._erase_line(0)
            self._size -= utf8_size(self._rows[self._row + 1 :])
            del self._rows[self._row + 1 :]
            self._replace(self._rows[self._row].removesuffix("\n"))

    def _move_to(self, column: int) -> None:
        self._column = min(max(column, 0), _LONGEST_ROW)

    def _erase_line(self, what: int) -> None:
        line, end = self._line()
        place = _index(line, self._column)
        kept = {0: line[:place], 1: " " * min(self._column, _width(line)) + line[place:], 2: ""}
        self._replace(kept.get(what, line) + end)

    # --- Cutting

    def _fitting(self, most_bytes: int) -> int:
        """How many of the rows above the cursor go into a part: up to a line end, unless that is far."""
        size = fitting = whole = 0
        for count, row in enumerate(self._rows[: self._row], 1):
            size += utf8_size([row])
            if size > most_bytes and count > 1:
                break
            fitting = count
            if row.endswith("\n"):
                whole = count
        return whole if whole * 2 >= fitting else fitting

    def _joined(self, rows: list[str]) -> str:
        text = "".join(rows)
        if not self._cut_off:
            return text
        if text.startswith(self._cut_off):
            return text[len(self._cut_off) :]
        first = rows[0].removesuffix("\n")
        return "\r" + first + " " * (_width(self._cut_off) - _width(first)) + text[len(first) :]

    def _forget(self, count: int) -> None:
        if count:
            self._size -= utf8_size(self._rows[:count])
            del self._rows[:count]
            self._row -= count
            self._cut_off = ""


def utf8_size(texts: Iterable[str]) -> int:
    """Bytes that texts take in UTF-8."""
    return sum(len(text) if text.isascii() else len(text.encode("utf-8", "replace")) for text in texts)


def _notice(size: int) -> str:
    return f"[stele: {size} bytes of output are missing here; they came faster than they could be stored]\n"


def _chopped(line: str) -> list[str]:
    return [line[begin : begin + _LONGEST_ROW] for begin in range(0, len(line), _LONGEST_ROW)]


def _width(line: str) -> int:
    return len(_COLOUR.sub("", line) if "\x1b" in line else line)


def _index(line: str, column: int, *, behind_colours: bool = False) -> int:
    """Where in the text a column begins; colours that stand there belong to it, unless ``behind_colours``."""
    hidden = 0
    if "\x1b" in line:
        for colour in _COLOUR.finditer(line):
            place = colour.start() - hidden
            if place > column or (place == column and not behind_colours):
                break
            hidden += len(colour[0])
    return min(column + hidden, len(line))
