"""Which store this process logs to: the tracking URI, and one open store per URI.

A URI is an address (``http://host:5000``, ``sqlite:///runs.db``, ``postgresql://...``) or a plain path. A path that
ends in ``.db``, ``.sqlite`` or ``.sqlite3`` is a SQLite file, any other path is a directory with a ``stele.db`` in
it. Stores are shared by all threads and replaced after a fork, because a child must not use connections of its parent.
What logs uses a store with a journal in front of it; :func:`open_store` gives the store itself.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stele import settings
from stele.errors import InvalidParameterValue, shown
from stele.registry import Registry
from stele.stores.base import TrackingStore

if TYPE_CHECKING:
    from pathlib import Path

    from stele.stores.buffered import BufferedStore

__all__ = [
    "DEFAULT_URI",
    "STORES",
    "close_stores",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "journalled_stores",
    "open_for_sender",
    "open_journalled",
    "open_store",
    "registry_beside",
    "resolve_uri",
    "set_registry_uri",
    "set_tracking_uri",
]

DEFAULT_URI = "sqlite:///stele.db"

_SQL, _REST = "stele.stores.sql:SqlStore", "stele.client.remote:open_remote"
STORES: Registry[Callable[..., TrackingStore]] = Registry(
    "tracking store",
    ("stele.tracking_store", "mlflow.tracking_store"),
    {
        "http": _REST,
        "https": _REST,
        "sqlite": _SQL,
        "postgresql": _SQL,
        "mysql": _SQL,
        "mariadb": _SQL,
    },
)
"""Scheme -> what makes the store: called with the URI, and unless it is a server's also with the artifact root."""

_PARTS: Registry[Callable[..., Any]] = Registry(
    "part of a store",
    (),
    {
        "journalled": "stele.stores.buffered:BufferedStore",
        "sender": "stele.client.remote:open_for_sender",
        "upload": "stele.client.shipments:upload_files",
    },
)
"""What a script that only reads does not need, and therefore does not import."""

# One letter in front of a colon is a Windows drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.\-]+)(?:\+[A-Za-z0-9_]+)?:")
_DATABASE_FILE = (".db", ".sqlite", ".sqlite3")


class _Chosen:
    """The URIs that code chose; empty when the environment or the default decides."""

    tracking_uri = ""
    registry_uri = ""


_stores: dict[str, TrackingStore] = {}
_journalled: dict[tuple[str, bool], BufferedStore] = {}
_senders: dict[str, TrackingStore] = {}
_inherited: list[Any] = []
_lock = threading.Lock()


def set_tracking_uri(uri: str | Path) -> None:
    """Log to this store from now on, in all threads and in the processes that this one starts.

    Args:
        uri: An address (``http://host:5000``, ``sqlite:///runs.db``, ``postgresql://user@host/database``) or a path;
            an empty text goes back to what the environment says.

    Raises:
        InvalidParameterValue: The address is none that Stele can keep runs in.
    """
    _Chosen.tracking_uri = resolve_uri(os.fspath(uri)) if os.fspath(uri) else ""
    if _Chosen.tracking_uri:
        os.environ[settings.TRACKING_URI.name] = _Chosen.tracking_uri
    else:
        os.environ.pop(settings.TRACKING_URI.name, None)


def get_tracking_uri() -> str:
    """The address of the store: the one that was set, else ``STELE_TRACKING_URI``, else ``sqlite:///stele.db``."""
    return _Chosen.tracking_uri or resolve_uri(settings.TRACKING_URI.get() or DEFAULT_URI)


def is_tracking_uri_set() -> bool:
    """Whether code or the environment named a store."""
    return bool(_Chosen.tracking_uri) or settings.TRACKING_URI.is_set()


def set_registry_uri(uri: str) -> None:
    """Keep registered models in this store; an empty text means the tracking store.

    Raises:
        InvalidParameterValue: The address is none that Stele can keep models in.
    """
    _Chosen.registry_uri = resolve_uri(uri) if uri else ""


def get_registry_uri() -> str:
    """The address of the store of registered models, by default the tracking store."""
    return registry_beside(get_tracking_uri())


def registry_beside(tracking_uri: str) -> str:
    """The address of the store of registered models for who uses this tracking store: the same, unless one is set."""
    if _Chosen.registry_uri:
        return _Chosen.registry_uri
    named = settings.REGISTRY_URI.get()
    return resolve_uri(named) if named else tracking_uri


def resolve_uri(uri: str) -> str:
    """The address that a text stands for.

    Raises:
        InvalidParameterValue: It is a ``file:`` address or the name of a hosted service.
    """
    match = _SCHEME.match(uri)
    scheme = match[1].lower() if match else uri.lower()
    if scheme == "file":
        path = uri.partition(":")[2].removeprefix("//") or "."
        raise InvalidParameterValue(
            f"The tracking URI {shown(uri)} asks for a store of loose files, which Stele does not keep. "
            f"Use the plain path {path!r} for a SQLite store in that directory, or sqlite:///path/to/file.db."
        )
    if scheme in ("databricks", "databricks-uc"):
        raise InvalidParameterValue(
            f"The tracking URI {shown(uri)} names a hosted service that Stele does not talk to."
        )
    if match:
        return uri
    path = os.path.abspath(os.path.expanduser(uri))  # noqa: PTH100, PTH111 - pathlib costs 5 ms at import
    if not path.endswith(_DATABASE_FILE):
        path = os.path.join(path, "stele.db")  # noqa: PTH118
    return "sqlite:///" + path.replace("\\", "/")


def open_store(uri: str | None = None) -> TrackingStore:
    """The store at an address, the same object for every thread.

    Args:
        uri: The address; None means the current tracking URI.

    Raises:
        InvalidParameterValue: No store handles this kind of address.
    """
    uri = get_tracking_uri() if uri is None else uri
    store = _stores.get(uri)
    if store is None:
        with _lock:
            store = _stores.get(uri)
            if store is None:
                store = _stores[uri] = _open(uri)
    return store


def open_journalled(uri: str | None = None) -> BufferedStore:
    """The store at an address with a journal in front of it, the same object for every thread.

    Under ``STELE_OFFLINE`` it is the journal alone.

    Args:
        uri: The address; None means the current tracking URI.

    Raises:
        InvalidParameterValue: No store handles this kind of address.
    """
    uri = get_tracking_uri() if uri is None else uri
    place = (uri, settings.OFFLINE.get())
    store = _journalled.get(place)
    if store is None:
        inner = None if settings.OFFLINE.get() else open_store(uri)
        with _lock:
            store = _journalled.get(place)
            if store is None:
                upload = _PARTS.get("upload")
                store = _PARTS.get("journalled")(_absolute(uri), inner, lambda: open_for_sender(uri), upload)
                _journalled[place] = store
                _finish_with_the_process()
    return store


def open_for_sender(uri: str) -> TrackingStore:
    """The store at an address for who sends a journal: it does not try again by itself."""
    if not uri.startswith(("http://", "https://")):
        return open_store(uri)
    with _lock:
        if uri not in _senders:
            _senders[uri] = _PARTS.get("sender")(uri)
        return _senders[uri]


def journalled_stores() -> list[BufferedStore]:
    """The stores with a journal that were opened here."""
    return list(_journalled.values())


def _absolute(uri: str) -> str:
    """The address as another process finds it: a relative path of a SQLite file becomes an absolute one."""
    path, mark, options = uri.removeprefix("sqlite:///").partition("?")
    if not _sqlite_directory(uri) or os.path.isabs(path):  # noqa: PTH117 - pathlib costs 5 ms at import
        return uri
    return "sqlite:///" + os.path.abspath(path).replace("\\", "/") + mark + options  # noqa: PTH100


def _open(uri: str) -> TrackingStore:
    match = _SCHEME.match(uri)
    scheme = match[1].lower() if match else ""
    builder = STORES.get(scheme)
    if directory := _sqlite_directory(uri):
        os.makedirs(directory, exist_ok=True)  # noqa: PTH103 - as above
    store = builder(uri) if scheme in ("http", "https") else builder(uri, _artifact_root(uri))
    if not isinstance(store, TrackingStore):
        raise InvalidParameterValue(
            f"The plug-in for {scheme}: made a {type(store).__name__}, which is no tracking store of Stele."
        )
    return store


def _sqlite_directory(uri: str) -> str:
    """The directory of a SQLite file; empty for other stores."""
    if not uri.startswith("sqlite:///") or ":memory:" in uri:
        return ""
    return os.path.dirname(uri.removeprefix("sqlite:///").partition("?")[0]) or "."  # noqa: PTH120


def _artifact_root(uri: str) -> str:
    """Where new experiments of a local store keep files: as set, else in the directory of a SQLite file, else here."""
    directory = _sqlite_directory(uri) or "."
    return settings.ARTIFACT_URI.get() or os.path.join(directory, "stele-artifacts")  # noqa: PTH118


def close_stores() -> None:
    """Close every open store and forget the URIs that were set; the next use opens anew."""
    _finish_journals()
    with _lock:
        _journalled.clear()
        for opened in (_senders, _stores):
            while opened:
                opened.popitem()[1].close()
    _Chosen.tracking_uri = _Chosen.registry_uri = ""


def _finish_journals() -> None:
    """Send what is in the journals of this process; what cannot be sent stays, and a warning says so."""
    for store in journalled_stores():
        store.finish()


def _finish_with_the_process() -> None:
    """A child of ``multiprocessing`` does not call what is registered with ``atexit``, but has a list of its own."""
    module = sys.modules.get("multiprocessing.util")
    if module is not None and sys.modules["multiprocessing.process"].parent_process() is not None:
        module.Finalize(None, _finish_journals, exitpriority=0)


def _after_fork_in_child() -> None:
    """Start without stores. The inherited ones stay referenced: closing them would end the parent's sessions."""
    global _lock
    _lock = threading.Lock()
    for opened in (_stores, _journalled, _senders):
        _inherited.extend(opened.values())
        opened.clear()


atexit.register(_finish_journals)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
