"""``stele experiments``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from stele.cli import suggest
from stele.cli.csv_export import write_csv
from stele.cli.finding import VIEW_NAMES, find_experiment, key_values, open_client, some, view_option
from stele.cli.output import Column, heading, json_option, note, show_facts, show_json, show_table
from stele.cli.teaching import Group
from stele.cli.text import iso_time
from stele.errors import shown
from stele.limits import DEFAULT_PAGE
from stele.schema.enums import ViewType
from stele.schema.experiments import Experiment

__all__ = ["experiments"]

Command = Callable[..., Any]

_SHOWN_TAGS = 3


def _which(command: Command) -> Command:
    """The three ways to name an experiment."""
    for decorate in (
        click.option(
            "--experiment-name", "-n", metavar="NAME", shell_complete=suggest.experiment_names, help="By name."
        ),
        click.option("--experiment-id", "-x", metavar="ID", shell_complete=suggest.experiment_ids, help="By id."),
        click.argument("experiment", required=False, shell_complete=suggest.experiments),
    ):
        command = decorate(command)
    return command


_most = click.option(
    "--max-results",
    type=click.IntRange(min=1),
    default=DEFAULT_PAGE,
    show_default=True,
    help="How many at most.",
)


@click.group(cls=Group)
def experiments() -> None:
    r"""List, search, make, rename, archive and delete experiments.

    EXPERIMENT is an id or a name.

    \b
    stele experiments list
    stele experiments create -n churn
    stele experiments rename 3 'churn 2026'
    """


@experiments.command("list")
@view_option()
@_most
@json_option
def list_experiments(view: str, max_results: int, as_json: bool) -> None:
    r"""List experiments, the newest first.

    \b
    stele experiments list
    stele experiments list --view deleted_only
    """
    _show(view, max_results, "", (), as_json=as_json)


@experiments.command()
@click.option("--filter", "condition", default="", metavar="TEXT", help="Such as: tags.team = 'risk'.")
@click.option("--order-by", multiple=True, metavar="TEXT", help="Such as: name ASC. May be repeated.")
@view_option()
@_most
@json_option
def search(condition: str, order_by: Sequence[str], view: str, max_results: int, as_json: bool) -> None:
    r"""Find experiments by name, tag or time.

    \b
    stele experiments search --filter "name LIKE 'fraud%'"
    stele experiments search --filter "tags.team = 'risk' AND creation_time > now-30d" --order-by name
    """
    _show(view, max_results, condition, order_by, as_json=as_json)


def _show(view: str, most: int, condition: str, order_by: Sequence[str], *, as_json: bool) -> None:
    client = open_client()
    number = ViewType.from_string(view)
    found, more = some(
        lambda size, token: client.search_experiments(number, size, condition or None, list(order_by), token), most
    )
    if as_json:
        show_json(found)
    elif not found:
        note(f"No experiment found in {client!r}.")
    else:
        _show_experiments(found, with_stage=view != VIEW_NAMES[0])
    if more:
        note(f"There are more than these {most}: --max-results shows more.")


def _show_experiments(found: Sequence[Experiment], *, with_stage: bool) -> None:
    columns = [Column("Id", "id"), Column("Name")]
    columns += [Column("Stage", "stage")] if with_stage else []
    columns += [Column("Created", "time"), Column("Tags"), Column("Artifact location"), Column("Changed", "time")]
    rows = [
        [
            experiment.experiment_id,
            experiment.name,
            *([experiment.lifecycle_stage] if with_stage else []),
            experiment.creation_time,
            _tags(experiment),
            experiment.artifact_location,
            experiment.last_update_time,
        ]
        for experiment in found
    ]
    show_table(columns, rows, optional=3)


def _tags(experiment: Experiment) -> str:
    pairs = [f"{key}={value}" for key, value in experiment.tags.items()]
    rest = len(pairs) - _SHOWN_TAGS
    return ", ".join(pairs[:_SHOWN_TAGS]) + (f" +{rest}" if rest > 0 else "")


@experiments.command()
@_which
@click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", help="The same as --json, MLflow's way."
)
@json_option
def get(
    experiment: str | None, experiment_id: str | None, experiment_name: str | None, output: str, as_json: bool
) -> None:
    r"""Show one experiment.

    \b
    stele experiments get churn
    stele experiments get -x 3 --json
    """
    found = find_experiment(open_client(), experiment, experiment_id, experiment_name)
    if as_json or output == "json":
        show_json(found)
        return
    show_facts(
        {
            "Name": found.name,
            "Id": found.experiment_id,
            "Stage": found.lifecycle_stage,
            "Created": _time(found.creation_time),
            "Changed": _time(found.last_update_time),
            "Artifact location": found.artifact_location,
        }
    )
    if found.tags:
        heading("Tags")
        show_facts(found.tags)


def _time(milliseconds: int | None) -> str:
    return "" if milliseconds is None else iso_time(milliseconds)


@experiments.command()
@click.argument("name", required=False)
@click.option("--experiment-name", "-n", metavar="NAME", help="Its name.")
@click.option("--artifact-location", "-l", metavar="URI", help="Where its runs keep files. [chosen by the store]")
@click.option("--tag", "-t", "tags", multiple=True, metavar="KEY=VALUE", help="A tag. May be repeated.")
@json_option
def create(
    name: str | None, experiment_name: str | None, artifact_location: str | None, tags: Sequence[str], as_json: bool
) -> None:
    r"""Make an experiment.

    \b
    stele experiments create churn
    stele experiments create -n churn -l s3://bucket/churn --tag team=risk
    """
    if (name is None) == (experiment_name is None):
        raise click.UsageError("Name the new experiment once: as NAME or with -n NAME.")
    name = name or experiment_name or ""
    made = open_client().create_experiment(name, artifact_location, key_values(tags, "--tag"))
    if as_json:
        show_json({"experiment_id": made})
    else:
        click.echo(f"Made experiment {shown(name)} with id {made}.")


@experiments.command()
@click.argument("words", nargs=-1, metavar="[EXPERIMENT] [NEW_NAME]", shell_complete=suggest.experiments)
@click.option("--experiment-id", "-x", metavar="ID", shell_complete=suggest.experiment_ids, help="By id.")
@click.option("--experiment-name", "-n", metavar="NAME", shell_complete=suggest.experiment_names, help="By name.")
@click.option("--new-name", metavar="NAME", help="The new name.")
def rename(words: Sequence[str], experiment_id: str | None, experiment_name: str | None, new_name: str | None) -> None:
    r"""Give an experiment another name.

    \b
    stele experiments rename 3 'churn 2026'
    stele experiments rename -n churn --new-name 'churn 2026'
    """
    rest = list(words)
    which = rest.pop(0) if rest and experiment_id is None and experiment_name is None else None
    if new_name is None and rest:
        new_name = rest.pop(0)
    if rest or new_name is None:
        raise click.UsageError("Give the experiment and its new name: stele experiments rename 3 'New name'.")
    client = open_client()
    found = find_experiment(client, which, experiment_id, experiment_name)
    client.rename_experiment(found.experiment_id, new_name)
    click.echo(f"Experiment {found.experiment_id} is now {shown(new_name)}, it was {shown(found.name)}.")


@experiments.command(short_help="Move an experiment with its runs to the trash.")
@_which
def delete(experiment: str | None, experiment_id: str | None, experiment_name: str | None) -> None:
    r"""Move an experiment with its runs to the trash; `restore` brings it back, `stele gc` removes it.

    \b
    stele experiments delete -x 3
    """
    client = open_client()
    found = find_experiment(client, experiment, experiment_id, experiment_name)
    client.delete_experiment(found.experiment_id)
    click.echo(
        f"Experiment {found.experiment_id} ({shown(found.name)}) is in the trash. "
        f"To bring it back: stele experiments restore {found.experiment_id}"
    )


@experiments.command(short_help="Bring an experiment back from the trash.")
@_which
def restore(experiment: str | None, experiment_id: str | None, experiment_name: str | None) -> None:
    r"""Bring an experiment with its runs back from the trash.

    \b
    stele experiments restore -x 3
    """
    client = open_client()
    found = find_experiment(client, experiment, experiment_id, experiment_name)
    client.restore_experiment(found.experiment_id)
    click.echo(f"Experiment {found.experiment_id} ({shown(found.name)}) is back.")


@experiments.command(short_help="Put an experiment out of the way under _archived/.")
@_which
@click.option("--restore", "bring_back", is_flag=True, help="Give an archived experiment its name back.")
def archive(experiment: str | None, experiment_id: str | None, experiment_name: str | None, bring_back: bool) -> None:
    r"""Put an experiment out of the way under _archived/NAME; its runs stay readable.

    \b
    stele experiments archive churn
    stele experiments archive churn --restore
    """
    client = open_client()
    if bring_back and (name := experiment or experiment_name) and not (experiment and experiment_name):
        after = client.restore_archived_experiment(name)
    elif bring_back:
        after = client.restore_archived_experiment(
            find_experiment(client, experiment, experiment_id, None).experiment_id
        )
    else:
        found = find_experiment(client, experiment, experiment_id, experiment_name)
        after = client.archive_experiment(found.experiment_id)
    click.echo(f"Experiment {after.experiment_id} is now {shown(after.name)}.")


@experiments.command(short_help="Write the runs of an experiment as CSV.")
@_which
@click.option("--filename", "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="[standard output]")
@click.option("--filter", "condition", default="", metavar="TEXT", help="Only runs that this finds.")
@view_option()
def csv(
    experiment: str | None,
    experiment_id: str | None,
    experiment_name: str | None,
    filename: Path | None,
    condition: str,
    view: str,
) -> None:
    r"""Write the runs of an experiment as CSV: one row per run, one column per metric, param and tag.

    \b
    stele experiments csv -x 3 -o runs.csv
    stele experiments csv churn | head
    """
    client = open_client()
    found = find_experiment(client, experiment, experiment_id, experiment_name)
    count = write_csv(client, found.experiment_id, condition, ViewType.from_string(view), filename)
    if filename is not None:
        note(f"Wrote {count} runs to {filename}.")
