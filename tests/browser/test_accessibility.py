"""Every page, in both themes: axe finds nothing serious, the policy refuses nothing, and all comes from the server."""

import json
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import seeds
from pages import Site
from playwright.sync_api import expect

from services import missing

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => {
  const {violations} = await axe.run(document, {resultTypes: ['violations']});
  const about = ({html, any}) => `${html.slice(0, 160)} (${any[0]?.message ?? ''})`;
  return violations
    .filter(({impact}) => impact === 'serious' || impact === 'critical')
    .map(({id, impact, nodes}) => `${impact} ${id}: ${nodes.slice(0, 4).map(about).join(' | ')}`);
}"""
HIDE_HEADING = "() => document.querySelector('h1').style.color = getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def axe():
    if not AXE.is_file():
        missing(f"{AXE} is missing: cd ui && npm ci")
    return AXE.read_text()


@pytest.fixture(scope="module")
def world(client, tmp_path_factory):
    """A bit of everything."""
    folder = tmp_path_factory.mktemp("files")
    experiment = client.create_experiment("churn")
    client.set_experiment_tag(experiment, "team", "growth")
    client.set_experiment_tag(experiment, "mlflow.note.content", "# Churn\n\nSee [docs](https://example.org).")
    runs = seeds.sweep(client, experiment, 12)
    client.set_tag(runs[3], "mlflow.parentRunId", runs[4])
    client.log_inputs(runs[0], [seeds.dataset("customers")])
    files = {
        "plot_1.png": seeds.picture("red"),
        "notes.md": "# Notes\n\n- [x] tried\n\n```py\nx = 1\n```\n",
        "table.csv": "a,b\n1,x\n2,y\n",
        "environment/git.diff": "diff --git a/t.py b/t.py\n--- a/t.py\n+++ b/t.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n",
        "environment/requirements.txt": "numpy==2.3.1\n",
        "environment/environment.json": json.dumps({"python": {"version": "3.11"}}),
    }
    seeds.put(client, runs[0], folder, files)
    client.set_tag(runs[0], "mlflow.source.git.commit", "0123456789abcdef0123456789abcdef01234567")
    seeds.model_version(client, "churn", runs[0], folder)
    other = seeds.MLMODEL.replace('"age"', '"age_years"')
    seeds.model_version(client, "churn", runs[1], folder, other, "scikit-learn==1.7.1\npandas==2.3.0\n")
    client.set_registered_model_alias("churn", "champion", "1")
    client.protect("churn", alias="champion")
    client.set_registered_model_tag("churn", "team", "growth")
    client.request_approval("churn", "set_alias", alias="champion", version="2", reason="better on all slices")
    return SimpleNamespace(E=experiment, R=runs[0], P=runs[4], runs=quote(json.dumps(runs[:3])))


PAGES = {
    "experiments": ("/experiments", "churn"),
    "deleted experiments": ("/experiments?show=deleted", "No deleted experiments"),
    "runs": ("/experiments/{E}", "trial-000"),
    "a baseline": ("/experiments/{E}?base={R}&pin=%5B%22{R}%22%5D&heat=%5B%22m:train/loss%22%5D", "baseline"),
    "tree": ("/experiments/{E}?tree=true", "trial-004"),
    "no comparison": ("/experiments/{E}/compare", "No runs are chosen yet"),
    "groups": ("/experiments/{E}?g=%5B%22p:optimizer%22%5D", "optimizer = adam"),
    "a wrong filter": ("/experiments/{E}?q=metrics.", "Showing the last valid filter"),
    "nothing matches": ("/experiments/{E}?q=metrics.loss%3E5", "0 of 12 runs match"),
    "charts": ("/experiments/{E}/charts", "train/loss"),
    "comparison": ("/experiments/{E}/compare?runs={runs}", "Set as baseline"),
    "compared pictures": ("/experiments/{E}/compare?runs={runs}&what=images", "plot"),
    "about": ("/experiments/{E}/about", "growth"),
    "run": ("/experiments/{E}/runs/{R}", "customers"),
    "artifacts": ("/experiments/{E}/runs/{R}/artifacts/table.csv", "2 rows"),
    "markdown": ("/experiments/{E}/runs/{R}/artifacts/notes.md", "tried"),
    "run's charts": ("/experiments/{E}/runs/{R}/charts", "train/loss"),
    "children": ("/experiments/{E}/runs/{P}/children", "trial-003"),
    "code": ("/experiments/{E}/runs/{R}/code", "t.py"),
    "environment": ("/experiments/{E}/runs/{R}/environment", "numpy"),
    "models": ("/models", "champion"),
    "models by a wrong filter": ("/models?q=name+%3D", "Showing the last valid filter"),
    "models that match nothing": ("/models?q=nothing&order=-changed", "No model matches"),
    "model": ("/models/churn", "Approval wanted"),
    "lineage": ("/models/churn?tab=lineage", "Lineage of version"),
    "version": ("/models/churn/versions/1", "Requirements"),
    "version beside another": ("/models/churn/versions/2?vs=1", "+ added"),
    "figures of a version beside another": ("/models/churn/versions/2?vs=1&tab=metrics", "Δ base"),
    "version beside none": ("/models/churn/versions/2?vs=99", "version 99 could not be read"),
    "a mistake": ("/experiments/424242", "could not be opened"),
}


def find(site: Site, axe: str) -> None:
    """Let axe look at the page as it is, in one theme and then in the other."""
    site.page.evaluate(axe)
    for theme in ("light", "dark"):
        site.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found = site.page.evaluate(RUN_AXE)
        assert found == [], f"{theme}: " + "\n".join(found)


@pytest.mark.parametrize("name", PAGES)
def test_a_page(site, world, axe, name):
    address, shows = PAGES[name]
    site.open(address.format(**vars(world)))
    expect(site.page.get_by_text(shows).first).to_be_visible()
    expect(site.page.get_by_role("status", name="Loading")).to_have_count(0)
    expect(site.page.get_by_role("heading", level=1)).to_have_count(0 if name == "a mistake" else 1)
    find(site, axe)
    site.check()


OVERLAYS = {
    "palette": ("Control+k", "Do"),
    "help": ("?", "Keyboard shortcuts"),
    "new experiment": ("n", "New experiment"),
}


@pytest.mark.parametrize("name", OVERLAYS)
def test_what_opens_over_a_page(site, world, axe, name):
    key, shows = OVERLAYS[name]
    site.open("/experiments")
    expect(site.page.get_by_role("link", name="churn")).to_be_visible()
    site.press(key)
    expect(site.page.get_by_role("dialog")).to_contain_text(shows)
    find(site, axe)


@pytest.mark.parametrize("button", ["Columns", "Sort", "Group", "Standard"])
def test_what_opens_over_the_table(site, world, axe, button):
    site.open(f"/experiments/{world.E}")
    expect(site.page.get_by_role("link", name="trial-000")).to_be_visible()
    site.page.get_by_role("button", name=button).first.click()
    expect(site.page.locator(".pop")).to_be_visible()
    find(site, axe)


def test_the_selection_and_the_completion(site, world, axe):
    site.open(f"/experiments/{world.E}")
    site.page.get_by_role("checkbox", name="Select trial-000").click()
    expect(site.page.get_by_role("toolbar", name="Selection")).to_be_visible()
    site.page.get_by_role("combobox", name="Filter").fill("metrics.")
    expect(site.page.get_by_role("listbox", name="Proposals")).to_be_visible()
    find(site, axe)


def test_the_completion_of_the_search_for_models(site, world, axe):
    site.open("/models")
    site.page.get_by_role("combobox", name="Search models").fill("tags.team = ")
    expect(site.page.get_by_role("listbox", name="Proposals")).to_be_visible()
    find(site, axe)


def test_axe_sees_what_is_wrong(site, world, axe):
    """Were it blind, the tests above would say nothing."""
    site.open("/experiments")
    expect(site.page.get_by_role("link", name="churn")).to_be_visible()
    site.page.evaluate(HIDE_HEADING)
    with pytest.raises(AssertionError, match="color-contrast"):
        find(site, axe)
