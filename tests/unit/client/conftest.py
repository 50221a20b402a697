"""Each test has a store of its own in a temporary working directory, a clean environment and no active run."""

import pytest

from stele import settings
from stele.client import context, fluent, stores, system_metrics
from stele.client.async_logging import BACKGROUND
from stele.client.jobs import JOBS


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    for setting in settings.SETTINGS:
        for name in filter(None, (setting.name, setting.twin)):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STELE_CAPTURE", "false")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    JOBS.wait()
    BACKGROUND.take_failed()
    fluent.reset()
    system_metrics.reset()
    stores.close_stores()
    context.reset()
