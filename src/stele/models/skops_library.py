"""skops, imported without what it does not need.

When skops is imported it walks through all packages of scikit-learn to learn its types. One adapts PyTorch, others
to CuPy and Dask, and importing an adapter imports the library: seconds, and hundreds of megabytes, to keep an estimator
that has nothing to do with it. The walk passes over what cannot be imported, so here these libraries cannot be, for the
thread that imports skops and as long as it does. Where the walk was done before, it is not done again. Then, in a
process that starts to serve, the parts of scikit-learn that skops still needs get stand-ins for what they import and
hardly use; decision 0018 says why only there.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from stele.collector import is_starting, keep_imported
from stele.errors import MissingDependency
from stele.models.skops_types import forget_types, keep_types, recall_types
from stele.models.stand_ins import stood_for

__all__ = ["skops_io"]

_ADAPTED = frozenset({"torch", "cupy", "dask", "jax", "ndonnx", "sparse"})
_HARDLY_USED = {
    "numpy.f2py": (),
    "pandas": (),
    "scipy.integrate": ("trapezoid",),
    "scipy.interpolate": ("BSpline",),
    "scipy.stats": ("chi2", "gmean", "rankdata", "spearmanr"),
}


def skops_io(purpose: str) -> Any:
    """The module ``skops.io``.

    Args:
        purpose: What it is needed for, as in "to load a model in its format".

    Raises:
        MissingDependency: skops is not installed.
    """
    if "skops.io" not in sys.modules:
        with _without(_ADAPTED - sys.modules.keys()):
            _import_first(purpose)
        keep_imported()
    return _import(purpose)


def _import_first(purpose: str) -> None:
    if recall_types():
        try:
            with stood_for(_HARDLY_USED if is_starting() else {}):
                _import(purpose)
        except MissingDependency:  # it wants more than lists of names
            forget_types()
        else:
            return
    _import(purpose)
    keep_types()


def _import(purpose: str) -> ModuleType:
    try:
        from skops import io
    except ImportError as e:
        raise MissingDependency("skops", purpose, "sklearn") from e
    module: ModuleType = io
    return module


class _Absent(MetaPathFinder):
    """Says of some libraries that they are not there, to one thread."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Nothing, or an error for one of the names."""
        del path, target
        if fullname in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)
        return None


@contextmanager
def _without(names: frozenset[str]) -> Iterator[None]:
    finder = _Absent(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
