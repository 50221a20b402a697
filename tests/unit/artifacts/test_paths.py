"""Artifact paths: what is refused, what is kept, and that nothing leaves the root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.artifacts.paths import normalise, resolve_beneath, resolve_entry
from stele.errors import InvalidParameterValue
from unit.artifacts.payloads import HARMLESS_LOOKING, HOSTILE, PAYLOADS


def test_the_corpus_is_large() -> None:
    assert len(PAYLOADS) >= 180


@pytest.mark.parametrize("payload", HOSTILE, ids=ascii)
def test_hostile_paths_are_refused(payload: str) -> None:
    with pytest.raises(InvalidParameterValue, match="artifact path"):
        normalise(payload)


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="Unicode"):
        normalise("\ud800")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ""),
        ("a", "a"),
        ("a/b/c.txt", "a/b/c.txt"),
        ("a//b", "a/b"),
        ("a/", "a"),
        ("a///b//", "a/b"),
        ("a b/c d", "a b/c d"),
        ("50%", "50%"),
        ("100%25.txt", "100%25.txt"),
        ("a%20b", "a%20b"),
        ("what?.txt", "what?.txt"),
        ("größe/数据 📈.png", "größe/数据 📈.png"),
        (".hidden", ".hidden"),
        ("a..b", "a..b"),
        ("..a", "..a"),
        ("ab:c", "ab:c"),
        ("images/loss+step+3+timestamp+17+ab.png", "images/loss+step+3+timestamp+17+ab.png"),
        ("x" * 255, "x" * 255),
    ],
)
def test_ordinary_paths_are_kept(path: str, expected: str) -> None:
    assert normalise(path) == expected


_hostile_text = st.lists(
    st.sampled_from(
        ["..", ".", "/", "//", "\\", "%2e", "%2f", "%5c", "%25", "%00", "C:", "~", "a", "é", " ", ".stele", "．"]
    )
    | st.text(max_size=3)
).map("".join)


@given(_hostile_text | st.sampled_from(PAYLOADS))
def test_what_comes_out_is_normal_and_stays_beneath(path: str) -> None:
    try:
        key = normalise(path)
    except InvalidParameterValue:
        return
    assert normalise(key) == key
    for taken_as in (key, key.replace("\\", "/")):
        joined = os.path.normpath(f"/root/of/all/{taken_as}")
        assert joined == "/root/of/all" or joined.startswith("/root/of/all/")
    assert not {".", "..", ".stele"} & set(key.split("/"))
    assert key == "" or all(key.split("/"))


class TestResolve:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "root"
        (root / "inner").mkdir(parents=True)
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "root-sibling").mkdir()
        return root

    @pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
    def test_no_payload_leaves_the_root(self, root: Path, payload: str) -> None:
        try:
            file = resolve_beneath(root, payload)
        except InvalidParameterValue:
            assert payload not in HARMLESS_LOOKING
            return
        assert file.is_relative_to(root)

    @pytest.mark.parametrize(
        ("link", "target"),
        [
            ("out", ".."),
            ("out", "../secret"),
            ("out", "/etc"),
            ("out", "../root-sibling"),
            ("out", "inner/../../secret"),
        ],
    )
    def test_links_that_lead_out_are_refused(self, root: Path, link: str, target: str) -> None:
        (root / link).symlink_to(target)
        for path in (link, f"{link}/x"):
            with pytest.raises(InvalidParameterValue, match="link"):
                resolve_beneath(root, path)

    def test_links_that_stay_are_followed(self, root: Path) -> None:
        (root / "link").symlink_to("inner")
        assert resolve_beneath(root, "link/x") == root / "inner" / "x"
        assert resolve_entry(root, "link") == root / "link"

    def test_the_root_may_be_a_link_itself(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "alias").symlink_to(root)
        assert resolve_beneath(tmp_path / "alias", "a") == root / "a"
        assert resolve_beneath(tmp_path / "alias", "") == root

    def test_a_circle_of_links_does_not_lead_out(self, root: Path) -> None:
        (root / "a").symlink_to("b")
        (root / "b").symlink_to("a")
        assert resolve_beneath(root, "a/x").is_relative_to(root)

    def test_an_entry_needs_a_name(self, root: Path) -> None:
        with pytest.raises(InvalidParameterValue, match="empty"):
            resolve_entry(root, "")
