"""The MLmodel file: which flavors a directory holds, what the model takes and gives, where it comes from.

The layout is MLflow's: block style, keys sorted, absent values left out. Keys that Stele does not know are kept.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from stele.artifacts.paths import resolve_beneath
from stele.client.shim import ANSWERED_VERSION
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.models.schema import Schema
from stele.models.signature import ModelSignature
from stele.registry import Registry

__all__ = ["FLAVOR", "MLMODEL", "Model", "as_config", "read_yaml"]

MLMODEL = "MLmodel"
FLAVOR = "python_function"
"""The flavor that every tool can load."""

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 1_000_000
MAX_NESTING = 64

_OPTIONAL = ("artifact_path", "run_id", "metadata", "model_size_bytes", "resources", "env_vars", "auth_policy")
_HINT_FLAGS = ("is_signature_from_type_hint", "type_hint_from_example")
_OF_STORES: Registry[Callable[..., Any]] = Registry(
    "function about models in stores",
    (),
    {"find": "stele.models.describe:find_description", "log": "stele.models.log:log_by_module"},
)
# Finding and logging a model needs the client, and everything that does either needs this module.
_KNOWN = {
    *_OPTIONAL,
    *_HINT_FLAGS,
    "utc_time_created",
    "flavors",
    "signature",
    "saved_input_example_info",
    "model_uuid",
    "mlflow_version",
    "model_id",
    "prompts",
}


class Model:
    """The content of an MLmodel file.

    Args:
        artifact_path: Where the model was logged, as a URI.
        run_id: The run that logged it.
        utc_time_created: ``YYYY-MM-DD HH:MM:SS.ffffff`` or a datetime; None means now.
        flavors: Configuration by name of flavor.
        signature: What the model takes and gives.
        saved_input_example_info: Which files hold an example, and its form.
        model_uuid: None, or a function, makes one.
        mlflow_version: Version of the format, as MLflow counts.
        metadata: Anything that YAML can hold.
        model_size_bytes: Size of the model's own files.
        resources: What the model needs on the platform that serves it.
        env_vars: Names of environment variables that it reads.
        auth_policy: Who may use it on a platform that knows such policies.
        model_id: Of the logged model.
        prompts: URIs of prompts.
        **kwargs: Other keys of the file, kept as they are.
    """

    def __init__(
        self,
        artifact_path: str | None = None,
        run_id: str | None = None,
        utc_time_created: Any = None,
        flavors: dict[str, Any] | None = None,
        signature: ModelSignature | None = None,
        saved_input_example_info: dict[str, Any] | None = None,
        model_uuid: Any = None,
        mlflow_version: str | None = ANSWERED_VERSION,
        metadata: dict[str, Any] | None = None,
        model_size_bytes: int | None = None,
        resources: Any = None,
        env_vars: list[str] | None = None,
        auth_policy: Any = None,
        model_id: str | None = None,
        prompts: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.artifact_path = artifact_path
        self.run_id = run_id
        self.utc_time_created = str(utc_time_created or datetime.datetime.now(datetime.UTC).replace(tzinfo=None))
        self.flavors: dict[str, Any] = dict(flavors or {})
        self.signature = signature
        self.saved_input_example_info = saved_input_example_info
        self.model_uuid = model_uuid if isinstance(model_uuid, str) else (model_uuid or _new_uuid)()
        self.mlflow_version = mlflow_version
        self.metadata = metadata
        self.model_size_bytes = model_size_bytes
        self.resources = _as_mapping(resources)
        self.env_vars = env_vars
        self.auth_policy = _as_mapping(auth_policy)
        self.model_id = model_id
        self.prompts = prompts
        self.is_signature_from_type_hint = bool(kwargs.pop("is_signature_from_type_hint", False))
        self.type_hint_from_example = bool(kwargs.pop("type_hint_from_example", False))
        self.other_keys = kwargs

    def add_flavor(self, name: str, **params: Any) -> Model:
        """Add the configuration of a flavor, or replace it."""
        self.flavors[name] = params
        return self

    def get_input_schema(self) -> Schema | None:
        """What the model takes, None when nobody knows."""
        return self.signature.inputs if self.signature else None

    def get_output_schema(self) -> Schema | None:
        """What the model gives, None when nobody knows."""
        return self.signature.outputs if self.signature else None

    def get_params_schema(self) -> Any:
        """The parameters that the model takes, None when there are none."""
        return self.signature.params if self.signature else None

    def get_tags_dict(self) -> dict[str, Any]:
        """What a run's tag about its models tells: the flavors without the configuration that the model gets."""
        found = self.to_dict()
        flavors = {
            name: {key: value for key, value in each.items() if (name, key) != (FLAVOR, "config")}
            for name, each in self.flavors.items()
        }
        keys = ("run_id", "artifact_path", "utc_time_created", "model_uuid")
        return {key: found[key] for key in keys if key in found} | {"flavors": flavors}

    def to_dict(self) -> dict[str, Any]:
        """The content of the file."""
        found: dict[str, Any] = dict(self.other_keys)
        found |= {key: value for key in _OPTIONAL if (value := getattr(self, key)) is not None}
        found |= {
            "flavors": self.flavors,
            "mlflow_version": self.mlflow_version,
            "model_id": self.model_id,
            "model_uuid": self.model_uuid,
            "prompts": self.prompts,
            "utc_time_created": self.utc_time_created,
        }
        if self.saved_input_example_info is not None:
            found["saved_input_example_info"] = self.saved_input_example_info
        if self.signature is not None:
            found["signature"] = self.signature.to_dict()
            found |= {flag: getattr(self, flag) for flag in _HINT_FLAGS}
        return found

    def to_yaml(self, stream: TextIO | None = None) -> str:
        """The text of the file, also written to a stream."""
        text = _dump(self.to_dict())
        if stream is not None:
            stream.write(text)
        return text

    def to_json(self) -> str:
        """The content as JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        return self.to_yaml()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # equal ones may be changed apart

    def save(self, path: str | Path) -> None:
        """Write the file."""
        Path(path).write_text(self.to_yaml(), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """What the MLmodel file of a model says. Nothing of the model is run.

        Args:
            path: A local directory, the MLmodel file in it, or a URI as in :func:`stele.pyfunc.load_model`.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: The file is not what a model is described by, or the URI is not understood.
        """
        found: Model = _OF_STORES.get("find")(path)
        return found

    @classmethod
    def log(
        cls,
        artifact_path: str | None,
        flavor: Any,
        registered_model_name: str | None = None,
        await_registration_for: int | None = 300,
        metadata: dict[str, Any] | None = None,
        run_id: str | None = None,
        resources: Any = None,
        auth_policy: Any = None,
        prompts: list[Any] | None = None,
        name: str | None = None,
        model_type: str | None = None,
        params: dict[str, Any] | None = None,
        tags: dict[str, Any] | None = None,
        step: int = 0,
        model_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Log a model that a module of your own saves. Modules of Stele, such as ``stele.sklearn``, do as well.

        Args:
            artifact_path: The old word for ``name``; None when that is given.
            flavor: The module: its function ``save_model(path, mlflow_model, ...)`` makes the directory ``path``,
                adds its flavors to ``mlflow_model`` and saves that there as MLmodel.
            registered_model_name: Register it under this name, too.
            await_registration_for: Seconds; not used, a version is ready at once.
            metadata: Anything that YAML can hold.
            run_id: The run that it belongs to; None means the active one, if there is one.
            resources: What the model needs on the platform that serves it.
            auth_policy: Who may use it there.
            prompts: URIs of prompts that it uses.
            name: Of the logged model; None lets the store invent one.
            model_type: Any text that says what kind of model it is.
            params: Parameters of the model by key; values become text.
            tags: Tags of the model by key; values become text.
            step: At which step of the run it was made.
            model_id: A model that was initialised before; None makes one.
            **kwargs: Passed on to ``save_model``.

        Returns:
            A :class:`stele.models.ModelInfo`.

        Raises:
            InvalidParameterValue: The module has no such function, or an argument is not allowed.
            DoesNotExist: The function made no MLmodel file; or there is no model or run with the id that was given.
        """
        arguments = locals()
        model = cls(metadata=metadata, resources=resources, auth_policy=auth_policy)
        return _OF_STORES.get("log")(flavor, model, arguments, kwargs)

    @classmethod
    def read(cls, directory: Path) -> Model:
        """The model of a directory.

        Raises:
            DoesNotExist: There is no MLmodel file.
            InvalidParameterValue: It is not what a model is described by.
        """
        return cls.from_dict(read_yaml(directory, MLMODEL))

    @classmethod
    def from_dict(cls, model_dict: dict[str, Any]) -> Model:
        """From the content of a file.

        Raises:
            InvalidParameterValue: A part has another form than it must have.
        """
        content = dict(model_dict)
        flavors = content.get("flavors")
        if not isinstance(flavors, dict) or not all(isinstance(each, dict) for each in flavors.values()):
            raise InvalidParameterValue(f"MLmodel has no mapping of flavors, but {shown(flavors)}.")
        signature = content.pop("signature", None)
        # A signature of three nulls is none.
        if signature and (not isinstance(signature, dict) or any(signature.values())):
            content["signature"] = ModelSignature.from_dict(signature)
        return cls(**{str(key): value for key, value in content.items()})


def _new_uuid() -> str:
    return uuid.uuid4().hex


def _as_mapping(value: Any) -> Any:
    """Resources and policies as the file holds them: mappings, or objects that become one."""
    if isinstance(value, (str, Path)):
        path = Path(value)
        return read_yaml(path.parent, path.name)
    if isinstance(value, list):
        grouped: dict[str, Any] = {"api_version": "1", "databricks": {}}
        for each in value:
            for kind, entries in each.to_dict().items():
                grouped["databricks"].setdefault(kind, []).extend(entries)
        return grouped
    return value.to_dict() if hasattr(value, "to_dict") else value


def _dump(content: Mapping[str, Any]) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(content, Dumper=dumper, default_flow_style=False))


def read_yaml(directory: Path, name: str) -> dict[str, Any]:
    """A mapping from a YAML file of a model, which may come from anywhere.

    Args:
        directory: The model.
        name: Path of the file in it.

    Raises:
        DoesNotExist: There is no such file.
        InvalidParameterValue: The file is too large or nested too deeply, or holds no mapping of plain values.
    """
    import yaml

    path = resolve_beneath(directory, name)
    if not path.is_file():
        raise DoesNotExist(f"There is no file {name} in {shown(str(directory))}, so it holds no model.")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise InvalidParameterValue(f"{name} has {size} bytes, at most {MAX_BYTES} are allowed.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(path.read_bytes(), loader)  # noqa: S506 - the safe loader, in C where it is there
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        raise InvalidParameterValue(f"{name} is not YAML of plain values: {e}") from e
    if not isinstance(found, dict):
        raise InvalidParameterValue(f"{name} holds no mapping, but {shown(found)}.")
    _count(found, name, {}, MAX_NESTING)
    return found


def as_config(config: str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    """The configuration of a model, from what a user gives: a mapping, or the path of a YAML file.

    Raises:
        DoesNotExist: There is no such file.
        InvalidParameterValue: It holds no mapping.
    """
    if isinstance(config, (str, Path)):
        path = Path(config)
        return read_yaml(path.parent, path.name)
    return dict(config or {})


def _count(value: Any, name: str, counted: dict[int, int], levels: int) -> int:
    """How many values there are when repetitions by reference are written out.

    Raises:
        InvalidParameterValue: More than may be, or nested deeper.
    """
    if not isinstance(value, (dict, list)):
        return 1
    if levels == 0:
        raise InvalidParameterValue(f"{name} is nested more than {MAX_NESTING} levels deep.")
    if id(value) not in counted:
        inner = value.values() if isinstance(value, dict) else value
        counted[id(value)] = 1 + sum(_count(each, name, counted, levels - 1) for each in inner)
    if counted[id(value)] > MAX_VALUES:
        raise InvalidParameterValue(f"{name} holds more than {MAX_VALUES} values.")
    return counted[id(value)]
