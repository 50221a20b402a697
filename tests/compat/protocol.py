"""Writes the Python module of ``ingest.proto``."""

from __future__ import annotations

import subprocess
from pathlib import Path

from compat.environments import PROTOC, python_with

SOURCE = Path(__file__).parents[2] / "src"


def compile_protocol(target: Path) -> Path:
    """The module, written below ``target``."""
    command = [python_with(PROTOC), "-m", "grpc_tools.protoc", "-I", SOURCE, f"--python_out={target}"]
    subprocess.run([*command, SOURCE / "stele/schema/ingest.proto"], check=True)
    return target / "stele/schema/ingest_pb2.py"


if __name__ == "__main__":
    compile_protocol(SOURCE)
