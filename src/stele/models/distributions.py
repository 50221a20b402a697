"""From the name of a module to the installed distribution that brings it, without reading all that is installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

__all__ = ["distribution_of", "is_local", "pinned", "required_by"]

# Where the two names differ, for the libraries that models use most; whatever is missing here is found by a search.
_OTHER_NAMES = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "PyYAML",
    "attr": "attrs",
    "dateutil": "python-dateutil",
    "google.protobuf": "protobuf",
    "lightning": "lightning",
    "pytorch_lightning": "pytorch-lightning",
    "xgboost": "xgboost",
}


def distribution_of(module: str) -> metadata.Distribution | None:
    """The distribution that brings a module.

    Args:
        module: Dotted name; its parts decide where several distributions share the first one, as in
            ``google.cloud.storage``.

    Returns:
        None for modules of Python itself, and for those that no distribution brings, such as a user's own.
    """
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == "__main__":
        return None
    for name in (_OTHER_NAMES.get(top), _OTHER_NAMES.get(".".join(module.split(".")[:2])), top):
        if name and (found := _named(name)) is not None and _brings(found, top) and not _is_shared(top):
            return found
    return _searched(module)


@lru_cache(maxsize=1024)
def _named(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


@lru_cache(maxsize=1024)
def _is_shared(top: str) -> bool:
    """Whether a package has no file of its own, so that several distributions may put modules into it."""
    module = sys.modules.get(top)
    return module is not None and getattr(module, "__file__", None) is None and hasattr(module, "__path__")


def _brings(distribution: metadata.Distribution, top: str) -> bool:
    listed = distribution.read_text("top_level.txt")
    if listed is not None and top in listed.split():
        return True
    record = distribution.read_text("RECORD") or ""
    return f"\n{top}/" in f"\n{record}" or f"\n{top}.py," in f"\n{record}" or is_local(distribution)


def _searched(module: str) -> metadata.Distribution | None:
    names = _names_by_module().get(module.partition(".")[0], ())
    found = [distribution for name in names if (distribution := _named(name)) is not None]
    if len(found) > 1:
        path = module.replace(".", "/")
        owners = [one for one in found if f"\n{path}" in f"\n{one.read_text('RECORD') or ''}"]
        found = owners or found
    return found[0] if found else None


@lru_cache(maxsize=1)
def _names_by_module() -> dict[str, list[str]]:
    """All that is installed, by module: a fifth of a second, for names that could not be found otherwise."""
    return {module: sorted(set(names)) for module, names in metadata.packages_distributions().items()}


def pinned(distribution: metadata.Distribution) -> str:
    """The requirement that asks for exactly what is installed: ``name==version``.

    A local version (``+cpu``) is left out, because indexes do not have it.
    """
    name, installed = _name_and_version(distribution)
    return f"{name}=={installed.partition('+')[0]}"


@lru_cache(maxsize=1024)
def _name_and_version(distribution: metadata.Distribution) -> tuple[str, str]:
    # Reading them parses the whole metadata each time.
    return distribution.metadata["Name"], distribution.version


def is_local(distribution: metadata.Distribution) -> bool:
    """Whether it was installed from a directory of this machine, so that no index has it."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return "dir_info" in origin or str(origin.get("url", "")).startswith("file:")


def required_by(names: Iterable[str]) -> set[str]:
    """Canonical names of everything installed that distributions require, directly and indirectly, without extras."""
    seen: set[str] = set()
    waiting: list[str] = [canonicalize_name(name) for name in names]
    while waiting:
        distribution = _named(waiting.pop())
        for name in () if distribution is None else _requires(distribution):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


@lru_cache(maxsize=1024)
def _requires(distribution: metadata.Distribution) -> tuple[NormalizedName, ...]:
    """Canonical names of what a distribution requires here, without extras."""
    found: list[NormalizedName] = []
    for text in distribution.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # of an old package: pip would not follow it either
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.append(canonicalize_name(requirement.name))
    return tuple(found)


def script_directory() -> Path:
    """Where the program that runs lies; the working directory of an interactive one."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(script).resolve().parent if script else Path.cwd()
