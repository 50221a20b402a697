"""Whatever is logged under whatever name, nothing of it runs, and texts are shown as texts."""

import json
import re
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import seeds
from hostile import MARKDOWN, PAYLOADS, evil_html, evil_svg
from playwright.sync_api import expect

from stele.entities import Metric, Param, RunTag
from stele.errors import InvalidParameterValue
from stele.schema.datasets import Dataset, DatasetInput

NAME = " ".join(PAYLOADS[:2])
KEYS = ("__proto__", "constructor", "toString", "javascript:alert", "hasOwnProperty", "a.b/c d", "名前")
"""The worst that the keys of params, metrics and tags may be; markup is refused in them."""
FILE = "<img src=x onerror=pwned=1>.txt"


@pytest.fixture(scope="module")
def evil(client, server, tmp_path_factory):
    """An experiment, a run and a model with every payload wherever a text may stand."""
    folder = tmp_path_factory.mktemp("files")
    experiment = client.create_experiment(NAME)
    client.set_experiment_tag(experiment, "__proto__", PAYLOADS[0])
    client.set_experiment_tag(experiment, "mlflow.note.content", MARKDOWN)
    runs = []
    for payload in PAYLOADS:
        run = client.create_run(experiment, run_name=payload).info.run_id
        client.log_batch(
            run,
            [Metric(key, 0.5, seeds.EPOCH, step) for step in range(3) for key in KEYS],
            [Param(key, payload) for key in KEYS],
            [RunTag(key, payload) for key in KEYS],
            synchronous=True,
        )
        client.set_tag(run, "mlflow.note.content", MARKDOWN)
        client.set_tag(run, "mlflow.source.name", payload)
        client.log_inputs(run, [DatasetInput(Dataset(payload, "d0", payload, payload, payload, payload))])
        runs.append(run)
    seeds.put(client, runs[0], folder, _files(server.url, runs[0]))
    text = seeds.MLMODEL.replace("age", "<img src=x onerror=pwned=1>").replace("stele.sklearn", PAYLOADS[0])
    version = seeds.model_version(client, MODEL, runs[0], folder, text)
    client.update_registered_model(MODEL, MARKDOWN)
    client.update_model_version(MODEL, version, MARKDOWN)
    client.set_registered_model_tag(MODEL, "t", PAYLOADS[1])
    client.set_model_version_tag(MODEL, version, "t", PAYLOADS[1])
    return SimpleNamespace(experiment=experiment, runs=runs, version=version)


MODEL = "<img src=x onerror=pwned=1>"


def _files(server, run):
    table = {"columns": [PAYLOADS[0]], "data": [[payload] for payload in PAYLOADS]}
    return {
        FILE: "plain\n",
        "evil.svg": evil_svg(),
        "evil.html": evil_html(server, run),
        "origin.html": "<script>document.title = `ran in ${self.origin}`</script>",
        "evil.md": MARKDOWN,
        "evil.json": json.dumps(table),
        "evil.csv": "name,value\n" + "".join(f'"{payload.replace(chr(34), chr(34) * 2)}",1\n' for payload in PAYLOADS),
        "evil.py": PAYLOADS[0] + "\n",
        "environment/git.diff": f"diff --git a/{PAYLOADS[1]} b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{PAYLOADS[0]}\n+y\n",
        "environment/requirements.txt": f"{PAYLOADS[0]}==1\n",
        "environment/environment.json": json.dumps({PAYLOADS[0]: PAYLOADS[1]}),
    }


def nothing_ran(site):
    """No mark was left, and no element came of a text."""
    assert site.page.evaluate("() => 'pwned' in window") is False
    assert site.page.locator("#page img[src='x'], #page script, #page base, [onerror], [onload]").count() == 0
    assert site.page.locator("a[href^='javascript' i], a[href^='data' i], a[href^='vbscript' i]").count() == 0
    site.check()


def run_address(evil, rest="", run=0):
    return f"/experiments/{evil.experiment}/runs/{evil.runs[run]}{rest}"


@pytest.mark.parametrize("payload", PAYLOADS[:4])
def test_markup_is_refused_in_keys(client, evil, payload):
    with pytest.raises(InvalidParameterValue, match="not allowed"):
        client.log_param(evil.runs[0], payload, "1")


def test_the_list_of_experiments(site, evil):
    site.open("/experiments")
    expect(site.page.get_by_role("link", name=NAME)).to_be_visible()
    nothing_ran(site)


def test_the_table_shows_names_as_text(site, evil):
    site.open(f"/experiments/{evil.experiment}")
    grid = site.page.get_by_role("grid", name="Runs")
    for payload in PAYLOADS:
        expect(grid.get_by_role("link", name=payload, exact=True)).to_be_attached()
    nothing_ran(site)
    site.page.get_by_role("button", name="Columns").click()
    expect(site.page.get_by_role("dialog", name="Columns").get_by_text("__proto__").first).to_be_visible()
    nothing_ran(site)


@pytest.mark.parametrize("tab", ["charts", "about"])
def test_the_other_tabs_of_an_experiment(site, evil, tab):
    site.open(f"/experiments/{evil.experiment}/{tab}")
    shown = {"charts": "hasOwnProperty", "about": PAYLOADS[0]}
    expect(site.page.get_by_text(shown[tab]).first).to_be_visible()
    nothing_ran(site)


def test_runs_side_by_side(site, evil):
    site.open(f"/experiments/{evil.experiment}/compare?runs={quote(json.dumps(evil.runs[:4]))}")
    comparison = site.page.get_by_role("grid", name="Comparison")
    expect(comparison.get_by_role("link", name=PAYLOADS[1], exact=True)).to_be_visible()
    expect(comparison.get_by_role("gridcell", name=PAYLOADS[0], exact=True).first).to_be_visible()
    nothing_ran(site)


def test_runs(site, evil):
    for number, payload in enumerate(PAYLOADS):
        site.open(run_address(evil, run=number))
        expect(site.heading(payload)).to_be_visible()
        expect(site.page.get_by_role("region", name="Params").first).to_contain_text(payload)
        expect(site.page.locator(".markdown")).to_contain_text(PAYLOADS[0])
        nothing_ran(site)


def test_the_tabs_of_a_run(site, evil):
    for tab, shown in (
        ("charts", "hasOwnProperty"),
        ("children", "No run names this one"),
        ("code", PAYLOADS[0]),
        ("environment", PAYLOADS[0]),
    ):
        site.open(run_address(evil, f"/{tab}"))
        expect(site.page.get_by_text(shown).first).to_be_visible()
        nothing_ran(site)


FILES = [
    (FILE, "", "plain"),
    ("evil.md", "", PAYLOADS[0]),
    ("evil.md", "Source", "javascript:"),
    ("evil.json", "", PAYLOADS[9]),
    ("evil.json", "Table", PAYLOADS[9]),
    ("evil.csv", "", PAYLOADS[9]),
    ("evil.py", "", PAYLOADS[0]),
    ("model/MLmodel", "Signature", "<img src=x onerror=pwned=1>"),
    ("model/MLmodel", "Load code", "load_model"),
]


def test_files(site, evil):
    for file, form, text in FILES:
        site.open(run_address(evil, f"/artifacts/{quote(file)}"))
        viewer = site.page.locator(".viewer")
        expect(viewer.locator("header code")).to_have_text(file)
        if form:
            viewer.get_by_role("radio", name=form).click()
        expect(viewer.get_by_text(text).first).to_be_visible()
        nothing_ran(site)


def test_a_picture_that_runs_is_a_picture(site, evil):
    site.open(run_address(evil, "/artifacts/evil.svg"))
    image = site.page.get_by_role("img", name="evil.svg")
    expect(image).to_be_visible()
    assert image.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 9
    nothing_ran(site)


def test_a_page_among_the_files_runs_in_a_frame_that_reaches_nothing(site, client, evil):
    site.open(run_address(evil, "/artifacts/evil.html"))
    told = site.page.frame_locator("iframe.frame").locator("#out")
    expect(told).to_contain_text("ran: ")
    text = told.inner_text()
    assert "worked" not in text, text
    assert len(re.findall("refused", text)) == 9
    assert client.get_run(evil.runs[0]).info.lifecycle_stage == "active"
    assert site.page.evaluate("() => localStorage.getItem('stele.token')") is None
    site.forgive_refusals()
    nothing_ran(site)


@pytest.mark.parametrize("file", ["origin.html", "evil.svg"])
def test_a_file_opened_by_its_own_address_has_no_origin(site, server, evil, file):
    site.page.goto(f"{server.url}/api/2.0/stele/artifacts/file?run_id={evil.runs[0]}&path={file}")
    assert site.page.evaluate("() => self.origin") == "null"
    if file == "origin.html":
        assert site.page.title() == "ran in null"
    site.forgive_refusals()


@pytest.mark.parametrize("address", ["/models", f"/models/{quote(MODEL)}", f"/models/{quote(MODEL)}?tab=about"])
def test_a_model(site, evil, address):
    site.open(address)
    expect(site.page.get_by_text(MODEL).first).to_be_visible()
    nothing_ran(site)


def test_a_version(site, evil):
    for tab, shown in (("overview", "javascript:"), ("files", "MLmodel"), ("events", "registered v1")):
        site.open(f"/models/{quote(MODEL)}/versions/{evil.version}?tab={tab}")
        expect(site.heading("Version 1")).to_be_visible()
        expect(site.page.get_by_text(shown).first).to_be_visible()
        nothing_ran(site)


def test_filters_in_the_address(site, evil):
    for payload in PAYLOADS:
        site.open(f"/experiments/{evil.experiment}?q={quote(json.dumps(payload))}")
        expect(site.page.get_by_role("combobox", name="Filter")).to_have_value(payload)
        expect(site.page.get_by_role("alert")).to_contain_text("Showing the last valid filter")
        nothing_ran(site)


@pytest.mark.parametrize(
    "search",
    [
        "?s=[%22-m:<img src=x onerror=pwned=1>%22]&c=[%22p:<script>pwned=1</script>%22]",
        "?g=[%22p:<svg onload=pwned=1>%22]&base=<img src=x onerror=pwned=1>",
        "?__proto__[pwned]=1&w={%22__proto__%22:{%22pwned%22:1}}&ch={%22__proto__%22:{%22pwned%22:1}}",
        "?s=1&c=null&w=[]&g={}&heat=3&pin=x&fz=-1&ch=[]&runs=5&hide={}&base=[]&tree=maybe",
    ],
)
@pytest.mark.parametrize("tab", ["runs", "charts"])
def test_nonsense_in_the_address(site, evil, search, tab):
    site.open(f"/experiments/{evil.experiment}/{tab}{search}")
    expect(site.heading(NAME)).to_be_visible()
    roles = {"runs": "treegrid" if search.startswith("?g=") else "grid", "charts": "list"}
    shown = site.page.get_by_role(roles[tab], name="Runs")
    expect(shown).to_be_visible()
    nothing_ran(site)


def test_the_palette_shows_names_as_text(site, evil):
    site.open("/experiments")
    expect(site.heading("Experiments")).to_be_visible()
    site.press("Control+k")
    site.page.get_by_role("combobox", name="Go to, or do").fill("onerror")
    expect(site.page.get_by_role("option", name=PAYLOADS[1], exact=False).first).to_be_visible()
    nothing_ran(site)
