"""How Stele is extended: a name, one file, one line.

Built-in implementations and those of other packages go through the same table. An implementation is named by
``module:attribute`` and imported when it is first asked for; what is not built in is looked up among entry points.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from stele.errors import InvalidParameterValue, shown

__all__ = ["Registry", "loaded_when_used"]

T = TypeVar("T")


class Registry(Generic[T]):
    """Name -> implementation.

    Args:
        what: What is registered, for messages: "artifact scheme".
        groups: Entry point groups to look in, ours first.
        builtin: Name -> ``module:attribute`` of Stele's own implementations.
    """

    def __init__(self, what: str, groups: tuple[str, ...], builtin: dict[str, str]) -> None:
        self._what = what
        self._groups = groups
        self._paths = dict(builtin)
        self._loaded: dict[str, T] = {}

    def register(self, name: str, implementation: T) -> None:
        """Add an implementation.

        Raises:
            InvalidParameterValue: The name is taken.
        """
        if name in self._loaded or name in self._paths:
            raise InvalidParameterValue(f"The {self._what} {shown(name)} is registered already.")
        self._loaded[name] = implementation

    def get(self, name: str) -> T:
        """The implementation of a name that an administrator or programmer chose (never one from request data).

        Raises:
            InvalidParameterValue: Nobody provides it.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> T:
        if path := self._paths.get(name):
            module, _, attribute = path.partition(":")
            return cast("T", getattr(import_module(module), attribute))
        for group in self._groups:
            for entry in _entry_points(group):
                if entry.name == name:
                    return cast("T", entry.load())
        raise InvalidParameterValue(f"Unknown {self._what} {shown(name)}. Known are {', '.join(sorted(self.names()))}.")

    def names(self) -> set[str]:
        """Every name that can be asked for."""
        found = {entry.name for group in self._groups for entry in _entry_points(group)}
        return found | set(self._paths) | set(self._loaded)


def loaded_when_used(module: str, names: Mapping[str, Iterable[str]]) -> Callable[[str], Any]:
    """A ``__getattr__`` for a module that only collects names of others, so that importing it costs nothing.

    Args:
        module: The module; a name is bound in it when it was first used.
        names: Module of Stele -> the names that are taken from it.
    """
    homes = {name: home for home, found in names.items() for name in found}

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[module], name, value)
        return value

    return get


def _entry_points(group: str) -> Any:
    """What installed packages offer under a group name."""
    from importlib.metadata import entry_points  # a fifth of the import time of Stele, needed for plug-ins only

    return entry_points(group=group)


_USERS: Registry[Any] = Registry(
    "registry function",
    (),
    {
        "Promotion": "stele.client.promotion:Promotion",
        "card": "stele.client.model_card:card",
        "lineage": "stele.client.model_card:lineage",
        "promote": "stele.client.promotion:promote",
    },
)
# What users of the model registry find under ``stele.registry``; it works on stores, so it lives in the client.


def __getattr__(name: str) -> Any:
    if name in _USERS.names():
        return _USERS.get(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
