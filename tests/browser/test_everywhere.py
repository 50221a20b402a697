"""What holds on every page: the palette, keys alone, undo, the theme, and a server that goes away."""

import json
import re
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import seeds
from playwright.sync_api import expect

from servers import free_port, stele_server
from stele.client.client import Client


@pytest.fixture(scope="module")
def world(client, tmp_path_factory):
    experiment = client.create_experiment("segmentation")
    client.create_experiment("zebra crossings")
    runs = seeds.sweep(client, experiment, 6)
    seeds.model_version(client, "street-signs", runs[0], tmp_path_factory.mktemp("model"))
    return SimpleNamespace(experiment=experiment, runs=runs)


def palette(site, text):
    site.press("Control+k")
    field = site.page.get_by_role("combobox", name="Go to, or do")
    field.fill(text)
    return site.page.get_by_role("listbox", name="Found")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("zebra", "/experiments/"),
        ("trial-004", "/experiments/{experiment}/runs/{run}"),
        ("street", "/models/street-signs"),
        ("accuracy", "/experiments/{experiment}/charts"),
        ("optimizer", "/experiments/{experiment}"),
    ],
)
def test_the_palette_goes_to(site, world, text, address):
    site.open("/models")
    expect(site.heading("Models")).to_be_visible()
    found = palette(site, text)
    expect(found.get_by_role("option").first).to_contain_text(text)
    site.press("Enter")
    site.is_at(address.format(experiment=world.experiment, run=world.runs[4]))
    expect(site.page.get_by_role("dialog")).to_have_count(0)


def test_the_palette_shows_charts_of_a_metric_and_runs_with_a_param(site, world):
    site.open("/experiments")
    expect(site.page.get_by_role("link", name="segmentation")).to_be_visible()
    expect(palette(site, "accuracy").get_by_role("option").first).to_contain_text("val/accuracy")
    site.press("Enter")
    expect(site.page.get_by_role("textbox", name="Search charts by regular expression")).to_have_value("val/accuracy")
    expect(palette(site, "optimizer").get_by_role("option").first).to_contain_text("optimizer")
    site.press("Enter")
    expect(site.page.get_by_role("combobox", name="Filter")).to_have_value("params.optimizer is not null")


def test_the_palette_does_what_the_page_offers(site, world):
    site.open(f"/experiments/{world.experiment}")
    expect(site.page.get_by_role("link", name="trial-000")).to_be_visible()
    expect(palette(site, "only what").get_by_role("option", name="Only what differs")).to_be_visible()
    site.press("Enter")
    expect(site.page.get_by_role("switch", name="Only what differs")).to_be_checked()
    expect(palette(site, "light or").get_by_role("option", name="Light or dark")).to_be_visible()
    site.press("Enter")
    expect(site.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_palette_says_when_nothing_is_found(site, world):
    site.open("/experiments")
    expect(site.heading("Experiments")).to_be_visible()
    site.press("Control+k")
    dialog = site.page.get_by_role("dialog", name="Search")
    dialog.get_by_role("combobox").fill("no such thing")
    expect(dialog).to_contain_text("Nothing has “no such thing” in its name.")
    site.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize(
    ("address", "shown", "keys"),
    [
        ("/experiments", "segmentation", ["New experiment", "Next experiment", "Go to, or do, anything"]),
        (
            "/experiments/{experiment}",
            "trial-000",
            ["Baseline", "Only what differs", "Compare the selection", "Filter"],
        ),
        ("/experiments/{experiment}/runs/{run}", "trial-000", ["Previous run", "Next run", "Tab Artifacts"]),
    ],
)
def test_the_sheet_of_keys_is_that_of_the_page(site, world, address, shown, keys):
    site.open(address.format(experiment=world.experiment, run=world.runs[0]))
    expect(site.page.get_by_text(shown).first).to_be_visible()
    site.press("?")
    sheet = site.page.get_by_role("dialog", name="Keyboard shortcuts")
    for key in keys:
        expect(sheet.get_by_text(key, exact=True).first).to_be_visible()
    site.press("Escape")
    expect(sheet).to_have_count(0)


def test_without_a_mouse_to_a_run_and_back(site, world):
    site.open("/experiments")
    expect(site.page.get_by_role("link", name="segmentation")).to_be_visible()
    # By Tab to the link of the experiment, each stop visible.
    for _ in range(40):
        site.press("Tab")
        if site.page.evaluate("() => document.activeElement.textContent") == "segmentation":
            break
    focused = site.page.locator(":focus")
    expect(focused).to_have_text("segmentation")
    expect(focused).not_to_have_css("box-shadow", "none")
    site.press("Enter")
    expect(site.page.get_by_role("link", name="trial-000")).to_be_visible()
    site.press("j", "j", "ArrowDown", "k", "Space")
    expect(site.page.get_by_role("toolbar", name="Selection")).to_contain_text("1 selected")
    current = site.page.locator("[role=row].cur")
    expect(current).to_contain_text("trial-004")
    expect(site.page.get_by_role("grid", name="Runs")).to_have_attribute(
        "aria-activedescendant", current.get_attribute("id")
    )
    site.press("Enter")
    expect(site.heading("trial-004")).to_be_visible()
    site.press("2")
    site.is_at(f"/experiments/{world.experiment}/runs/{world.runs[4]}/charts")
    site.press("1")
    site.is_at(f"/experiments/{world.experiment}/runs/{world.runs[4]}/?$")
    for _ in range(3):
        site.page.go_back()
    expect(site.page.get_by_role("grid", name="Runs")).to_be_visible()
    site.press("g", "m")
    expect(site.heading("Models")).to_be_visible()
    site.press("g", "e")
    expect(site.heading("Experiments")).to_be_visible()
    site.press("j", "Enter")
    expect(site.page.get_by_role("grid", name="Runs").or_(site.page.get_by_text("Carve the first run"))).to_be_visible()


IN_DIALOG = "() => document.activeElement === document.body || document.activeElement.closest('dialog') !== null"


def test_a_dialog_holds_the_focus_and_gives_it_back(site, world):
    site.open("/experiments")
    expect(site.page.get_by_role("link", name="segmentation")).to_be_visible()
    site.button("New experiment").focus()
    site.press("Enter")
    expect(site.page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    for _ in range(6):
        site.press("Tab")
        assert site.page.evaluate(IN_DIALOG)
    site.press("Escape")
    expect(site.page.get_by_role("dialog")).to_have_count(0)
    expect(site.button("New experiment")).to_be_focused()


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_is_the_systems_until_it_is_chosen(visitor, server, world, system):
    site = visitor(server.url, theme=system)
    other = {"light": "dark", "dark": "light"}[system]
    site.open("/experiments")
    expect(site.heading("Experiments")).to_be_visible()
    html = site.page.locator("html")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    before = site.page.evaluate(ground)
    assert html.get_attribute("data-theme") is None
    site.page.get_by_title("Light or dark").click()
    expect(html).to_have_attribute("data-theme", other)
    chosen = site.page.evaluate(ground)
    assert chosen != before
    site.reload()
    expect(site.heading("Experiments")).to_be_visible()
    expect(html).to_have_attribute("data-theme", other)
    assert site.page.evaluate(ground) == chosen


def test_the_navigation_stays_as_wide_as_it_was_made(site, world):
    site.open("/experiments")
    rail = site.page.get_by_role("navigation", name="Main")
    expect(rail).to_have_css("width", "208px")
    site.press("[")
    expect(rail).to_have_css("width", "48px")
    site.reload()
    expect(rail).to_have_css("width", "48px")


def test_a_server_that_goes_away_and_comes_back(visitor, tmp_path):
    port = free_port()
    with stele_server(tmp_path, port=port) as server:
        client = Client(server.url)
        experiment = client.create_experiment("long lived")
        seeds.sweep(client, experiment, 3)
        site = visitor(server.url)
        site.open(f"/experiments/{experiment}")
        expect(site.page.get_by_role("link", name="trial-002")).to_be_visible()
        line = site.page.get_by_text("Connection lost, showing data of")
        expect(line).to_have_count(0)
    expect(line).to_be_visible()
    expect(site.page.get_by_role("link", name="trial-002")).to_be_visible()
    with stele_server(tmp_path, port=port):
        seeds.new_run(client, experiment, "after the break")
        site.button("Try now").or_(site.page.get_by_role("link", name="after the break")).first.click()
        expect(line).to_have_count(0)
        expect(site.page.get_by_role("link", name="after the break")).to_be_visible()


def test_what_the_server_refuses_is_said_where_it_would_be(site, world):
    site.open(f"/experiments/{world.experiment}/compare?runs={quote(json.dumps(['nobody', world.runs[0]]))}")
    expect(site.page.get_by_text("1 of the runs are not in this experiment")).to_be_visible()


def test_undo_by_key(site, client, world):
    run = seeds.new_run(client, world.experiment, "short lived")
    site.open(f"/experiments/{world.experiment}/runs/{run}")
    expect(site.heading("short lived")).to_be_visible()
    site.press("Delete")
    site.says("Deleted 1 run")
    expect(site.page.get_by_text("deleted", exact=True)).to_be_visible()
    assert client.get_run(run).info.lifecycle_stage == "deleted"
    site.press("Control+z")
    site.says("Undone")
    expect(site.page.get_by_text("deleted", exact=True)).to_have_count(0)
    assert client.get_run(run).info.lifecycle_stage == "active"


# What the browser tells a page when its tab comes to the front or goes behind another.
LOOK = """state => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_tab_that_nobody_looks_at_has_no_stream(site, client, world):
    events = re.compile("/api/2.0/stele/events")
    with site.page.expect_request(events) as stream:
        site.open(f"/experiments/{world.experiment}")
    expect(site.page.get_by_role("link", name="trial-000")).to_be_visible()
    with site.page.expect_event("requestfailed", lambda request: request == stream.value):
        site.page.evaluate(LOOK, "hidden")
    run_id = client.create_run(world.experiment, run_name="meanwhile").info.run_id
    with site.page.expect_request(events):
        site.page.evaluate(LOOK, "visible")
    expect(site.page.get_by_role("link", name="meanwhile")).to_be_visible()
    client.delete_run(run_id)
    expect(site.page.get_by_role("link", name="meanwhile")).to_have_count(0)
