"""``import mlflow`` answered by Stele, submodules included: what ``stele exec`` puts into the programs that it runs.

A module of MLflow is answered by the modules of Stele that hold the same names; the table below says which. They are
the same objects, so a run made by a library's callback and one made by ``import stele`` are one. What is missing raises
an error that says so, and ``hasattr`` and ``try: import`` see it missing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

from stele import limits
from stele.client import context
from stele.client import tag_names as names

__all__ = ["ANSWERED", "ANSWERED_VERSION", "answering_mlflow", "install", "mlflow_name"]

ANSWERED_VERSION = "3.17.2"
"""``mlflow.__version__`` for programs that look: the version whose interface Stele keeps."""

_ENTITY_MODULES = (
    "dataset dataset_input dataset_summary experiment experiment_tag file_info input_tag lifecycle_stage logged_model "
    "metric param run run_data run_info run_inputs run_outputs run_status run_tag source_type view_type"
)
_DATASET_MODULES = (
    "dataset dataset_source huggingface_dataset meta_dataset numpy_dataset pandas_dataset polars_dataset sources "
    "spark_dataset"
)

ANSWERED: Mapping[str, tuple[str, ...]] = {
    "mlflow": ("stele",),
    "mlflow.artifacts": ("stele.client.downloads",),
    "mlflow.client": ("stele.client.client",),
    "mlflow.config": ("stele.config",),
    "mlflow.data": ("stele.data",),
    **{f"mlflow.data.{name}": (f"stele.data.{name}",) for name in _DATASET_MODULES.split()},
    "mlflow.entities": ("stele.entities",),
    **{f"mlflow.entities.{name}": ("stele.entities",) for name in _ENTITY_MODULES.split()},
    "mlflow.exceptions": ("stele.exceptions",),
    "mlflow.models": ("stele.models",),
    "mlflow.models.model": ("stele.models",),
    "mlflow.models.signature": ("stele.models", "stele.models.mlflow_names"),
    "mlflow.pyfunc": ("stele.pyfunc",),
    "mlflow.pyfunc.model": ("stele.models.python_model", "stele.models.mlflow_names"),
    "mlflow.pyfunc.utils": (),
    "mlflow.pyfunc.utils.data_validation": ("stele.models.mlflow_names",),
    "mlflow.lightgbm": ("stele.lightgbm",),
    "mlflow.onnx": ("stele.onnx",),
    "mlflow.pytorch": ("stele.pytorch",),
    "mlflow.statsmodels": ("stele.statsmodels",),
    "mlflow.xgboost": ("stele.xgboost",),
    "mlflow.sklearn": ("stele.sklearn",),
    "mlflow.store": (),
    "mlflow.store.entities": ("stele.client.paged_list",),
    "mlflow.store.entities.paged_list": ("stele.client.paged_list",),
    "mlflow.system_metrics": ("stele.client.system_metrics",),
    "mlflow.tracking": ("stele.tracking",),
    "mlflow.tracking._tracking_service": (),
    "mlflow.tracking._tracking_service.utils": ("stele.tracking",),
    "mlflow.tracking.client": ("stele.client.client",),
    "mlflow.tracking.context": (),
    "mlflow.tracking.context.registry": (),
    "mlflow.tracking.fluent": ("stele",),
    "mlflow.types": ("stele.types",),
    "mlflow.types.schema": ("stele.types.schema",),
    "mlflow.utils": (),
    "mlflow.utils.mlflow_tags": (),
    "mlflow.utils.validation": (),
    "mlflow.version": (),
}
"""Module of MLflow -> the modules of Stele whose names it has. They are imported when a name is asked for."""


def _resolve_tags(tags: Mapping[str, str] | None = None, ignore: Any = None) -> dict[str, str]:
    """The tags that a run gets from its surroundings, with those that were given on top."""
    del ignore
    return context.context_tags() | dict(tags or {})


_VALUES: Mapping[str, Mapping[str, Any]] = {
    "mlflow": {"__version__": ANSWERED_VERSION},
    "mlflow.version": {"VERSION": ANSWERED_VERSION},
    "mlflow.tracking.context.registry": {"resolve_tags": _resolve_tags},
    "mlflow.utils.mlflow_tags": {
        "MLFLOW_DATASET_CONTEXT": names.DATASET_CONTEXT,
        "MLFLOW_GIT_BRANCH": names.GIT_BRANCH,
        "MLFLOW_GIT_COMMIT": names.GIT_COMMIT,
        "MLFLOW_GIT_DIRTY": names.GIT_DIRTY,
        "MLFLOW_GIT_REPO_URL": names.GIT_REPOSITORY,
        "MLFLOW_LOGGED_ARTIFACTS": names.LOGGED_ARTIFACTS,
        "MLFLOW_LOGGED_IMAGES": names.LOGGED_IMAGES,
        "MLFLOW_PARENT_RUN_ID": names.PARENT_RUN_ID,
        "MLFLOW_RUN_NAME": names.RUN_NAME,
        "MLFLOW_RUN_NOTE": names.NOTE,
        "MLFLOW_SOURCE_NAME": names.SOURCE_NAME,
        "MLFLOW_SOURCE_TYPE": names.SOURCE_TYPE,
        "MLFLOW_USER": names.USER,
    },
    "mlflow.utils.validation": {
        "MAX_ENTITIES_PER_BATCH": limits.MAX_BATCH_ENTITIES,
        "MAX_ENTITY_KEY_LENGTH": limits.MAX_KEY_CHARACTERS,
        "MAX_METRICS_PER_BATCH": limits.MAX_BATCH_METRICS,
        "MAX_PARAMS_TAGS_PER_BATCH": limits.MAX_BATCH_PARAMS,
        "MAX_PARAM_VAL_LENGTH": limits.MAX_PARAM_CHARACTERS,
        "MAX_TAG_VAL_LENGTH": limits.MAX_TAG_CHARACTERS,
    },
}
"""Names that are called otherwise in Stele."""


class _Answer(ModuleType):
    """A module of MLflow as far as Stele has it."""

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [each for each in dir(self) if not each.startswith("_")]
        if f"{self.__name__}.{name}" in ANSWERED:  # also without an import of its own, as MLflow does it
            with answering_mlflow():
                found = self.__dict__[name] = import_module(f"{self.__name__}.{name}")
            return found
        for source in ANSWERED[self.__name__]:
            module = import_module(source)
            if name in _public(module):
                value = self.__dict__[name] = getattr(module, name)
                return value
        raise AttributeError(_missing(f"{self.__name__}.{name}"), name=name, obj=self)

    def __dir__(self) -> list[str]:
        prefix = f"{self.__name__}."
        below = {each.removeprefix(prefix) for each in ANSWERED if each.startswith(prefix)}
        found = {name for source in ANSWERED[self.__name__] for name in _public(import_module(source))}
        return sorted({*self.__dict__, *found, *(each for each in below if "." not in each)})


class _Finder(MetaPathFinder, Loader):
    """Finds the modules of the table, and refuses the others of MLflow."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        del path, target
        if fullname in ANSWERED:
            return ModuleSpec(fullname, self, is_package=True)
        if fullname.startswith("mlflow."):
            raise ModuleNotFoundError(_missing(fullname))
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Answer(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(_VALUES.get(module.__name__, {}))


_finder = _Finder()


def install() -> None:
    """Answer ``import mlflow`` with Stele from now on, in this process."""
    if _finder in sys.meta_path:
        return
    _forget_mlflow()
    sys.meta_path.insert(0, _finder)
    spec = ModuleSpec("mlflow", _finder, is_package=True)
    module = sys.modules["mlflow"] = module_from_spec(spec)
    _finder.exec_module(module)


def mlflow_name(module: str) -> str | None:
    """The module of MLflow whose names a module of Stele answers; None when there is none."""
    return next((theirs for theirs, ours in ANSWERED.items() if module in ours), None)


@contextmanager
def answering_mlflow() -> Iterator[None]:
    """Answer ``import mlflow`` with Stele for a while, or for good when MLflow itself is not installed.

    Models refer to MLflow's classes. They get ours while they are loaded, and what they import later is theirs.
    """
    if _finder in sys.meta_path:
        yield
        return
    if PathFinder.find_spec("mlflow") is None:
        install()
        yield
        return
    theirs = {name: module for name, module in sys.modules.items() if _is_mlflow(name)}
    install()
    try:
        yield
    finally:
        sys.meta_path.remove(_finder)
        _forget_mlflow()
        sys.modules.update(theirs)


def _is_mlflow(name: str) -> bool:
    return name == "mlflow" or name.startswith("mlflow.")


def _forget_mlflow() -> None:
    for name in list(filter(_is_mlflow, sys.modules)):
        del sys.modules[name]


def _public(module: ModuleType) -> list[str]:
    found: list[str] = module.__all__
    return found


def _missing(name: str) -> str:
    return f"Stele has no {name} yet. This program runs under 'stele exec', where Stele answers for mlflow."
