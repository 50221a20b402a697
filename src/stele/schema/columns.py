"""Columns of numbers in messages: one buffer instead of a list of Python objects.

A column is a ``memoryview`` of 64-bit numbers. numpy, sockets and files read it without a copy; in JSON it is a list of
numbers, with NaN and the infinities as the strings of :mod:`stele.schema.codec`.
"""

from __future__ import annotations

import math
import operator
from array import array
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

__all__ = ["Column", "Columnar", "Doubles", "Integers", "json_number", "json_numbers"]

ITEM_BYTES = 8


class Columnar:
    """What a message may hold beside Structs and builtins: something that says what it is in JSON."""

    __slots__ = ()

    def to_json(self) -> list[Any]:
        """The list that stands for it."""
        raise NotImplementedError


def json_number(value: float) -> float | str:
    """The number as JSON has it: NaN and infinities are the strings ``NaN``, ``Infinity`` and ``-Infinity``."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def json_numbers(values: list[float]) -> list[Any]:
    """As :func:`json_number`, for each."""
    # A sum that is finite proves that every item is; one that is not proves nothing.
    return values if math.isfinite(sum(values)) else [json_number(value) for value in values]


class Column(Columnar):
    """Numbers of 8 bytes in the byte order of this machine.

    Args:
        data: Anything with a contiguous buffer whose bytes are such numbers.

    Attributes:
        data: The numbers, as a flat ``memoryview``.
    """

    __slots__ = ("data",)

    code: ClassVar[str]
    """As in :mod:`array`."""
    json_item: ClassVar[dict[str, Any]]
    """The JSON schema of one number."""
    read: ClassVar[Callable[[Any], Any]]
    """A number of JSON as one of this column; raises TypeError or ValueError for what is none."""

    def __init__(self, data: Any) -> None:
        view = memoryview(data)
        self.data = view if view.format == self.code else view.cast("B").cast(self.code)  # type: ignore[call-overload]

    @classmethod
    def of(cls, values: Iterable[Any]) -> Self:
        """A column of Python numbers.

        Raises:
            ValueError: One is no such number.
        """
        try:
            return cls(array(cls.code, map(cls.read, values)))
        except (TypeError, OverflowError) as e:
            raise ValueError(f"no list of {cls.__name__.lower()}: {e}") from e

    def to_json(self) -> list[Any]:
        """The numbers; see :meth:`Columnar.to_json`."""
        return self.data.tolist()

    def __len__(self) -> int:
        return len(self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.data.tobytes() == other.data.tobytes()

    __hash__ = None  # type: ignore[assignment]  # it compares by what it holds

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} items)"


class Integers(Column):
    """64-bit integers."""

    __slots__ = ()
    code = "q"
    json_item: ClassVar[dict[str, Any]] = {"type": "integer"}
    read: ClassVar[Callable[[Any], Any]] = operator.index


class Doubles(Column):
    """64-bit floats."""

    __slots__ = ()
    code = "d"
    json_item: ClassVar[dict[str, Any]] = {"type": "number"}
    read: ClassVar[Callable[[Any], Any]] = float

    def to_json(self) -> list[Any]:
        """The numbers, those that are not finite as strings."""
        values: list[Any] = self.data.tolist()
        return json_numbers(values)
