"""Pictures of what params do, and where charts stand: added, edited, resized, dragged."""

import re

import pytest
import seeds
from chart_page import card, choose, drag, ink, sections, shows, sweep_board, titles
from pages import Site
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def made(client):
    return sweep_board(client)


def add_chart(site: Site, kind: str, fields: dict[str, str], **texts: str) -> None:
    site.button("Add a chart").click()
    dialog = site.page.get_by_role("dialog", name="Add a chart")
    dialog.get_by_role("radio", name=kind, exact=True).click()
    for label, text in {**fields, **texts}.items():
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_have_count(0)


PICTURES = [
    ("Scatter", {"Across": "param lr", "Up": "metric train/loss"}, "lr × train/loss", "11 of 13 runs"),
    (
        "Contour",
        {"Across": "lr", "Up": "layers", "Height": "val/accuracy"},
        "lr × layers → val/accuracy",
        "11 of 13 runs",
    ),
    ("Histogram", {"Value": "metric val/accuracy"}, "val/accuracy", "11 of 13 runs"),
    ("Boxes", {"Value": "val/accuracy", "For each": "optimizer"}, "val/accuracy by optimizer", "3 groups"),
]


@pytest.mark.parametrize(("kind", "fields", "title", "says"), PICTURES, ids=[kind for kind, *_ in PICTURES])
def test_a_picture_is_added(site, made, kind, fields, title, says):
    site.open(made.address)
    expect(card(site, "train/loss")).to_be_visible()
    add_chart(site, kind, fields, Section="Mine")
    picture = site.page.locator(".card[data-section='Mine']")
    image = picture.get_by_role("img", name=f"{title}: {says}", exact=True)
    expect(image).to_be_visible()
    if kind == "Scatter":
        ink(site.page, image.locator("canvas"), "most > 150")
    elif kind == "Contour":
        assert image.locator("path.area").count() > 3
    elif kind == "Histogram":
        bars = image.locator("rect.bar title").all_text_contents()
        assert sum(int(re.search(r": (\d+) runs", text).group(1)) for text in bars) == 11
    else:
        boxes = image.locator(".boxplot title").all_text_contents()
        assert [text.split(",")[0] for text in boxes] == ["adam: 4 runs", "lion: 4 runs", "sgd: 3 runs"]
    site.reload()
    expect(image).to_be_visible()


def test_bars_of_a_metric_by_run(site, made):
    site.open(made.address)
    add_chart(site, "Bars", {"Value": "metric train/loss"}, Title="Last losses", Section="Mine")
    bars = card(site, "Last losses").get_by_role("listitem")
    expect(bars.first).to_contain_text("trial-011")
    # One that is not finite has no length, but a row that says so; one that never logged a loss has none.
    diverged = bars.filter(has_text="trial-001")
    expect(diverged).to_contain_text("NaN")
    expect(diverged.locator(".track i")).to_have_count(0)
    expect(bars.first.locator(".track i")).to_have_count(1)
    expect(card(site, "Last losses").locator("header")).to_contain_text("12 of 13 runs")
    choose(site, "Last losses", "Show as table")
    figures = site.page.get_by_role("region", name="Figures of Last losses")
    expect(figures.get_by_role("row").filter(has_text="trial-001")).to_contain_text("NaN")


def test_a_chart_that_cannot_be_made_says_what_is_missing(site, made):
    site.open(made.address)
    site.button("Add a chart").click()
    dialog = site.page.get_by_role("dialog", name="Add a chart")
    dialog.get_by_label("Across", exact=True).fill("no such key")
    expect(dialog).to_contain_text("There is no metric or param no such key")
    expect(dialog.get_by_role("button", name="Add", exact=True)).to_be_disabled()
    dialog.get_by_label("Across", exact=True).fill("lr")
    expect(dialog).to_contain_text("Up is missing")
    site.press("Escape")
    expect(dialog).to_have_count(0)


def test_brushing_an_axis_narrows_all_charts(site, made):
    site.open(made.address)
    shows(site, "train/loss", 12)
    parallel = card(site, "Params → val/accuracy")
    brush = parallel.get_by_role("slider", name="Brush on lr")
    expect(brush).to_have_attribute("aria-valuetext", "no brush")
    drag(site.page, brush, (0.5, 0), (0.5, 0.2))
    expect(parallel.locator("header")).to_contain_text("3 brushed")
    expect(brush).to_have_attribute("aria-valuetext", re.compile(r"to 100 % of the axis"))
    shows(site, "train/loss", 3)
    expect(site.page.locator(".foot")).to_contain_text("3 shown")
    # A second brush narrows what the first one has left.
    drag(site.page, parallel.get_by_role("slider", name="Brush on optimizer"), (0.5, 0.75), (0.5, 1))
    expect(parallel.locator("header")).to_contain_text("1 brushed")
    shows(site, "train/loss", 1)
    parallel.get_by_role("button", name="Clear brush").click()
    shows(site, "train/loss", 12)


def test_importance_tells_the_param_that_matters(site, made):
    site.open(made.address)
    rows = card(site, "Importance").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("lr")
    expect(rows.nth(1)).to_contain_text(re.compile(r"0\.\d\d|1\.00"))
    expect(rows.nth(1)).to_contain_text(re.compile(r"\+0\.[6-9]\d"))
    expect(rows.nth(2)).to_contain_text("optimizer")
    # One that is the same everywhere tells nothing.
    expect(rows).to_have_count(3)


def test_charts_and_sections_are_added_edited_and_removed(site, made):
    site.open(made.address)
    expect(card(site, "train/loss")).to_be_visible()
    add_chart(site, "Curves", {"Metrics 1": "train/loss", "Metrics 2": "val/accuracy"}, Title="Both", Section="Mine")
    shows(site, "Both", 24)
    assert "Mine" in sections(site)
    choose(site, "Both", "Edit")
    dialog = site.page.get_by_role("dialog", name="Edit chart")
    dialog.get_by_label("Title", exact=True).fill("Loss alone")
    dialog.get_by_label("Metrics 2", exact=True).fill("")
    dialog.get_by_role("button", name="Save", exact=True).click()
    shows(site, "Loss alone", 12)
    choose(site, "Loss alone", "Pin on top")
    assert sections(site)[0] == "Pinned"
    assert titles(site, "Pinned") == ["Loss alone"]
    site.menu("Options of Pinned", "Unpin all")
    expect(site.page.get_by_role("heading", name="Pinned")).to_have_count(0)
    choose(site, "Loss alone", "Remove")
    undo = site.says("Removed Loss alone").get_by_role("button", name="Undo")
    expect(card(site, "Loss alone")).to_have_count(0)
    undo.click()
    expect(card(site, "Loss alone")).to_be_visible()
    site.menu("Options of train", "Remove")
    undo = site.says("Removed train").get_by_role("button", name="Undo")
    expect(card(site, "train/loss")).to_have_count(0)
    undo.click()
    expect(card(site, "train/loss")).to_be_visible()
    site.menu("Options of val", "Move up")
    assert sections(site).index("val") < sections(site).index("train")
    site.page.get_by_role("heading", name="val", exact=True).click()
    expect(card(site, "val/accuracy")).to_have_count(0)
    site.reload()
    expect(card(site, "Loss alone")).to_be_visible()
    assert sections(site).index("val") < sections(site).index("train")
    expect(card(site, "val/accuracy")).to_have_count(0)


def carry_to(site, what, x, y):
    """Drag something by its heading to a place in the window."""
    start = what.get_by_role("heading").bounding_box()
    site.page.mouse.move(start["x"] + 4, start["y"] + 4)
    site.page.mouse.down()
    site.page.mouse.move(x, y, steps=3)
    expect(site.page.locator(".dropline")).to_be_visible()
    site.page.mouse.up()
    expect(site.page.locator(".dragged")).to_have_count(0)


def test_sections_are_added_named_and_dragged(site, client, new_experiment):
    experiment = new_experiment("sections")
    seeds.new_run(client, experiment, "one", metrics={f"{name}/loss": 1.0 for name in ("a", "b", "c")})
    site.open(f"/experiments/{experiment}/charts")
    expect(card(site, "c/loss")).to_be_visible()
    site.button("Add a section").click()
    site.answer("Name", "Mine", "Add")
    expect(site.page.get_by_role("heading", level=2).first).to_have_text("Mine")
    mine = site.page.get_by_role("heading", name="Mine", exact=True).bounding_box()
    carry_to(site, card(site, "b/loss"), mine["x"] + 5, mine["y"] + 5)
    assert titles(site, "Mine") == ["b/loss"]
    site.menu("Options of c", "Rename")
    site.answer("Name", "The rest", "Rename")
    rest = site.page.get_by_role("heading", name="The rest", exact=True)
    expect(rest).to_be_visible()
    carry_to(site, site.page.get_by_role("button", name=re.compile("^The rest")), mine["x"] + 5, mine["y"] + 5)
    order = ["The rest", "Mine", "a"]
    assert [name for name in sections(site) if name in order] == order
    site.reload()
    expect(card(site, "c/loss")).to_be_visible()
    assert [name for name in sections(site) if name in order] == order
    # A metric that is logged later finds its section by whatever name it has.
    seeds.new_run(client, experiment, "two", metrics={"c/accuracy": 1.0})
    expect(card(site, "c/accuracy")).to_be_visible()
    assert titles(site, "c") == ["c/accuracy", "c/loss"]


def test_a_chart_is_resized_by_its_edge_by_menu_and_by_keys(site, made):
    site.open(made.address)
    shows(site, "train/loss", 12)
    edge = site.page.get_by_role("slider", name="Width of train/loss")
    expect(edge).to_have_attribute("aria-valuetext", "1 column")
    narrow = card(site, "train/loss").bounding_box()["width"]
    drag(site.page, edge, (0.5, 0.5), (0.9 * narrow / edge.bounding_box()["width"], 0.5))
    expect(edge).to_have_attribute("aria-valuetext", "2 columns")
    assert card(site, "train/loss").bounding_box()["width"] > 1.8 * narrow
    edge.focus()
    site.press("ArrowLeft")
    expect(edge).to_have_attribute("aria-valuetext", "1 column")
    choose(site, "train/loss", "Two columns")
    site.reload()
    expect(edge).to_have_attribute("aria-valuetext", "2 columns")
    card(site, "train/loss").hover()
    card(site, "train/loss").get_by_role("button", name="Make smaller").click()
    expect(edge).to_have_attribute("aria-valuetext", "1 column")


def test_charts_are_dragged_within_a_section_and_into_another(site, client, new_experiment):
    experiment = new_experiment("drag")
    metrics = {f"{section}/{name}": 1.0 for section in ("a", "b") for name in ("one", "two", "three")}
    seeds.new_run(client, experiment, "only", metrics=metrics)
    site.open(f"/experiments/{experiment}/charts")
    expect(card(site, "a/two")).to_be_visible()
    assert titles(site, "a") == ["a/one", "a/three", "a/two"]

    def carry(title: str, target: str, share: float) -> None:
        box = card(site, target).bounding_box()
        carry_to(site, card(site, title), box["x"] + share * box["width"], box["y"] + 60)

    carry("a/two", "a/one", 0.2)
    expect(site.page.locator(".card[data-section='a'] h3")).to_have_text(["a/two", "a/one", "a/three"])
    carry("b/one", "a/one", 0.8)
    expect(site.page.locator(".card[data-section='a'] h3")).to_have_text(["a/two", "a/one", "b/one", "a/three"])
    expect(site.page.locator(".card[data-section='b'] h3")).to_have_text(["b/three", "b/two"])
    grip = card(site, "b/three").get_by_role("button", name="Move with the arrow keys, or drag the head")
    grip.focus()
    site.press("ArrowRight")
    expect(site.page.locator(".card[data-section='b'] h3")).to_have_text(["b/two", "b/three"])
    site.reload()
    expect(site.page.locator(".card[data-section='a'] h3")).to_have_text(["a/two", "a/one", "b/one", "a/three"])
    expect(site.page.locator(".card[data-section='b'] h3")).to_have_text(["b/two", "b/three"])
