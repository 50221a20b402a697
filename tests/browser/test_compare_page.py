"""Runs side by side: figures, code, pictures over their steps, tables."""

import csv
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import seeds
from pages import Site
from PIL import Image
from playwright.sync_api import Locator, expect

COLORS = ((49, 85, 196), (196, 49, 49), (49, 196, 85))


@pytest.fixture(scope="module")
def made(client, tmp_path_factory):
    """Three runs: what differs, what is the same, code, pictures of some steps, tables."""
    folder = tmp_path_factory.mktemp("files")
    experiment = client.create_experiment("compared")
    runs = []
    for i, (rate, score) in enumerate(((0.1, 0.5), (0.2, 0.75), (0.3, 0.625))):
        commit = "a" * 40 if i < 2 else "b" * 40
        run = seeds.new_run(
            client,
            experiment,
            f"trial-{i}",
            params={"lr": str(rate), "layers": "4"},
            points=seeds.curve("val/accuracy", [0.25, score]) + seeds.curve("epochs", [2.0, 2.0]),
            tags={"team": "vision", "mlflow.source.git.commit": commit, "mlflow.source.name": "train.py"},
            start=seeds.EPOCH + i,
        )
        files = {
            "results.csv": f"epoch,score\n0,{score}\n1,{score + 1}\n",
            "environment/git.diff": seeds.diff(rate),
            "environment/requirements.txt": f"numpy==2.{i}.0\nscipy==1.0.0\n",
        }
        if i < 2:
            files |= {"other.csv": "only,two\n1,2\n", "roc.png": seeds.picture("#3155c4")}
        seeds.put(client, run, folder, files)
        for step in range(3 if i < 2 else 1):
            client.log_image(
                run, Image.new("RGB", (16, 16), COLORS[step]), key="sample", step=10 * step, synchronous=True
            )
        runs.append(run)
    address = f"/experiments/{experiment}"
    listed = "%22,%22".join(runs)
    return SimpleNamespace(runs=runs, address=address, compare=f"{address}/compare?runs=%5B%22{listed}%22%5D")


def grid(site: Site) -> Locator:
    return site.page.get_by_role("grid", name="Comparison")


def row(site: Site, key: str) -> Locator:
    return grid(site).get_by_role("row").filter(has=site.page.get_by_title(key, exact=True))


def test_selected_runs_are_compared_side_by_side(site, made):
    site.open(made.address)
    for name in ("trial-0", "trial-1"):
        site.page.get_by_role("checkbox", name=f"Select {name}").click()
    site.press("c")
    expect(grid(site).get_by_role("link")).to_have_count(2)
    expect(row(site, "lr").get_by_role("gridcell")).to_have_count(2)
    site.is_at(".*/compare\\?runs=")
    site.button("Add run").click()
    site.answer("Run id", made.runs[2], "Add")
    expect(grid(site).get_by_role("link", name="trial-2")).to_be_visible()
    expect(row(site, "lr").get_by_role("gridcell")).to_have_count(3)
    site.button("Remove trial-1").click()
    expect(grid(site).get_by_role("link", name="trial-1")).to_have_count(0)
    site.reload()
    expect(grid(site).get_by_role("link")).to_have_count(2)


def test_figures_with_the_best_one_and_what_they_differ_by(site, made):
    site.open(made.compare)
    cells = row(site, "val/accuracy").get_by_role("gridcell")
    expect(cells.nth(0)).to_contain_text("base")
    expect(cells.nth(1)).to_contain_text("+0.25")
    expect(cells.nth(1).locator(".best")).to_contain_text("0.75")
    expect(row(site, "val/accuracy").locator(".best")).to_have_count(1)
    site.button("Set as baseline").last.click()
    expect(cells.nth(0)).to_contain_text("−0.125")
    expect(cells.nth(2)).to_contain_text("base")
    site.press("b")
    expect(cells.nth(0)).to_contain_text("base")
    expect(row(site, "numpy").get_by_role("gridcell")).to_have_text(["2.0.0", "2.1.0", "2.2.0"])


def test_only_what_differs_can_be_turned_off(site, made):
    site.open(made.compare)
    expect(row(site, "lr")).to_be_visible()
    expect(row(site, "layers")).to_have_count(0)
    expect(row(site, "scipy")).to_have_count(0)
    foot = site.page.locator(".foot")
    expect(foot).to_contain_text(re.compile(r"4\s*of 9 keys differ"))
    site.page.get_by_role("switch", name="Only what differs").click()
    for key in ("layers", "team", "scipy", "epochs"):
        expect(row(site, key)).to_be_visible()
    site.reload()
    expect(row(site, "layers")).to_be_visible()
    site.page.get_by_role("textbox", name="Search keys").fill("lay")
    expect(row(site, "lr")).to_have_count(0)
    expect(row(site, "layers")).to_be_visible()
    site.page.get_by_role("textbox", name="Search keys").fill("")
    site.press("Escape")
    site.page.get_by_role("switch", name="Only what differs").click()
    expect(row(site, "layers")).to_have_count(0)


def test_the_comparison_as_csv(site, made):
    site.open(made.compare)
    expect(row(site, "lr")).to_be_visible()
    with site.page.expect_download() as kept:
        site.button("Export").click()
    with Path(kept.value.path()).open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["section", "key", "trial-0", "trial-1", "trial-2"]
    assert ["params", "lr", "0.1", "0.2", "0.3"] in rows
    assert ["metrics", "val/accuracy", "0.5", "0.75", "0.625"] in rows


def test_how_the_code_differs(site, made):
    site.open(made.compare)
    code = site.page.get_by_role("complementary", name="Code")
    expect(code).to_contain_text("train.py")
    expect(code.locator(".del").filter(has_text="+rate = 0.1")).to_be_visible()
    expect(code.locator(".add").filter(has_text="+rate = 0.2")).to_be_visible()
    expect(code).not_to_contain_text("The commits differ")
    code.get_by_label("Compared with").select_option("trial-2")
    expect(code.locator(".add").filter(has_text="+rate = 0.3")).to_be_visible()
    expect(code).to_contain_text("The commits differ")
    code.get_by_role("button", name="Copy git diff").click()
    assert site.page.evaluate("() => navigator.clipboard.readText()") == f"git diff {'a' * 40} {'b' * 40}"


def color(site: Site, picture: Locator) -> list[int]:
    """The colour in the middle of a picture."""
    return picture.evaluate("""async (image) => {
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 1;
      const pen = canvas.getContext('2d');
      pen.drawImage(image, 8, 8, 1, 1, 0, 0, 1, 1);
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }""")


def test_pictures_side_by_side_with_a_slider_over_their_steps(site, made):
    site.open(made.compare)
    site.page.get_by_role("radio", name="Images").click()
    sample = site.page.get_by_role("region", name="sample")
    pictures = sample.get_by_role("img").and_(site.page.locator("img"))
    expect(pictures).to_have_count(3)
    slider = sample.get_by_role("slider", name="Step of sample")
    expect(slider).to_have_attribute("aria-valuetext", "20")
    assert color(site, pictures.nth(0)) == list(COLORS[2])
    # The third run has none of this step, and shows its last one before it.
    expect(sample.locator("figure").nth(2)).to_contain_text("step 0")
    slider.fill("1")
    expect(slider).to_have_attribute("aria-valuetext", "10")
    expect(pictures.nth(0)).to_have_attribute("alt", re.compile("step.10.timestamp"))
    assert color(site, pictures.nth(1)) == list(COLORS[1])
    assert color(site, pictures.nth(2)) == list(COLORS[0])
    other = site.page.get_by_role("region", name="roc.png")
    expect(other.locator("figure").nth(2)).to_contain_text("none")
    expect(other.get_by_role("slider")).to_have_count(0)


def test_from_pictures_to_the_files_of_a_run(site, made):
    site.open(made.compare)
    site.page.get_by_role("radio", name="Images").click()
    expect(site.page.get_by_role("region", name="sample")).to_be_visible()
    site.open(f"{made.address}/runs/{made.runs[0]}/artifacts")
    expect(site.page.get_by_role("tree", name="Files").get_by_role("treeitem", name="roc.png")).to_be_visible()


def test_tables_side_by_side(site, made):
    site.open(made.compare + "&what=tables")
    tables = site.page.get_by_role("region", name="Tables")
    tables.get_by_label("Table").select_option("results.csv")
    found = tables.get_by_role("table", name="results.csv")
    expect(found).to_have_count(3)
    for i, score in enumerate(("1.5", "1.75", "1.625")):
        expect(found.nth(i).get_by_role("row").nth(2)).to_contain_text(score)
    tables.get_by_label("Table").select_option("other.csv")
    expect(tables.get_by_role("table", name="other.csv")).to_have_count(2)
    expect(tables).to_contain_text("This run has no such table")


def test_curves_of_the_compared_runs_share_their_charts(site, made):
    site.open(made.compare)
    site.page.get_by_role("radio", name="Charts").click()
    expect(site.page.get_by_role("img", name="val/accuracy: 3 curves")).to_be_visible()
    site.is_at(".*what=charts")
