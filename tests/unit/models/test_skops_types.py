"""What skops finds out when it is imported is kept, and trusted only where nobody else can have written it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, sys
from stele.models.skops_library import skops_io

io = skops_io("to test")
walked = "sklearn.utils._testing" in sys.modules
from sklearn.linear_model import LinearRegression
found = io.get_untrusted_types(data=io.dumps(LinearRegression().fit([[0], [1]], [0, 1])))
types = sys.modules["skops.io._trusted_types"]
names = {name: getattr(types, name) for name in dir(types) if name.endswith("_TYPE_NAMES")}
print(json.dumps([walked, found, names]))
"""


@pytest.fixture
def imported(tmp_path: Path):
    """Imports skops in a new process: whether it looked for types, what it does not trust, and its lists."""

    def run(**variables: str) -> tuple[bool, list[str], dict[str, list[str]]]:
        environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)} | variables
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment
        )
        walked, untrusted, names = json.loads(done.stdout)
        return walked, untrusted, names

    return run


def kept(folder: Path) -> Path:
    (file,) = (folder / "stele" / "skops").iterdir()
    return file


def test_the_second_process_does_not_look_again(imported, tmp_path: Path) -> None:
    walked, untrusted, names = imported()
    assert (walked, untrusted) == (True, [])
    assert len(names["SKLEARN_ESTIMATOR_TYPE_NAMES"]) > 100
    assert imported() == (False, [], names)
    assert kept(tmp_path).stat().st_mode & 0o077 == 0
    for damaged in ("{", '{"SOMETHING_ELSE": ["sklearn.base.BaseEstimator"]}'):
        kept(tmp_path).write_text(damaged)
        assert imported() == (True, [], names)


@pytest.mark.skipif(os.name != "posix", reason="who may write is a matter of POSIX here")
def test_what_others_could_have_written_is_not_trusted(imported, tmp_path: Path) -> None:
    imported()
    kept(tmp_path).parent.chmod(0o770)
    assert imported()[0]


def test_names_of_other_packages_are_not_trusted(imported, tmp_path: Path) -> None:
    _, _, names = imported()
    file = kept(tmp_path)
    file.write_text(json.dumps(names | {"SKLEARN_ESTIMATOR_TYPE_NAMES": ["os.system"]}))
    walked, _, found = imported()
    assert (walked, found) == (True, names)


def test_nothing_is_kept_without_a_cache(imported, tmp_path: Path) -> None:
    assert imported(STELE_MODEL_CACHE_BYTES="0")[0]
    assert not list(tmp_path.glob("stele/skops/*"))
