"""Compaction in the background, by several at once, and the cap of points."""

from __future__ import annotations

import math
import threading

import pytest
from series_oracle import new_experiment, new_run, small_blocks
from sqlalchemy import select, text, update

from stele.errors import DataLoss, InvalidParameterValue
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.metrics import Metric
from stele.stores.sql import SqlStore, backlog, compaction
from stele.stores.sql.compaction import compact_once
from stele.stores.sql.series_reader import read_points
from stele.stores.sql.tables import KIND_METRIC, ingest_log, segments


def ramp(start: int, end: int, key: str = "loss") -> list[Metric]:
    return [Metric(key, math.sin(step), step, step) for step in range(start, end)]


def log(store: SqlStore, run_id: str, metrics: list[Metric]) -> None:
    for start in range(0, len(metrics), 1_000):
        store.log_batch(r.LogBatch(run_id=run_id, metrics=metrics[start : start + 1_000]))


def steps_of(store: SqlStore, run_id: str, key: str = "loss") -> list[int]:
    return [p.step for p in store.get_metric_history(m.GetMetricHistory(run_id=run_id, metric_key=key)).metrics]


def sealed_points(store: SqlStore, number: int) -> int:
    query = select(segments.c.points).where(segments.c.run == number, segments.c.sealed == 1)
    return sum(store.db.read(lambda c: c.scalars(query).all()))


def in_log(store: SqlStore, number: int) -> int:
    return store.points_in_logs().get(number, 0)


def wait_until(condition) -> None:
    while not condition():
        threading.Event().wait(0.005)


@pytest.fixture
def local(tmp_path):
    """A store without a server."""
    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        yield store


class TestWhen:
    def test_a_run_that_ends_is_compacted(self, local):
        run_id, number = new_run(local, "0")
        log(local, run_id, ramp(0, 10_000))
        assert in_log(local, number) == 10_000
        local.update_run(r.UpdateRun(run_id=run_id, status="FINISHED"))
        assert in_log(local, number) == 0
        assert sealed_points(local, number) == 8_192
        assert steps_of(local, run_id) == list(range(10_000))
        assert local.free_pages() == 0

    def test_a_few_points_stay_in_the_log(self, local):
        run_id, number = new_run(local, "0")
        log(local, run_id, ramp(0, 99))
        local.update_run(r.UpdateRun(run_id=run_id, status="FAILED"))
        assert in_log(local, number) == 99

    def test_a_store_that_is_closed_leaves_no_long_log(self, tmp_path):
        with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
            run_id, number = new_run(store, "0")
            log(store, run_id, ramp(0, 500))
        with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
            assert in_log(store, number) == 0
            assert steps_of(store, run_id) == list(range(500))

    def test_a_long_log_is_compacted_while_the_run_goes_on(self, local, monkeypatch):
        monkeypatch.setattr(backlog, "FEWEST_POINTS", 9_000)
        run_id, number = new_run(local, "0")
        log(local, run_id, ramp(0, 9_000))
        wait_until(lambda: sealed_points(local, number) == 8_192)
        assert steps_of(local, run_id) == list(range(9_000))

    def test_a_server_finds_what_others_left(self, tmp_path):
        uri = f"sqlite:///{tmp_path}/s.db"
        left = SqlStore(uri)
        run_id, number = new_run(left, "0")
        log(left, run_id, ramp(0, 200))
        left.backlog.take(number)  # as a process that is killed forgets
        left.update_run(r.UpdateRun(run_id=run_id, status="KILLED"))
        assert in_log(left, number) == 200
        with SqlStore(uri) as server:
            server.start_refresher()
            wait_until(lambda: in_log(server, number) == 0)
            assert steps_of(server, run_id) == list(range(200))
        left.close()

    @pytest.mark.parametrize(
        ("waiting", "due"),
        [
            ({"points": 99, "rows": 9_999, "ended": True, "changed": -math.inf}, False),
            ({"points": 100, "ended": True}, True),
            ({"points": 100, "changed": -math.inf}, True),
            ({"points": 65_535, "rows": 1_999}, False),
            ({"points": 2_000, "rows": 2_000}, True),
            ({"points": 65_536}, True),
            ({"points": 65_536, "limit": 160_000}, False),
        ],
    )
    def test_what_is_due(self, waiting, due):
        assert backlog.Waiting(**waiting).is_due(now=backlog.Waiting().changed) == due


class TestSeveral:
    def test_one_compacts_a_run_at_a_time(self, sql_store):
        run_id, number = new_run(sql_store, new_experiment(sql_store))
        log(sql_store, run_id, ramp(0, 300))
        with SqlStore(sql_store.db.url.render_as_string(hide_password=False)) as other:
            with other.db.claim(number) as claimed:
                assert claimed
                assert sql_store.compact_run(number) == 0
                assert in_log(sql_store, number) == 300
            assert sql_store.compact_run(number) == 300

    def test_two_that_compact_one_run_harm_nothing(self, sql_store, monkeypatch):
        """Both read the same log; the second one finds it gone."""
        experiment = new_experiment(sql_store)
        run_id, number = new_run(sql_store, experiment)
        log(sql_store, run_id, ramp(0, 300))
        sql_store.get_run(r.GetRun(run_id=run_id))
        cut = compaction.cut_blocks
        outcome = []

        def overtaken(*arguments):
            monkeypatch.setattr(compaction, "cut_blocks", cut)
            outcome.append(compact_once(sql_store.db, number))
            return cut(*arguments)

        monkeypatch.setattr(compaction, "cut_blocks", overtaken)
        assert compact_once(sql_store.db, number) == 0
        assert outcome == [300]
        assert steps_of(sql_store, run_id) == list(range(300))

    def test_a_reader_sees_all_points_while_they_are_moved(self, sql_store, monkeypatch):
        """Segments and log are read from one state: never a point less, never one twice."""
        small_blocks(monkeypatch)
        experiment = new_experiment(sql_store)
        run_id, number = new_run(sql_store, experiment)
        log(sql_store, run_id, ramp(0, 64))
        ids = sql_store.db.write(lambda c: sql_store.keys.resolve(c, int(experiment), [(KIND_METRIC, "loss")]))
        seen: list[int] = []
        wrong: list[list[int]] = []
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                least = len(steps_of(sql_store, run_id))
                points = sql_store.db.read(lambda c: read_points(c, number, ids.values()))[ids[KIND_METRIC, "loss"]]
                steps = points.steps.tolist()
                if steps != list(range(len(steps))) or len(steps) < least:
                    wrong.append(steps)
                seen.append(len(steps))

        reader = threading.Thread(target=read)
        reader.start()
        for start in range(64, 640, 32):
            log(sql_store, run_id, ramp(start, start + 32))
            sql_store.compact_run(number, whole=start % 3 == 0, until=math.inf)
        wait_until(lambda: not reader.is_alive() or seen[-1:] == [640])
        stop.set()
        reader.join()
        assert not wrong


class TestCap:
    @pytest.fixture
    def capped(self, sql_store, monkeypatch):
        monkeypatch.setenv("STELE_MAX_POINTS_PER_RUN", "250")
        return sql_store, *new_run(sql_store, new_experiment(sql_store))

    def test_a_full_run_takes_no_more_and_stays_usable(self, capped):
        store, run_id, number = capped
        log(store, run_id, ramp(0, 200))
        batch = r.LogBatch(run_id=run_id, metrics=ramp(200, 251), params=[r.Param("p", "1")])
        with pytest.raises(InvalidParameterValue, match=rf"'{run_id}' has 200 metric points, and 51 more .* 250") as e:
            store.log_batch(batch)
        assert "STELE_MAX_POINTS_PER_RUN" in str(e.value)
        run = store.get_run(r.GetRun(run_id=run_id)).run
        assert run.data.params == {}
        assert steps_of(store, run_id) == list(range(200))
        log(store, run_id, ramp(200, 250))
        store.compact_run(number)
        with pytest.raises(InvalidParameterValue, match="has 250 metric points, and 1 more"):
            store.log_metric(r.LogMetric(run_id=run_id, key="loss", value=1.0, timestamp=1, step=999))
        store.log_param(r.LogParam(run_id=run_id, key="p", value="2"))
        store.update_run(r.UpdateRun(run_id=run_id, status="FINISHED"))

    def test_points_that_are_stored_already_are_always_taken(self, capped):
        store, run_id, number = capped
        for _ in range(3):
            log(store, run_id, ramp(0, 250))
            store.compact_run(number)
        assert steps_of(store, run_id) == list(range(250))

    def test_what_a_fork_shares_is_counted(self, capped):
        store, parent, number = capped
        log(store, parent, ramp(0, 200))
        store.compact_run(number)
        experiment = store.get_run(r.GetRun(run_id=parent)).run.info.experiment_id
        fork = store.create_run(r.CreateRun(experiment_id=experiment, fork_from=parent, fork_step=149)).run.info.run_id
        log(store, fork, ramp(150, 250))
        with pytest.raises(InvalidParameterValue, match="has 250 metric points, and 1 more"):
            log(store, fork, ramp(250, 251))
        assert steps_of(store, fork) == list(range(250))

    def test_columns_are_counted_too(self, capped):
        store, run_id, _ = capped
        column = list(range(251))
        request = Ingest(
            client_id="c", sequence=1, series=[IngestSeries(run_id, "loss", column, column, [float(i) for i in column])]
        )
        with pytest.raises(InvalidParameterValue, match="251 more"):
            store.ingest(request)
        assert steps_of(store, run_id) == []

    def test_of_requests_that_share_a_commit_those_that_fit_are_taken(self, capped):
        store, run_id, _ = capped
        other, _ = new_run(store, new_experiment(store))
        requests = [
            r.LogBatch(run_id=run_id, metrics=ramp(0, 200)),
            r.LogBatch(run_id=run_id, metrics=ramp(200, 251)),
            r.LogBatch(run_id=run_id, metrics=ramp(200, 240)),
            r.LogBatch(run_id=other, metrics=ramp(0, 100)),
        ]
        outcome = store.log_points(requests)
        assert [type(error) for error in outcome] == [type(None), InvalidParameterValue, type(None), type(None)]
        assert steps_of(store, run_id) == list(range(240))
        assert steps_of(store, other) == list(range(100))


def test_damage_is_named(local):
    run_id, number = new_run(local, "0")
    log(local, run_id, ramp(0, 9_000))
    local.compact_run(number)
    query = select(segments.c.id, segments.c.data).where(segments.c.sealed == 1)
    row = local.db.read(lambda c: c.execute(query).one())
    flipped = row.data[:-1] + bytes([row.data[-1] ^ 1])
    local.db.write(lambda c: c.execute(update(segments).where(segments.c.id == row.id).values(data=flipped)))
    with pytest.raises(DataLoss, match=rf"Segment {row.id} of run '{run_id}' is damaged"):
        steps_of(local, run_id)
    # Whether a late point is a new one cannot be told; but what other runs show must not depend on that.
    local.log_metric(r.LogMetric(run_id=run_id, key="loss", value=5.0, timestamp=3, step=3))
    found = local.search_runs(r.SearchRuns(experiment_ids=["0"], filter="metrics.loss < 9")).runs
    assert [run.info.run_id for run in found] == [run_id]


def test_a_long_batch_becomes_several_rows(sql_store):
    """Of under 2 MB each, which every database takes."""
    run_id, number = new_run(sql_store, new_experiment(sql_store))
    count = 150_000
    column = list(range(count))
    series = IngestSeries(run_id, "loss", column, column, [0.5] * count)
    sql_store.ingest(Ingest(client_id=run_id, sequence=1, series=[series]))
    query = select(ingest_log.c.points).where(ingest_log.c.run == number).order_by(ingest_log.c.id)
    assert sql_store.db.read(lambda c: c.scalars(query).all()) == [65_536, 65_536, count - 2 * 65_536]
    sql_store.compact_run(number, until=math.inf)
    assert in_log(sql_store, number) == 0
    assert sealed_points(sql_store, number) == count // 8_192 * 8_192
    assert len(steps_of(sql_store, run_id)) == count


def test_log_rows_are_counted_by_an_index_alone(local):
    with local.db.engine.connect() as connection:
        plan = connection.execute(
            text("EXPLAIN QUERY PLAN SELECT run, count(*), sum(points) FROM ingest_log GROUP BY run")
        )
        assert "COVERING INDEX ix_ingest_log_run" in " ".join(row[3] for row in plan)
