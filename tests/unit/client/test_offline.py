"""Without a server: what can be written, what can be read, what is refused."""

import pytest

import stele
from stele.client.stores import open_journalled
from stele.errors import DoesNotExist, InvalidParameterValue, Unavailable


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("STELE_OFFLINE", "1")
    stele.set_tracking_uri("http://127.0.0.1:1")


def test_a_run_reads_what_it_wrote():
    stele.set_experiment("night")
    with stele.start_run(run_name="one", tags={"a": 1}) as run:
        stele.log_param("p", 2)
        stele.log_metric("x", 1, step=0)
        stele.log_metric("x", 3, step=2)
        stele.log_metric("x", 2, step=1, synchronous=False).wait()
        stele.log_text("text", "a.txt")
        found = stele.get_run(run.info.run_id)
        assert (found.data.params, found.data.metrics) == ({"p": "2"}, {"x": 3.0})
        assert (found.info.status, found.info.run_name, found.data.tags["a"]) == ("RUNNING", "one", "1")
        with pytest.raises(DoesNotExist):
            stele.delete_tag("none")
        assert [file.path for file in stele.Client().list_artifacts(run.info.run_id)] == ["a.txt"]
    assert stele.last_active_run().info.status == "FINISHED"
    with stele.start_run(run_id=run.info.run_id):
        stele.log_metric("x", 4, step=3)
    assert stele.get_run(run.info.run_id).data.metrics == {"x": 4.0}


def test_the_latest_value_is_the_one_that_the_store_will_name():
    nan = float("nan")
    points = [(5.0, 1, 9), (nan, 2, 1), (-1.0, 2, 1), (3.0, 0, 99), (7.0, 2, 0)]  # NaN counts as 0: greater than -1
    with stele.start_run() as run:
        for value, step, timestamp in points:
            stele.log_metric("loss", value, step=step, timestamp=timestamp)
        found = stele.get_run(run.info.run_id).data.metrics["loss"]
    assert found != found


def test_a_model_is_read_as_it_was_written(caplog):
    with stele.start_run():
        stele.log_metric("loss", 0.5, step=3)
        info = stele.pyfunc.log_model(
            name="net", python_model=_Doubler(), params={"a": 1}, tags={"team": "x"}, registered_model_name="nets"
        )
    model = stele.get_logged_model(info.model_id)
    assert (model.name, model.params, model.status) == ("net", {"a": "1"}, "READY")
    assert (model.tags["team"], model.digest) == ("x", stele.get_logged_model(info.model_id).digest)
    assert info.registered_model_version is None
    assert "not registered as 'nets'" in caplog.text
    loaded = stele.pyfunc.load_model(info.model_uri, trust=True)
    assert loaded.predict([1, 2]) == [2, 4]
    with pytest.raises(Unavailable, match="get_logged_model"):
        stele.get_logged_model(f"m-{'f' * 32}")


class _Doubler(stele.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * item for item in model_input]


def test_the_history_of_a_metric_is_that_of_the_journal():
    with stele.start_run() as run:
        for step in range(5):
            stele.log_metric("x", step * 0.5, step=step)
        stele.log_metrics({"x": 9.0, "y": 1.0}, step=7)
    found = stele.Client().get_metric_history(run.info.run_id, "x")
    assert [(point.step, point.value) for point in found] == [*((step, step * 0.5) for step in range(5)), (7, 9.0)]


def test_flushing_has_nothing_to_wait_for():
    with stele.start_run():
        stele.log_metric("x", 1)
        stele.flush_async_logging()


@pytest.mark.parametrize(
    "read",
    [
        stele.search_runs,
        stele.search_experiments,
        lambda: stele.get_run("f" * 32),
        lambda: stele.get_experiment("7"),
        lambda: stele.start_run(run_id="f" * 32),
        lambda: stele.start_run(parent_run_id="f" * 32),
        lambda: stele.delete_run("f" * 32),
        lambda: stele.get_metric_history("f" * 32, "x"),
    ],
)
def test_what_needs_the_store_says_so(read):
    with pytest.raises(Unavailable, match="STELE_OFFLINE"):
        read()


def test_mistakes_are_told_at_once():
    with stele.start_run():
        with pytest.raises(InvalidParameterValue):
            stele.log_metric("x", "no")
        with pytest.raises(InvalidParameterValue):
            stele.log_param("a//b", 1)
        with pytest.raises(InvalidParameterValue):
            stele.log_text("x", "../a")


def test_every_operation_exists():
    store = open_journalled()
    assert store.offline
    assert store.store.get_run.__doc__
    with pytest.raises(Unavailable, match="search_runs"):
        store.search_runs(None)
