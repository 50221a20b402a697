"""What a scoring server imports before its first answer, and that the rest comes when it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = """
import json, sys
from stele.cli import model_serve
from stele.collector import starting
from stele.serving.config import ServingConfig
from stele.serving.payloads import CSV, JSON, Payload, parse_body
from stele.serving.run import make_app

with starting():
    served = make_app(ServingConfig(model_uri=sys.argv[1])).holder.current

def predicted(media_type, body):
    payload = parse_body(media_type, body)
    return served.predict(Payload(served.reader.as_rows(payload.data), payload.params)).tolist()

results = [predicted(JSON, b'{"dataframe_split": {"columns": ["a", "b"], "data": [[2.0, 1.0]]}}')]
early = sorted(sys.modules)
results.append(predicted(CSV, b"a,b\\n2,1\\n"))
print(json.dumps([results, early]))
"""


def start(model: Path, cache: Path) -> tuple[list[list[float]], set[str]]:
    """What a new process predicts for JSON and for CSV, and what it had imported when it knew the former."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(model)], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found[0], set(found[1])


def test_a_server_of_an_estimator_imports_only_what_it_needs(linear: Path, tmp_path: Path) -> None:
    first, _ = start(linear, tmp_path)  # skops looks for types in all that is there
    results, imported = start(linear, tmp_path)
    assert [[round(value, 6) for value in each] for each in results] == [[5.0], [5.0]]
    assert results == first
    assert imported.isdisjoint({"pandas", "pyarrow", "scipy.stats"})  # for data frames and few estimators
    assert imported.isdisjoint({"starlette", "google.protobuf", "stele.schema.routes", "sqlalchemy"})  # for tracking
