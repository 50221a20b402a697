import asyncio
import os
import subprocess
import sys
import textwrap
import threading

import pytest

import stele
from stele.errors import DoesNotExist, InvalidParameterValue


def test_a_run_is_finished_when_its_block_is_left():
    with stele.start_run(run_name="first") as run:
        assert stele.active_run() is run
        stele.log_metric("loss", 0.5)
    assert stele.active_run() is None
    found = stele.get_run(run.info.run_id)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "first")
    assert found.info.end_time >= found.info.start_time


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_run_is_failed_when_its_block_raises(error):
    with pytest.raises(error), stele.start_run() as run:
        raise error
    assert stele.get_run(run.info.run_id).info.status == "FAILED"
    assert stele.active_run() is None


def test_leaving_a_block_ends_the_runs_inside_that_are_still_open():
    with stele.start_run() as outer:
        inner = stele.start_run(nested=True)
    assert stele.active_run() is None
    assert stele.get_run(inner.info.run_id).info.status == "FINISHED"
    assert stele.get_run(outer.info.run_id).info.status == "FINISHED"


def test_a_block_whose_run_was_ended_inside_leaves_later_runs_alone():
    with stele.start_run() as run:
        stele.end_run("KILLED")
        later = stele.start_run()
    assert stele.active_run() is later
    assert stele.get_run(run.info.run_id).info.status == "KILLED"


def test_logging_without_a_run_starts_one():
    stele.log_param("lr", 0.1)
    run = stele.active_run()
    assert run is not None
    stele.end_run()
    assert stele.last_active_run().data.params == {"lr": "0.1"}
    assert stele.get_run().info.run_id == run.info.run_id


def test_a_second_run_must_be_nested():
    with stele.start_run() as outer:
        with pytest.raises(InvalidParameterValue, match="nested=True"):
            stele.start_run()
        with stele.start_run(nested=True, run_name="child") as child:
            assert stele.active_run() is child
        assert stele.active_run() is outer
    assert stele.get_parent_run(child.info.run_id).info.run_id == outer.info.run_id
    assert stele.get_parent_run(outer.info.run_id) is None


def test_a_nested_run_belongs_to_the_experiment_of_its_parent():
    experiment_id = stele.create_experiment("elsewhere")
    with stele.start_run(experiment_id=experiment_id), stele.start_run(nested=True) as child:
        assert child.info.experiment_id == experiment_id


def test_a_parent_can_be_named():
    with stele.start_run() as parent:
        pass
    with stele.start_run(parent_run_id=parent.info.run_id) as child:
        pass
    assert stele.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    with pytest.raises(DoesNotExist):
        stele.start_run(parent_run_id="0" * 32)
    stele.delete_run(parent.info.run_id)
    with pytest.raises(InvalidParameterValue, match="deleted"):
        stele.start_run(parent_run_id=parent.info.run_id)


def test_a_run_can_be_continued():
    with stele.start_run() as run:
        stele.log_metric("loss", 1.0, step=0)
    with stele.start_run(run_id=run.info.run_id, tags={"again": "yes"}) as resumed:
        assert resumed.info.status == "RUNNING"
        stele.log_metric("loss", 0.5, step=1)
    found = stele.get_run(run.info.run_id)
    assert (found.data.metrics, found.data.tags["again"]) == ({"loss": 0.5}, "yes")
    stele.delete_run(run.info.run_id)
    with pytest.raises(InvalidParameterValue, match="deleted"):
        stele.start_run(run_id=run.info.run_id)


def test_the_environment_names_the_run_once(monkeypatch):
    with stele.start_run() as run:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    with stele.start_run() as resumed:
        assert resumed.info.run_id == run.info.run_id
    with stele.start_run() as fresh:
        assert fresh.info.run_id != run.info.run_id


def test_a_description_is_a_note():
    with stele.start_run(description="why", tags={"n": 1}) as run:
        assert (run.data.tags["mlflow.note.content"], run.data.tags["n"]) == ("why", "1")
    with pytest.raises(InvalidParameterValue, match="twice"):
        stele.start_run(description="why", tags={"mlflow.note.content": "else"})


def test_a_thread_has_its_own_active_run():
    seen = {}

    def work():
        seen["before"] = stele.active_run()
        with stele.start_run(run_name="in a thread") as run:
            stele.log_metric("x", 1)
            seen["run"] = run.info.run_id

    with stele.start_run() as outer:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert stele.active_run() is outer
    assert seen["before"] is None
    assert stele.get_run(seen["run"]).data.metrics == {"x": 1.0}
    assert stele.last_active_run().info.run_id == outer.info.run_id


def test_tasks_start_with_the_run_of_their_parent_and_nest_on_their_own():
    async def child(number):
        with stele.start_run(nested=True) as run:
            await asyncio.sleep(0)
            assert stele.active_run() is run
            stele.log_metric("number", number)
            return run.info.run_id

    async def main():
        with stele.start_run() as outer:
            ids = await asyncio.gather(*(child(number) for number in range(5)))
            assert stele.active_run() is outer
            return ids

    ids = asyncio.run(main())
    assert [stele.get_run(run_id).data.metrics["number"] for run_id in ids] == [0, 1, 2, 3, 4]


def test_a_run_that_a_task_ended_is_not_active_any_more():
    async def end():
        stele.end_run()

    async def main():
        stele.start_run()
        await asyncio.create_task(end())
        assert stele.active_run() is None

    asyncio.run(main())


def test_deleted_runs_can_be_restored():
    with stele.start_run() as run:
        pass
    stele.delete_run(run.info.run_id)
    assert stele.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    stele.restore_run(run.info.run_id)
    assert stele.get_run(run.info.run_id).info.lifecycle_stage == "active"


def test_get_run_needs_an_id_when_nothing_ran():
    with pytest.raises(InvalidParameterValue, match="run_id"):
        stele.get_run()
    assert stele.last_active_run() is None


def _run_program(code, directory):
    path = directory / "program.py"
    path.write_text(textwrap.dedent(code))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, str(path)], cwd=directory, capture_output=True, text=True, timeout=60, env=env, check=False
    )


@pytest.mark.parametrize(("last", "status"), [("", "FINISHED"), ("raise ValueError", "FAILED")])
def test_the_end_of_the_process_ends_open_runs(last, status, workplace):
    code = f"""
    import stele
    stele.start_run(run_name="open")
    stele.log_metric("x", 1, synchronous=False)
    stele.start_run(run_name="inner", nested=True)
    {last}
    """
    _run_program(code, workplace)
    runs = stele.search_runs(output_format="list")
    assert {run.info.run_name: run.info.status for run in runs} == {"open": status, "inner": status}
    assert {run.info.run_name: run.data.metrics for run in runs}["open"] == {"x": 1.0}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_logs_to_the_run_of_its_parent_and_leaves_it_open(workplace):
    code = """
    import os, sys
    import stele
    with stele.start_run() as run:
        stele.log_metric("parent", 1)
        child = os.fork()
        if child == 0:
            stele.log_metric("child", 2)
            import atexit
            atexit._run_exitfuncs()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert stele.get_run(run.info.run_id).info.status == "RUNNING"
        stele.log_metric("parent", 3, step=1)
    """
    done = _run_program(code, workplace)
    assert done.returncode == 0, done.stderr
    (run,) = stele.search_runs(output_format="list")
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"parent": 3.0, "child": 2.0})
