"""What a pickle refers to, found out without running any of it.

A pickle is a program: it imports names and calls them. Here it runs on Python's own machine for pickles, but every
name that it asks for is answered with an inert class, so nothing is imported, and calling one only notes the call.
"""

from __future__ import annotations

import _compat_pickle
import dis
import pickle
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar, Self

from msgspec import Struct

__all__ = ["PickleContents", "pickle_contents"]

_IMPORT_NAME, _EXTENDED_ARG = dis.opmap["IMPORT_NAME"], dis.opmap["EXTENDED_ARG"]
_CODE_BYTES, _CODE_NAMES = 6, 8
"""Places among the arguments of ``types.CodeType``."""

_FIRST_OF_PYTHON_3 = 3
"""Protocols before it use the names that modules had in Python 2."""

_MAX_STEPS = 20_000_000
"""Steps after which a pickle is not read any further."""


class PickleContents(Struct):
    """What was found.

    Attributes:
        names: (module, name) of everything that loading would import, in order, each once.
        imports: Modules that code inside the pickle imports when it is called or restored.
        problem: Why the pickle could not be read to its end; empty when it was.
    """

    names: dict[tuple[str, str], None]
    imports: set[str]
    problem: str = ""

    def modules(self) -> set[str]:
        """Every module that is needed, dotted."""
        return {module for module, _ in self.names} | self.imports


class _Inert:
    """Stands for whatever a pickle names: a class, a function, and what came out of calling it."""

    path: ClassVar[tuple[str, str]] = ("", "")
    contents: ClassVar[PickleContents]
    arguments: tuple[Any, ...]

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        self = super().__new__(cls)
        self.arguments = arguments
        _note_call(cls.contents, cls.path, arguments)
        return self

    def __init__(self, *arguments: Any, **named: Any) -> None: ...

    def __call__(self, *arguments: Any) -> _Inert:
        # What a call returned is called: cloudpickle asks a function for the type of code objects.
        _note_call(self.contents, ("types", str(self.arguments[0])) if self.arguments else ("", ""), arguments)
        return type(self)()

    def __setstate__(self, state: Any) -> None: ...

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def append(self, item: Any) -> None: ...

    def extend(self, items: Any) -> None: ...

    def add(self, item: Any) -> None: ...


def _note_call(contents: PickleContents, path: tuple[str, str], arguments: tuple[Any, ...]) -> None:
    if path[1] == "subimport" and arguments and isinstance(arguments[0], str):
        contents.imports.add(arguments[0])
    elif path[1] in ("CodeType", "code") and len(arguments) > _CODE_NAMES:
        contents.imports |= _imports_of_code(arguments[_CODE_BYTES], arguments[_CODE_NAMES])


def _imports_of_code(code: Any, names: Any) -> set[str]:
    """The modules that a code object imports."""
    if not isinstance(code, bytes) or not isinstance(names, tuple):
        return set()
    found: set[str] = set()
    extended = 0
    for place in range(0, len(code) - 1, 2):
        operation, argument = code[place], code[place + 1] | extended
        extended = argument << 8 if operation == _EXTENDED_ARG else 0
        if operation == _IMPORT_NAME and argument < len(names) and isinstance(names[argument], str):
            found.add(names[argument])
    return found - {""}


# The machine that is written in Python: its steps can be counted and replaced.
_Machine: Any = pickle._Unpickler  # noqa: SLF001


class _Steps(dict[int, Callable[[Any], None]]):
    """The steps of the machine, so many of them, and none that makes an object of what only looks like a class."""

    def __init__(self) -> None:
        super().__init__(_Machine.dispatch)
        self[pickle.NEWOBJ[0]] = lambda machine: _make(machine, 1)
        self[pickle.NEWOBJ_EX[0]] = lambda machine: _make(machine, 2)
        self._left = _MAX_STEPS

    def __getitem__(self, step: int) -> Callable[[Any], None]:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"it has more than {_MAX_STEPS} steps")
        return super().__getitem__(step)


def _make(machine: Any, arguments: int) -> None:
    for _ in range(arguments):
        machine.stack.pop()
    kind = machine.stack.pop()
    machine.append(kind() if isinstance(kind, type) and issubclass(kind, _Inert) else machine.nameless())


class _Reader(_Machine):  # type: ignore[misc]
    """The machine without any way out."""

    def __init__(self, file: BinaryIO, contents: PickleContents) -> None:
        super().__init__(file, encoding="latin-1")
        self.contents = contents
        self.dispatch = _Steps()

    def find_class(self, module: str, name: str) -> type[_Inert]:
        if self.proto < _FIRST_OF_PYTHON_3:
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        self.contents.names[module, name] = None
        return type("Inert", (_Inert,), {"path": (module, name), "contents": self.contents})

    def persistent_load(self, pid: Any) -> _Inert:
        return self.nameless()

    def get_extension(self, code: int) -> None:
        self.contents.names["copyreg", f"extension {code}"] = None
        self.append(self.nameless())

    def nameless(self) -> _Inert:
        kind: type[_Inert] = type("Inert", (_Inert,), {"contents": self.contents})
        return kind()


def pickle_contents(file: BinaryIO) -> PickleContents:
    """Read a pickle from a file.

    Anything may be in it: what cannot be read is told in ``problem``, with everything that was found before.
    """
    contents = PickleContents({}, set())
    try:
        _Reader(file, contents).load()
    except Exception as e:
        contents.problem = f"{type(e).__name__}: {e}"
    return contents
