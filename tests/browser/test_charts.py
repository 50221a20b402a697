"""The charts of an experiment: curves, what is done with all of them, zoom, groups, what is loaded, what is kept."""

import json
import math
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import seeds
from chart_page import card, choose, drag, drawing, hover, ink, layer, sections, shows, sweep_board, to_the_end
from pages import Site
from playwright.sync_api import Request, expect

from stele.entities import Metric
from stele.schema.series_codec import decode_series

MANY_CURVES = 500
MANY_KEYS = 1000
LONG = 20_000


@pytest.fixture(scope="module")
def made(client):
    return sweep_board(client)


@pytest.fixture(scope="module")
def spiky(client):
    """One run: a spike in a flat line, a fall over some powers of ten, values below zero."""
    experiment = client.create_experiment("spiky")
    flat = [0.0] * 40
    flat[20] = 1.0
    points = seeds.curve("flat", flat) + seeds.curve("fall", [10.0**-i for i in range(6)])
    points += seeds.curve("below", [-1.0, -2.0, -3.0])
    points += seeds.curve("wild", [math.sin(i) for i in range(200)] + [1e6, 1e6])
    seeds.new_run(client, experiment, "spike", points=points)
    return f"/experiments/{experiment}/charts"


def series_requests(site: Site) -> list[Request]:
    return [request for request in site.requests if request.url.endswith("/stele/series")]


def items_inside(request: Request, start: float, end: float) -> list[int]:
    """How many items each curve of an answer has in a part of its steps."""
    found = []
    for series in decode_series(request.response().body()).series:
        places = series.steps if hasattr(series, "steps") else series.first_x
        found.append(sum(start <= place <= end for place in places.data))
    return found


def test_every_metric_of_the_shown_runs_is_a_curve_grouped_by_prefix(site, made):
    site.open(made.address)
    shows(site, "train/loss", 12)
    shows(site, "val/accuracy", 12)
    assert sections(site)[:4] == ["What matters for val/accuracy", "Metrics", "train", "val"]
    to_the_end(site)
    shows(site, "val/accuracy", 12)
    expect(site.page.get_by_role("heading", level=2).last).to_have_text("system")  # in sight a frame after scrolling
    foot = site.page.locator(".foot")
    expect(foot).to_contain_text(re.compile(r"12 shown\s*of 13"))
    site.button("Hide trial-004").click()
    shows(site, "train/loss", 11)
    site.page.get_by_role("combobox", name="Filter").fill("params.optimizer = 'sgd'")
    shows(site, "train/loss", 3)
    shows(site, "val/accuracy", 3)
    site.button("Show trial-004").click()
    shows(site, "train/loss", 4)


def test_a_metric_that_no_shown_run_has_offers_those_that_have_it(site, made):
    site.open(made.address)
    epoch = card(site, "epoch")
    expect(epoch).to_contain_text("None of the shown runs has this metric. 1 run has it.")
    epoch.get_by_role("button", name="Show them").click()
    expect(epoch.get_by_role("listitem")).to_contain_text("older")
    to_the_end(site)
    shows(site, "system/cpu_percent", 1)
    expect(site.page.locator(".foot")).to_contain_text(re.compile(r"13 shown\s*of 13"))


def test_charts_are_found_by_regular_expression(site, made):
    site.open(made.address)
    expect(card(site, "train/loss")).to_be_visible()
    site.press("/")
    search = site.page.get_by_role("textbox", name="Search charts by regular expression")
    expect(search).to_be_focused()
    search.fill("^(train|val)/.*[cs]$")
    expect(card(site, "val/accuracy")).to_have_count(0)
    assert sections(site) == ["train"]
    search.fill("val/(")
    expect(search).to_have_attribute("aria-invalid", "true")
    expect(site.page.get_by_role("status").filter(has_text="No regular expression")).to_contain_text("taken as text")
    expect(site.page.get_by_text("No chart matches val/(")).to_be_visible()
    search.fill("CURACY")
    expect(search).to_have_attribute("aria-invalid", "false")
    expect(card(site, "val/accuracy")).to_be_visible()
    expect(card(site, "train/loss")).to_have_count(0)


def test_a_search_is_taken_back_before_the_address_has_it(site, made):
    site.open(made.address)
    expect(card(site, "train/loss")).to_be_visible()
    search = site.page.get_by_role("textbox", name="Search charts by regular expression")
    search.fill("nothing is called this")
    site.button("Show all 6").click()
    expect(card(site, "train/loss")).to_be_visible()
    expect(search).to_have_value("")


def test_smoothing_keeps_the_raw_curve_behind(site, spiky):
    site.open(spiky)
    shows(site, "flat", 1)
    curves = layer(site, "flat", 0)
    ink(site.page, curves, "most > 150", 0.02, 0.2)
    slider = site.page.get_by_role("slider", name="Strength of smoothing")
    expect(slider).to_be_disabled()
    for kind in ("EMA", "Gauss"):
        site.page.get_by_role("radio", name=kind).click()
        slider.fill("0.9")
        # The spike itself is only there behind, at 22 %; the smoothed curve stays far below.
        ink(site.page, curves, "most > 20 && most < 120", 0.02, 0.2)
        ink(site.page, curves, "most > 150", 0.5, 1)
    site.page.get_by_role("radio", name="EMA").click()
    hover(drawing(site, "flat"), 0.99)
    tip = card(site, "flat").locator(".tip")
    expect(tip).to_contain_text("step 39")
    figure = tip.get_by_role("cell").last
    expect(figure).to_have_text(re.compile("^0[.]0[0-9]*[1-9]"))
    site.page.get_by_role("radio", name="Off").click()
    ink(site.page, curves, "most > 150", 0.02, 0.2)
    hover(drawing(site, "flat"), 0.98)
    expect(figure).to_have_text("0")


def test_logarithmic_axes_and_what_they_cannot_show(site, spiky):
    site.open(spiky)
    shows(site, "fall", 1)
    ticks = drawing(site, "fall").locator(".tick")
    expect(ticks.filter(has_text="0.8")).to_have_count(1)
    site.button("log y").click()
    expect(site.button("log y")).to_have_attribute("aria-pressed", "true")
    expect(ticks.filter(has_text=re.compile(r"^1e[-−][45]$"))).to_have_count(1)
    expect(card(site, "fall").locator("header")).to_contain_text("log")
    expect(card(site, "below").locator("header")).to_contain_text("nothing above 0 for log")
    choose(site, "fall", "Linear y")
    expect(ticks.filter(has_text="0.8")).to_have_count(1)
    expect(card(site, "flat").locator("header")).to_contain_text("log")
    site.button("log x").click()
    expect(ticks.get_by_text("1", exact=True).first).to_be_attached()
    expect(drawing(site, "wild").locator(".tick").get_by_text("100", exact=True)).to_be_attached()
    expect(drawing(site, "wild").locator(".tick").get_by_text("50", exact=True)).to_have_count(0)


def test_the_horizontal_axis_is_step_time_or_relative(site, spiky):
    site.open(spiky)
    shows(site, "flat", 1)
    ticks = drawing(site, "flat").locator(".tick")
    tip = card(site, "flat").locator(".tip")
    for axis, tick, place in (
        ("Time", "15:06:40", "2025-06-15 15:07:19"),
        ("Relative", "20 s", "39 s"),
        ("Step", "20", "step 39"),
    ):
        site.page.get_by_role("radio", name=axis).click()
        expect(ticks.get_by_text(tick, exact=True)).to_be_attached()
        shows(site, "flat", 1)
        hover(drawing(site, "flat"), 0.99)
        expect(tip).to_contain_text(place)
        site.page.mouse.move(5, 5)
        expect(tip).to_have_count(0)
    assert {request.post_data_json["x"] for request in series_requests(site)} == {"step", "time", "relative"}


def test_one_cursor_goes_through_all_charts(site, made):
    site.open(made.address)
    shows(site, "train/loss", 12)
    shows(site, "val/accuracy", 12)
    other = layer(site, "val/accuracy", 1)
    ink(site.page, other, "inked === 0")
    hover(drawing(site, "train/loss"), 0.5)
    ink(site.page, other, "inked > 100")
    tip = card(site, "train/loss").locator(".tip")
    expect(tip).to_contain_text(re.compile(r"step \d"))
    expect(tip.get_by_role("row")).to_have_count(5)
    expect(tip).to_contain_text("7 more")
    expect(card(site, "val/accuracy").locator(".tip")).to_have_count(0)
    site.page.mouse.move(5, 5)
    ink(site.page, other, "inked === 0")
    # By the keyboard as well.
    drawing(site, "val/accuracy").focus()
    site.press("ArrowRight", "ArrowRight")
    ink(site.page, layer(site, "train/loss", 1), "inked > 100")
    expect(card(site, "val/accuracy").locator(".tip")).to_be_visible()


def test_zoom_fetches_finer_buckets_and_is_reset(site, client, new_experiment):
    experiment = new_experiment("long")
    for name in ("a", "b"):
        points = [Metric("loss", math.sin(step / 50), seeds.EPOCH + step, step) for step in range(LONG)]
        points += [Metric("other", step, seeds.EPOCH + step, step) for step in range(0, LONG, 100)]
        seeds.new_run(client, experiment, name, points=points)
    site.open(f"/experiments/{experiment}/charts")
    shows(site, "loss", 2)
    whole = series_requests(site)[-1]
    assert (whole.post_data_json["start"], whole.post_data_json["end"]) == (None, None)
    # A bucket knows when its last point was logged: a point a millisecond here.
    hover(drawing(site, "loss"), 0.99)
    expect(card(site, "loss").locator(".tip .row .n")).to_have_text("19 s")
    site.page.mouse.move(5, 5)
    with site.page.expect_request(re.compile("/stele/series$")) as zoomed:
        drag(site.page, drawing(site, "loss"), (0.5, 0.5), (0.6, 0.5))
    asked = zoomed.value.post_data_json
    start, end = asked["start"], asked["end"]
    assert 0 < start < end < LONG
    assert end - start < LONG / 5
    assert set(asked["keys"]) == {"loss", "other"}
    shows(site, "loss", 2)
    before, after = items_inside(whole, start, end), items_inside(zoomed.value, start, end)
    assert len(before) == len(after) == 4
    # The one with a point in a hundred steps has all of them already.
    assert sum(after) > 5 * sum(before)
    tick = drawing(site, "other").locator(".tick")
    expect(tick.get_by_text("0", exact=True)).to_have_count(0)
    site.is_at(".*ch=")
    drawing(site, "other").dblclick(position={"x": 120, "y": 80})
    expect(site.button("Reset zoom")).to_have_count(0)
    expect(tick.get_by_text("0", exact=True).first).to_be_attached()
    drag(site.page, drawing(site, "loss"), (0.3, 0.5), (0.7, 0.5))
    site.button("Reset zoom").click()
    expect(tick.get_by_text("0", exact=True).first).to_be_attached()
    site.page.go_back()
    expect(site.button("Reset zoom")).to_be_visible()


def test_outliers_are_clipped_and_counted(site, spiky):
    site.open(spiky)
    shows(site, "wild", 1)
    ticks = drawing(site, "wild").locator(".tick")
    expect(ticks.filter(has_text="000k").first).to_be_attached()
    site.button("Clip outliers").click()
    notch = drawing(site, "wild").locator(".notch")
    expect(notch).to_have_text("2")
    expect(ticks.filter(has_text="000k")).to_have_count(0)
    choose(site, "wild", "Show outliers")
    expect(notch).to_have_count(0)
    site.button("Clip outliers").click()
    choose(site, "wild", "Clip outliers")
    expect(notch).to_have_text("2")


def test_groups_are_a_mean_with_a_band(site, made):
    site.open(made.address)
    shows(site, "train/loss", 12)
    site.button(re.compile("^Group"), exact=False).first.click()
    site.page.get_by_role("combobox", name="Group by").select_option(label="optimizer")
    site.press("Escape")
    site.button("every run · show mean per optimizer").click()
    shows(site, "train/loss", 3)
    expect(card(site, "train/loss").locator("header")).to_contain_text("mean ± sd")
    ink(site.page, layer(site, "train/loss", 0), "tinted > 500")
    choose(site, "train/loss", "Show as table")
    figures = site.page.get_by_role("region", name="Figures of train/loss")
    expect(figures.get_by_role("columnheader", name="Group")).to_be_visible()
    groups = figures.get_by_role("row").all_inner_texts()[1:]
    assert sorted(text.split()[0] for text in groups) == ["adam", "lion", "sgd"]
    # Three of each group, because the run without an optimizer is a group as well.
    choose(site, "val/accuracy", "Every run")
    shows(site, "val/accuracy", 9)


def test_nan_and_infinity_are_marked_where_a_curve_ended(site, made):
    site.open(made.address)
    for title, name in (("train/loss", "NaN"), ("val/accuracy", "+Inf")):
        shows(site, title, 12)
        expect(drawing(site, title).locator(".nanx")).to_have_count(1)
        expect(drawing(site, title).get_by_text(name, exact=True)).to_be_visible()


def test_500_curves_in_a_chart(site, client, new_experiment):
    experiment = new_experiment("crowd")

    def log(i: int) -> str:
        return seeds.new_run(client, experiment, f"run-{i:03}", points=seeds.curve("loss", [1 + i, 2 + i, 1 + i]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(log, range(MANY_CURVES)))
    site.open(f"/experiments/{experiment}/charts")
    shows(site, "loss", 12)
    site.button("Show all").click()
    shows(site, "loss", MANY_CURVES)
    expect(site.page.locator(".foot")).to_contain_text(re.compile(r"500 shown\s*of 500"))
    ink(site.page, layer(site, "loss", 0), "inked > 20000")
    hover(drawing(site, "loss"), 0.5)
    expect(card(site, "loss").locator(".tip")).to_contain_text("495 more")
    choose(site, "loss", "Show as table")
    expect(site.page.get_by_role("region", name="Figures of loss").locator("tbody tr")).to_have_count(MANY_CURVES)


def test_only_charts_in_sight_are_loaded(site, client, new_experiment):
    experiment = new_experiment("keys")
    for run in range(3):
        points = [Metric(f"m{key:04}", key + step, 0, step) for key in range(MANY_KEYS) for step in range(3)]
        seeds.new_run(client, experiment, f"run-{run}", points=points)
    site.open(f"/experiments/{experiment}/charts")
    shows(site, "m0000", 3)
    expect(site.page.get_by_role("button", name=re.compile("^Metrics"))).to_contain_text("1,000")

    def asked() -> set[str]:
        return {key for request in series_requests(site) for key in request.post_data_json["keys"]}

    first = asked()
    assert {"m0000", "m0001"} <= first
    assert len(first) < 40
    assert len(series_requests(site)) < 10
    to_the_end(site)
    shows(site, "m0999", 3)
    assert len(asked()) < 80
    assert "m0500" not in asked()


def test_the_state_is_in_the_address_and_another_sees_the_same(site, visitor, server, made):
    site.open(made.address)
    shows(site, "train/loss", 12)
    site.page.get_by_role("radio", name="EMA").click()
    site.page.get_by_role("slider", name="Strength of smoothing").fill("0.8")
    site.page.get_by_role("textbox", name="Search charts by regular expression").fill("loss|acc")
    site.is_at(".*loss%7Cacc")
    site.button("log y").click()
    site.button("Clip outliers").click()
    site.button("Hide trial-011").click()
    drag(site.page, drawing(site, "train/loss"), (0.4, 0.5), (0.9, 0.5))
    expect(site.button("Reset zoom")).to_be_visible()
    address = site.page.url

    def same(tab: Site) -> None:
        shows(tab, "train/loss", 11)
        expect(tab.page.get_by_role("radio", name="EMA")).to_be_checked()
        expect(tab.page.get_by_role("slider", name="Strength of smoothing")).to_have_value("0.8")
        expect(tab.page.get_by_role("textbox", name="Search charts by regular expression")).to_have_value("loss|acc")
        for name in ("log y", "Clip outliers"):
            expect(tab.button(name)).to_have_attribute("aria-pressed", "true")
        expect(tab.button("Show trial-011")).to_be_visible()
        expect(tab.button("Reset zoom")).to_be_visible()
        expect(card(tab, "epoch")).to_have_count(0)

    same(site)
    site.reload()
    same(site)
    other = visitor(server.url)
    other.page.goto(address)
    same(other)


def test_settings_that_make_no_sense_are_left_out(site, made):
    wrong = {"sm": 3, "w": "x", "x": "miles", "r": [2, 1], "n": -4, "a": [{"id": 1}], "o": {"m:train/loss": {"w": 9}}}
    site.open(f"{made.address}?ch={quote(json.dumps(wrong))}")
    shows(site, "train/loss", 12)
    expect(site.page.get_by_role("radio", name="Off")).to_be_checked()
    expect(site.page.get_by_role("radio", name="Step")).to_be_checked()
