"""What the page asks for before it is needed, so that it is there when it is."""

import json
import re

import pytest
import seeds
from chart_page import shows
from playwright.sync_api import expect

from stele.client.client import Client


@pytest.fixture(scope="module")
def experiment(client: Client) -> str:
    made = client.create_experiment("asked ahead")
    seeds.sweep(client, made, 6)
    return made


@pytest.fixture(autouse=True)
def no_stream(site):
    """No stream of events opens: what was made a moment ago would be told at once, and read once more."""
    held = []
    site.page.route(re.compile(r"/stele/events\?"), lambda route: held.append(route))


def windows(requests):
    """The windows of the table with rows that were asked for."""
    bodies = [json.loads(request.post_data) for request in requests if request.url.endswith("/runs/table")]
    return [body for body in bodies if body["max_rows"] > 0]


def test_the_rows_of_a_table_are_asked_for_once(site, experiment):
    requests = []
    site.page.on("request", lambda request: requests.append(request))
    # Columns that are named wait for nothing; without them a slow answer about the keys is not waited for.
    site.open(f'/experiments/{experiment}?c=["p:lr","m:train/loss"]')
    expect(site.page.get_by_role("link", name="trial-000")).to_be_visible()
    (window,) = windows(requests)
    assert {column["kind"] for column in window["columns"]} >= {"param", "metric"}


def test_rows_are_on_their_way_before_what_draws_them(site, experiment):
    held = []
    site.page.route("**/assets/app-*.js", lambda route: held.append(route))
    with site.page.expect_response(lambda answer: windows([answer.request]) != []) as answer:
        site.page.goto(f"{site.url}/#/experiments/{experiment}")
    answer.value.finished()
    assert len(held) == 1
    requests = []
    site.page.on("request", lambda request: requests.append(request))
    held[0].continue_()
    expect(site.page.get_by_role("link", name="trial-000")).to_be_visible()
    assert windows(requests) == []


@pytest.mark.parametrize(("address", "runs"), [("charts", 6), ("runs/{run}/charts", 1)])
def test_curves_are_asked_for_once_and_before_their_charts(site, client, experiment, address, runs):
    run = client.search_runs([experiment])[0].info.run_id
    held = []
    site.page.route("**/assets/app-*.js", lambda route: held.append(route))
    with site.page.expect_response("**/stele/series") as answer:
        site.page.goto(f"{site.url}/#/experiments/{experiment}/{address.format(run=run)}", wait_until="commit")
    asked = answer.value.request.post_data_json
    assert (len(asked["run_ids"]), asked["keys"]) == (runs, ["train/loss", "val/accuracy"])
    answer.value.finished()
    again = []
    site.page.on("request", lambda request: again.append(request) if request.url.endswith("/series") else None)
    held[0].continue_()
    shows(site, "train/loss", runs)
    shows(site, "val/accuracy", runs)
    assert again == []


@pytest.mark.parametrize(
    ("address", "script"),
    [
        ("experiments", "ExperimentsPage"),
        ("experiments/{experiment}/charts", "ChartsTab"),
        ("experiments/{experiment}/runs/{run}", "RunPage"),
        ("experiments/{experiment}/runs/{run}/charts", "RunCharts"),
        ("models", "ModelsPage"),
        ("models/a%20name", "ModelPage"),
        ("models/a%20name/versions/1", "VersionPage"),
    ],
)
def test_code_of_a_page_comes_beside_what_all_pages_need(site, client, experiment, address, script):
    run = client.search_runs([experiment])[0].info.run_id
    site.page.route("**/assets/app-*.js", lambda route: None)
    with site.page.expect_request(f"**/assets/{script}-*.js"):
        site.page.goto(f"{site.url}/#/{address.format(experiment=experiment, run=run)}", wait_until="commit")


def test_experiments_are_on_their_way_before_what_draws_them(site, experiment):
    held = []
    site.page.route("**/assets/app-*.js", lambda route: held.append(route))
    with site.page.expect_response("**/experiments/overview") as answer:
        site.page.goto(f"{site.url}/", wait_until="commit")
    answer.value.finished()
    again = []
    site.page.on("request", lambda request: again.append(request) if request.url.endswith("/overview") else None)
    held[0].continue_()
    expect(site.page.get_by_role("link", name="asked ahead")).to_be_visible()
    assert again == []


def test_an_address_that_cannot_be_read_leads_nowhere(site, experiment):
    site.open("/experiments/%E0%A4%A")
    expect(site.page.get_by_role("main")).to_be_visible()


def test_a_head_under_the_pointer_has_its_order_before_the_press(site, experiment):
    site.open(f"/experiments/{experiment}")
    expect(site.page.get_by_role("link", name="trial-000")).to_be_visible()
    head = site.page.get_by_role("button", name="train/loss", exact=True)
    with site.page.expect_response("**/runs/table") as answer:
        head.hover()
    assert windows([answer.value.request])[0]["order_by"] == ["metrics.`train/loss` DESC"]
    answer.value.finished()
    requests = []
    site.page.on("request", lambda request: requests.append(request))
    head.click()
    expect(site.page.get_by_role("columnheader", name="train/loss")).to_have_attribute("aria-sort", "descending")
    order = [row["name"] for row in answer.value.json()["rows"]]
    expect(site.page.get_by_role("row").nth(1)).to_contain_text(order[0])
    assert windows(requests) == []


def test_a_run_under_the_pointer_is_read_before_the_press(site, experiment):
    site.open(f"/experiments/{experiment}")
    link = site.page.get_by_role("link", name="trial-003")
    with site.page.expect_response("**/runs/get?*") as answer:
        link.hover()
    answer.value.finished()
    requests = []
    site.page.on("request", lambda request: requests.append(request))
    link.click()
    expect(site.heading("trial-003")).to_be_visible()
    assert not [request for request in requests if "/runs/get?" in request.url]
