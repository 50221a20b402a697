"""``stele registry``: registered models, their versions, aliases and stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from stele.cli.finding import open_client, some
from stele.cli.output import Column, heading, json_option, note, show_facts, show_json, show_table
from stele.cli.registry_gates import (
    approve,
    card,
    comment,
    events,
    lineage,
    promote,
    protect,
    reject,
    requests,
    withdraw,
)
from stele.cli.teaching import Group
from stele.cli.text import iso_time
from stele.limits import DEFAULT_PAGE
from stele.schema.registered_models import ModelVersion, RegisteredModel

__all__ = ["registry"]

_SHOWN_TAGS = 3

_most = click.option(
    "--max-results",
    type=click.IntRange(min=1),
    default=DEFAULT_PAGE,
    show_default=True,
    help="How many at most.",
)
_reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept with the event.")


@click.group(cls=Group)
def registry() -> None:
    r"""List, promote and explain registered models.

    \b
    stele registry list
    stele registry versions fraud
    stele registry promote fraud 7 --metric val_auc --min 0.95 --max-drop 0.02
    """


@registry.command("list")
@_most
@json_option
def list_models(max_results: int, as_json: bool) -> None:
    r"""List registered models by name.

    \b
    stele registry list
    """
    _show_models("", (), max_results, as_json=as_json)


@registry.command()
@click.option("--filter", "condition", default="", metavar="TEXT", help="Such as: tags.team = 'risk'.")
@click.option("--order-by", multiple=True, metavar="TEXT", help="Such as: timestamp DESC. May be repeated.")
@_most
@json_option
def search(condition: str, order_by: Sequence[str], max_results: int, as_json: bool) -> None:
    r"""Find registered models by name, tag or time.

    \b
    stele registry search --filter "name LIKE 'fraud%' AND tags.team = 'risk'"
    stele registry search --order-by "timestamp DESC"
    """
    _show_models(condition, order_by, max_results, as_json=as_json)


def _show_models(condition: str, order_by: Sequence[str], most: int, *, as_json: bool) -> None:
    client = open_client()
    found, more = some(
        lambda size, token: client.search_registered_models(condition or None, size, list(order_by), token), most
    )
    if as_json:
        show_json(found)
    elif not found:
        note(f"No registered model found in {client!r}.")
    else:
        columns = [Column("Name"), Column("Newest"), Column("Aliases"), Column("Changed", "time"), Column("Tags")]
        rows = [
            [model.name, _newest(model), _pairs(model.aliases), model.last_updated_timestamp, _pairs(model.tags)]
            for model in found
        ]
        show_table(columns, rows, optional=2)
    if more:
        note(f"There are more than these {most}: --max-results shows more.")


def _newest(model: RegisteredModel) -> str:
    return str(max((int(version.version) for version in model.latest_versions), default=""))


def _pairs(values: Mapping[str, str]) -> str:
    pairs = [f"{key}={value}" for key, value in values.items()]
    rest = len(pairs) - _SHOWN_TAGS
    return ", ".join(pairs[:_SHOWN_TAGS]) + (f" +{rest}" if rest > 0 else "")


@registry.command()
@click.argument("name")
@json_option
def describe(name: str, as_json: bool) -> None:
    r"""Show a registered model with its aliases, stages and protections.

    \b
    stele registry describe fraud
    """
    client = open_client()
    model = client.get_registered_model(name)
    if as_json:
        show_json(model)
        return
    protected = client.list_protections(name)
    show_facts(
        {
            "name": model.name,
            "description": model.description,
            "created": iso_time(model.creation_timestamp),
            "changed": iso_time(model.last_updated_timestamp),
            "tags": ", ".join(f"{key}={value}" for key, value in model.tags.items()),
            "protected": ", ".join(f"{item.kind} {item.subject}" for item in protected),
        }
    )
    if model.aliases:
        heading("Aliases")
        show_table([Column("Alias"), Column("Version", "id")], list(map(list, model.aliases.items())), indent=2)
    if model.latest_versions:
        heading("Newest versions")
        _show_versions(model.latest_versions)


@registry.command()
@click.argument("name")
@click.option("--filter", "condition", default="", metavar="TEXT", help="Such as: tags.kind = 'tree'.")
@_most
@json_option
def versions(name: str, condition: str, max_results: int, as_json: bool) -> None:
    r"""List the versions of a registered model, the newest first.

    \b
    stele registry versions fraud
    stele registry versions fraud --filter "current_stage = 'Staging'"
    """
    client = open_client()
    model = client.get_registered_model(name)
    quote = '"' if "'" in model.name else "'"
    own = f"name = {quote}{model.name}{quote}" + (f" AND ({condition})" if condition else "")
    found, more = some(
        lambda size, token: client.search_model_versions(own, size, ["version_number DESC"], token), max_results
    )
    if as_json:
        show_json(found)
    elif not found:
        note(f"{model.name} has no such version.")
    else:
        _show_versions(found, model.aliases)
    if more:
        note(f"There are more than these {max_results}: --max-results shows more.")


def _show_versions(found: Sequence[ModelVersion], aliases: Mapping[str, str] | None = None) -> None:
    pointing: dict[str, list[str]] = {}
    for alias, version in (aliases or {}).items():
        pointing.setdefault(version, []).append(alias)
    columns = [Column("Version", "id"), Column("Stage"), Column("Aliases"), Column("Created", "time"), Column("Source")]
    columns += [Column("Description")]
    rows = [
        [
            version.version,
            "" if version.current_stage == "None" else version.current_stage,
            ", ".join(pointing.get(version.version, [])),
            version.creation_timestamp,
            version.source,
            version.description,
        ]
        for version in found
    ]
    show_table(columns, rows, optional=2)


@registry.command()
@click.argument("name")
@click.argument("alias")
@click.argument("version", required=False)
@click.option("--delete", is_flag=True, help="Remove the alias.")
@_reason
def alias(name: str, alias: str, version: str | None, delete: bool, reason: str) -> None:
    r"""Let an alias point to a version, or remove it.

    \b
    stele registry alias fraud champion 7 --reason 'better on new data'
    stele registry alias fraud champion --delete
    """
    if (version is None) == (not delete):
        raise click.UsageError("Name the VERSION, or say --delete.")
    client = open_client()
    if version is None:
        client.delete_registered_model_alias(name, alias, reason=reason)
        note(f"{name} has no alias {alias} now.")
    else:
        client.set_registered_model_alias(name, alias, version, reason=reason)
        note(f"{alias} of {name} points to version {version} now.")


@registry.command()
@click.argument("name")
@click.argument("version")
@click.argument("stage")
@click.option("--archive-existing", is_flag=True, help="Archive the other versions of that stage.")
@_reason
def stage(name: str, version: str, stage: str, archive_existing: bool, reason: str) -> None:
    r"""Move a version to a stage: None, Staging, Production or Archived.

    \b
    stele registry stage fraud 7 Production --archive-existing
    """
    moved = open_client().transition_model_version_stage(name, version, stage, archive_existing, reason=reason)
    note(f"Version {moved.version} of {moved.name} is in {moved.current_stage} now.")


for _command in (promote, protect, requests, approve, reject, withdraw, comment, events, lineage, card):
    registry.add_command(_command)
