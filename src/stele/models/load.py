"""The one way in which models are loaded, whatever their flavor: find, look, judge, then read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stele.errors import InvalidParameterValue, shown
from stele.models.files import ModelFiles
from stele.models.findings import Finding, code_findings
from stele.models.flavor import Flavor, Predictor
from stele.models.flavors import flavor_of_loader
from stele.models.flavors.own_loader import FLAVOR as OWN_LOADER
from stele.models.format import FLAVOR
from stele.models.locate import model_source
from stele.models.trust import Source, admit

__all__ = ["findings_of", "load_native", "load_predictor", "open_files"]


def open_files(uri: str | Path, dst_path: str | None = None) -> tuple[Source, ModelFiles]:
    """The files of a model, on this machine. Nothing of them is run.

    Args:
        uri: A path, or a URI of a run's or registry's model.
        dst_path: Where to put what is downloaded; None keeps it in the cache.

    Raises:
        DoesNotExist: There is no such model.
    """
    source = model_source(str(uri), dst_path)
    return source, ModelFiles(source.directory)


def load_native(
    uri: str | Path, flavor: Flavor, dst_path: str | None = None, *, trust: bool | None = None, **options: Any
) -> Any:
    """A model as its library knows it.

    Raises:
        DoesNotExist: There is no such model, or it was not saved in this flavor.
        UntrustedModel: It may run code, and nobody vouched for it.
    """
    source, files = open_files(uri, dst_path)
    config = files.config(flavor.name)
    admitted = admit(source, files, [*flavor.findings(files), *code_findings(files, config)], trust)
    with admitted.importable(files.code(config)):
        return flavor.read(admitted, **options)


def load_predictor(
    source: Source, files: ModelFiles, model_config: Mapping[str, Any] | None = None, *, trust: bool | None = None
) -> Predictor:
    """A model as a function.

    Args:
        source: Where it comes from.
        files: Its files.
        model_config: Replaces values of the configuration that it was saved with.
        trust: True when the caller vouches for it.

    Raises:
        DoesNotExist: It has no python_function flavor.
        UntrustedModel: It may run code, and nobody vouched for it.
    """
    pyfunc = files.config(FLAVOR)
    flavor = _flavor_of(pyfunc)
    admitted = admit(source, files, findings_of(files), trust)
    with admitted.importable(files.code(pyfunc)):
        config = {**(pyfunc.get("config") or {}), **(model_config or {})}
        return flavor.as_predictor(flavor.read(admitted), admitted, config)


def findings_of(files: ModelFiles) -> list[Finding]:
    """What loading the model as a function would do.

    Raises:
        DoesNotExist: It has no python_function flavor.
        NotImplementedHere: It needs a loader of MLflow's that Stele does not have.
    """
    pyfunc = files.config(FLAVOR)
    return [*_flavor_of(pyfunc).findings(files), *code_findings(files, pyfunc)]


def _flavor_of(pyfunc: Mapping[str, Any]) -> Flavor:
    loader = pyfunc.get("loader_module")
    if not isinstance(loader, str):
        raise InvalidParameterValue(f"MLmodel names the loader {shown(loader)}; it must be the name of a module.")
    return flavor_of_loader(loader) or OWN_LOADER
