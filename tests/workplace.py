"""A fixture for tests of the client: a store in a temporary directory, a clean environment, no active run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stele import settings
from stele.client import console_log, context, fluent, stores, system_metrics
from stele.client.jobs import JOBS

__all__ = ["workplace"]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory of the test. Nothing is captured about this machine unless the test asks for it."""
    for setting in settings.SETTINGS:
        for name in filter(None, (setting.name, setting.twin)):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STELE_CAPTURE", "false")
    monkeypatch.setenv("STELE_JOURNAL_DIR", str(tmp_path / "journal"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    JOBS.wait()
    fluent.reset()
    system_metrics.reset()
    console_log.reset()
    stores.close_stores()
    context.reset()
