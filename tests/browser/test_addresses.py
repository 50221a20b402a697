"""Addresses that MLflow's client prints lead to the page that they name; the page works below a prefix."""

import pytest
import seeds
from playwright.sync_api import expect

from servers import stele_server
from stele.client.client import Client


@pytest.fixture(scope="module")
def work(client, tmp_path_factory):
    """An experiment with a run with a file, which is a version of a model as well."""
    experiment = client.create_experiment("credit risk")
    run = seeds.new_run(client, experiment, "first light", metrics={"loss": 0.25}, params={"lr": "0.1"})
    seeds.put(client, run, tmp_path_factory.mktemp("files"), {"notes/read me.txt": "what was tried\n"})
    version = seeds.model_version(client, "risk", run, tmp_path_factory.mktemp("model"))
    return {"E": experiment, "R": run, "V": version}


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("/experiments/{E}", "credit risk"),
        ("/experiments/{E}/runs", "credit risk"),
        ("/experiments/{E}/runs/{R}", "first light"),
        ("/experiments/{E}/runs/{R}/overview", "first light"),
        ("/models/risk", "risk"),
        ("/models/risk/versions/{V}", "Version 1"),
        ("/models", "Models"),
        ("/experiments", "Experiments"),
        ("/", "Experiments"),
    ],
)
def test_an_address_opens_its_page(site, work, address, heading):
    site.open(address.format(**work))
    expect(site.heading(heading)).to_be_visible()
    expect(site.page).to_have_title(f"{heading} · Stele")


def test_the_address_of_runs_shows_the_table(site, work):
    site.open("/experiments/{E}/runs".format(**work))
    expect(site.page.get_by_role("grid", name="Runs").get_by_role("link", name="first light")).to_be_visible()


def test_the_address_of_a_file_opens_it(site, work):
    site.open("/experiments/{E}/runs/{R}/artifacts/notes/read me.txt".format(**work))
    expect(site.page.get_by_text("what was tried")).to_be_visible()
    expect(site.page.get_by_role("treeitem", name="read me.txt")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/experiments/987654", "Experiment 987654 could not be opened"),
        ("/experiments/{E}/runs/none", "Run none could not be opened"),
        ("/models/nobody", "nobody could not be opened"),
        ("/no/such/page", "Nothing has this address"),
    ],
)
def test_an_address_of_nothing_says_so(site, work, address, says):
    site.open(address.format(**work))
    expect(site.page.get_by_text(says)).to_be_visible()


def test_the_page_below_a_prefix(visitor, tmp_path):
    with stele_server(tmp_path, prefix="/x") as server:
        client = Client(server.url)
        experiment = client.create_experiment("behind a proxy")
        run = seeds.new_run(client, experiment, "below", metrics={"loss": 0.5})
        seeds.put(client, run, tmp_path, {"dot.png": seeds.picture("red")})
        site = visitor(server.url)
        site.open("/experiments")
        site.page.get_by_role("link", name="behind a proxy").click()
        site.page.get_by_role("link", name="below").click()
        expect(site.heading("below")).to_be_visible()
        site.page.get_by_role("link", name="Artifacts", exact=True).click()
        site.page.get_by_role("treeitem", name="dot.png").click()
        image = site.page.get_by_role("img", name="dot.png")
        expect(image).to_be_visible()
        assert image.evaluate("(image) => image.naturalWidth") == 32
        assert all(
            request.url.startswith(f"{server.url}/") for request in site.requests if request.url.startswith("http")
        )
