"""A terminal for programs that show there what they show nowhere else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

__all__ = ["shown_on_terminal"]

pty = pytest.importorskip("pty")


def shown_on_terminal(command: Sequence[str], *, whole: bool = False, **options: Any) -> bytes:
    """What a program, which must succeed, writes to standard error when that is a terminal.

    Args:
        command: The program.
        whole: Whether standard output is that terminal, too; else nobody reads it.
        options: Of ``subprocess.Popen``.
    """
    ours, theirs = pty.openpty()
    output = theirs if whole else subprocess.DEVNULL
    with subprocess.Popen(command, stdout=output, stderr=theirs, **options) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # the end of a terminal on Linux
            pass
        assert process.wait(60) == 0, shown
    os.close(ours)
    return shown
