"""A server with tokens, its two people, and a model of theirs."""

import itertools
from types import SimpleNamespace

import pytest
import seeds
from pages import Site
from playwright.sync_api import expect
from registry_page import PEOPLE, give_token

from servers import stele_server
from stele.client.client import Client
from stele.stores.sql import SqlStore

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that answers with a token only; its two people have one each."""
    folder = tmp_path_factory.mktemp("server")
    with SqlStore(f"sqlite:///{folder}/stele.db") as store:
        tokens = {name: store.create_token(name) for name in PEOPLE}
    with stele_server(folder, "--allowed-hosts", "stele.example") as running:
        running.tokens = tokens
        yield running


@pytest.fixture(scope="module")
def client(server):
    """A client of mara."""
    return Client(server.url.replace("://", f"://mara:{server.tokens['mara']}@"))


@pytest.fixture
def model(client, tmp_path):
    """A model with three versions of three runs, of which the first one is the champion; nobody but two may move it."""
    number = next(_numbers)
    name = f"churn-{number}"
    experiment = client.create_experiment(name)
    runs = []
    for i, score in enumerate((0.5, 0.75, 0.625)):
        tags = {"mlflow.source.git.commit": "c0ffee" + "0" * 34}
        run = seeds.new_run(
            client, experiment, f"fit-{i}", params={"depth": str(i)}, metrics={"val/accuracy": score}, tags=tags
        )
        client.log_inputs(run, [seeds.dataset("customers")])
        seeds.model_version(client, name, run, tmp_path)
        runs.append(run)
    client.set_registered_model_alias(name, "champion", "1")
    client.protect(name, alias="champion")
    return SimpleNamespace(name=name, runs=runs, address=f"/models/{name}")


@pytest.fixture
def signed_in(visitor, server):
    """Opens an address as one of the people."""

    def enter(person: str, address: str) -> Site:
        site = visitor(server.url).open(address)
        give_token(site, server.tokens[person])
        expect(site.page.get_by_role("heading", level=1)).to_be_visible()
        return site

    return enter
