"""``stele sql``."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import click

from stele.cli.finding import chosen_experiments, open_client
from stele.cli.output import Column, json_option, show_json, show_table
from stele.cli.run_options import chosen_options
from stele.cli.teaching import Command
from stele.client.run_database import RunDatabase
from stele.schema.codec import encode

__all__ = ["sql"]

_NUMBER = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\)")


@click.command(cls=Command)
@click.argument("query")
@chosen_options("Only runs of this experiment, by name or id; may be repeated. [all]")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def sql(query: str, experiments: Sequence[str], condition: str, as_json: bool, as_csv: bool) -> None:
    r"""Ask runs and points with SQL, in DuckDB's dialect. Nothing can be changed.

    \b
    runs             run_id, experiment_id, experiment, name, status, stage, user_id,
                     start_time, end_time, artifact_uri
    params           run_id, key, value
    tags             run_id, key, value
    latest_metrics   run_id, key, step, timestamp, value
    points           run_id, key, step, timestamp, value

    Times are in UTC. Points are read when the query names them; with --experiment, --filter, or WHERE key = '...' and
    run_id = '...' only those of these runs and keys.

    \b
    stele sql "SELECT experiment, count(*) AS runs FROM runs GROUP BY ALL"
    stele sql "SELECT step, avg(value) AS loss FROM points WHERE key = 'loss' GROUP BY step ORDER BY step" --csv
    """
    if as_json and as_csv:
        raise click.UsageError("Take --json or --csv, not both.")
    client = open_client()
    with RunDatabase(client, chosen_experiments(client, experiments), condition) as database:
        columns, rows = database.ask(query)
        _show(columns, rows, as_json=as_json, as_csv=as_csv)


def _show(columns: Sequence[tuple[str, str]], rows: Iterator[tuple[Any, ...]], *, as_json: bool, as_csv: bool) -> None:
    """Print an answer; as CSV row by row, however many there are."""
    titles = _distinct([title for title, _ in columns])
    if as_json:
        show_json([dict(zip(titles, map(_plain, row), strict=True)) for row in rows])
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(titles)
        writer.writerows(map(_cell, row) for row in rows)
    else:
        shown = [Column(title, _kind(kind)) for title, (_, kind) in zip(titles, columns, strict=True)]
        show_table(shown, [list(map(_cell, row)) for row in rows])


def _distinct(titles: Sequence[str]) -> list[str]:
    """The titles with a number behind those that are there already."""
    found: dict[str, None] = {}
    for title in titles:
        name, number = title, 1
        while name in found:
            number += 1
            name = f"{title}_{number}"
        found[name] = None
    return list(found)


def _kind(type_name: str) -> Literal["number", "text"]:
    return "number" if _NUMBER.fullmatch(type_name) else "text"


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + "Z" * (value.tzinfo is None)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _cell(value: Any) -> Any:
    """A value for a table: a number, a text or nothing."""
    value = _plain(value)
    if isinstance(value, bool | list | dict):
        return encode(value).decode()
    return value
