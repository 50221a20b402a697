"""The lists of the documentation are complete, and name nothing else."""

from __future__ import annotations

import inspect
import re

from doc_pages import DOCS, PAGES, ROOT

import stele
from stele import limits, settings
from stele.stores.sql.tables import metadata


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


def test_the_messages_in_the_table_of_a_servers_refusals_exist():
    page = (DOCS / "how-to/run-a-server.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/stele/server").glob("*.py"))
    messages = re.findall(r'^\| "(.+?)" \|', page, re.MULTILINE)
    assert len(messages) >= 4
    assert [message for message in messages if message not in sources] == []
