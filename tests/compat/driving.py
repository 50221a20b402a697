"""Runs a driver in the environment of a client, and compares what it found."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path


def drive(
    python: Path | str, module: str, uri: str, folder: Path, *steps: str, script: str = "driver.py"
) -> dict[str, object]:
    """What the driver found."""
    output = folder / f"{module}.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STELE_", "MLFLOW_"))}
    environment |= {"PYTHONWARNINGS": "ignore", "STELE_JOURNAL_DIR": str(folder / "journal")}
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name(script)), module, uri, str(output), *steps],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text())


def failed_steps(found: dict[str, object]) -> dict[str, object]:
    """The steps that could not be finished."""
    return {
        name: result for name, result in found.items() if isinstance(result, list) and result[:1] == ["step failed"]
    }


def agree(found: dict[str, object], reference: dict[str, object]) -> None:
    """Step by step, so that a failure names the first one that differs."""
    for name, result in found.items():
        assert (name, result) == (name, reference[name])
