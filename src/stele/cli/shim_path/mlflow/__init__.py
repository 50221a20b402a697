"""Found in place of MLflow by programs under ``stele exec``: makes way for Stele."""

import sys

try:
    from stele.client.shim import install
except ModuleNotFoundError as e:
    raise ImportError(
        f"This program runs under 'stele exec', and Stele is not installed for its Python, {sys.executable}."
    ) from e

__all__: list[str] = []

install()
