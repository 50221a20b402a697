"""A program that kills a store at every statement: ``python crash_driver.py URI``, run by test_crashes.py.

For n = 1, 2, 3, ... a child logs, applies and compacts, and is gone before its n-th step: a statement that writes, a
commit, or the return of a connection after one. (Statements that read leave nothing behind, so being killed before one
is being killed before the step that follows.) Another child then checks what is left. It ends when n is beyond the
last step. Prints how many steps there were; the exit code is 1 when a check failed.
"""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from series_oracle import Oracle, key_number, new_run, rows_of, same_rows, small_blocks
from sqlalchemy import Engine, Pool, event, select

from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.stores.sql import SqlStore
from stele.stores.sql.series_reader import read_points
from stele.stores.sql.tables import latest_metrics

KILLED = 9


def ramp(key: str, start: int, end: int) -> list[Metric]:
    return [Metric(key, step / 2, 1_000 + step, step) for step in range(start, end)]


LATE = [Metric("a", math.nan, 1_003, 3), Metric("a", 9.5, 1_003, 3), Metric("a", 2.0, 1_004, 4)]
"""Among points that are in sealed blocks; the last one repeats one of them."""

BATCHES = [
    ramp("a", 0, 12) + ramp("b", 0, 3),
    ramp("a", 12, 25),
    LATE,
    ramp("a", 20, 40) + ramp("b", 0, 3),
]


def victim(uri: str, notes: Path, fatal: int) -> None:
    """Log, apply and compact, until the step ``fatal``; note what was acknowledged."""
    with SqlStore(uri) as store, notes.open("w", buffering=1) as told:
        run_id, number = new_run(store, "0")
        told.write(json.dumps({"run_id": run_id, "number": number}) + "\n")
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1
            if steps == fatal:
                os._exit(KILLED)

        def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
            if text.startswith(("INSERT", "UPDATE", "DELETE")):
                step()

        def commit(connection: Any) -> None:
            connection.info["committed"] = True
            step()

        def checkin(_connection: Any, record: Any) -> None:
            if record.info.pop("committed", False):
                step()

        event.listen(Engine, "before_cursor_execute", statement)
        event.listen(Engine, "commit", commit)
        event.listen(Pool, "checkin", checkin)
        for place, batch in enumerate(BATCHES):
            told.write(json.dumps({"begun": place}) + "\n")
            store.log_batch(r.LogBatch(run_id=run_id, metrics=batch))
            told.write(json.dumps({"acknowledged": place}) + "\n")
            if place in (0, 2, 3):
                store.compact_run(number, whole=place == 3, until=math.inf)
        told.write(json.dumps({"steps": steps}) + "\n")


def checker(uri: str, notes: Path) -> None:
    """Check that what was acknowledged is there once, and that a batch is whole or not there at all."""
    lines = [json.loads(line) for line in notes.read_text().splitlines()]
    run_id, number = lines[0]["run_id"], lines[0]["number"]
    acknowledged = [line["acknowledged"] for line in lines if "acknowledged" in line]
    begun = [line["begun"] for line in lines if "begun" in line]
    with SqlStore(uri) as store:
        allowed = []
        for places in dict.fromkeys([tuple(acknowledged), tuple(begun)]):
            oracle = Oracle()
            for place in places:
                oracle.log(BATCHES[place])
            allowed.append(oracle)
        found = next((oracle for oracle in allowed if holds(store, number, oracle)), None)
        assert found is not None, "points were lost, or are there twice"
        store.get_run(r.GetRun(run_id=run_id))
        check_summaries(store, number, found)
        store.compact_run(number, whole=True, until=math.inf)
        assert holds(store, number, found), "the next compaction changed what is read"
        assert not store.points_in_logs().get(number)
        check_summaries(store, number, found)


def holds(store: SqlStore, number: int, oracle: Oracle) -> bool:
    for key in ("a", "b"):
        key_id = key_number(store, "0", key)
        points = store.db.read(lambda c, k=key_id: read_points(c, number, [k])[k])
        if not same_rows(rows_of(points), oracle.rows(key)):
            return False
    return True


def check_summaries(store: SqlStore, number: int, oracle: Oracle) -> None:
    query = select(latest_metrics).where(latest_metrics.c.run == number)
    rows = {row["key_id"]: row for row in store.db.read(lambda c: c.execute(query).mappings().all())}
    assert len(rows) == len(oracle.series)
    for key in oracle.series:
        row, expected = rows[key_number(store, "0", key)], oracle.summary(key)
        assert {name: row[name] for name in expected} == expected, key


def forked(work: Callable[[], None]) -> int:
    """The exit code of a child that does something."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main(uri: str, notes: Path) -> int:
    small_blocks(pytest.MonkeyPatch())
    forked(lambda: SqlStore(uri).close())
    for fatal in count(1):
        died = forked(partial(victim, uri, notes, fatal))
        assert died in (0, KILLED), f"step {fatal}: the store failed"
        assert forked(partial(checker, uri, notes)) == 0, f"step {fatal}"
        if died == 0:
            return fatal - 1
    raise AssertionError("unreachable")


if __name__ == "__main__":
    sys.stdout.write(str(main(sys.argv[1], Path(sys.argv[2]))))
