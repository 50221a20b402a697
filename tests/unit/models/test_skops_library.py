"""Importing skops does not bring along what scikit-learn only has adapters to, or hardly uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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


STAND_INS = """
import contextlib, json, sys
from stele.collector import starting
from stele.models.skops_library import skops_io

with starting() if sys.argv[1] == "server" else contextlib.nullcontext():
    skops_io("to test")
hardly_used = ["numpy.f2py", "pandas", "scipy.integrate", "scipy.interpolate", "scipy.stats"]
early = [name for name in hardly_used if name in sys.modules]
import numpy as np
from sklearn.covariance import EllipticEnvelope
from sklearn.isotonic import check_increasing
from sklearn.metrics import label_ranking_average_precision_score, roc_auc_score
from sklearn.preprocessing import PowerTransformer, SplineTransformer

frames = ["pandas" in sys.modules]
rows = np.random.default_rng(0).random((40, 2))
results = [
    EllipticEnvelope(random_state=0, support_fraction=0.9).fit(rows).offset_,
    bool(check_increasing([1, 2, 3], [1, 3, 9])),
    label_ranking_average_precision_score([[1, 0, 0], [0, 0, 1]], [[0.75, 0.5, 1], [1, 0.2, 0.1]]),
    PowerTransformer(method="box-cox").fit_transform(rows + 1).tolist(),
    roc_auc_score([0, 1, 1], [0.1, 0.4, 0.2]),
    SplineTransformer().fit_transform(rows).tolist(),
]
import pandas as pd
frame = pd.DataFrame(rows, columns=["a", "b"])
names = PowerTransformer().set_output(transform="pandas").fit_transform(frame)
results += [list(names.columns), names.to_numpy().tolist()]
print(json.dumps([early, frames, results]))
"""


def test_what_scikit_learn_hardly_uses_is_imported_when_it_does(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}

    def run(what: str) -> list[object]:
        done = subprocess.run(
            [sys.executable, "-c", STAND_INS, what], capture_output=True, text=True, check=False, env=environment
        )
        found: list[object] = json.loads(done.stdout or f'"{done.stderr}"')
        return found

    everything = ["numpy.f2py", "pandas", "scipy.integrate", "scipy.interpolate", "scipy.stats"]
    early, _, results = run("server")  # skops looks for types in all that is there
    assert early == everything
    assert run("server") == [[], [False], results]
    # A training program has the libraries themselves.
    assert run("program") == [everything, [True], results]
