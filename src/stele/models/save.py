"""The one way in which models are saved, whatever their flavor."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from msgspec import Struct

from stele.errors import AlreadyExists, InvalidParameterValue, shown
from stele.models.distributions import script_directory
from stele.models.enforcement import enforce_schema
from stele.models.environment import conda_requirements, write_environment
from stele.models.examples import InputExample
from stele.models.files import copy_in
from stele.models.flavor import Flavor, Predictor, Written
from stele.models.format import FLAVOR, MLMODEL, Model
from stele.models.inference import infer_schema
from stele.models.references import referenced_modules
from stele.models.requirements import infer_requirements, model_requirements
from stele.models.signature import ModelSignature, infer_signature

__all__ = ["Packing", "Writer", "save", "write_model"]

CODE_DIRECTORY = "code"


class Packing(Struct, kw_only=True):
    """What can be said of any model when it is saved; the arguments that all flavors share.

    Attributes:
        mlflow_model: The description to complete; None makes one.
        signature: What the model takes and gives; None infers it from the example, False leaves it out.
        input_example: See :class:`stele.models.examples.InputExample`.
        pip_requirements: Lines, or the path of a file, that replace what is inferred.
        extra_pip_requirements: Lines, or the path of a file, in addition.
        conda_env: A conda environment, or the path of its file, instead of both.
        code_paths: Files and directories that are copied along and can be imported when the model is loaded.
        infer_code_paths: Whether to copy along modules of the running program that the files refer to.
        extra_files: Paths of files that are copied beside the model.
        metadata: Anything that YAML can hold.
        from_hints: Whether the signature came from type hints.
        uv_project_path: Where ``uv.lock`` is looked for.
    """

    mlflow_model: Model | None = None
    signature: Any = None
    input_example: Any = None
    pip_requirements: Any = None
    extra_pip_requirements: Any = None
    conda_env: Any = None
    code_paths: Sequence[str | Path] | None = None
    infer_code_paths: bool = False
    extra_files: Sequence[str | Path] | None = None
    metadata: dict[str, Any] | None = None
    resources: Any = None
    auth_policy: Any = None
    from_hints: bool = False
    uv_project_path: str | Path | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """From the arguments of a flavor's ``save_model`` or ``log_model``, which have the names of the fields."""
        return cls(**{name: arguments[name] for name in cls.__struct_fields__ if name in arguments})


Writer = Callable[[Path], Written]
"""Writes the files of a flavor into a directory."""


def save(path: str | Path, flavor: Flavor, write: Writer, packing: Packing) -> Model:
    """Save a model to a directory that appears complete or not at all.

    Args:
        path: The directory; it may exist if it is empty.
        flavor: Of the model.
        write: Writes its files.
        packing: What else is kept with it.

    Raises:
        AlreadyExists: Something is there.
        InvalidParameterValue: An argument is not allowed. Nothing was written.
    """
    target = Path(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise AlreadyExists(f"{shown(str(path))} exists and is not empty. Choose another path, or remove it first.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _directory_beside(target) as directory:
        model = write_model(directory, flavor, write, packing)
        if target.is_dir():
            target.rmdir()
        directory.rename(target)
    return model


@contextmanager
def _directory_beside(target: Path) -> Iterator[Path]:
    """A new directory on the same disk that only this user can look into, gone at the end unless it was moved."""
    private = Path(tempfile.mkdtemp(prefix=".saving-", dir=target.parent))  # 0700
    try:
        directory = private / "model"
        directory.mkdir(0o755)
        yield directory
    finally:
        shutil.rmtree(private, ignore_errors=True)


def write_model(directory: Path, flavor: Flavor, write: Writer, packing: Packing) -> Model:
    """Write all files of a model into an empty directory.

    Raises:
        InvalidParameterValue: An argument is not allowed. What was written so far is left.
    """
    if packing.conda_env is not None and (packing.pip_requirements or packing.extra_pip_requirements):
        raise InvalidParameterValue("conda_env excludes pip_requirements and extra_pip_requirements.")
    model = packing.mlflow_model or Model()
    written = write(directory)
    code = _copy_code(directory, packing)
    for file in packing.extra_files or ():
        copy_in(Path(file), directory / Path(file).name)
    example = None if packing.input_example is None else InputExample.of(packing.input_example)
    if example is not None:
        example.write(directory)
        model.saved_input_example_info = example.info
    _describe(model, packing, written.predictor, example)
    model.model_size_bytes = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    environment = _write_environment(directory, written, packing)
    _add_flavors(model, flavor, written, code, environment)
    model.save(directory / MLMODEL)
    _restrict(directory)
    return model


def _copy_code(directory: Path, packing: Packing) -> str | None:
    if isinstance(packing.code_paths, (str, Path)):
        raise InvalidParameterValue(f"code_paths is {shown(str(packing.code_paths))}; it must be a list of paths.")
    paths = [Path(path) for path in packing.code_paths or ()]
    if packing.infer_code_paths:
        paths += _modules_of_program(directory, {path.resolve() for path in paths})
    for path in paths:
        copy_in(path, directory / CODE_DIRECTORY / path.resolve().name)
    return CODE_DIRECTORY if paths else None


def _modules_of_program(directory: Path, known: set[Path]) -> list[Path]:
    """Files and packages of the running program that the files of a model refer to."""
    found: dict[Path, None] = {}
    for name in sorted({module.partition(".")[0] for module in referenced_modules(directory)}):
        file = getattr(sys.modules.get(name), "__file__", None)
        if name != "__main__" and file and script_directory() in Path(file).resolve().parents:
            path = Path(file).resolve()
            found[path.parent if path.name == "__init__.py" else path] = None
    return [path for path in found if path not in known and "site-packages" not in path.parts]


def _describe(
    model: Model, packing: Packing, predictor: Callable[[], Predictor] | None, example: InputExample | None
) -> None:
    signature = packing.signature
    if signature is None and example is not None and predictor is not None:
        signature = _signature_of_example(predictor, example)
    if signature not in (None, False):
        if not isinstance(signature, ModelSignature):
            raise InvalidParameterValue(f"signature is {shown(signature)}; infer_signature() makes a ModelSignature.")
        model.signature = signature
        model.is_signature_from_type_hint = packing.from_hints
    model.metadata = model.metadata if packing.metadata is None else packing.metadata
    if packing.resources is not None or packing.auth_policy is not None:
        described = Model(resources=packing.resources, auth_policy=packing.auth_policy)
        model.resources, model.auth_policy = described.resources, described.auth_policy


def _signature_of_example(make_predictor: Callable[[], Predictor], example: InputExample) -> ModelSignature:
    """What the example says of inputs and outputs. A model that fails with it is saved, and the failure said aloud."""
    signature = infer_signature(example.data, params=example.params)
    try:
        predictor = make_predictor()
        data = enforce_schema(_copied(example.data), signature.inputs)
        output = predictor.predict(data, params=example.params) if example.params else predictor.predict(data)
        signature.outputs = infer_schema(output)
    except Exception as e:  # the model is the user's, and may raise anything
        warnings.warn(
            f"The signature has no outputs, because the model failed with its input example: {type(e).__name__}: {e}",
            stacklevel=2,
        )
    return signature


def _copied(data: Any) -> Any:
    """So that a model that changes what it gets changes nothing of the user's."""
    return data.copy() if hasattr(data, "copy") else data


def _write_environment(directory: Path, written: Written, packing: Packing) -> dict[str, str]:
    project = None if packing.uv_project_path is None else Path(packing.uv_project_path)
    if packing.conda_env is not None:
        conda_env, requirements = conda_requirements(packing.conda_env)
        return write_environment(directory, requirements, conda_env, project)
    inferred = infer_requirements(directory, written.libraries) if packing.pip_requirements is None else []
    requirements = model_requirements(inferred, packing.pip_requirements, packing.extra_pip_requirements)
    return write_environment(directory, requirements, project=project)


def _add_flavors(model: Model, flavor: Flavor, written: Written, code: str | None, environment: dict[str, str]) -> None:
    if written.pyfunc is not None:
        block = {"loader_module": flavor.loader_module, "python_version": platform.python_version(), "env": environment}
        block |= written.pyfunc
        if code is not None:
            block["code"] = code
        model.add_flavor(FLAVOR, **block)
    if written.config is not None:
        model.add_flavor(flavor.name, **written.config, code=code)


def _restrict(directory: Path) -> None:
    """Nobody but the owner may change what will be loaded, whatever the umask is and a library left."""
    for folder, _, names in os.walk(directory):
        for path in (Path(folder), *(Path(folder) / name for name in names)):
            mode = path.stat().st_mode
            if mode & 0o022 and not path.is_symlink():
                path.chmod(mode & 0o755)
