"""``stele runs describe``: everything about one run, in sections."""

from __future__ import annotations

from stele.cli.output import Column, heading, show_facts, show_table
from stele.cli.text import clean, iso_time
from stele.client.client import Client
from stele.client.tag_names import (
    GIT_BRANCH,
    GIT_COMMIT,
    GIT_DIRTY,
    NOTE,
    PARENT_RUN_ID,
    RUN_NAME,
    SOURCE_NAME,
    USER,
)
from stele.errors import SteleError
from stele.schema.display import duration
from stele.schema.runs import Run

__all__ = ["show_run", "source_version"]

_SHOWN_AS_FACTS = (RUN_NAME, NOTE, PARENT_RUN_ID, USER, SOURCE_NAME, GIT_COMMIT, GIT_BRANCH, GIT_DIRTY)
_CONTEXT_TAG = "mlflow.data.context"


def show_run(client: Client, run: Run) -> None:
    """Print a run. A place of files that cannot be reached is said, and is no error."""
    _show_head(client, run)
    _show_metrics(run)
    for title, values in (("Params", run.data.params), ("Tags", _own_tags(run))):
        if values:
            heading(title)
            show_facts(dict(sorted(values.items())))
    _show_datasets(run)
    _show_files(client, run)


def _show_head(client: Client, run: Run) -> None:
    info, tags = run.info, run.data.tags
    experiment = client.get_experiment(info.experiment_id)
    ended = (
        "" if info.end_time is None else f"{iso_time(info.end_time)}, after {duration(info.end_time - info.start_time)}"
    )
    show_facts(
        {
            "Run": info.run_name,
            "Id": info.run_id,
            "Status": info.status + ("" if info.lifecycle_stage == "active" else f" ({info.lifecycle_stage})"),
            "Experiment": f"{experiment.name} (id {experiment.experiment_id})",
            "Parent": tags.get(PARENT_RUN_ID),
            "Started": iso_time(info.start_time),
            "Ended": ended,
            "User": info.user_id or tags.get(USER),
            "Source": tags.get(SOURCE_NAME),
            "Commit": source_version(run),
            "Note": tags.get(NOTE),
            "Files": info.artifact_uri,
        }
    )


def source_version(run: Run) -> str:
    """Commit, branch, and whether there were changes beside them."""
    tags = run.data.tags
    if GIT_COMMIT not in tags:
        return ""
    branch = f" on {tags[GIT_BRANCH]}" if tags.get(GIT_BRANCH) else ""
    return tags[GIT_COMMIT] + branch + (" with changes" if tags.get(GIT_DIRTY) == "true" else "")


def _show_metrics(run: Run) -> None:
    if run.data.metric_list:
        heading("Metrics")
        columns = [Column("Metric"), Column("Latest", "number"), Column("Step", "number"), Column("Logged", "time")]
        metrics = sorted(run.data.metric_list, key=lambda metric: metric.key)
        show_table(columns, [[metric.key, metric.value, metric.step, metric.timestamp] for metric in metrics])


def _own_tags(run: Run) -> dict[str, str]:
    return {key: value for key, value in run.data.tags.items() if key not in _SHOWN_AS_FACTS}


def _show_datasets(run: Run) -> None:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    if not inputs:
        return
    heading("Datasets")
    rows = []
    for item in inputs:
        context = next((tag.value for tag in item.tags if tag.key == _CONTEXT_TAG), None)
        rows.append([item.dataset.name, item.dataset.digest, context, item.dataset.source_type])
    show_table([Column("Name"), Column("Digest"), Column("Context"), Column("Source")], rows)


def _show_files(client: Client, run: Run) -> None:
    heading("Files")
    try:
        found = client.list_artifacts(run.info.run_id)
    except SteleError as e:
        show_facts({"not reachable": clean(str(e))})
        return
    if not found:
        show_facts({"none": " "})
        return
    rows = [[info.path + ("/" if info.is_dir else ""), info.file_size] for info in found]
    show_table([Column("Path"), Column("Size", "size")], rows)
