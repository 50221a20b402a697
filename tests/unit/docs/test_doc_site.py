"""The pages name no machine, and the site that is made of them is complete."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser

import pytest
from doc_pages import DOCS, PAGES, ROOT, run


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
