"""How a run and an experiment show themselves: one line on a terminal, a table in a notebook.

Everything a user wrote is escaped on its way into HTML, so that a name or a tag can never become markup or a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["duration", "experiment_html", "experiment_text", "run_html", "run_text"]

_SHOWN_IN_LINE = 4
_SHOWN_IN_TABLE = 50
_SHOWN_CHARACTERS = 200
_SYSTEM_TAGS = ("mlflow.", "stele.")
_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def run_text(run: Any) -> str:
    """One line: name, status, duration, the first metrics and params, and the id."""
    info = run.info
    words = [f"<Run {info.run_name!r} {info.status}"]
    if info.end_time:
        words.append(f" in {duration(info.end_time - info.start_time)}")
    for title, values in (("metrics", run.data.metrics), ("params", run.data.params)):
        if values:
            words.append(f", {title} {_first(values)}")
    return f"{''.join(words)}, run_id={info.run_id!r}>"


def experiment_text(experiment: Any) -> str:
    """One line: name, lifecycle stage unless it is active, the first tags, and the id."""
    stage = "" if experiment.lifecycle_stage == "active" else f" ({experiment.lifecycle_stage})"
    tags = f", tags {_first(experiment.tags)}" if experiment.tags else ""
    return f"<Experiment {experiment.name!r}{stage}{tags}, experiment_id={experiment.experiment_id!r}>"


def _first(values: Mapping[str, Any]) -> str:
    shown = [f"{key}={_number(value)}" for key, value in list(values.items())[:_SHOWN_IN_LINE]]
    rest = len(values) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def duration(milliseconds: int) -> str:
    """A span of time in its largest unit, such as ``2.5 min``."""
    for size, unit in _UNITS:
        if milliseconds >= size:
            return f"{milliseconds / size:.3g} {unit}"
    return f"{milliseconds} ms"


def run_html(run: Any) -> str:
    """A table with status, times, metrics, params and the user's own tags."""
    info = run.info
    facts = {
        "Status": info.status,
        "Started": _moment(info.start_time),
        "Duration": duration(info.end_time - info.start_time) if info.end_time else "",
        "Run id": info.run_id,
        "Experiment id": info.experiment_id,
        "Files": info.artifact_uri,
    }
    own_tags = {key: value for key, value in run.data.tags.items() if not key.startswith(_SYSTEM_TAGS)}
    sections = {"Metrics": run.data.metrics, "Params": run.data.params, "Tags": own_tags}
    return _table(f"Run {info.run_name}", facts, sections)


def experiment_html(experiment: Any) -> str:
    """A table with id, stage, creation time, place of the files and tags."""
    facts = {
        "Experiment id": experiment.experiment_id,
        "Stage": experiment.lifecycle_stage,
        "Created": _moment(experiment.creation_time),
        "Files": experiment.artifact_location,
    }
    return _table(f"Experiment {experiment.name}", facts, {"Tags": experiment.tags})


def _moment(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):  # any 64-bit integer may have been logged
        return f"{milliseconds} ms"


def _table(title: str, facts: Mapping[str, str], sections: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [_row(name, value) for name, value in facts.items() if value]
    for name, values in sections.items():
        if values:
            rows.append(f'<tr><th colspan="2" style="text-align:left">{_escaped(name)}</th></tr>')
            rows += [_row(key, _plain(value)) for key, value in list(values.items())[:_SHOWN_IN_TABLE]]
            if len(values) > _SHOWN_IN_TABLE:
                rows.append(_row("", f"and {len(values) - _SHOWN_IN_TABLE} more"))
    return f"<table><caption><b>{_escaped(title)}</b></caption>{''.join(rows)}</table>"


def _row(name: str, value: str) -> str:
    style = 'style="text-align:left"'
    return f"<tr><td {style}>{_escaped(name)}</td><td {style}>{_escaped(value)}</td></tr>"


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _escaped(text: str) -> str:
    import html  # 2 ms that only a notebook needs

    return html.escape(_cut(text))
