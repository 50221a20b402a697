"""The recipe of an image does what it says: its steps are run in a fresh directory, and the model answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from servers import free_port
from serving_tools import until
from stele.errors import InvalidParameterValue, MissingDependency
from stele.serving import images
from stele.serving.images import build_image, write_context

_SYSTEM = {"apt-get", "useradd", "rm"}
"""Commands that change the image's system, not what Stele brings."""


class Recipe:
    """Runs the instructions of a Dockerfile with the root of the image moved into a directory."""

    def __init__(self, context: Path, root: Path) -> None:
        self.context, self.root = context, root
        self.directory = root
        self.environment: dict[str, str] = {}
        self.entrypoint: list[str] = []
        self.health: list[str] = []
        self.user = ""
        self.skipped: set[str] = set()

    def path(self, text: str) -> str:
        return str(self.root / text[1:]) if text.startswith(("/opt/", "/build", "/home/")) else text

    def command(self, text: str) -> list[str]:
        return [self.path(word) for word in json.loads(text)]

    def run(self) -> None:
        for line in (self.context / "Dockerfile").read_text().splitlines():
            instruction, _, rest = line.partition(" ")
            if instruction and instruction != "#":
                getattr(self, f"do_{instruction.lower()}")(rest)

    def do_from(self, rest: str) -> None:
        assert re.fullmatch(r"python:3\.\d+-slim( AS build)?", rest)

    def do_workdir(self, rest: str) -> None:
        self.directory = Path(self.path(rest))
        self.directory.mkdir(parents=True, exist_ok=True)

    def do_run(self, rest: str) -> None:
        command = self.command(rest)
        if command[0] in _SYSTEM:
            self.skipped.add(command[0])
            return
        command[0] = sys.executable if command[0] == "python" else command[0]
        subprocess.run(command, cwd=self.directory, check=True)

    def do_copy(self, rest: str) -> None:
        if rest.startswith("--from=build"):
            return  # both stages have one root here
        *sources, target = json.loads(rest)
        for source in sources:
            found, place = self.context / source, Path(self.path(target))
            if found.is_dir():
                shutil.copytree(found, place)
            else:
                shutil.copy(found, place / found.name)

    def do_env(self, rest: str) -> None:
        self.environment |= dict(word.split("=", 1) for word in rest.split())

    def do_user(self, rest: str) -> None:
        self.user = rest

    def do_expose(self, rest: str) -> None:
        assert int(rest) == images.PORT

    def do_healthcheck(self, rest: str) -> None:
        self.health = self.command(rest.partition("CMD ")[2])

    def do_entrypoint(self, rest: str) -> None:
        self.entrypoint = self.command(rest)


def test_every_step_works_and_the_model_answers(linear: Path, tmp_path: Path) -> None:
    context = tmp_path / "context"
    write_context(linear, context, "registry.example.org/linear:3")
    recipe = Recipe(context, tmp_path / "image")
    recipe.run()
    assert recipe.user.isdigit()
    assert recipe.user != "0"
    port = str(free_port())
    command = [port if word == str(images.PORT) else word for word in recipe.entrypoint]
    kept = {"PATH": os.environ["PATH"], "HOME": str(recipe.directory)}
    server = subprocess.Popen(command, cwd=recipe.directory, env=kept | recipe.environment, start_new_session=True)
    try:
        health = [word.replace(str(images.PORT), port) for word in recipe.health]
        until(
            lambda: server.poll() is not None or not subprocess.run(health, capture_output=True, check=False).returncode
        )
        body = json.dumps({"dataframe_split": {"columns": ["a", "b"], "data": [[1, 1]]}}).encode()
        headers = {"Content-Type": "application/json", "Host": "linear.default.svc"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, headers)
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["predictions"] == pytest.approx([3.0])
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        assert server.wait(timeout=60) == 0


def test_context(linear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "stele_source", lambda: None)
    context = tmp_path / "context"
    write_context(linear, context, "registry.example.org/team/linear-model:3")
    lines = (context / "requirements.txt").read_text().splitlines()
    assert lines[0].startswith("stele==")
    assert not any(line.startswith("mlflow") for line in lines)
    assert (context / "model" / "MLmodel").is_file()
    text = (context / "Dockerfile").read_text()
    # No instruction is read by a shell: every command is a list.
    assert all(
        re.match(r"RUN \[|ENTRYPOINT \[|HEALTHCHECK .* CMD \[", line)
        for line in text.splitlines()
        if "/opt/venv/bin" in line and not line.startswith("COPY")
    )
    assert re.search(r"^USER [1-9]\d+$", text, re.MULTILINE)
    # Requirements come before the model, so that another model keeps their layer.
    assert text.index("requirements.txt") < text.index('COPY ["model"')
    deployment, service = yaml.safe_load_all((context / "kubernetes.yaml").read_text())
    pod: dict[str, Any] = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["image"] == "registry.example.org/team/linear-model:3"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"startupProbe", "readinessProbe", "livenessProbe", "resources"} <= container.keys()
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == {"app": "linear-model"}


def test_libraries_of_the_system_that_wheels_expect(
    linear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "stele_source", lambda: None)
    model = tmp_path / "model"
    shutil.copytree(linear, model)
    with (model / "requirements.txt").open("a") as file:
        file.write("\nlightgbm==4.7.0")
    write_context(model, tmp_path / "context")
    assert (
        '"install", "--yes", "--no-install-recommends", "libgomp1"' in (tmp_path / "context" / "Dockerfile").read_text()
    )


@pytest.mark.parametrize("name", ["x; rm -rf /", "a\nRUN evil", "$(id)", "", "-v", "UPPER space"])
def test_names_that_are_none_are_refused(name: str, linear: Path, tmp_path: Path) -> None:
    for options in ({"name": name}, {"name": "x", "base_image": name or " "}):
        with pytest.raises(InvalidParameterValue, match="no name of an image"):
            write_context(linear, tmp_path / "context", **options)
        assert not (tmp_path / "context").exists()


@pytest.mark.parametrize("line", ["x; touch /tmp/x", "--config-settings=a", "-r /etc/passwd", "-e .", "$(id)"])
def test_hostile_requirements_are_refused(line: str, linear: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(linear, model)
    (model / "requirements.txt").write_text(f"numpy\n{line}\n")
    with pytest.raises(InvalidParameterValue):
        write_context(model, tmp_path / "context")


def test_nothing_is_overwritten(linear: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidParameterValue, match="exists already"):
        write_context(linear, tmp_path)


def test_without_docker_the_context_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependency, match=str(tmp_path)):
        build_image(tmp_path, "x")
