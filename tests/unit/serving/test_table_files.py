"""Tables in files: every format comes back as it was written, in pieces."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from stele.errors import InvalidParameterValue
from stele.serving import table_files
from stele.serving.payloads import Rows, Table
from stele.serving.table_files import format_of, open_writer, read_payloads

TYPES = {"n": "int64", "x": "float64", "s": "string"}


def written(frames: list[pd.DataFrame], kind: str) -> io.BytesIO:
    file = io.BytesIO()
    writer = open_writer(file, kind)
    for frame in frames:
        writer.write(frame)
    writer.close()
    file.seek(0)
    return file


def read(file: io.BytesIO, kind: str, types: dict[str, str] | None = None) -> pd.DataFrame:
    frames = []
    for payload in read_payloads(file, kind, types or {}, lambda count: None):
        data = payload.data
        assert isinstance(data, Rows | Table)
        frames.append(
            data.frame if isinstance(data, Table) else pd.DataFrame(data.rows, columns=list(data.names or ()))
        )
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(-(1 << 53), 1 << 53),
                st.floats(allow_nan=False, allow_infinity=False),
                st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
            ),
            min_size=1,
            max_size=5,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_was_written_is_read(kind: str, pieces: list[list[Any]]) -> None:
    frames = [pd.DataFrame(rows, columns=["n", "x", "s"]).astype({"n": "int64", "x": "float64"}) for rows in pieces]
    # What Arrow takes for a missing value when it reads CSV is no text.
    frames = [frame[~frame["s"].isin(["NA", "null", "NULL", "nan", "NaN", "N/A", "n/a"])] for frame in frames]
    expected = pd.concat(frames, ignore_index=True)
    if len(expected):
        found = read(written(frames, kind), kind, TYPES)
        assert_frame_equal(found.astype({"x": "float64"}), expected, check_dtype=False)


def test_csv_without_pyarrow() -> None:
    program = """
import io, sys
sys.modules["pyarrow"] = None  # nobody can import it
import pandas as pd
from stele.errors import MissingDependency
from stele.serving.table_files import open_writer, read_payloads
frame, file = pd.DataFrame({"n": [1, 2], "s": ["a,b", 'c"d']}), io.BytesIO()
writer = open_writer(file, "csv")
writer.write(frame)
writer.write(frame)
file.seek(0)
for payload in read_payloads(file, "csv", {}, lambda count: None):
    print(payload.data.frame.to_dict("list"))
try:
    open_writer(io.BytesIO(), "parquet")
except MissingDependency as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        """{'n': [1, 2, 1, 2], 's': ['a,b', 'c"d', 'a,b', 'c"d']}""",
        "pyarrow is needed to write Parquet. Install it with: pip install 'stele[export]'",
    ], done.stderr


def test_json_is_what_a_server_answers() -> None:
    file = written([pd.DataFrame({"prediction": [1.5, None]}), pd.DataFrame({"prediction": [3.0]})], "json")
    assert json.load(file) == {"predictions": [1.5, None, 3.0]}
    file = written([pd.DataFrame({"a": [1], "b": ["x"]})], "json")
    assert json.load(file) == {"predictions": [{"a": 1, "b": "x"}]}
    assert json.load(written([], "json")) == {"predictions": []}


def test_pieces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "ROWS_AT_ONCE", 40)
    lines = b"".join(b'{"a": %d}\n' % number for number in range(25))
    sizes = []
    for payload in read_payloads(io.BytesIO(lines), "jsonl", {}, lambda count: None):
        assert isinstance(payload.data, Rows)
        sizes.append(len(payload.data.rows))
    assert sizes == [10, 10, 5]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "parquet"])
def test_all_bytes_are_told(kind: str) -> None:
    file = written([pd.DataFrame({"prediction": range(1000)})], kind)
    if kind == "json":
        file = io.BytesIO(b'{"inputs": [1, 2]}')
    moved: list[int] = []
    list(read_payloads(file, kind, {}, moved.append))
    assert sum(moved) == pytest.approx(len(file.getvalue()), abs=1)


@pytest.mark.parametrize(
    ("kind", "content", "problem"),
    [
        ("csv", b"a,b\n1\n", "CSV"),
        ("csv", b"n\nx\n", "CSV"),
        ("parquet", b"PAR1", "Parquet"),
        ("jsonl", b'{"a": 1}\n[1]\n', "Line 2"),
        ("jsonl", b'{"a": 1}\n\n{"a"\n', "Line 3"),
        ("json", b"[1]", "JSON list"),
    ],
)
def test_damaged_files_are_refused(kind: str, content: bytes, problem: str) -> None:
    with pytest.raises(InvalidParameterValue, match=problem):
        read(io.BytesIO(content), kind, TYPES)


def test_a_row_longer_than_a_piece_is_refused_with_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "_BLOCK_BYTES", 64)
    text = b"a,b\n" + b"1,2\n" * 50 + b"1," + b"x" * 500 + b"\n" + b"1,2\n" * 50
    with pytest.raises(InvalidParameterValue, match="more than 64 bytes"):
        read(io.BytesIO(text), "csv", {"b": "string"})


def test_formats_go_by_the_name(tmp_path: Any) -> None:
    assert format_of(tmp_path / "a.CSV", None, "json") == "csv"
    assert format_of(tmp_path / "a.ndjson", None, "json") == "jsonl"
    assert format_of(tmp_path / "a.dat", "parquet", "json") == "parquet"
    assert format_of(None, None, "json") == "json"
    with pytest.raises(InvalidParameterValue, match=r"a\.xls"):
        format_of(tmp_path / "a.xls", None, "json")
