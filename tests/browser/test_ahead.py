"""What the page asks for before it is needed, so that it is there when it is."""

import json

import pytest
import seeds
from playwright.sync_api import expect

from stele.client.client import Client


@pytest.fixture(scope="module")
def experiment(client: Client) -> str:
    made = client.create_experiment("asked ahead")
    seeds.sweep(client, made, 6)
    return made


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
