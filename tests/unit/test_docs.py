"""The documentation is true: its snippets are files that run, its commands are understood, its lists are complete."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import click
import pytest

import stele
from servers import STELE, stele_server
from stele import limits, settings
from stele.cli import stele as command_line
from stele.errors import InvalidFilter
from stele.search.fields import AGGREGATES, EXPERIMENTS, OPERATORS, RUNS
from stele.search.grammar import parse_filter, parse_order_by
from stele.search.literals import read
from stele.stores.sql.tables import metadata
from workplace import workplace

__all__ = ["workplace"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
GENERATED = {"settings.md", "routes.md", "cli.md"}
SNIPPET = re.compile(r'--8<-- "docs/examples/([\w.]+?)(?::(\w+))?"')
MARK = re.compile(r"--8<-- \[(start|end):\w+\]")
SUBPROCESS_SECONDS = 180

NEEDS_MORE = {"mlflow_script", "moved_script", "ci_gate", "backup_sqlite", "team_client", "train", "sweep", "read_back"}
"""Examples that have a test of their own, because something has to be there first."""


class Fence(NamedTuple):
    """A block of code in a page."""

    page: str
    language: str
    options: str
    text: str


def fences() -> Iterator[Fence]:
    """Every block of every page that somebody wrote."""
    pattern = re.compile(r"^( *)```(?!`)([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
    for page in PAGES:
        if page.name not in GENERATED:
            for indent, info, text in pattern.findall(page.read_text(encoding="utf-8")):
                language, _, options = info.strip("{}").removeprefix(".").partition(" ")
                lines = [line.removeprefix(indent) for line in text.splitlines()]
                yield Fence(page.relative_to(DOCS).as_posix(), language, options, "\n".join(lines))


FENCES = list(fences())


def example_names() -> list[str]:
    """The examples that the pages show; those of the seed documents have tests of their own."""
    return sorted(path.stem for path in EXAMPLES.glob("*.py") if not path.stem.startswith("seed_"))


def run_example(name: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run an example in a directory, with the other examples beside it."""
    for path in EXAMPLES.glob("*.py"):
        (directory / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return run([sys.executable, f"{name}.py"], directory, **variables)


def run(command: list[str], directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command where Stele is importable, and wait for it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STELE_", "MLFLOW_"))}
    return subprocess.run(
        command,
        cwd=directory,
        env={
            **kept,
            "PYTHONPATH": str(ROOT / "src"),
            "MPLBACKEND": "agg",
            "STELE_JOURNAL_DIR": str(directory / "journal"),
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=SUBPROCESS_SECONDS,
        check=False,
    )


def printed(name: str, done: subprocess.CompletedProcess[str]) -> str:
    """What an example printed; it must be what the pages say that it prints."""
    assert done.returncode == 0, done.stderr
    expected = EXAMPLES / f"{name}.txt"
    if expected.exists():
        lines = expected.read_text(encoding="utf-8").splitlines()
        assert done.stdout.splitlines() == [line for line in lines if not MARK.search(line)]
    return done.stdout


# --- Snippets are files, and the files run


def test_python_in_pages_is_a_file():
    for fence in FENCES:
        if fence.language in ("python", "py", "pycon"):
            assert all(SNIPPET.fullmatch(line.strip()) for line in fence.text.splitlines()), fence


def test_every_example_is_shown_and_every_shown_section_exists():
    shown: set[str] = set()
    for fence in FENCES:
        for name, section in SNIPPET.findall(fence.text):
            shown.add(name)
            assert not section or f"[start:{section}]" in (EXAMPLES / name).read_text(encoding="utf-8"), fence
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    seeds = {name for name in files if name.startswith("seed_")}
    assert shown | seeds == files


def test_every_output_belongs_to_an_example():
    assert {path.stem for path in EXAMPLES.glob("*.txt")} <= set(example_names())


@pytest.mark.parametrize("name", [name for name in example_names() if name not in NEEDS_MORE])
def test_example(workplace, name):
    printed(name, run_example(name, workplace))


def test_example_of_the_tutorial(workplace):
    printed("train", run_example("train", workplace))
    printed("read_back", run_example("read_back", workplace))
    printed("sweep", run_example("sweep", workplace))
    assert len(stele.search_runs(experiment_names=["line"], output_format="list")) == 14


def test_example_of_a_backup(workplace):
    printed("quick_start", run_example("quick_start", workplace))
    printed("backup_sqlite", run_example("backup_sqlite", workplace))
    client = stele.Client(f"sqlite:///{workplace}/backup.db")
    experiment = client.get_experiment_by_name("first")
    assert [run.info.run_name for run in client.search_runs([experiment.experiment_id])] == ["line"]


def test_example_of_a_team(workplace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("team")
    with stele_server(folder, "--host", "0.0.0.0") as server:
        token = re.search(r"stele_[\w-]+", server.log.read_text())[0]
        refused = run_example("team_client", workplace, STELE_TRACKING_URI=server.url)
        assert "STELE_TRACKING_TOKEN" in refused.stderr
        done = run_example("team_client", workplace, STELE_TRACKING_URI=server.url, STELE_TRACKING_TOKEN=token)
        printed("team_client", done)


@pytest.mark.parametrize(("auc", "code"), [(0.93, 0), (0.915, 0), (0.9, 1)])
def test_example_of_a_gate(workplace, auc, code):
    stele.set_experiment("churn")
    for role, value in (("champion", 0.92), ("candidate", auc)):
        with stele.start_run(run_name=role, tags={"role": role}):
            stele.log_metric("auc", value)
    done = run_example("ci_gate", workplace)
    assert (done.returncode, "against champion" in done.stdout) == (code, True), done.stderr


def test_a_gate_without_runs_fails(workplace):
    assert run_example("ci_gate", workplace).returncode == 1


def test_example_of_a_script_with_import_mlflow(workplace):
    (workplace / "train.py").write_text((EXAMPLES / "mlflow_script.py").read_text(encoding="utf-8"), encoding="utf-8")
    printed("mlflow_script", run([*STELE, "exec", "--", sys.executable, "train.py"], workplace))


def test_example_of_a_script_with_another_import(workplace):
    printed("mlflow_script", run_example("moved_script", workplace))


def test_the_moved_script_differs_in_its_imports_only():
    before, after = ((EXAMPLES / name).read_text().splitlines() for name in ("mlflow_script.py", "moved_script.py"))
    different = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert different == [
        ("import mlflow", "import stele as mlflow"),
        ("from mlflow.tracking import MlflowClient", "from stele.tracking import MlflowClient"),
    ]


def curl_requests() -> Iterator[tuple[list[str], urllib.request.Request]]:
    """The curl commands of the examples, as requests of Python."""
    text = re.sub(r"^#.*\n", "", (EXAMPLES / "curl.sh").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for command in re.split(r"^curl ", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        words = shlex.split(command)
        options = dict(zip(words[:-1:2], words[1:-1:2], strict=True))
        body, headers, method = None, {}, "GET"
        if "--json" in options:
            body, headers, method = options["--json"].encode(), {"Content-Type": "application/json"}, "POST"
        elif "--upload-file" in options:
            body, method = b"All went well.\n", "PUT"
        yield words, urllib.request.Request(words[-1], body, headers, method=method)


def test_curl(workplace, tmp_path_factory):
    with stele_server(tmp_path_factory.mktemp("server"), "--log-format", "json") as server:
        run_id, answers = "", {}
        for words, request in curl_requests():
            request.full_url = request.full_url.replace("http://127.0.0.1:5000", server.url).replace("RUN_ID", run_id)
            request.data = request.data and request.data.replace(b"RUN_ID", run_id.encode())
            with urllib.request.urlopen(request, timeout=30) as answer:
                name = request.full_url.partition("?")[0].rpartition("/")[2]
                answers[name] = answer.read()
            if "runs/create" in words[-1]:
                run_id = json.loads(answers["create"])["run"]["info"]["run_id"]
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
            counters = answer.read().decode()
    assert [found["info"]["run_id"] for found in json.loads(answers["search"])["runs"]] == [run_id]
    assert [point["value"] for point in json.loads(answers["get-history"])["metrics"]] == [0.9, "NaN", 0.4]
    assert answers["get-artifact"] == b"All went well.\n"
    assert json.loads(answers["versions"])["versions"][0]["version"] == 1
    assert answers["zip"][:2] == b"PK"
    assert json.loads(answers["openapi.json"])["openapi"] == "3.1.0"
    page = (DOCS / "how-to/run-a-server.md").read_text(encoding="utf-8")
    counted = re.findall(r"^# TYPE (stele_\w+)(?<!_created) ", counters, re.MULTILINE)
    assert sorted(counted) == sorted(re.findall(r"^\| `(stele_\w+)` \|", page, re.MULTILINE))
    entries = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    fields = re.findall(r"^\| `(\w+)` \|", page.partition("--log-format json` a line")[2], re.MULTILINE)
    assert fields == list(entries[-1])


# --- Commands


def shell_commands() -> list[tuple[str, list[str]]]:
    """The commands of Stele in the pages: where they stand, and their words behind ``stele``."""
    found = []
    for fence in FENCES:
        if fence.language not in ("sh", "bash", "ini"):
            continue
        text = re.sub(r"^ExecStart=\S*/", "", fence.text, flags=re.MULTILINE).replace("\\\n", " ")
        for line in text.splitlines():
            words: list[str] = []
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            for word in [*lexer, ";"]:
                if set(word) <= set(";|&<>()"):
                    while words and re.fullmatch(r"\w+=.*", words[0]):
                        words.pop(0)
                    if words and words[0] == "stele":
                        found.append((fence.page, words[1:]))
                    words = []
                else:
                    words.append(word)
    return found


COMMANDS = shell_commands()


def parse(group: click.Command, words: list[str], name: str, parent: click.Context | None) -> None:
    """Let click understand a command line, without doing anything."""
    try:
        context = group.make_context(name, list(words), parent=parent)
    except click.exceptions.Exit:  # --help, --version
        return
    if isinstance(group, click.Group):
        with context:
            rest = [*context._protected_args, *context.args]
            child_name, child, child_words = group.resolve_command(context, rest)
            assert child is not None
            parse(child, child_words, child_name or "", context)


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[f"{page}: {' '.join(words)}" for page, words in COMMANDS])
def test_command_is_understood(page, words):
    Path("report.html").touch()  # click looks whether files are there
    try:
        parse(command_line, words, "stele", None)
    except click.UsageError as error:
        pytest.fail(f"{page}: stele {' '.join(words)}: {error.format_message()}")


def test_the_pages_show_every_command():
    shown = {words[0] for _, words in COMMANDS if words and not words[0].startswith("-")}
    assert shown == set(command_line.list_commands(click.Context(command_line)))


def test_the_commands_of_the_tutorial_run(workplace):
    printed("train", run_example("train", workplace))
    printed("sweep", run_example("sweep", workplace))
    first, second = (
        stele.search_runs(experiment_names=["line"], filter_string=f"run_name = '{name}'", output_format="list")[0]
        for name in ("first try", "lr=1.0 epochs=50")
    )
    ids = {"1f0c2a9d": first.info.run_id[:8], "77ab01e4": second.info.run_id[:8]}
    commands = [words for page, words in COMMANDS if page in ("tutorial/first-run.md", "tutorial/compare-runs.md")]
    assert len(commands) >= 10
    for words in commands:
        done = run([*STELE, *(ids.get(word, word) for word in words)], workplace)
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout or "--output" in words, words
    assert (workplace / "copies/formula.txt").exists()
    assert (workplace / "runs.csv").read_text().count("\n") == 15


def test_the_commands_that_empty_the_trash_run(workplace):
    printed("clean_up", run_example("clean_up", workplace))
    stele.delete_experiment(stele.get_experiment_by_name("trials").experiment_id)
    commands = [words for page, words in COMMANDS if words[0] == "gc" and "--artifacts-destination" not in words]
    assert commands
    for words in commands:
        done = run([*STELE, *words, *(() if "--dry-run" in words else ("--yes",))], workplace)
        assert done.returncode == 0, (words, done.stderr)
    assert stele.get_experiment_by_name("trials") is not None  # not old enough


def test_the_messages_in_the_table_of_a_servers_refusals_exist():
    page = (DOCS / "how-to/run-a-server.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/stele/server").glob("*.py"))
    messages = re.findall(r'^\| "(.+?)" \|', page, re.MULTILINE)
    assert len(messages) >= 4
    assert [message for message in messages if message not in sources] == []


# --- The grammar of searches


def filters_in_pages() -> list[tuple[str, str]]:
    """The filters in blocks of the language ``sql``, one a line; ``title="experiments"`` marks those of experiments."""
    return [(fence.options, line) for fence in FENCES if fence.language == "sql" for line in fence.text.splitlines()]


@pytest.mark.parametrize(("options", "text"), filters_in_pages())
def test_filter_is_understood(options, text):
    fields = EXPERIMENTS if "experiments" in options else RUNS
    if "order_by" in options:
        assert parse_order_by([text], fields)
    else:
        assert parse_filter(text, fields) is not None


def test_errors_are_as_shown():
    shown = [fence for fence in FENCES if "error" in fence.options]
    assert len(shown) >= 6
    for fence in shown:
        with pytest.raises(InvalidFilter) as caught:
            parse_filter(fence.text.splitlines()[1][2:], RUNS)
        assert str(caught.value) == fence.text


def test_the_grammar_is_described_whole():
    text = (DOCS / "reference/search.md").read_text(encoding="utf-8")
    words = {operator for operators in OPERATORS.values() for operator in operators} | {"AND", "OR", "NOT"}
    words |= {f"{name}(" for name in AGGREGATES} | {"now()", "ASC", "DESC"}
    words |= {f"1{unit}" for unit in ("ms", "s", "m", "h", "d", "w")}
    for fields in (RUNS, EXPERIMENTS):
        words |= {*fields.attributes, *fields.prefixes, *fields.aliases}
        words |= {f"datasets.{key}" for keys in fields.keys.values() for key in keys}
    assert [word for word in sorted(words) if f"`{word}" not in text] == []
    assert read("DURATION", "1w", RUNS.attributes["duration"], "=") == 7 * 86_400_000


def test_the_filters_of_the_examples_use_every_operator():
    text = (EXAMPLES / "search_filters.txt").read_text(encoding="utf-8")
    operators = {operator for operators in OPERATORS.values() for operator in operators}
    assert [operator for operator in sorted(operators) if f" {operator} " not in text] == []


# --- Lists that must be complete


def names_in(page: str) -> set[str]:
    """The dotted names in the first column of the tables of a page."""
    return set(re.findall(r"^\| `(stele[.\w]+)`", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE))


def test_python_page_has_every_public_name_and_no_other():
    names = names_in("reference/python.md")
    for name in names:
        value = stele
        for part in name.split(".")[1:]:
            value = getattr(value, part)
    assert {name for name in names if name.count(".") == 1} == {f"stele.{name}" for name in stele.__all__}
    assert {name for name in names if name.startswith("stele.data.")} == {f"stele.data.{n}" for n in stele.data.__all__}
    client = {f"stele.Client.{name}" for name in dir(stele.Client) if not name.startswith("_")}
    assert {name for name in names if name.startswith("stele.Client.")} == client - UNLISTED


UNLISTED = {f"stele.Client.{name}" for name in ("located", "model_at", "model_of_run", "remember_artifact_uri")}
"""Methods that only other modules of Stele call."""


def test_python_page_shows_the_errors():
    text = (DOCS / "reference/python.md").read_text(encoding="utf-8")
    classes = [value for name, value in vars(stele.exceptions).items() if inspect.isclass(value)]
    rows = {f"| `{kind.__name__}` | `{kind.code}` | {kind.status} |" for kind in classes}
    assert [row for row in sorted(rows) if row not in text] == []


def test_settings_page_has_every_setting():
    text = (DOCS / "reference/settings.md").read_text(encoding="utf-8")
    names = [name for item in settings.SETTINGS for name in (item.name, item.twin) if name]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_settings_that_pages_name_exist():
    known = {name for item in settings.SETTINGS for name in (item.name, item.twin)}
    for page in PAGES:
        named = set(re.findall(r"\b(?:STELE|MLFLOW)_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8")))
        assert named <= known, page


def test_limits_page_has_every_limit():
    text = (DOCS / "reference/limits.md").read_text(encoding="utf-8")
    values = {name: value for name, value in vars(limits).items() if re.match(r"(MAX|DEFAULT)_", name)}
    missing = [name for name, value in values.items() if f"| {value:,} |".replace(",", " ") not in text]
    assert missing == []


def test_every_table_is_described():
    text = (DOCS / "reference/files.md").read_text(encoding="utf-8")
    assert [name for name in metadata.tables if f"| `{name}` |" not in text] == []


def test_names_in_the_architecture_exist():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:\w+/)*\w+\.(?:py|lark))`", text))
    assert paths
    assert [
        path for path in sorted(paths) if not any((ROOT / base / path).exists() for base in ("src/stele", "."))
    ] == []
    named = re.findall(r"`((?:\w+/)+\w+)\.py:(\w+)`", text)
    steps = re.findall(r"^((?:\w+/)+\w+)\.py +(\w+)  ", text, re.MULTILINE)
    assert len(steps) >= 14
    for module, name in named + steps:
        assert f"def {name}(" in (ROOT / f"src/stele/{module}.py").read_text(encoding="utf-8"), (module, name)


# --- The pages themselves


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_page_names_no_machine(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:root|work|Users)/|/home/\w+/", text)
    assert str(ROOT) not in text


class Loaded(HTMLParser):
    """Collects what a browser would load with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.addresses.append(values.get("src") or "")
        elif tag == "link" and values.get("rel") not in ("canonical", "next", "prev"):
            self.addresses.append(values.get("href") or "")


def test_the_site_is_complete_and_loads_nothing_from_elsewhere(tmp_path):
    # Without --quiet, which would hide the warnings from --strict as well.
    done = run([sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)], ROOT)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) >= len(PAGES)
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.addresses
        assert [address for address in loaded.addresses if "//" in address] == []
    assert (tmp_path / "search/search_index.json").exists()
