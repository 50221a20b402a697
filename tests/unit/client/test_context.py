import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import stele
from stele.client import context, git
from stele.client.jobs import JOBS


@pytest.fixture
def repository(workplace):
    def run(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *identity, *arguments], cwd=workplace, check=True, capture_output=True)

    run("init", "-q", "-b", "work")
    (workplace / "code.py").write_text("x = 1\n")
    (workplace / "prod.env").write_text("KEY=1\n")
    run("add", ".")
    run("commit", "-q", "-m", "first")
    run("remote", "add", "origin", "https://ann:secret@example.org/team/repo.git?token=abc")
    return workplace


def test_the_commit_is_found_from_below(repository):
    (repository / "sub").mkdir()
    commit = git.commit(str(repository / "sub"))
    assert (commit.branch, commit.repository) == ("work", "https://example.org/team/repo.git")
    assert len(commit.sha) == 40
    assert os.path.realpath(commit.root) == os.path.realpath(repository)


def test_changes_are_seen_without_secrets(repository):
    assert git.is_dirty(str(repository)) is False
    assert git.diff(str(repository), 1_000_000) == ""
    (repository / "code.py").write_text("x = 2\n")
    (repository / "prod.env").write_text("KEY=canary\n")
    assert git.is_dirty(str(repository)) is True
    diff = git.diff(str(repository), 1_000_000)
    assert "+x = 2" in diff
    assert "canary" not in diff
    assert git.diff(str(repository), 10) is None


def test_programs_that_a_repository_configures_do_not_run(repository):
    trap = repository / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {repository}/sprung\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py diff=trap\n")
    for key in ("core.fsmonitor", "diff.external", "diff.trap.textconv", "diff.trap.command"):
        subprocess.run(["git", "config", key, str(trap)], cwd=repository, check=True)
    (repository / "code.py").write_text("x = 3\n")
    git.commit(str(repository))
    git.is_dirty(str(repository))
    assert "x = 3" in git.diff(str(repository), 1_000_000)
    assert not (repository / "sprung").exists()


def test_without_a_repository_there_is_no_commit(workplace, monkeypatch):
    assert git.commit(str(workplace)) is None
    assert git.commit(str(workplace / "missing")) is None
    monkeypatch.setenv("PATH", str(workplace))
    assert git.commit(str(workplace)) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h/r.git", "https://h/r.git"),
        ("https://u:p@x@h/r", "https://h/r"),
        ("https://h/r?private_token=x#y", "https://h/r"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("ssh://git@h:22/r", "ssh://h:22/r"),
        ("", ""),
    ],
)
def test_credentials_are_cut_from_addresses(url, shown):
    assert git.without_credentials(url) == shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["train.py", "--lr", "0.1"], ["train.py", "--lr", "0.1"]),
        (["--token", "canary", "--x"], ["--token", "***", "--x"]),
        (["--api-key=canary"], ["--api-key=***"]),
        (["DB_PASSWORD=canary"], ["DB_PASSWORD=***"]),
        (["--verbose-auth", "--x", "1"], ["--verbose-auth", "--x", "1"]),
        (["--uri", "postgresql://ann:canary@host/db"], ["--uri", "postgresql://host/db"]),
        (["tokenizer.py", "token"], ["tokenizer.py", "token"]),
    ],
)
def test_secrets_are_cut_from_command_lines(words, shown):
    assert context.redacted(words) == shown


def test_tags_of_a_new_run(monkeypatch):
    monkeypatch.setenv("STELE_RUN_CONTEXT", '{"ticket": "ML-7", "build": 12}')
    tags = context.context_tags()
    assert tags["mlflow.source.type"] == "LOCAL"
    assert tags["mlflow.source.name"] == sys.argv[0]
    assert tags["mlflow.user"]
    assert (tags["ticket"], tags["build"]) == ("ML-7", "12")
    assert "stele.host" not in tags


def test_a_bad_context_variable_does_not_stop_training(monkeypatch, caplog):
    monkeypatch.setenv("STELE_RUN_CONTEXT", "[1]")
    assert context.context_tags()["mlflow.user"]
    assert "STELE_RUN_CONTEXT" in caplog.text


def test_a_script_in_a_repository_leaves_its_traces(repository):
    (repository / "train.py").write_text(
        textwrap.dedent(
            """
            import stele
            with stele.start_run(run_name="outer"):
                with stele.start_run(run_name="inner", nested=True):
                    pass
            """
        )
    )
    subprocess.run(["git", "add", "train.py"], cwd=repository, check=True)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "STELE_CAPTURE": "true", "SECRET_TOKEN": "canary"}
    command = [sys.executable, "train.py", "--password", "canary"]
    subprocess.run(command, cwd=repository, env=env, check=True, timeout=60, capture_output=True)
    runs = {run.info.run_name: run for run in stele.search_runs(output_format="list")}
    tags = runs["outer"].data.tags
    assert tags["mlflow.source.git.commit"] == git.commit(str(repository)).sha
    assert tags["mlflow.source.git.branch"] == "work"
    assert tags["mlflow.source.git.repoURL"] == "https://example.org/team/repo.git"
    assert tags["mlflow.source.git.dirty"] == "true"
    assert tags["stele.python.version"]
    assert runs["inner"].data.tags["mlflow.source.git.commit"] == tags["mlflow.source.git.commit"]
    client = stele.Client()
    assert client.list_artifacts(runs["inner"].info.run_id) == []
    found = [info.path for info in client.list_artifacts(runs["outer"].info.run_id, "environment")]
    assert found == ["environment/environment.json", "environment/git.diff", "environment/requirements.txt"]
    written = [client.download_artifacts(runs["outer"].info.run_id, path) for path in found]
    texts = [Path(path).read_text(encoding="utf-8") for path in written]
    assert not any("canary" in text for text in texts)
    assert "--password" in texts[0]
    assert "train.py" in texts[1]
    assert "msgspec==" in texts[2]


def test_capturing_never_stops_a_run(monkeypatch):
    monkeypatch.setenv("STELE_CAPTURE", "true")
    experiment_id = stele.create_experiment("far", artifact_location="s3://bucket/unreachable")
    with stele.start_run(experiment_id=experiment_id) as run:
        stele.log_metric("x", 1)
    JOBS.flush()
    assert stele.get_run(run.info.run_id).info.status == "FINISHED"
