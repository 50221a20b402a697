"""``stele runs``."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from typing import Any

import click

from stele.cli import suggest
from stele.cli.compare import compare_runs, show_comparison
from stele.cli.describe import show_run
from stele.cli.finding import (
    experiment_names,
    find_experiment,
    find_run,
    key_values,
    open_client,
    some,
    view_option,
)
from stele.cli.output import Column, json_option, note, show_json, show_table
from stele.cli.run_columns import chosen_columns, default_columns, show_runs, values_of
from stele.cli.run_logs import logs
from stele.cli.teaching import Group
from stele.client.client import Client
from stele.client.tag_names import NOTE, PARENT_RUN_ID, RUN_NAME, USER
from stele.errors import shown
from stele.limits import DEFAULT_PAGE
from stele.schema.enums import RunStatus, ViewType
from stele.schema.rewinds import Rewind
from stele.schema.runs import Run

__all__ = ["runs"]

_TERMINATED = tuple(name for number, name in RunStatus.NAMES.items() if RunStatus.is_terminated(number))


def _run_argument(command: Any) -> Any:
    """The two ways to name a run."""
    option = click.option("--run-id", "-r", metavar="ID", shell_complete=suggest.run_ids, help="The run.")
    return option(click.argument("run", required=False, shell_complete=suggest.run_ids)(command))


def _one(run: str | None, run_id: str | None) -> str:
    if (run is None) == (run_id is None):
        raise click.UsageError("Name one run: as RUN or with --run-id ID.")
    return run or run_id or ""


@click.group(cls=Group)
def runs() -> None:
    r"""List, describe, compare, rewind, delete and restore runs, and print what they printed.

    RUN is an id, or the first four or more characters of one.

    \b
    stele runs list -n churn --order-by 'metrics.auc DESC'
    stele runs describe 1f0c2a9d
    stele runs compare 1f0c2a9d 77ab01e4
    """


@runs.command("list")
@click.argument("direction", type=click.Choice(["ASC", "DESC"], case_sensitive=False), required=False)
@click.option(
    "--experiment-id",
    "-x",
    multiple=True,
    metavar="ID",
    shell_complete=suggest.experiment_ids,
    help="Of this experiment; may be repeated. [all]",
)
@click.option(
    "--experiment-name",
    "-n",
    multiple=True,
    metavar="NAME",
    shell_complete=suggest.experiment_names,
    help="The same, by name.",
)
@click.option(
    "--filter", "condition", default="", metavar="TEXT", help="Such as: metrics.auc > 0.9 AND params.lr < 0.01"
)
@click.option(
    "--order-by", multiple=True, metavar="TEXT", help="Such as: metrics.auc DESC. May be repeated. [newest first]"
)
@view_option()
@click.option(
    "--max-results", type=click.IntRange(min=1), default=DEFAULT_PAGE, show_default=True, help="How many at most."
)
@click.option(
    "--columns", metavar="NAMES", help="By comma: id, name, status, started, duration, metrics.x, params.x, tags.x ..."
)
@json_option
def list_runs(
    direction: str | None,
    experiment_id: Sequence[str],
    experiment_name: Sequence[str],
    condition: str,
    order_by: Sequence[str],
    view: str,
    max_results: int,
    columns: str | None,
    as_json: bool,
) -> None:
    r"""List runs, the newest first.

    A terminal shows the metrics and the params in which the runs differ, as many as fit.

    \b
    stele runs list
    stele runs list -x 3 --order-by start_time DESC
    stele runs list -n churn --filter "metrics.auc > 0.9" --columns id,name,metrics.auc,params.lr
    """
    order = list(order_by)
    if direction and not order:
        raise click.UsageError(f"{direction} belongs behind an --order-by.")
    if direction:
        order[-1] += f" {direction}"
    wanted = chosen_columns(columns) if columns else []
    client = open_client()
    number = ViewType.from_string(view)
    names = _experiments(client, experiment_id, experiment_name, number)
    ids = list(names)
    found, more = some(lambda size, token: client.search_runs(ids, condition, number, size, order, token), max_results)
    if as_json:
        show_json([values_of(run, wanted, names) if wanted else run.to_dictionary() for run in found])
    elif not found:
        note(f"No run found in {client!r}.")
    else:
        show_runs(found, wanted or default_columns(found, order, names, view), names)
    if more:
        note(f"There are more than these {max_results}: --max-results shows more.")


def _experiments(client: Client, ids: Sequence[str], names: Sequence[str], view: int) -> dict[str, str]:
    """The names of the experiments to look in, by id: those that were named, else all."""
    if not ids and not names:
        return experiment_names(client, ViewType.ACTIVE_ONLY if view == ViewType.ACTIVE_ONLY else ViewType.ALL)
    found = [client.get_experiment(each) for each in ids]
    found += [find_experiment(client, None, None, each) for each in names]
    return {experiment.experiment_id: experiment.name for experiment in found}


@runs.command(short_help="Show everything about a run.")
@_run_argument
@json_option
def describe(run: str | None, run_id: str | None, as_json: bool) -> None:
    r"""Show everything about a run: facts, metrics, params, tags, datasets, files.

    \b
    stele runs describe 1f0c2a9d
    stele runs describe --run-id 1f0c2a9d --json
    """
    client = open_client()
    found = find_run(client, _one(run, run_id))
    if as_json:
        show_json(found.to_dictionary())
    else:
        show_run(client, found)


@runs.command(short_help="Show in what runs differ.")
@click.argument("which", nargs=-1, required=True, metavar="RUN RUN...", shell_complete=suggest.run_ids)
@click.option("--all", "everything", is_flag=True, help="Show also what is the same.")
@json_option
def compare(which: Sequence[str], everything: bool, as_json: bool) -> None:
    r"""Show in what runs differ: params, metrics, tags, source code, environment.

    Differences are those to the first run.

    \b
    stele runs compare 1f0c2a9d 77ab01e4
    stele runs compare 1f0c2a9d 77ab01e4 90b0c1d2 --all --json
    """
    if len(which) < 2:
        raise click.UsageError("Name two runs or more.")
    client = open_client()
    found = [find_run(client, run_id) for run_id in which]
    if len({run.info.run_id for run in found}) < len(found):
        raise click.UsageError("Every run may be named once.")
    comparison = compare_runs(client, found, everything=everything)
    if as_json:
        show_json(comparison)
    else:
        show_comparison(comparison)


@runs.command(short_help="Make a run.")
@click.option("--experiment-id", "-x", metavar="ID", shell_complete=suggest.experiment_ids, help="By id.")
@click.option("--experiment-name", "-n", metavar="NAME", shell_complete=suggest.experiment_names, help="By name.")
@click.option("--run-name", metavar="NAME", help="[invented by the store]")
@click.option("--description", metavar="TEXT", help="A note on the run.")
@click.option("--tags", "--tag", "-t", multiple=True, metavar="KEY=VALUE", help="A tag. May be repeated.")
@click.option(
    "--status",
    type=click.Choice([*_TERMINATED, "RUNNING"], case_sensitive=False),
    default="FINISHED",
    show_default=True,
)
@click.option("--parent-run-id", metavar="ID", shell_complete=suggest.run_ids, help="Nest it under this run.")
@json_option
def create(
    experiment_id: str | None,
    experiment_name: str | None,
    run_name: str | None,
    description: str | None,
    tags: Sequence[str],
    status: str,
    parent_run_id: str | None,
    as_json: bool,
) -> None:
    r"""Make a run, to log to it from somewhere else.

    \b
    stele runs create -n churn --run-name 'evaluation by hand' -t reviewer=ann
    """
    client = open_client()
    experiment = find_experiment(client, None, experiment_id, experiment_name)
    own = {
        NOTE: description,
        USER: _user(),
        PARENT_RUN_ID: parent_run_id and find_run(client, parent_run_id).info.run_id,
    }
    all_tags = {key: value for key, value in own.items() if value} | key_values(tags, "--tags")
    made = client.create_run(experiment.experiment_id, tags=all_tags, run_name=run_name)
    if status.upper() in _TERMINATED:
        client.set_terminated(made.info.run_id, status.upper())
    if as_json:
        show_json(client.get_run(made.info.run_id).to_dictionary())
    elif sys.stdout.isatty():
        click.echo(f"Made run {made.info.run_id} ({made.info.run_name}) in {shown(experiment.name)}.")
    else:
        click.echo(made.info.run_id)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without that user
        return ""


@runs.command(short_help="Move a run to the trash.")
@_run_argument
def delete(run: str | None, run_id: str | None) -> None:
    r"""Move a run to the trash; `restore` brings it back, `stele gc` removes it.

    \b
    stele runs delete 1f0c2a9d
    """
    client = open_client()
    found = find_run(client, _one(run, run_id))
    client.delete_run(found.info.run_id)
    click.echo(f"Run {_named(found)} is in the trash. To bring it back: stele runs restore {found.info.run_id}")


@runs.command()
@_run_argument
def restore(run: str | None, run_id: str | None) -> None:
    r"""Bring a run back from the trash.

    \b
    stele runs restore 1f0c2a9d
    """
    client = open_client()
    found = find_run(client, _one(run, run_id))
    client.restore_run(found.info.run_id)
    click.echo(f"Run {_named(found)} is back.")


@runs.command(short_help="Hide the points of a run behind a step.")
@click.argument("run", shell_complete=suggest.run_ids)
@click.argument("step", required=False, type=int)
@click.option("--undo", is_flag=True, help="Show again what the last rewind hid.")
@click.option("--list", "list_", is_flag=True, help="Show who rewound it to which step, and when.")
@json_option
def rewind(run: str, step: int | None, undo: bool, list_: bool, as_json: bool) -> None:
    r"""Hide the points of a run behind STEP, so that those steps can be logged again; nothing is removed.

    \b
    stele runs rewind 1f0c2a9d 5000
    stele runs rewind 1f0c2a9d --undo
    stele runs rewind 1f0c2a9d --list
    """
    if [step is not None, undo, list_].count(True) != 1:
        raise click.UsageError("Name the last step that stays, or take --undo or --list.")
    client = open_client()
    found = find_run(client, run)
    if list_:
        _show_rewinds(client.list_rewinds(found.info.run_id), as_json=as_json)
        return
    done = client.undo_rewind(found.info.run_id) if step is None else client.rewind(found.info.run_id, step)
    if as_json:
        show_json({"hidden_points": done.hidden_points, "restored_points": done.restored_points})
    elif step is not None:
        click.echo(f"{done.hidden_points} points of run {_named(found)} behind step {step} are hidden.")
    else:
        click.echo(f"Run {_named(found)} shows {done.restored_points} points again.")
        if done.hidden_points:
            click.echo(f"{done.hidden_points} that were logged in their place are hidden; --undo brings those back.")


def _show_rewinds(rewinds: list[Rewind], *, as_json: bool) -> None:
    if as_json:
        show_json(rewinds)
    elif rewinds:
        columns = [Column("Step", "number"), Column("By"), Column("When", "time"), Column("Undone", "time")]
        show_table(columns, [[item.step, item.principal, item.creation_time, item.undone_time] for item in rewinds])
    else:
        click.echo("It was not rewound.")


def _named(run: Run) -> str:
    return f"{run.info.run_id} ({shown(run.info.run_name or run.data.tags.get(RUN_NAME, ''))})"


runs.add_command(logs)
