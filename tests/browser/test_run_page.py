"""The page of one run: what it was, its curves, its files as they are shown and as they are kept, logs, children."""

import io
import json
import re
import wave
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pyarrow
import pyarrow.parquet
import pytest
import seeds
from pages import Site
from playwright.sync_api import Locator, expect

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROWS = 1000
CSV = "epoch,split,score\n" + "".join(f"{i},val,{i / 8}\n" for i in range(ROWS))
LOG = "epoch 1: loss 0.5\n\x1b[31mepoch 2: loss 0.25\x1b[0m\nprogress 10 %\rprogress 100 %\n"
CODE = "import stele\n\n\ndef train(rate: float) -> float:\n    return rate * 2  # twice\n"
PAGE = "<h1>before</h1><script>document.querySelector('h1').textContent = 'origin ' + self.origin</script>"


def beep() -> bytes:
    """A tenth of a second of sound."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\x00\x10" * 800)
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    table = pyarrow.table({"city": ["Bern", "Graz"], "people": [134_794, 298_479]})
    pyarrow.parquet.write_table(table, stream)
    return stream.getvalue()


FILES: dict[str, str | bytes] = {
    "figures/confusion.png": seeds.picture("#3155c4"),
    "figures/roc.png": seeds.picture("#c43131"),
    "train.py": CODE,
    "notes.md": "# First thoughts\n",
    "config.json": json.dumps({"optimizer": {"name": "adam", "rate": 0.3}}),
    "results.csv": CSV,
    "cities.parquet": parquet(),
    "report.html": PAGE,
    "beep.wav": beep(),
    "weights.bin": b"\x00\x01\x02\x03" * 256,
    "model/MLmodel": seeds.MLMODEL,
    "model/requirements.txt": "scikit-learn==1.7.0\n",
    "train.log": LOG,
    "logs/worker.txt": "worker ready\n",
    "environment/git.diff": seeds.diff(0.3),
    "environment/requirements.txt": "numpy==2.3.1\nscikit-learn==1.7.0\n",
    "environment/environment.json": json.dumps({"python": "3.12.1", "cpu": {"cores": 8}}),
}
NEWER = "# Second thoughts\n\n- one\n- two\n"


@pytest.fixture(scope="module")
def made(client, tmp_path_factory):
    """A run with everything, its parent, its child, and another one to measure against."""
    folder = tmp_path_factory.mktemp("files")
    experiment = client.create_experiment("one run")
    params = {"lr": "0.3", "optimizer": "adam", "layers": "4"}
    base = seeds.new_run(
        client, experiment, "before", params={**params, "lr": "0.1"}, points=seeds.curve("val/accuracy", [0.5, 0.7])
    )
    parent = seeds.new_run(client, experiment, "parent")
    points = seeds.curve("val/accuracy", [0.5, 0.9, 0.8]) + seeds.curve("train/loss", [1.0, 0.25, 0.5])
    points += seeds.curve("system/cpu_utilization_percentage", [10.0, 90.0, 40.0])
    tags = {
        "mlflow.parentRunId": parent,
        "mlflow.user": "mara",
        "mlflow.source.name": "/home/mara/train.py",
        "mlflow.source.git.commit": COMMIT,
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.dirty": "true",
        "stele.host": "node-7",
        "stele.python.version": "3.12.1",
        "team": "vision",
    }
    run = seeds.new_run(client, experiment, "everything", params=params, points=points, tags=tags)
    client.log_inputs(run, [seeds.dataset("customers")])
    seeds.put(client, run, folder, FILES)
    seeds.put(client, run, folder, {"notes.md": NEWER})
    child = {"mlflow.parentRunId": run}
    seeds.new_run(client, experiment, "child", tags=child, metrics={"val/accuracy": 0.625})
    address = f"/experiments/{experiment}/runs/{run}"
    return SimpleNamespace(experiment=experiment, run=run, base=base, parent=parent, address=address)


def part(site: Site, name: str) -> Locator:
    return site.page.get_by_role("region", name=name, exact=True).first


def card(site: Site, title: str) -> Locator:
    """A card by its heading."""
    heading = site.page.get_by_role("heading", level=2, name=title, exact=True)
    return site.page.locator("section.card").filter(has=heading)


def tab(site: Site, name: str) -> None:
    site.page.get_by_role("navigation", name="Views").get_by_role("link", name=re.compile(f"^{name}")).click()


def file(site: Site, name: str) -> Locator:
    return site.page.get_by_role("tree", name="Files").get_by_role("treeitem", name=re.compile(f"^{re.escape(name)}"))


def shown(site: Site) -> Locator:
    """The file that is open."""
    return site.page.locator(".viewer")


def saved(site: Site, button: Locator) -> tuple[str, bytes]:
    """What the browser keeps when a button is pressed: its name and its bytes."""
    with site.page.expect_download() as kept:
        button.click()
    return kept.value.suggested_filename, Path(kept.value.path()).read_bytes()


def test_the_head_says_what_ran_where_and_by_whom(site, made):
    site.open(made.address)
    expect(site.heading("everything")).to_be_visible()
    line = site.page.locator(".meta-line")
    for text in (made.run, "mara", COMMIT[:8], "uncommitted changes", "train.py", "node-7"):
        expect(line).to_contain_text(text)
    expect(site.page.get_by_text("Finished", exact=True)).to_be_visible()
    line.get_by_role("button", name="Copy id").click()
    assert site.page.evaluate("() => navigator.clipboard.readText()") == made.run
    site.page.get_by_role("link", name="parent", exact=True).first.click()
    expect(site.heading("parent")).to_be_visible()


def test_metrics_with_their_curves_and_extremes(site, made):
    site.open(made.address)
    table = site.page.get_by_role("table", name="Metrics")
    row = table.get_by_role("row").filter(has_text="val/accuracy")
    expect(row).to_contain_text(re.compile(r"0\.8.*0\.9"))
    expect(row.get_by_role("cell").first.locator("svg")).to_be_visible()
    expect(row.get_by_role("cell").last).to_have_text("2")
    expect(table.get_by_role("row")).to_have_count(2)
    for kind, loss in (("Min", "0.2"), ("Max", "1.0"), ("Last", "0.5")):
        site.page.get_by_role("radio", name=kind, exact=True).click()
        expect(table.get_by_role("row").filter(has_text="train/loss").get_by_role("cell").nth(1)).to_contain_text(loss)
    site.page.get_by_role("textbox", name="Search metrics").fill("LOSS")
    expect(table.get_by_role("row")).to_have_count(1)


def test_params_and_what_differs_from_a_baseline(site, made):
    site.open(made.address)
    params = card(site, "Params")
    for text in ("lr", "0.3", "optimizer", "adam"):
        expect(params).to_contain_text(text)
    site.page.get_by_role("textbox", name="Search params").fill("opt")
    expect(params.get_by_role("row")).to_have_count(1)
    params.get_by_role("button", name="Copy optimizer").click()
    assert site.page.evaluate("() => navigator.clipboard.readText()") == "adam"
    # The search has no field there, so it finds nothing away either.
    site.open(f"{made.address}?base={made.base}")
    expect(params.get_by_role("row")).to_have_count(1)
    expect(params).to_contain_text("1 differ of 3")
    expect(params.get_by_role("row")).to_contain_text(re.compile(r"lr.*0\.1.*0\.3"))
    row = site.page.get_by_role("table", name="Metrics").get_by_role("row").filter(has_text="val/accuracy")
    expect(row.locator(".delta")).to_have_text(re.compile(r"^\+0\.1"))
    params.get_by_role("button", name="Show 2 equal").click()
    expect(params.get_by_role("row")).to_have_count(3)


def test_tags_are_added_and_removed(site, client, made):
    site.open(made.address)
    tags = card(site, "Tags")
    expect(tags).to_contain_text("team vision")
    tags.get_by_role("button", name="Add a tag").click()
    tags.get_by_label("Key = value").fill("stage = final = yes")
    site.press("Enter")
    expect(tags).to_contain_text("stage final = yes")
    assert client.get_run(made.run).data.tags["stage"] == "final = yes"
    tags.get_by_role("button", name="Remove stage").click()
    expect(tags).not_to_contain_text("final")
    assert "stage" not in client.get_run(made.run).data.tags


def test_the_description_is_edited_in_markdown(site, client, made):
    site.open(made.address)
    description = card(site, "Description")
    expect(description).to_contain_text("Nothing is written here yet.")
    description.get_by_role("button", name="Edit").click()
    description.get_by_label("Description in Markdown").fill("## Why\n\nA **warm** start, see `train.py`.")
    description.get_by_role("button", name="Save").click()
    expect(description.get_by_role("heading", name="Why")).to_be_visible()
    expect(description.locator("strong")).to_have_text("warm")
    expect(description.locator("code")).to_have_text("train.py")
    assert client.get_run(made.run).data.tags["mlflow.note.content"].startswith("## Why")
    description.get_by_role("button", name="Edit").click()
    description.get_by_label("Description in Markdown").fill("gone")
    site.press("Escape")
    expect(description.get_by_role("heading", name="Why")).to_be_visible()


def test_datasets_lineage_and_environment_beside_it(site, made):
    site.open(made.address)
    expect(part(site, "Datasets")).to_contain_text("customers")
    expect(part(site, "Datasets")).to_contain_text("training")
    expect(part(site, "Datasets")).to_contain_text("1,200 rows · 2 columns · s3")
    lineage = part(site, "Lineage")
    expect(lineage).to_contain_text("Parent")
    environment = part(site, "Environment")
    for text in ("3.12.1", "node-7", "main", "/home/mara/train.py", "1 m 00 s"):
        expect(environment).to_contain_text(text)
    lineage.get_by_role("link", name="parent").click()
    expect(site.heading("parent")).to_be_visible()


def test_the_commit_with_what_was_changed_since(site, made):
    site.open(made.address)
    tab(site, "Code")
    expect(part(site, "Commit")).to_contain_text(COMMIT)
    expect(part(site, "Commit")).to_contain_text("uncommitted changes")
    part(site, "Commit").get_by_role("button", name="Copy checkout").click()
    assert site.page.evaluate("() => navigator.clipboard.readText()") == f"git checkout {COMMIT}"
    changes = part(site, "Uncommitted changes")
    expect(changes).to_contain_text("train.py")
    expect(changes.locator(".del")).to_contain_text("rate = 0.1")
    expect(changes.locator(".add")).to_contain_text("rate = 0.3")
    site.open(f"/experiments/{made.experiment}/runs/{made.base}/code")
    expect(part(site, "Commit")).to_contain_text("No source was recorded.")
    expect(changes).to_contain_text("Nothing was changed since the commit")


def test_the_machine_and_its_packages(site, made):
    site.open(made.address)
    tab(site, "Environment")
    expect(part(site, "Machine")).to_contain_text("cpu.cores")
    packages = part(site, "Packages")
    expect(packages).to_contain_text("numpy")
    expect(packages).to_contain_text("2.3.1")
    packages.get_by_role("textbox", name="Search packages").fill("SCI")
    expect(packages).not_to_contain_text("numpy")
    expect(packages).to_contain_text("1.7.0")


def test_charts_and_system_metrics_are_apart(site, made):
    site.open(made.address)
    tab(site, "Charts")
    expect(site.page.get_by_role("img", name="train/loss: 1 curve")).to_be_visible()
    expect(site.page.get_by_role("img", name="val/accuracy: 1 curve")).to_be_visible()
    expect(site.page.get_by_role("group", name=re.compile("^system.cpu"))).to_have_count(0)
    tab(site, "System")
    expect(site.page.get_by_role("img", name="system/cpu_utilization_percentage: 1 curve")).to_be_visible()
    expect(site.page.get_by_role("group", name="train/loss")).to_have_count(0)


def test_files_are_a_tree_with_sizes_and_versions(site, made):
    site.open(f"{made.address}/artifacts")
    artifacts = part(site, "Artifacts")
    expect(artifacts).to_contain_text(f"{len(FILES)} files")
    expect(file(site, "weights.bin")).to_contain_text("1.00 KiB")
    expect(file(site, "notes.md")).to_contain_text("v2")
    figures = file(site, "figures")
    expect(figures).to_have_attribute("aria-expanded", "false")
    expect(file(site, "roc.png")).to_have_count(0)
    figures.click()
    expect(figures).to_have_attribute("aria-expanded", "true")
    expect(file(site, "roc.png")).to_have_attribute("aria-level", "2")
    # By keys as well.
    site.page.get_by_role("tree", name="Files").focus()
    site.press("ArrowLeft")
    expect(file(site, "roc.png")).to_have_count(0)
    site.press("ArrowRight", "ArrowDown", "Enter")
    expect(shown(site)).to_contain_text("figures/confusion.png")
    site.is_at(".*/artifacts/figures/confusion.png")
    site.reload()
    expect(file(site, "confusion.png")).to_have_attribute("aria-selected", "true")


def test_a_picture_and_the_next_one(site, made):
    site.open(f"{made.address}/artifacts/figures/confusion.png")
    picture = shown(site).get_by_role("img", name="figures/confusion.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 32
    site.press("ArrowRight")
    expect(shown(site).get_by_role("img", name="figures/roc.png")).to_be_visible()


def test_code_markdown_and_json(site, made):
    site.open(f"{made.address}/artifacts/train.py")
    code = site.page.get_by_role("region", name="train.py")
    expect(code).to_contain_text("def train(rate: float) -> float:")
    expect(code.locator(".c-k").filter(has_text="def")).to_be_visible()
    expect(code.locator(".c-c")).to_have_text("# twice")
    expect(code.locator(".ln-n").last).to_have_text("5")
    file(site, "notes.md").click()
    expect(shown(site).get_by_role("heading", name="Second thoughts")).to_be_visible()
    expect(shown(site).get_by_role("listitem")).to_have_count(2)
    shown(site).get_by_role("radio", name="Source").click()
    expect(shown(site)).to_contain_text("# Second thoughts")
    file(site, "config.json").click()
    lines = site.page.get_by_role("region", name="config.json").locator(".line")
    expect(lines.nth(1)).to_contain_text('"optimizer": {')
    expect(lines).to_have_count(6)
    file(site, "weights.bin").click()
    expect(shown(site)).to_contain_text("There is no preview of this kind of file")


@pytest.mark.parametrize("name", ["results.csv", "cities.parquet"])
def test_a_table_shows_the_rows_in_sight(site, made, name):
    site.open(f"{made.address}/artifacts/{name}")
    table = site.page.get_by_role("table", name=name)
    if name == "cities.parquet":
        expect(table.get_by_role("row").nth(2)).to_contain_text("Graz")
        expect(table.get_by_role("columnheader").nth(2)).to_have_text("people")
        expect(shown(site)).to_contain_text("2 rows, 2 columns")
        return
    expect(shown(site)).to_contain_text("1,000 rows, 3 columns")
    expect(table.get_by_role("row").nth(1)).to_contain_text("val")
    assert table.get_by_role("row").count() < 100
    table.evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
    expect(table.get_by_role("row").last).to_contain_text("124.875")
    shown(site).get_by_role("radio", name="Source").click()
    expect(site.page.get_by_role("region", name=name)).to_contain_text("epoch,split,score")


def test_html_runs_in_a_frame_that_can_reach_nothing(site, made):
    site.open(f"{made.address}/artifacts/report.html")
    frame = shown(site).locator("iframe")
    expect(frame).to_have_attribute("sandbox", "allow-scripts")
    expect(frame.content_frame.get_by_role("heading")).to_have_text("origin null")
    shown(site).get_by_role("radio", name="Source").click()
    expect(shown(site)).to_contain_text("<h1>before</h1>")


def test_sound_is_played(site, made):
    site.open(f"{made.address}/artifacts/beep.wav")
    sound = shown(site).locator("audio")
    expect(sound).to_have_attribute("controls", "")
    site.page.wait_for_function("(sound) => sound.duration > 0.09", arg=sound.element_handle())


def test_a_model_with_its_signature_and_the_code_that_loads_it(site, made):
    site.open(f"{made.address}/artifacts/model/MLmodel")
    expect(shown(site)).to_contain_text("loader_module: stele.sklearn")
    shown(site).get_by_role("radio", name="Signature").click()
    inputs = shown(site).get_by_role("table", name="Inputs")
    expect(inputs.get_by_role("row").first).to_contain_text(re.compile("age.*double"))
    expect(shown(site).get_by_role("table", name="Outputs").get_by_role("row")).to_have_count(1)
    shown(site).get_by_role("radio", name="Load code").click()
    shown(site).get_by_role("button", name="Copy code").click()
    code = site.page.evaluate("() => navigator.clipboard.readText()")
    assert f'stele.pyfunc.load_model("runs:/{made.run}/model")' in code
    assert "stele.sklearn.load_model" in code
    compile(code, "load.py", "exec")


def test_a_file_an_older_version_and_folders_are_downloaded(site, made):
    site.open(f"{made.address}/artifacts/weights.bin")
    download = shown(site).get_by_role("button", name="Download", exact=True)
    assert saved(site, download) == ("weights.bin", FILES["weights.bin"])
    file(site, "notes.md").click()
    expect(shown(site)).to_contain_text("Second thoughts")
    assert saved(site, download) == ("notes.md", NEWER.encode())
    shown(site).get_by_label("Version").select_option("1")
    expect(shown(site).get_by_role("heading", name="First thoughts")).to_be_visible()
    assert saved(site, download) == ("notes.md", b"# First thoughts\n")
    name, content = saved(site, file(site, "figures").get_by_role("button", name="Download figures as zip"))
    assert name == "figures.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as folder:
        found = {Path(one).name: folder.read(one) for one in folder.namelist()}
    assert found == {name: FILES[f"figures/{name}"] for name in ("confusion.png", "roc.png")}
    _, content = saved(site, site.button(re.compile("^Download (all|folder)$")))
    with zipfile.ZipFile(io.BytesIO(content)) as folder:
        assert set(folder.namelist()) == set(FILES)
        assert folder.read("notes.md") == NEWER.encode()


def test_the_size_beside_an_older_version_is_its_own(site, made):
    site.open(f"{made.address}/artifacts/notes.md")
    head = shown(site).locator("header")
    expect(head).to_contain_text(f"{len(NEWER)} B")
    head.get_by_label("Version").select_option("1")
    expect(head).to_contain_text("17 B")


def test_logs_as_a_terminal_would_show_them(site, made):
    site.open(made.address)
    tab(site, "Logs")
    chosen = site.page.get_by_role("combobox", name="Log")
    expect(site.page.get_by_role("log", name="logs/worker.txt")).to_have_text("worker ready")
    chosen.select_option("train.log")
    log = site.page.get_by_role("log", name="train.log")
    expect(log.locator("div").filter(has_text=re.compile("."))).to_have_text(
        ["epoch 1: loss 0.5", "epoch 2: loss 0.25", "progress 100 %"]
    )
    site.page.get_by_role("textbox", name="Search lines").fill("EPOCH 2")
    expect(log.locator("div").filter(has_text=re.compile("."))).to_have_text(["epoch 2: loss 0.25"])


def test_children_and_where_there_are_none(site, made):
    site.open(made.address)
    tab(site, "Children")
    row = site.page.get_by_role("row").filter(has_text="child")
    expect(row).to_contain_text("0.625")
    expect(site.page.get_by_text("1 of 1 children")).to_be_visible()
    row.get_by_role("link", name="child").click()
    expect(site.heading("child")).to_be_visible()
    expect(site.page.get_by_role("link", name="everything")).to_have_count(2)
    tab(site, "Children")
    expect(site.page.get_by_text("No run names this one as its parent")).to_be_visible()
