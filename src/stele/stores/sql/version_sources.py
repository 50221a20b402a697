"""What the source of a model version may be, and where it leads.

A source is what a client says, and it ends up as an address from which other clients load code. So it is either an
address in this registry, or lies among the files of a run or logged model that the request names, or in an object
store, which has permissions of its own. Nothing is opened here.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from sqlalchemy import Connection, select

from stele import limits, settings
from stele.errors import InvalidParameterValue, shown
from stele.schema.codec import required
from stele.stores.sql.model_rows import found_model
from stele.stores.sql.model_tables import registered_model_aliases
from stele.stores.sql.registry_rows import found_registered, found_version, latest_versions, stage_number
from stele.stores.sql.tables import runs

__all__ = ["PROMPT_TAG", "Source", "resolve_source"]

PROMPT_TAG = "mlflow.prompt.is_prompt"
_PROMPT_SOURCE = "dummy-source"
_STORES = frozenset("s3 gs wasb wasbs abfs abfss adl azure hdfs viewfs dbfs r2 b2 oss uc".split())
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+):")
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
_MOST_ENCODED = 10


class Source(NamedTuple):
    """Where a version comes from.

    Attributes:
        source: As it is kept.
        location: The address of its files.
        run_id: The run that made it; empty when nobody knows.
        model_id: The logged model that it is; empty for none.
    """

    source: str
    location: str
    run_id: str
    model_id: str


def resolve_source(connection: Connection, source: str, run_id: str, model_id: str, *, is_prompt: bool) -> Source:
    """The source of a new version.

    Args:
        connection: Where to look things up.
        source: As the client says.
        run_id: The run that the client names, perhaps empty.
        model_id: The logged model that the client names, perhaps empty.
        is_prompt: Whether the version is a prompt, which has no files.

    Raises:
        DoesNotExist: It names a model, version or alias that is not there.
        InvalidParameterValue: It may not be a source.
    """
    limits.check_length(required(source, "source"), limits.MAX_SOURCE_CHARACTERS, "source")
    _check_form(source)
    model = found_model(connection, model_id, deleted=False) if model_id else None
    run_id = run_id or (model.source_run_id if model is not None else "")
    scheme = _SCHEME.match(source)
    match scheme[1].lower() if scheme else "file":
        case "models":
            return _of_registry(connection, source, run_id, model)
        case "runs":
            return _of_run(source, run_id, model_id)
        case "file" | "mlflow-artifacts":
            if is_prompt and source == _PROMPT_SOURCE:
                return Source(source, source, run_id, model_id)
            _check_owner(connection, source, run_id, model)
        case name if name not in _STORES:
            allowed = f"models:, runs:, mlflow-artifacts:, a path, or {', '.join(sorted(_STORES))}"
            raise InvalidParameterValue(f"source {shown(source)} is at no place for models. Allowed are {allowed}.")
    return Source(source, source, run_id, model_id)


def _check_form(source: str) -> None:
    """Refuse what some reader could take for a way to another place."""
    text = source
    for _ in range(_MOST_ENCODED):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    if ".." in re.split(r"[/\\]", text) or re.search(r"[\x00-\x1f\x7f]", text):
        raise InvalidParameterValue(f"source {shown(source)} holds a '..' segment or a control character.")
    pattern = settings.MODEL_SOURCE_PATTERN.get()
    if pattern and not re.search(pattern, source):
        raise InvalidParameterValue(
            f"source {shown(source)} does not match {settings.MODEL_SOURCE_PATTERN.name}, which this server demands."
        )


def _of_registry(connection: Connection, source: str, run_id: str, model: Any) -> Source:
    name, _, rest = source.removeprefix("models:").strip("/").partition("/")
    if _MODEL_ID.fullmatch(name):
        if model is None or model.model_id != name or rest:
            raise InvalidParameterValue(f"source {shown(source)} needs model_id {shown(name)}, and no path behind it.")
        return Source(source, model.artifact_uri, run_id, model.model_id)
    version = _named_version(connection, source, name, rest)
    canonical = f"models:/{version.name}/{version.row.version}"
    row = version.row
    return Source(canonical, row.location, run_id or row.run_id, row.model_id)


class _Named(NamedTuple):
    name: str
    row: Any


def _named_version(connection: Connection, source: str, name: str, rest: str) -> _Named:
    """The version that ``name/3``, ``name/Stage``, ``name/latest`` or ``name@alias`` names now."""
    plain, at, alias = name.partition("@")
    if bool(at) == bool(rest):
        raise InvalidParameterValue(f"source {shown(source)} is not models:/name/version nor models:/name@alias.")
    registered = found_registered(connection, plain)
    number: Any = rest
    if at:
        a = registered_model_aliases.c
        query = select(a.version).where(a.registered == registered.registered, a.alias == alias)
        number = connection.scalar(query)
    elif not rest.lstrip("-").isdigit():
        stages = None if rest.lower() == "latest" else [stage_number(rest)]
        number = max(
            (row.version for row in latest_versions(connection, [registered.registered], stages)), default=None
        )
    if number is None:
        raise InvalidParameterValue(f"source {shown(source)} names no version of {shown(registered.name)}.")
    return _Named(registered.name, found_version(connection, registered, number))


def _of_run(source: str, run_id: str, model_id: str) -> Source:
    owner, _, path = source.removeprefix("runs:").strip("/").partition("/")
    if owner != run_id or not path:
        raise InvalidParameterValue(f"source {shown(source)} needs run_id {shown(owner)}, and a path in the run.")
    return Source(source, source, run_id, model_id)


def _check_owner(connection: Connection, source: str, run_id: str, model: Any) -> None:
    """Demand that files lie in the artifact directory of the run or logged model that is named."""
    roots = [] if model is None else [model.artifact_uri]
    if run_id:
        roots += connection.scalars(select(runs.c.artifact_uri).where(runs.c.run_id == run_id)).all()
    if not any(_is_inside(source, root) for root in roots):
        raise InvalidParameterValue(
            f"source {shown(source)} does not lie among the files of the run or logged model that run_id or model_id "
            "names."
        )


def _is_inside(source: str, root: str) -> bool:
    inner, outer = _plain(source), _plain(root)
    return inner == outer or inner.startswith(f"{outer.rstrip('/')}/")


def _plain(uri: str) -> str:
    """A path or URI in the form in which two of them are compared."""
    if uri.lower().startswith("file:"):
        uri = re.sub(r"^file:(//(localhost)?)?(?=/)", "", uri, flags=re.IGNORECASE)
    return posixpath.normpath(uri) if uri.startswith("/") else uri.rstrip("/")
