"""Virtual environments with packages that Stele must not see, made once and kept in ``.cache``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

CACHE = Path(__file__).parents[2] / ".cache" / "venvs"
MLFLOW = "mlflow==3.17.2"
SKINNY = "mlflow-skinny==2.22.4"
# An old compiler: the module that it writes works with every protobuf from 6.31 on.
PROTOC = "grpcio-tools==1.74.0"
# What the driver itself needs, and the full client's data functions.
EXTRAS = ["matplotlib", "numpy", "pandas", "pillow"]


MODEL_LIBRARIES = ["scikit-learn==1.9.1", "skops==0.16.0", "cloudpickle==3.1.2"]
"""What models are saved with there, in the versions of ``constraints.txt``."""


def python_with_models(*libraries: str) -> Path:
    """The interpreter of an environment with MLflow and libraries of models."""
    return python_with(MLFLOW, (*MODEL_LIBRARIES, *libraries))


def python_with(package: str, others: tuple[str, ...] = ()) -> Path:
    """The interpreter of an environment that has ``package``, and others; makes it when it is not there yet."""
    folder = CACHE / "+".join([package, *others])
    python = folder / "bin" / "python"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        done = folder / "installed"
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            extras = EXTRAS if package != PROTOC else ()
            subprocess.run([*install, package, *extras, *others], check=True)
            done.touch()
    return python
