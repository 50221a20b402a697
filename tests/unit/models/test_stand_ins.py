"""A module that stands for a library imports it when it is used, and is gone afterwards."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stele.models.stand_ins import stood_for

LATER = {"heavyweight.parts": ("weigh", "scales"), "lightweight": (), "nowhere_to_be_found": ()}


@pytest.fixture(autouse=True)
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with a heavy package in it, and a module."""
    parts = tmp_path / "heavyweight" / "parts"
    parts.mkdir(parents=True)
    (parts.parent / "__init__.py").write_text("")
    (parts / "__init__.py").write_text(
        "from heavyweight.parts import inner\n\n\ndef weigh(x, factor=1):\n    return x * factor\n\n\n"
        "class Scales:\n    unit = 'kg'\n\n\nscales = Scales()\n"
    )
    (parts / "inner.py").write_text("class Inner: pass\n")
    (parts / "outer.py").write_text("from heavyweight.parts import Scales\n")
    (tmp_path / "lightweight.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = list(sys.meta_path)
    yield
    assert sys.meta_path == before
    for name in [name for name in sys.modules if name.startswith(("heavyweight", "lightweight"))]:
        del sys.modules[name]


def imported(name: str) -> Any:
    return sys.modules.get(name)


def test_what_is_not_used_is_not_imported() -> None:
    with stood_for(LATER):
        lightweight = importlib.import_module("lightweight")
        assert importlib.import_module("lightweight") is lightweight
        package = importlib.import_module("heavyweight")
        parts = importlib.import_module("heavyweight.parts")
        assert package.parts is parts
    assert imported("lightweight") is None
    assert imported("heavyweight.parts") is None
    assert not hasattr(package, "parts")
    assert lightweight.value == 1
    assert vars(imported("lightweight"))["value"] == 1


def test_names_that_are_only_called_do_not_import() -> None:
    with stood_for(LATER):
        parts = importlib.import_module("heavyweight.parts")
        weigh, scales = parts.weigh, parts.scales
        assert parts.weigh is weigh
    assert imported("heavyweight.parts") is None
    assert weigh(2, factor=3) == 6
    assert scales.unit == "kg"
    assert imported("heavyweight.parts").scales.unit == "kg"


def test_any_other_name_is_the_library_s_own_at_once() -> None:
    with stood_for(LATER):
        scales = importlib.import_module("heavyweight.parts").Scales
        library = imported("heavyweight.parts")
        assert scales is vars(library)["Scales"]
    assert imported("heavyweight.parts") is library
    with pytest.raises(AttributeError, match="nothing_like_it"):
        library.nothing_like_it  # noqa: B018


@pytest.mark.parametrize("name", ["inner", "outer"])
def test_a_module_of_the_library_brings_the_library(name: str) -> None:
    with stood_for(LATER):
        importlib.import_module("heavyweight.parts")
        module = importlib.import_module(f"heavyweight.parts.{name}")
    library = importlib.import_module("heavyweight.parts")
    assert vars(library)[name] is module is imported(f"heavyweight.parts.{name}")
    assert module.__spec__.origin == module.__file__
    assert importlib.import_module("heavyweight.parts.inner") is library.inner


def test_what_is_not_installed_is_still_not_found() -> None:
    with stood_for(LATER), pytest.raises(ModuleNotFoundError):
        importlib.import_module("nowhere_to_be_found")


def test_what_was_imported_before_stays() -> None:
    before = importlib.import_module("lightweight")
    with stood_for(LATER):
        assert importlib.import_module("lightweight") is before
    assert imported("lightweight") is before


def test_other_threads_import_the_library() -> None:
    found: list[Any] = []
    with stood_for(LATER):
        thread = threading.Thread(target=lambda: found.append(importlib.import_module("lightweight")))
        thread.start()
        thread.join()
    assert vars(found[0])["value"] == 1
    assert imported("lightweight") is found[0]
