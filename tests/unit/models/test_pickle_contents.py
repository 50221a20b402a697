"""Pickles are read, never run."""

from __future__ import annotations

import datetime
import io
import pickle
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from stele.models.pickle_contents import pickle_contents


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("it ran",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_read_to_its_end(protocol: int) -> None:
    model = RandomForestClassifier(3).fit(*load_iris(return_X_y=True))
    found = pickle_contents(io.BytesIO(pickle.dumps(model, protocol)))
    assert found.problem == ""
    assert ("sklearn.ensemble._forest", "RandomForestClassifier") in found.names
    assert {module.partition(".")[0] for module in found.modules()} <= {
        "sklearn",
        "numpy",
        "copyreg",
        "builtins",
        "_codecs",
    }


def test_code_in_a_pickle_tells_what_it_imports() -> None:
    class Model:
        def __init__(self) -> None:
            self.table = np.arange(3)

        def predict(self, data: Any) -> Any:
            import sklearn.linear_model
            from pandas import DataFrame

            return np.sum(data), DataFrame, sklearn

    found = pickle_contents(io.BytesIO(cloudpickle.dumps(Model())))
    assert found.problem == ""
    assert {"numpy", "pandas", "sklearn.linear_model"} <= found.modules()


def test_nothing_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    found = pickle_contents(io.BytesIO(pickle.dumps(Hostile())))
    assert list(found.names) == [("builtins", "print")]
    assert capsys.readouterr().out == ""


def test_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    program = f"""
import io, sys
sys.path.insert(0, {str(tmp_path)!r})
from stele.models.pickle_contents import pickle_contents
sys.addaudithook(lambda event, args: sys.exit(str((event, args))) if event in ("import", "exec", "os.system") else None)
found = pickle_contents(io.BytesIO(b"ctrap\\nrun\\n(S'x'\\ntR."))
print(list(found.names), found.problem)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[('trap', 'run')]", done.stderr


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x05",
        b"\x80\x63.",
        b"garbage",
        b"c\n\n(tR.",
        b"(lp0\n" * 50,
        b"\x82\x01.",
        b"P1\n.",
        b"\x80\x04\x8cx",
    ],
    ids=["empty", "cut", "protocol", "garbage", "no name", "open", "extension", "persistent", "short"],
)
def test_damaged_pickles_are_told_not_raised(data: bytes) -> None:
    found = pickle_contents(io.BytesIO(data))
    assert found.problem or found.names or data == b"P1\n."


@given(st.binary(max_size=200))
def test_no_bytes_get_out_of_the_reader(data: bytes) -> None:
    pickle_contents(io.BytesIO(data))


def test_all_of_pythons_own_values_are_read() -> None:
    values = [
        OrderedDict(a=1),
        datetime.date(2020, 1, 1),
        {1, 2},
        frozenset([3]),
        b"x",
        1 << 80,
        (1, 2, 3, 4),
        {"k": [None]},
    ]
    found = pickle_contents(io.BytesIO(pickle.dumps(values)))
    assert found.problem == ""
    assert {"collections", "datetime"} <= found.modules() <= {"collections", "datetime", "builtins"}
