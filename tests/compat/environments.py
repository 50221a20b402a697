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
# Data frames of other libraries. Of ours it sees the versions of this environment, see test_frames.py.
FRAMES = ("pyspark==4.3.0", "datasets==5.2.0")
# Libraries of models, in the versions that Stele's tests have, and MLflow, which brings scikit-learn.
MODELS = (
    "xgboost-cpu==3.2.0",
    MLFLOW,
    "lightgbm==4.7.0",
    "onnx==1.23.2",
    "onnxruntime==1.32.0",
    "statsmodels==0.15.0",
    "torch==2.13.0",
    "cloudpickle==3.1.2",
)
# What the driver itself needs, and the full client's data functions.
EXTRAS = ["matplotlib", "numpy", "pandas", "pillow"]


def python_with(package: str, *more: str) -> Path:
    """The interpreter of an environment that has ``package``, and ``more``; makes it when it is not there yet."""
    folder = CACHE / package
    python = folder / "bin" / "python"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        done = folder / "installed"
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            if package != MLFLOW:  # which the benchmark weighs as users have it; of others few files are ever imported
                install.append("--no-compile")
            subprocess.run([*install, package, *(more or (EXTRAS if package != PROTOC else ()))], check=True)
            done.touch()
    return python
