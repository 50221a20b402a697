"""A server and a Chromium for the tests of a module, and a page for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import Site, launch, new_context
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from servers import ServerProcess, stele_server
from services import missing
from stele.client.client import Client

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "src" / "stele" / "server" / "static"
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one module share a server and a browser, so they stay on one worker."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium. It lives as long as a module: while it does, nothing else may run an event loop in this thread."""
    if not (STATIC / "index.html").is_file():
        missing("The web page is not built: make ui")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with an empty store."""
    with stele_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Client:
    """A real client of the server."""
    return Client(server.url)


@pytest.fixture
def new_experiment(client: Client) -> Callable[..., str]:
    """Makes an experiment of its own for a test; answers with its id."""

    def make(name: str = "experiment") -> str:
        return client.create_experiment(f"{name} {next(_numbers)}")

    return make


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[..., Site]]:
    """Opens a server's page as somebody with a browser of their own; at the end nothing forbidden may have happened."""
    sites: list[Site] = []

    def visit(url: str, **options: Any) -> Site:
        sites.append(Site(new_context(chromium, **options).new_page(), url))
        return sites[-1]

    yield visit
    try:
        for site in sites:
            site.check()
    finally:
        for site in sites:
            site.page.context.close()


@pytest.fixture(scope="module")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """What the tabs of a module share: files of the page that are read once."""
    shared = new_context(chromium)
    yield shared
    shared.close()


@pytest.fixture
def site(context: BrowserContext, server: ServerProcess) -> Iterator[Site]:
    """A tab on the module's server that knows nothing of the tests before it."""
    tab = Site(context.new_page(), server.url)
    tab.page.goto(f"{server.url}/theme.js")
    tab.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    tab.requests.clear()
    yield tab
    try:
        tab.check()
    finally:
        tab.page.close()
