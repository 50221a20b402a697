"""Columns of the table of runs are put in an order by dragging their heads."""

import json
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import seeds
from pages import Site
from playwright.sync_api import Locator, expect

COLUMNS = ["p:lr", "p:optimizer", "p:layers", "m:train/loss"]


@pytest.fixture(scope="module")
def made(client):
    """An experiment with a sweep of 3 runs, shown with four columns."""
    experiment = client.create_experiment("columns")
    seeds.sweep(client, experiment, 3)
    address = f"/experiments/{experiment}?c={quote(json.dumps(COLUMNS))}"
    return SimpleNamespace(experiment=experiment, address=address)


def head(site: Site, name: str) -> Locator:
    return site.page.get_by_role("columnheader").filter(has=site.page.get_by_title(name, exact=True))


def heads_are(site: Site, *names: str) -> None:
    """Wait until these are the columns behind the name, from left to right."""
    titles = site.page.get_by_role("columnheader").locator(".head-name[title] .ell")
    expect(titles).to_have_text([*names])


def cells_are(site: Site, run: str, *texts: str) -> None:
    row = site.page.get_by_role("row").filter(has=site.page.get_by_role("link", name=run, exact=True))
    for i, text in enumerate(texts):
        expect(row.get_by_role("gridcell").nth(i + 1)).to_contain_text(text)


def test_a_column_is_dragged_to_the_right_and_to_the_left(site, made):
    site.open(made.address)
    heads_are(site, "lr", "optimizer", "layers", "train/loss")
    cells_are(site, "trial-000", "0.1", "adam", "4")
    head(site, "lr").drag_to(head(site, "layers"))
    heads_are(site, "optimizer", "layers", "lr", "train/loss")
    cells_are(site, "trial-000", "adam", "4", "0.1")
    head(site, "train/loss").drag_to(head(site, "optimizer"))
    heads_are(site, "train/loss", "optimizer", "layers", "lr")
    site.reload()
    heads_are(site, "train/loss", "optimizer", "layers", "lr")
    site.page.go_back()
    heads_are(site, "optimizer", "layers", "lr", "train/loss")


def test_where_a_column_would_go_is_seen_and_back_at_its_place_nothing_changes(site, made):
    site.open(made.address)
    heads_are(site, "lr", "optimizer", "layers", "train/loss")
    head(site, "lr").hover()
    site.page.mouse.down()
    head(site, "layers").hover()
    head(site, "layers").hover()
    expect(site.page.locator(".heads .over")).to_have_text("layers")
    head(site, "lr").hover()
    site.page.mouse.up()
    expect(site.page.locator(".heads .over")).to_have_count(0)
    heads_are(site, "lr", "optimizer", "layers", "train/loss")


def test_a_drag_does_not_sort_and_the_width_and_order_of_a_column_move_with_it(site, made):
    widths = quote(json.dumps({"p:lr": 150}))
    site.open(f"{made.address}&w={widths}&s={quote(json.dumps(['p:lr']))}")
    heads_are(site, "lr", "optimizer", "layers", "train/loss")
    expect(head(site, "lr")).to_have_css("width", "150px")
    head(site, "lr").drag_to(head(site, "train/loss"))
    expect(site.page.get_by_role("columnheader").last).to_have_css("width", "150px")
    expect(head(site, "lr")).to_have_attribute("aria-sort", "ascending")
    expect(head(site, "train/loss")).not_to_have_attribute("aria-sort", "ascending")
