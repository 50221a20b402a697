import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import stele
import stele.client.calls.governance
import stele.client.downloads
import stele.data

SIGNATURES = Path(__file__).with_name("mlflow_signatures.txt").read_text(encoding="utf-8").splitlines()[1:]

NAMES = """
    ActiveModel ActiveRun Client Image MlflowClient MlflowException SteleException __version__ active_run
    archive_experiment artifacts check_experiment_tags clear_active_model config create_experiment create_external_model
    data delete_experiment delete_experiment_tag delete_logged_model_tag delete_run delete_tag
    disable_console_logging disable_system_metrics_logging doctor enable_async_logging enable_console_logging
    enable_system_metrics_logging end_run entities
    exceptions finalize_logged_model flush_artifact_async_logging flush_async_logging get_active_model_id
    get_artifact_uri get_experiment get_experiment_by_name get_logged_model get_metric_history get_parent_run
    get_registry_uri get_run get_tracking_uri initialize_logged_model is_tracking_uri_set last_active_run
    last_logged_model lightgbm list_rewinds load_table log_artifact log_artifacts log_dict log_figure log_image
    log_input log_inputs log_metric log_metrics log_model_params log_outputs log_param log_params log_stream
    log_table log_text metric_history models onnx pyfunc pytorch register_model registry rename_experiment
    restore_archived_experiment restore_experiment restore_run rewind search_experiments search_logged_models
    search_model_versions search_registered_models search_runs set_active_model set_experiment set_experiment_tag
    set_experiment_tags set_logged_model_tags set_model_version_tag set_registry_uri set_system_metrics_node_id
    set_system_metrics_samples_before_logging set_system_metrics_sampling_interval set_tag set_tags set_tracking_uri
    sklearn start_run statsmodels tracking types undo_rewind xgboost
""".split()

# Parameters of MLflow that Stele does not have, and where a default differs, with the reason.
LEFT_OUT = {
    ("mlflow.create_experiment", "trace_location"),  # a place for traces, which are not Stele's
    ("mlflow.set_experiment", "trace_location"),
    ("mlflow.register_model", "env_pack"),  # packs an environment for a hosted service
}
OTHER_DEFAULTS = {("mlflow.get_run", "run_id")}  # the active run when none is named

OURS = {
    "mlflow": stele,
    "mlflow.MlflowClient": stele.Client,
    "mlflow.artifacts": stele.client.downloads,
    "mlflow.data": stele.data,
    "mlflow.lightgbm": stele.lightgbm,
    "mlflow.models": stele.models,
    "mlflow.models.Model": stele.models.Model,
    "mlflow.onnx": stele.onnx,
    "mlflow.pyfunc": stele.pyfunc,
    "mlflow.pytorch": stele.pytorch,
    "mlflow.sklearn": stele.sklearn,
    "mlflow.statsmodels": stele.statsmodels,
    "mlflow.xgboost": stele.xgboost,
}


def test_the_public_names_are_added_on_purpose():
    assert sorted(stele.__all__) == sorted(NAMES)
    assert sorted(stele.__all__) == dir(stele)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_described(name):
    value = getattr(stele, name)
    assert name.startswith("__") or inspect.getdoc(value)


def test_other_names_are_missing():
    with pytest.raises(AttributeError, match="no_such_name"):
        stele.no_such_name  # noqa: B018 - reading it is the test


def test_editors_see_what_python_sees():
    tree = ast.parse(Path(stele.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {(node.module, alias.name) for node in block.body for alias in node.names}
    table = {(module, name) for module, names in stele._MODULES.items() for name in names}
    assert seen == table | {("stele", name) for name in stele._SUBMODULES}


def test_one_class_has_two_names():
    assert stele.MlflowClient is stele.Client
    assert stele.exceptions.RestException is stele.MlflowException is stele.exceptions.SteleError


def test_errors_are_caught_as_mlflows(tmp_path):
    client = stele.MlflowClient(f"sqlite:///{tmp_path}/stele.db")
    with pytest.raises(stele.exceptions.MlflowException) as caught:
        client.get_run("0" * 32)
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert caught.value.get_http_status_code() == 404
    client._store.close()


@pytest.mark.parametrize(
    "module",
    [
        "stele.config",
        "stele.entities",
        "stele.entities.model_registry",
        "stele.exceptions",
        "stele.tracking",
        "stele.data",
    ],
)
def test_every_exported_name_exists(module):
    loaded = importlib.import_module(module)
    assert all(hasattr(loaded, name) for name in loaded.__all__)


@pytest.mark.parametrize("line", SIGNATURES, ids=lambda line: line.partition("(")[0])
def test_signatures_are_mlflows(line):
    path = line.partition("(")[0]
    owner, _, name = path.rpartition(".")
    theirs = ast.parse(f"def {line.removeprefix(owner)[1:]}: pass").body[0].args
    ours = inspect.signature(getattr(OURS[owner], name)).parameters
    ours = {key: parameter for key, parameter in ours.items() if key != "self"}
    positional = [argument.arg for argument in theirs.args if (path, argument.arg) not in LEFT_OUT]
    assert list(ours)[: len(positional)] == positional
    defaults = dict(zip([a.arg for a in theirs.args][::-1], theirs.defaults[::-1], strict=False))
    defaults |= {a.arg: default for a, default in zip(theirs.kwonlyargs, theirs.kw_defaults, strict=True) if default}
    keywords = [argument.arg for argument in theirs.kwonlyargs if (path, argument.arg) not in LEFT_OUT]
    for key in [*positional, *keywords]:
        expected = ast.literal_eval(defaults[key]) if key in defaults else inspect.Parameter.empty
        if (path, key) not in OTHER_DEFAULTS:
            assert ours[key].default == expected, key
    for key, parameter in list(ours.items())[len(positional) :]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        assert parameter.default is not inspect.Parameter.empty, f"{key} is an addition and must be optional"


def test_the_table_covers_all_of_the_client():
    covered = {line.partition("(")[0].rpartition(".")[2] for line in SIGNATURES if "MlflowClient" in line}
    own = {"all_runs", "archive_experiment", "find_experiment", "get_series", "open_repository"}
    own |= {"remember_artifact_uri", "repository", "restore_archived_experiment", "tracking_uri"}
    own |= {"list_rewinds", "rewind", "undo_rewind"}
    own |= {"ensure_registered_model", "located", "model_at", "model_of_run", "model_repository"}
    own |= {"version_and_path", "version_at"}
    own |= {name for name in vars(stele.client.calls.governance.GovernanceCalls) if not name.startswith("_")}
    assert {name for name in dir(stele.Client) if not name.startswith("_")} == covered | own


LOADED_BY_LOGGING = """
import sys
before = set(sys.modules)
import stele
table_only = set(sys.modules) - before
stele.log_metric
print(*sorted(table_only), '|', *sorted(set(sys.modules) - before))
"""


def test_importing_loads_little():
    done = subprocess.run(
        [sys.executable, "-c", LOADED_BY_LOGGING], capture_output=True, text=True, check=True, timeout=60
    )
    table_only, _, all_loaded = (part.split() for part in done.stdout.partition("|"))
    assert [name for name in table_only if name.startswith("stele")] == ["stele"]
    assert "msgspec" not in table_only
    heavy = {"asyncio", "concurrent.futures", "html", "numpy", "pandas", "PIL", "rich", "sqlalchemy", "starlette"}
    heavy |= {"email", "importlib.metadata", "subprocess", "urllib3", "zipfile"}
    assert not heavy & set(all_loaded)
    assert len([name for name in all_loaded if name.startswith("stele")]) <= 59
