"""Until a process serves, nothing is collected; what was imported is left alone afterwards, what was loaded is not."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from stele.collector import keep_imported, spare_the_collector, starting


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """The collector of the tests, as it was before."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_nothing_is_collected_in_a_start() -> None:
    assert gc.isenabled()
    with starting():
        assert not gc.isenabled()
        with starting():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_start_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ValueError, match="no such model"), starting():
        raise ValueError("no such model")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with starting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_imports_are_kept_out_of_the_way_in_a_start_only() -> None:
    before = gc.get_freeze_count()
    keep_imported()
    assert gc.get_freeze_count() == before
    with starting():
        keep_imported()
    assert gc.get_freeze_count() > before


def test_garbage_of_loading_is_collected_before_the_rest_is_kept() -> None:
    with starting():
        keep_imported()
        garbage = weakref.ref(Ring())
        kept = Ring()
    spare_the_collector()
    assert garbage() is None
    assert kept.itself is kept
    assert gc.get_freeze_count() > 0
