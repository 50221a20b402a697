"""A container image for a model: the directory from which it is built, and how it runs in Kubernetes.

The image is slim and in layers: the interpreter, then what the model requires, then the model, so that a new version
of a model moves the last one only. It runs as a user without rights, and answers a health check.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from stele.errors import InvalidParameterValue, MissingDependency, Unavailable, shown
from stele.models.environment import read_environment
from stele.serving.environments import serving_requirements, stele_source

__all__ = ["build_image", "write_context"]

PORT = 8080
_USER = 10001

_SYSTEM_PACKAGES = {"lightgbm": ["libgomp1"], "xgboost": ["libgomp1"], "xgboost-cpu": ["libgomp1"]}
"""Requirement -> packages of Debian that its wheels expect on the machine."""

_IMAGE_NAME = re.compile(r"[a-z0-9]+([._/:@-]+[A-Za-z0-9]+)*")


def write_context(model: Path, directory: Path, name: str = "stele-model", base_image: str | None = None) -> None:
    """Write everything that an image is built from.

    Args:
        model: The saved model.
        directory: Where to write ``Dockerfile``, ``requirements.txt``, ``model/`` and ``kubernetes.yaml``; it must
            not exist, or be empty.
        name: The image's name, in the manifest.
        base_image: Instead of Python's slim image of the model's version.

    Raises:
        InvalidParameterValue: The directory holds something, a name is malformed, or the requirements cannot be read.
        Unavailable: The wheel of a Stele that was installed from source cannot be built.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InvalidParameterValue(f"{shown(str(directory))} exists already. Name a directory that does not.")
    version, _ = read_environment(model)
    base = base_image or f"python:{'.'.join(version.split('.')[:2])}-slim"
    for given in (name, base):
        if not _IMAGE_NAME.fullmatch(given):
            raise InvalidParameterValue(f"{shown(given)} is no name of an image such as registry.example.org/fraud:3.")
    wanted = serving_requirements(model)
    directory.mkdir(parents=True, exist_ok=True)
    lines = [_stele_line(directory), *wanted.lines]
    (directory / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if wanted.constraints:
        (directory / "constraints.txt").write_text("\n".join(wanted.constraints) + "\n", encoding="utf-8")
    shutil.copytree(model, directory / "model", symlinks=False)
    files = sorted(path.name for path in directory.iterdir() if path.name != "model")
    (directory / "Dockerfile").write_text(_dockerfile(base, files, _system_packages(lines)), encoding="utf-8")
    (directory / ".dockerignore").write_text("kubernetes.yaml\n", encoding="utf-8")
    manifest = yaml.safe_dump_all(_manifest(name), sort_keys=False, explicit_start=True)
    (directory / "kubernetes.yaml").write_text(manifest, encoding="utf-8")


def _stele_line(directory: Path) -> str:
    """The requirement of Stele: a release, or a wheel beside the Dockerfile."""
    source = stele_source()
    if source is None:
        return f"stele=={metadata.version('stele')}"
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(  # noqa: S603 - a list, no shell
        [*command, "--wheel-dir", str(directory), str(source)],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        check=False,
    )
    wheels = sorted(directory.glob("stele-*.whl"))
    if done.returncode != 0 or not wheels:
        raise Unavailable(f"No wheel of Stele could be built from {source} (pip ended with code {done.returncode}).")
    return f"./{wheels[0].name}"


def _system_packages(lines: list[str]) -> list[str]:
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in lines}
    return sorted({package for name in names for package in _SYSTEM_PACKAGES.get(name, ())})


def _run(*command: str) -> str:
    return f"RUN {json.dumps(list(command))}"


def _dockerfile(base: str, files: list[str], packages: list[str]) -> str:
    """The recipe. Every command is a list, so that no shell reads it."""
    install = ["/opt/venv/bin/python", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check"]
    install += ["-r", "requirements.txt", *(["-c", "constraints.txt"] if "constraints.txt" in files else [])]
    probe = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{PORT}/ping', timeout=3)"
    health = ["/opt/venv/bin/python", "-c", probe]
    command = ["/opt/venv/bin/stele", "models", "serve", "--model-uri", "/opt/model"]
    command += ["--host", "0.0.0.0", "--port", str(PORT), "--allowed-hosts", "*"]  # noqa: S104 - in a container
    lines = [
        f"FROM {base} AS build",
        "WORKDIR /build",
        _run("python", "-m", "venv", "/opt/venv"),
        f"COPY {json.dumps([*files, '/build/'])}",
        _run(*install),
        "",
        f"FROM {base}",
    ]
    if packages:
        lines.append(_run("apt-get", "update"))
        lines.append(_run("apt-get", "install", "--yes", "--no-install-recommends", *packages))
        lines.append(_run("rm", "-rf", "/var/lib/apt/lists"))
    lines += [
        _run("useradd", "--system", "--uid", str(_USER), "--create-home", "stele"),
        "COPY --from=build /opt/venv /opt/venv",
        'COPY ["model", "/opt/model"]',
        f"USER {_USER}",
        "WORKDIR /home/stele",
        "# Whoever built the image vouched for the model in it.",
        "ENV STELE_MODEL_TRUST=any PYTHONUNBUFFERED=1",
        f"EXPOSE {PORT}",
        f"HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD {json.dumps(health)}",
        f"ENTRYPOINT {json.dumps(command)}",
    ]
    return "\n".join(lines) + "\n"


def _manifest(image: str) -> list[dict[str, Any]]:
    """A Deployment and a Service."""
    app = re.sub(r"[^a-z0-9]+", "-", image.rsplit("/", 1)[-1].split(":")[0].lower()).strip("-")
    labels = {"app": app}
    probe = {"httpGet": {"path": "/ping", "port": "http"}}
    container = {
        "name": "model",
        "image": image,
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": probe | {"periodSeconds": 2, "failureThreshold": 60},
        "readinessProbe": probe | {"periodSeconds": 5},
        "livenessProbe": probe | {"periodSeconds": 10},
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the container
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": _USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": app, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels, "annotations": _SCRAPED}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": app, "labels": labels},
        "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }
    return [deployment, service]


_SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT), "prometheus.io/path": "/metrics"}


def build_image(context: Path, name: str) -> None:
    """Build the image of a context with Docker.

    Raises:
        MissingDependency: There is no ``docker``.
        Unavailable: It failed; what it said is on standard error.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise MissingDependency("docker", f"to build an image; everything it needs is in {context}")
    done = subprocess.run(  # noqa: S603 - a list, no shell
        [docker, "build", "--tag", name, str(context)],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(f"docker ended with code {done.returncode}. Everything it needs is in {context}.")
