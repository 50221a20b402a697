"""The files of a model on this machine, whatever address it has."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from msgspec import Struct

from stele.artifacts.paths import resolve_beneath
from stele.client.locations import Location, locate
from stele.client.model_cache import cache_of_user
from stele.client.transfers import download_to

__all__ = ["LocalModel", "copy_from_cache", "fetch_model"]


class LocalModel(Struct, frozen=True):
    """A model on this machine.

    Attributes:
        directory: Where its files are.
        digest: What was recorded for them when they were logged; None when nothing was.
        is_cached: Whether the directory belongs to the cache, so that nobody may change what is in it.
    """

    directory: Path
    digest: str | None
    is_cached: bool


def fetch_model(
    uri: str, dst_path: str | None = None, *, tracking_uri: str | None = None, registry_uri: str | None = None
) -> LocalModel:
    """Bring the files of a model to this machine.

    A model whose digest was recorded is kept in a cache by that digest: the second time nothing is downloaded. With
    ``STELE_MODEL_CACHE_BYTES=0``, or for other models, the files go to a temporary directory.

    Args:
        uri: See :mod:`stele.client.locations`.
        dst_path: A directory for a copy, instead of the cache.
        tracking_uri: Address of the store; None means the current one.
        registry_uri: Address of the store of registered models; None means the one that is set.

    Raises:
        DoesNotExist: There is no such model.
        DataLoss: The files are not those that were logged.
        InvalidParameterValue: The address is not understood.
    """
    found = locate(uri, tracking_uri, registry_uri)
    cache = cache_of_user() if dst_path is None and found.digest is not None else None
    if cache is None or found.digest is None:
        return LocalModel(Path(download_to(found.repository, found.path, dst_path)), found.digest, False)
    return LocalModel(cache.get(found.digest, lambda target: _fetch(found, target)), found.digest, True)


def copy_from_cache(found: Location, dst_path: str | None) -> str | None:
    """A copy of the files of a model, made from the cache; None when the model is not one for the cache."""
    cache = cache_of_user() if found.digest is not None else None
    if cache is None or found.digest is None:
        return None
    source = cache.get(found.digest, lambda target: _fetch(found, target))
    folder = Path(tempfile.mkdtemp(prefix="stele-") if dst_path is None else dst_path).absolute()
    target = resolve_beneath(folder, found.path)
    # The copies are not read only: they belong to whoever asked for them.
    shutil.copytree(source, target, copy_function=shutil.copyfile, dirs_exist_ok=True)
    return str(target)


def _fetch(found: Location, target: Path) -> None:
    """Put what lies at a location into a directory, without the path that leads to it."""
    if not found.path:
        download_to(found.repository, "", str(target))
        return
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        source = download_to(found.repository, found.path, folder)
        shutil.copytree(source, target, dirs_exist_ok=True)
