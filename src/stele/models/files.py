"""The directory of a saved model, and what its MLmodel file says about it. Nothing of it is run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stele.artifacts.paths import resolve_beneath
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.models.format import FLAVOR, Model

__all__ = ["ModelFiles", "copy_in"]


class ModelFiles:
    """A saved model on this machine.

    Args:
        directory: Where it is.

    Raises:
        DoesNotExist: It holds no MLmodel file.
        InvalidParameterValue: The file is not what a model is described by.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.model = Model.read(directory)

    @property
    def pyfunc(self) -> Mapping[str, Any]:
        """The configuration that every tool can load, empty when there is none."""
        found: Mapping[str, Any] = self.model.flavors.get(FLAVOR) or {}
        return found

    def config(self, flavor: str) -> Mapping[str, Any]:
        """The configuration of a flavor.

        Raises:
            DoesNotExist: The model was not saved in this flavor.
        """
        if flavor not in self.model.flavors:
            raise DoesNotExist(
                f"The model in {shown(str(self.directory))} has no flavor {flavor}. "
                f"It has {', '.join(self.model.flavors) or 'none'}."
            )
        found: Mapping[str, Any] = self.model.flavors[flavor]
        return found

    def path(self, name: object) -> Path:
        """A file or directory of the model.

        Args:
            name: Its path in the model, as a configuration says it.

        Raises:
            InvalidParameterValue: It is no text, or leads out of the model.
            DoesNotExist: There is no such file.
        """
        if not isinstance(name, str) or not name:
            raise InvalidParameterValue(f"MLmodel names the file {shown(name)}, which is no path in the model.")
        path = resolve_beneath(self.directory, name)
        if not path.exists():
            raise DoesNotExist(f"The model in {shown(str(self.directory))} lacks its file {shown(name)}.")
        return path

    def code(self, config: Mapping[str, Any]) -> Path | None:
        """The directory of modules that the model brought along, None when there is none."""
        return self.path(config["code"]) if config.get("code") else None


def copy_in(source: Path, target: Path) -> None:
    """Copy a file or directory of the user's into a model.

    Raises:
        DoesNotExist: There is no such file.
        InvalidParameterValue: The model has one of this name.
    """
    if not source.exists():
        raise DoesNotExist(f"There is no file or directory {shown(str(source))}.")
    if target.exists():
        raise InvalidParameterValue(f"{shown(target.name)} would be twice in the model. Rename one of them.")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".git"))
    else:
        shutil.copyfile(source, target)
