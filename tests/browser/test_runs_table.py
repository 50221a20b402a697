"""The table of runs: all of them, found, ordered, arranged, grouped, chosen and changed."""

import csv
import json
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import seeds
from benchmarks.search_data import load
from pages import Site
from playwright.sync_api import expect

from servers import stele_server
from stele.stores.sql import SqlStore

MANY = 3000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server on a store with 3 000 runs in the experiment 1; tests make experiments of their own beside it."""
    folder = tmp_path_factory.mktemp("server")
    with SqlStore(f"sqlite:///{folder}/stele.db", "mlflow-artifacts:/") as store:
        store.db.write(lambda connection: load(connection, MANY))
    with stele_server(folder) as running:
        yield running


@pytest.fixture
def made(client, new_experiment):
    """An experiment with a sweep of 12 runs."""
    experiment = new_experiment("sweep")
    runs = seeds.sweep(client, experiment, 12)
    return SimpleNamespace(experiment=experiment, runs=runs, address=f"/experiments/{experiment}")


def grid(site: Site):
    return site.page.get_by_role("grid", name="Runs")


def link(site: Site, name: str):
    return grid(site).get_by_role("link", name=name, exact=True)


def row_of(site: Site, name: str):
    return grid(site).get_by_role("row").filter(has=site.page.get_by_role("link", name=name, exact=True))


def names(site: Site) -> list[str]:
    """The runs in sight, from top to bottom."""
    rows = site.page.locator(".tbody .trow:not(.group)")
    found = rows.evaluate_all("(rows) => rows.map((r) => [r.offsetTop, r.querySelector('.name a')?.textContent ?? ''])")
    return [name for _, name in sorted(found)]


def shows(site: Site, wanted: list[str]) -> None:
    """Wait until these runs are in sight, in this order."""
    links = site.page.locator(".tbody .trow .name a")
    expect(links).to_have_count(len(wanted))
    for name in wanted:
        expect(links.filter(has_text=re.compile(f"^{re.escape(name)}$"))).to_have_count(1)
    site.page.wait_for_function(
        """(wanted) => {
          const rows = [...document.querySelectorAll('.tbody .trow')].filter((row) => row.querySelector('.name a'));
          rows.sort((a, b) => a.offsetTop - b.offsetTop);
          return JSON.stringify(rows.map((row) => row.querySelector('.name a').textContent)) === JSON.stringify(wanted);
        }""",
        arg=wanted,
    )


def heads(site: Site) -> list[str]:
    return [text.strip() for text in grid(site).locator(".heads .head-name").all_inner_texts()]


def filter_by(site: Site, text: str):
    field = site.page.get_by_role("combobox", name="Filter")
    field.fill(text)
    return field


def trials(*numbers: int) -> list[str]:
    return [f"trial-{number:03}" for number in numbers]


def test_all_of_3000_runs_are_reached(site):
    site.open("/experiments/1")
    expect(grid(site).get_by_role("link").first).to_be_visible()
    total = int(grid(site).get_attribute("aria-rowcount")) - 1
    assert total > 0.98 * MANY
    expect(site.page.locator(".foot")).to_contain_text(f"{total:,} runs")
    seen: set[str] = set()
    most = 0
    height = site.page.evaluate("() => document.querySelector('.tscroll').clientHeight")
    for top in range(0, total * 28, height - 200):
        site.page.evaluate("(top) => { document.querySelector('.tscroll').scrollTop = top; }", top)
        row = min(total - 1, (top + height) // 28 - 2)
        expect(site.page.locator(f".tbody [aria-rowindex='{row + 2}'] .name a")).to_be_attached()
        expect(site.page.locator(".tbody .trow.sk")).to_have_count(0)
        seen.update(filter(None, names(site)))
        most = max(most, site.page.evaluate("() => document.getElementsByTagName('*').length"))
    assert len(seen) == total
    assert most < 3000


def test_the_keys_stay_with_the_table_when_what_had_them_goes_out_of_sight(site):
    site.open("/experiments/1")
    box = grid(site).locator(".tbody").get_by_role("checkbox").first
    box.click()
    expect(box).to_be_focused()
    site.page.evaluate("() => { document.querySelector('.tscroll').scrollTop = 50_000; }")
    expect(grid(site)).to_be_focused()
    expect(site.page.locator(".tbody .trow.sk")).to_have_count(0)
    # The rows of the new place may have the elements of those before, not their marks.
    expect(site.page.get_by_role("toolbar", name="Selection")).to_contain_text("1 selected")
    expect(site.page.locator(".tbody [aria-selected=true]")).to_have_count(0)
    site.page.evaluate("() => { document.querySelector('.tscroll').scrollTop = 0; }")
    expect(site.page.locator(".tbody [aria-selected=true]")).to_have_attribute("aria-rowindex", "2")


def test_the_filter_completes_and_counts(site, made):
    site.open(made.address)
    expect(link(site, "trial-000")).to_be_visible()
    field = site.page.get_by_role("combobox", name="Filter")
    field.click()
    proposals = site.page.get_by_role("listbox", name="Proposals")
    field.press_sequentially("opti")
    expect(proposals.get_by_role("option").first).to_contain_text("params.optimizer")
    expect(proposals.get_by_role("option").first).to_contain_text("12 runs")
    site.press("Tab")
    expect(field).to_have_value("params.optimizer ")
    expect(proposals.get_by_role("option", name="like", exact=True)).to_be_visible()
    field.press_sequentially("=")
    site.press("Tab")
    expect(proposals.get_by_role("option").filter(has_text="'sgd'")).to_contain_text("4 runs")
    field.press_sequentially("sg")
    expect(proposals.get_by_role("option")).to_have_count(1)
    site.press("Tab")
    expect(field).to_have_value("params.optimizer = 'sgd' ")
    expect(proposals.get_by_role("option", name="and")).to_be_visible()
    site.press("Enter")
    shows(site, trials(10, 7, 4, 1))
    expect(site.page.locator(".foot")).to_contain_text("12 runs")
    expect(site.page.locator(".foot")).to_contain_text("4 match")


def test_a_wrong_filter_keeps_the_last_valid_result(site, made):
    site.open(made.address)
    expect(link(site, "trial-000")).to_be_visible()
    filter_by(site, "params.optimizer = 'sgd'")
    shows(site, trials(10, 7, 4, 1))
    filter_by(site, "params.optimizer = 'sgd' and metrics.")
    error = site.page.get_by_role("alert")
    expect(error).to_contain_text("col 37")
    expect(error).to_contain_text("Showing the last valid filter")
    expect(site.page.locator(".q-mirror .q-e")).to_have_count(1)
    expect(site.page.get_by_role("combobox", name="Filter")).to_have_attribute("aria-invalid", "true")
    shows(site, trials(10, 7, 4, 1))


def test_a_key_that_no_run_has_is_corrected(site, made):
    site.open(made.address)
    expect(link(site, "trial-000")).to_be_visible()
    field = filter_by(site, "params.optimiser = 'adam'")
    hint = site.page.locator(".qerr")
    expect(hint).to_contain_text("No run of 12 has params.optimiser. Did you mean params.optimizer")
    field.press("Alt+Enter")
    expect(field).to_have_value("params.optimizer = 'adam'")
    shows(site, trials(9, 6, 3, 0))


def test_recent_filters(site, made):
    site.open(made.address)
    expect(link(site, "trial-000")).to_be_visible()
    for text in ("params.lr = '0.1'", "status = 'FAILED'"):
        filter_by(site, text).press("Enter")
    shows(site, trials(2))
    site.page.get_by_title("Clear the filter").click()
    shows(site, trials(*range(11, -1, -1)))
    field = site.page.get_by_role("combobox", name="Filter")
    field.focus()
    site.press("Control+h")
    recent = site.page.get_by_role("listbox", name="Proposals").get_by_role("option")
    expect(recent.first).to_contain_text("status = 'FAILED'")
    site.press("ArrowDown", "Enter")
    expect(field).to_have_value("params.lr = '0.1'")
    shows(site, trials(8, 4, 0))


def test_a_filter_that_is_too_narrow_names_its_clauses(site, made):
    site.open(made.address + "?q=" + quote("params.lr = '0.1' and status = 'KILLED'"))
    expect(site.page.get_by_text("0 of 12 runs match")).to_be_visible()
    clause = site.page.locator(".problem .row").filter(has_text="status = 'KILLED'")
    expect(clause).to_contain_text("3")
    clause.get_by_role("button", name="Remove").click()
    shows(site, trials(8, 4, 0))


def test_sort_by_several(site, made):
    site.open(made.address)
    head = grid(site).get_by_role("columnheader")
    head.filter(has_text="optimizer").locator(".head-name").click()
    expect(head.filter(has_text="optimizer")).to_have_attribute("aria-sort", "ascending")
    head.filter(has_text="Name").first.locator(".head-name").click(modifiers=["Shift"])
    shows(site, trials(0, 3, 6, 9, 2, 5, 8, 11, 1, 4, 7, 10))
    site.reload()
    shows(site, trials(0, 3, 6, 9, 2, 5, 8, 11, 1, 4, 7, 10))
    expect(site.button(re.compile("optimizer ↑"), exact=False).filter(has_text="+1")).to_be_visible()


def test_nan_and_infinity_are_shown_and_sorted_last(site, made):
    site.open(f"{made.address}?s=%5B%22m:train/loss%22%5D")
    row = row_of(site, "trial-001")
    expect(row).to_contain_text("NaN")
    expect(row).to_contain_text("+Inf")
    for order in ("Sort up", "Sort down"):
        site.menu("Column train/loss", order)
        site.page.wait_for_function(
            "() => [...document.querySelectorAll('.tbody .trow')].sort((a, b) => a.offsetTop - b.offsetTop)"
            ".at(-1)?.querySelector('.name a')?.textContent === 'trial-001'"
        )


def test_columns_are_arranged_and_the_address_brings_them_back(site, made):
    site.open(made.address)
    expect(link(site, "trial-000")).to_be_visible()
    site.button(re.compile("^Columns"), exact=False).first.click()
    menu = site.page.get_by_role("dialog", name="Columns")
    menu.get_by_role("checkbox", name="Id").click()
    menu.get_by_role("checkbox", name="team").click()
    site.press("Escape")
    site.menu("Column lr", "Hide")
    site.menu("Column optimizer", "Move left")
    for item in ("Add: least value", "Add: curve"):
        site.button("Column train/loss").first.click()
        site.page.get_by_role("menuitem", name=item).click()
    expect(grid(site).get_by_role("columnheader").filter(has_text="min")).to_be_visible()
    expect(grid(site).locator("[role=gridcell] svg.spark, [role=gridcell] svg").first).to_be_visible()
    site.menu("Column Status", "Keep in sight up to here")
    wanted = heads(site)
    assert "team" not in wanted
    assert "lr" not in wanted
    assert wanted.index("optimizer") < wanted.index("layers")
    site.reload()
    expect(link(site, "trial-000")).to_be_visible()
    assert heads(site) == wanted
    expect(grid(site).locator(".heads .frozen")).to_have_count(1)


def test_a_column_is_as_wide_as_its_grip_was_dragged(site, made):
    site.open(made.address)
    head = grid(site).get_by_role("columnheader").filter(has_text="Duration")
    expect(head).to_have_css("width", "92px")
    grip = head.locator(".resizer").bounding_box()
    x, y = grip["x"] + 2, grip["y"] + 5
    site.page.mouse.move(x, y)
    site.page.mouse.down()
    for step in (10, 30, 60):
        site.page.mouse.move(x + step, y)
        expect(head).to_have_css("width", f"{92 + step}px")
    site.page.mouse.up()
    site.reload()
    expect(head).to_have_css("width", "152px")


def test_groups_with_their_mean_fold(site, made):
    site.open(made.address)
    expect(link(site, "trial-000")).to_be_visible()
    site.button(re.compile("^Group"), exact=False).first.click()
    site.page.get_by_role("combobox", name="Group by").select_option(label="optimizer")
    site.press("Escape")
    group = site.page.locator(".trow.group").filter(has_text="optimizer = lion")
    expect(group).to_contain_text("4")
    expect(site.page.locator(".foot")).to_contain_text("3 groups")
    expect(group.get_by_title(re.compile("^Mean of 4;")).first).to_be_visible()
    group.locator(".fold").click()
    shows(site, trials(11, 8, 5, 2))
    group.locator(".fold").click()
    shows(site, [])


def test_nested_runs_are_a_tree(site, client, new_experiment):
    experiment = new_experiment("nested")
    parent = seeds.new_run(client, experiment, "parent", start=seeds.EPOCH + 90_000)
    for i in range(4):
        tags = {"mlflow.parentRunId": parent}
        seeds.new_run(client, experiment, f"child-{i}", tags=tags, metrics={"loss": i / 4}, start=seeds.EPOCH + i)
    site.open(f"/experiments/{experiment}?tree=true&q={quote('metrics.loss < 0.3')}")
    tree = site.page.get_by_role("treegrid", name="Runs")
    row = tree.get_by_role("row").filter(has=site.page.get_by_role("link", name="parent", exact=True))
    expect(row).to_contain_text("2 of 4 match")
    row.get_by_role("button", name="Unfold").click()
    expect(tree.get_by_role("link", name="child-1")).to_be_visible()
    expect(tree.get_by_role("link", name="child-0")).to_be_visible()
    expect(row).to_have_attribute("aria-expanded", "true")
    row.get_by_role("button", name="Fold").click()
    expect(tree.get_by_role("link", name="child-1")).to_have_count(0)


def test_selection_by_keys_by_range_and_of_all(site, made):
    site.open(made.address)
    expect(link(site, "trial-011")).to_be_visible()
    bar = site.page.get_by_role("toolbar", name="Selection")
    site.press("j", "Space", "Shift+ArrowDown", "Shift+ArrowDown")
    expect(bar).to_contain_text("3 selected")
    site.press("Escape")
    expect(bar).to_have_count(0)
    site.page.get_by_role("checkbox", name="Select trial-010").click()
    site.page.get_by_role("checkbox", name="Select trial-006").click(modifiers=["Shift"])
    expect(bar).to_contain_text("5 selected")
    expect(bar).to_contain_text("of 12")
    site.page.get_by_role("checkbox", name="Select all matching runs").click()
    expect(bar).to_contain_text("12 selected")


def test_many_are_tagged_archived_deleted_and_it_is_undone(site, client, made):
    site.open(made.address)
    expect(link(site, "trial-011")).to_be_visible()
    bar = site.page.get_by_role("toolbar", name="Selection")
    for name in trials(3, 4):
        site.page.get_by_role("checkbox", name=f"Select {name}").click()
    bar.get_by_role("button", name="Tag").click()
    dialog = site.page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("keep")
    dialog.get_by_label("Value").fill("yes")
    dialog.get_by_role("button", name="Tag", exact=True).click()
    site.says("Tagged 2 runs with keep")
    assert [client.get_run(made.runs[i]).data.tags.get("keep") for i in (3, 4, 5)] == ["yes", "yes", None]
    left = trials(11, 10, 9, 8, 7, 6, 5, 2, 1, 0)
    bar.get_by_role("button", name="Archive").click()
    site.says("Archived 2 runs")
    shows(site, left)
    site.press("Control+z")
    shows(site, trials(*range(11, -1, -1)))
    for name in trials(3, 4):
        site.page.get_by_role("checkbox", name=f"Select {name}").click()
    site.press("Delete")
    site.says("Deleted 2 runs").get_by_role("button", name="Undo")
    shows(site, left)
    assert client.get_run(made.runs[3]).info.lifecycle_stage == "deleted"
    site.page.locator(".undo").get_by_role("button", name="Undo").click()
    shows(site, trials(*range(11, -1, -1)))
    assert client.get_run(made.runs[3]).info.lifecycle_stage == "active"


def test_pin_baseline_deltas_and_heat(site, made):
    site.open(made.address)
    expect(link(site, "trial-011")).to_be_visible()
    link(site, "trial-000").locator("xpath=ancestor::*[@role='row']").locator("[role=gridcell]").nth(2).click()
    site.press("p", "b")
    pinned = grid(site).locator(".tpins .trow")
    expect(pinned).to_contain_text("trial-000")
    expect(pinned).to_contain_text("baseline")
    expect(pinned.locator(".delta.base").first).to_have_text("base")
    other = row_of(site, "trial-004")
    expect(other.locator(".delta").first).to_have_text(re.compile(r"^[+−]\d"))
    site.menu("Column train/loss", "Shade by value")
    expect(grid(site).locator(".cell.heat").first).to_be_visible()
    site.reload()
    expect(pinned).to_contain_text("baseline")
    expect(grid(site).locator(".cell.heat").first).to_be_visible()


def test_only_what_differs_says_how_many_it_hides(site, made):
    site.open(made.address)
    expect(link(site, "trial-011")).to_be_visible()
    assert "layers" in heads(site)
    site.page.get_by_role("switch", name="Only what differs").click()
    expect(site.page.get_by_role("switch", name="Only what differs")).to_contain_text("1 hidden")
    expect(grid(site).get_by_role("columnheader").filter(has_text="layers")).to_have_count(0)


def test_the_selection_as_csv(site, made):
    site.open(made.address)
    expect(link(site, "trial-011")).to_be_visible()
    for name in trials(1, 4):
        site.page.get_by_role("checkbox", name=f"Select {name}").click()
    with site.page.expect_download() as saved:
        site.page.get_by_role("toolbar", name="Selection").get_by_role("button", name="CSV").click()
    with Path(saved.value.path()).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == trials(4, 1)
    assert rows[0]["run_id"] == made.runs[4]
    assert (rows[0]["optimizer"], rows[0]["lr"]) == ("sgd", "0.1")
    assert rows[1]["train/loss"] == "NaN"


def test_views_are_saved_for_the_team(site, visitor, server, client, made):
    site.open(made.address + "?s=%5B%22p:lr%22%5D&q=" + quote("params.optimizer = 'sgd'"))
    expect(link(site, "trial-001")).to_be_visible()
    site.button("Save").click()
    site.answer("Name", "only sgd", "Save")
    site.says("Saved the view only sgd")
    other = visitor(server.url)
    other.open(made.address)
    expect(link(other, "trial-011")).to_be_visible()
    other.button("Standard").click()
    other.page.get_by_role("dialog", name="Saved views").get_by_text("only sgd").click()
    expect(other.page.get_by_role("combobox", name="Filter")).to_have_value("params.optimizer = 'sgd'")
    expect(link(other, "trial-011")).to_have_count(0)
    # Edited there, it is the same here; deleted, it is gone, and undo brings it back.
    filter_by(other, "params.optimizer = 'lion'")
    expect(link(other, "trial-002")).to_be_visible()
    other.button("Save").click()
    other.says("Saved the view only sgd")
    site.open(made.address)
    site.reload()
    site.button("Standard").click()
    views = site.page.get_by_role("dialog", name="Saved views")
    views.get_by_text("only sgd").click()
    expect(link(site, "trial-002")).to_be_visible()
    site.button(re.compile("^only sgd"), exact=False).click()
    views.get_by_role("button", name="Delete only sgd").click()
    site.says("Deleted the view only sgd")
    expect(views.get_by_text("No view is saved yet")).to_be_visible()


def test_a_run_that_is_logged_meanwhile_appears(site, client, made):
    site.open(made.address)
    expect(link(site, "trial-011")).to_be_visible()
    run = seeds.new_run(client, made.experiment, "just now", start=seeds.EPOCH + 10**7, status="RUNNING")
    expect(link(site, "just now")).to_be_visible()
    expect(site.page.get_by_text("Live · 1 running")).to_be_visible()
    row = row_of(site, "just now")
    client.log_batch(run, seeds.curve("train/loss", [0.125]))
    expect(row).to_contain_text("0.125")
    client.set_terminated(run, "FAILED")
    expect(row).to_contain_text("Failed")
    expect(site.page.locator(".foot")).to_contain_text("13 runs")


def test_json_in_the_address_survives_a_reload(site, made):
    columns = ["m:val/accuracy", "p:optimizer"]
    site.open(f"{made.address}?c={quote(json.dumps(columns))}")
    expect(link(site, "trial-000")).to_be_visible()
    assert heads(site) == ["Name", "val/accuracy", "optimizer"]
