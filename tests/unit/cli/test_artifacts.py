"""``stele artifacts``, on a local store and through a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers import stele_server


@pytest.fixture
def tree(workplace: Path) -> Path:
    """A directory with two files in it."""
    (workplace / "plots" / "deep").mkdir(parents=True)
    (workplace / "plots" / "roc.svg").write_text("<svg/>")
    (workplace / "plots" / "deep" / "a.bin").write_bytes(bytes(2_000))
    return workplace / "plots"


def through(cli, cli_json, run_id: str, tree: Path, target: Path) -> None:
    cli("artifacts", "log-artifact", "-l", str(tree / "roc.svg"), "-r", run_id, "-a", "one")
    cli("artifacts", "log-artifacts", "--local-dir", str(tree), "--run-id", run_id, "--artifact-path", "all")
    assert cli("artifacts", "log", str(tree / "roc.svg"), "-r", run_id[:12]).stdout.endswith(f"to {run_id}.\n")
    cli("artifacts", "log", str(tree), "-r", run_id, "-a", "again")
    assert cli("artifacts", "list", "-r", run_id).stdout.split()[2:] == [
        "again/",
        "-",
        "all/",
        "-",
        "one/",
        "-",
        "roc.svg",
        "6",
    ]
    found = cli_json("artifacts", "list", "-r", run_id, "-a", "all", "--recursive")
    assert [(file["path"], file["file_size"]) for file in found] == [("all/roc.svg", 6), ("all/deep/a.bin", 2_000)]
    where = cli("artifacts", "download", "-r", run_id, "-a", "all", "-d", str(target)).stdout.strip()
    assert Path(where) == target / "all"
    assert (target / "all" / "deep" / "a.bin").read_bytes() == bytes(2_000)
    where = cli("artifacts", "download", "-u", f"runs:/{run_id}/one/roc.svg").stdout.strip()
    assert Path(where).read_text() == "<svg/>"
    assert [file["path"] for file in cli_json("artifacts", "list", "-u", f"runs:/{run_id}/one")] == ["one/roc.svg"]


def test_files_go_there_and_come_back(cli, cli_json, sweep, tree, workplace):
    through(cli, cli_json, sweep[0], tree, workplace / "here")


@pytest.mark.xdist_group("processes")
def test_files_go_through_a_server(cli, cli_json, tree, tmp_path_factory, workplace, monkeypatch):
    with stele_server(tmp_path_factory.mktemp("server")) as server:
        monkeypatch.setenv("STELE_TRACKING_URI", "")  # the option sets it, and it is forgotten afterwards
        address = ["--tracking-uri", server.url]
        run_id = cli(*address, "runs", "create", "-n", "Default").stdout.strip()
        through(cli, cli_json, run_id, tree, workplace / "here")
        report = cli_json("doctor")
        assert {check["name"] for check in report["checks"]} >= {"store", "clock", "files"}
        assert all(check["ok"] for check in report["checks"])
        assert "works on the database behind it" in cli("db", "check", code=1).stderr


def test_a_run_or_an_address_has_to_be_named(cli, sweep):
    assert "whose files" in cli("artifacts", "list", code=2).stderr
    assert "whose files" in cli("artifacts", "download", "-r", sweep[0], "-u", "runs:/x/y", code=2).stderr
    assert "holds the path" in cli("artifacts", "list", "-u", "runs:/x/y", "-a", "z", code=2).stderr


def test_what_is_not_there_is_said(cli, sweep, workplace):
    assert "There are no files" in cli("artifacts", "list", "-r", sweep[0]).stderr
    assert "no artifact 'nothing'" in cli("artifacts", "download", "-r", sweep[0], "-a", "nothing", code=1).stderr
    cli("artifacts", "log", "nothing", "-r", sweep[0], code=2)
    assert "'..'" in cli("artifacts", "list", "-r", sweep[0], "-a", "../..", code=1).stderr
