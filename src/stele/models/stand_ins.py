"""Modules that stand for libraries, and import them when something of them is used.

scikit-learn imports pandas, ``scipy.stats`` and others for what few estimators do: four tenths of its own import. While
:func:`stood_for` is in force, whoever imports such a library gets a module that knows only its name. Afterwards that is
no longer among the imported modules: who imports the library then gets the library itself, and who only looks whether
it was imported, as scikit-learn does before it asks whether something is a data frame, sees that it was not.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ["stood_for"]

_lock = threading.Lock()


@contextmanager
def stood_for(libraries: Mapping[str, Collection[str]]) -> Iterator[None]:
    """Let modules stand for libraries that this thread imports, as far as they were not imported before.

    Args:
        libraries: Name of the module -> names that may be imported from it without importing it, because nobody does
            more with them than to call them or to ask for their attributes. Any other name imports the library.
    """
    finder = _Finder({name: names for name, names in libraries.items() if name not in sys.modules})
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for stand_in in finder.made:
            _leave(stand_in)


class _StandIn(ModuleType):
    """Stands for a library."""

    def __init__(self, library: ModuleSpec, later: Collection[str]) -> None:
        super().__init__(library.name)
        self.__path__ = library.submodule_search_locations or []  # what Python looks at in all that it imports
        self._later = later

    def __getattr__(self, name: str) -> Any:
        if name in self._later:
            found = _Name(self, name)
            setattr(self, name, found)  # the same one each time
            return found
        return getattr(_library(self), name)


class _Name:
    """Stands for a function or an object of a library."""

    def __init__(self, module: _StandIn, name: str) -> None:
        self._place = module, name

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._found()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found(), name)

    def _found(self) -> Any:
        module, name = self._place
        return getattr(_library(module), name)


class _Finder(MetaPathFinder):
    """Finds a stand-in for each library once, for one thread."""

    def __init__(self, libraries: dict[str, Collection[str]]) -> None:
        self._left = libraries
        self._thread = threading.get_ident()
        self.made: list[_StandIn] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A stand-in, if the library is installed."""
        del target
        if threading.get_ident() != self._thread:
            return None
        if fullname in self._left:
            later = self._left.pop(fullname)
            found = PathFinder.find_spec(fullname, path)
            if found is None:
                return None
            self.made.append(_StandIn(found, later))
            return ModuleSpec(fullname, _Imported(self.made[-1]), is_package=True)
        parent = sys.modules.get(fullname.rpartition(".")[0])
        if isinstance(parent, _StandIn):  # a module of the library is part of it, so now there is no way around it
            _library(parent)
            if fullname in sys.modules:
                return ModuleSpec(fullname, _Imported(sys.modules[fullname]))
        return None


class _Imported(Loader):
    """Gives a module that is there already."""

    def __init__(self, module: ModuleType) -> None:
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module."""
        del spec
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to be done but to give the module back the specification that it was imported by."""
        if self._spec is not None:
            module.__spec__ = self._spec


def _library(stand_in: _StandIn) -> ModuleType:
    """What it stands for, imported now if nobody did it before."""
    _leave(stand_in)
    return import_module(stand_in.__name__)


def _leave(stand_in: _StandIn) -> None:
    """Make its place free for the library."""
    parent, _, name = stand_in.__name__.rpartition(".")
    with _lock:
        if sys.modules.get(stand_in.__name__) is stand_in:
            del sys.modules[stand_in.__name__]
        if parent and vars(sys.modules[parent]).get(name) is stand_in:
            delattr(sys.modules[parent], name)
