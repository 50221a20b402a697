"""What the client says to a person at a terminal or in a notebook."""

from __future__ import annotations

import sys

from stele import settings
from stele.schema.runs import Run

__all__ = ["run_url", "show_run"]


def run_url(tracking_uri: str, run: Run) -> str:
    """The web page of a run; empty when the store has no web page."""
    if not tracking_uri.startswith(("http://", "https://")):
        return ""
    return f"{tracking_uri.rstrip('/')}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def show_run(tracking_uri: str, run: Run) -> None:
    """Tell where a run that ended can be looked at, on a terminal only."""
    url = run_url(tracking_uri, run)
    if url and settings.PROGRESS.get() and sys.stderr.isatty():
        print(f"View run {run.info.run_name} at {url}", file=sys.stderr)  # noqa: T201 - for the person there
