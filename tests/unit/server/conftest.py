"""One server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asgi_caller import Caller, config
from stele.server.app import create_app


@pytest.fixture(scope="module")
def call(tmp_path_factory) -> Iterator[Caller]:
    folder = tmp_path_factory.mktemp("server")
    caller = Caller(create_app(config(folder)))
    yield caller
    caller.close()
