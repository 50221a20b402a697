"""A store that is killed between any two statements loses nothing that it acknowledged, and repeats nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services import fresh_database

HERE = Path(__file__).parent


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def uri(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/s.db"
        return
    with fresh_database(request.param) as found:
        yield found


def test_a_kill_at_any_statement_loses_nothing(uri, tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    command = [sys.executable, str(HERE / "crash_driver.py"), uri, str(tmp_path / "notes")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30  # writing statements, commits and returned connections; each was the last one once
