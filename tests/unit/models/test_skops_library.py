"""Importing skops does not bring along what scikit-learn only has adapters to."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from importlib.util import find_spec
from stele.models.skops_library import skops_io

before = list(sys.meta_path)
io = skops_io("to test")
print(io.__name__, "torch" in sys.modules, find_spec("torch") is not None, sys.meta_path == before)
io.loads(io.dumps({"a": 1}))
from sklearn.utils.discovery import all_estimators
print(len(all_estimators()) > 100)
"""


def test_pytorch_is_not_imported_and_can_be_later() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["skops.io False True True", "True"], done.stderr
