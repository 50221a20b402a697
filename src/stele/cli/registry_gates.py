"""``stele registry promote``, and the commands about approvals, events and lineage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

import click

from stele.cli.finding import open_client, some
from stele.cli.output import Column, heading, json_option, note, show_facts, show_json, show_table
from stele.cli.teaching import Command
from stele.client.model_card import card as model_card
from stele.client.promotion import promote as promote_model
from stele.schema.governance import ApprovalRequest, ApprovalStatus, Lineage

__all__ = ["approve", "card", "comment", "events", "lineage", "promote", "protect", "reject", "requests", "withdraw"]

REFUSED = 3
"""Exit code of a promotion that a gate refused."""

_reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept with the event.")


@click.command(cls=Command)
@click.argument("name")
@click.argument("candidate")
@click.option("--alias", default="champion", show_default=True, metavar="ALIAS", help="What shall point to it.")
@click.option("--metric", required=True, metavar="KEY", help="What is compared.")
@click.option("--min", "least", type=float, metavar="VALUE", help="The least value that passes.")
@click.option("--max", "most", type=float, metavar="VALUE", help="The greatest value that passes.")
@click.option("--max-drop", type=float, metavar="VALUE", help="How much worse than the champion it may be.")
@click.option("--lower-is-better", is_flag=True, help="The metric is a loss.")
@click.option("--request-approval", is_flag=True, help="Ask somebody to approve it instead of moving the alias.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@_reason
@json_option
@click.pass_context
def promote(
    ctx: click.Context,
    name: str,
    candidate: str,
    alias: str,
    metric: str,
    least: float | None,
    most: float | None,
    max_drop: float | None,
    lower_is_better: bool,
    request_approval: bool,
    dry_run: bool,
    reason: str,
    as_json: bool,
) -> None:
    r"""Let an alias point to a candidate if its metric passes every gate.

    CANDIDATE is a version or the address of a model. The exit code is 0 when it was promoted (or would be, or is the
    champion already, or an approval was asked for), 3 when a gate refused it, and another one after an error.

    \b
    stele registry promote fraud 7 --metric val_auc --min 0.95 --max-drop 0.02
    stele registry promote fraud models:/m-0123456789abcdef0123456789abcdef --metric loss --max 0.3 --lower-is-better
    """
    open_client()
    result = promote_model(
        name,
        candidate,
        alias,
        metric=metric,
        min=least,
        max=most,
        max_drop=max_drop,
        higher_is_better=not lower_is_better,
        reason=reason,
        request_approval=request_approval,
        dry_run=dry_run,
    )
    if as_json:
        show_json(result)
    else:
        facts = {
            "decision": result.decision,
            "candidate": result.candidate,
            metric: result.candidate_value,
            "champion": result.champion,
            f"{metric} of the champion": result.champion_value,
            "request": result.request_id,
            "reasons": "; ".join(result.reasons),
        }
        show_facts(facts)
    ctx.exit(REFUSED if result.decision == "refused" else 0)


@click.command(cls=Command)
@click.argument("name")
@click.option("--alias", metavar="ALIAS", help="The alias.")
@click.option("--stage", metavar="STAGE", help="Instead of an alias, the stage.")
@click.option("--lift", is_flag=True, help="Ask somebody to approve that the protection is lifted.")
@_reason
def protect(name: str, alias: str | None, stage: str | None, lift: bool, reason: str) -> None:
    r"""Let an alias or a stage be moved with an approval only.

    \b
    stele registry protect fraud --alias champion
    stele registry protect fraud --stage Production --lift
    """
    if (alias is None) == (stage is None):
        raise click.UsageError("Name either --alias or --stage.")
    client = open_client()
    if lift:
        action = "unprotect_alias" if alias is not None else "unprotect_stage"
        made = client.request_approval(name, action, alias=alias, stage=stage, reason=reason)  # type: ignore[arg-type]  # one of two words
        note(f"Request {made.request_id} waits for somebody else's approval.")
        return
    client.protect(name, alias=alias, stage=stage, reason=reason)
    note(f"The {f'alias {alias}' if alias else f'stage {stage}'} of {name} moves with an approval only.")


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--status", type=click.Choice(get_args(ApprovalStatus)), help="Only those.")
@click.option("--max-results", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most.")
@json_option
def requests(name: str | None, status: str | None, max_results: int, as_json: bool) -> None:
    r"""List requests for approval, the newest first.

    \b
    stele registry requests --status open
    stele registry requests fraud
    """
    client = open_client()
    chosen: Any = status
    found, _ = some(lambda size, token: client.search_approval_requests(name, chosen, size, token), max_results)
    if as_json:
        show_json(found)
    elif not found:
        note("There is no such request.")
    else:
        columns = [Column("Id", "id"), Column("Model"), Column("Change"), Column("Status"), Column("Asked by")]
        columns += [Column("Asked", "time"), Column("Reason"), Column("Decided by")]
        rows = [
            [
                item.request_id,
                item.name,
                _change(item),
                item.status,
                item.requester,
                item.creation_time,
                item.reason,
                item.decided_by,
            ]
            for item in found
        ]
        show_table(columns, rows, optional=2)


def _change(request: ApprovalRequest) -> str:
    version = f" to version {request.version}" if request.version else ""
    return f"{request.action.replace('_', ' ')} {request.subject}{version}"


@click.command(cls=Command)
@click.argument("request_id")
@_reason
def approve(request_id: str, reason: str) -> None:
    r"""Carry out what somebody else asked for.

    \b
    stele registry approve 3 --reason 'looked at the errors'
    """
    found = open_client().approve_request(request_id, reason)
    note(f"Request {found.request_id} is approved: {_change(found)} of {found.name} is done.")


@click.command(cls=Command)
@click.argument("request_id")
@_reason
def reject(request_id: str, reason: str) -> None:
    r"""Decide that a change is not made.

    \b
    stele registry reject 3 --reason 'not yet'
    """
    found = open_client().reject_request(request_id, reason)
    note(f"Request {found.request_id} is rejected.")


@click.command(cls=Command)
@click.argument("request_id")
@_reason
def withdraw(request_id: str, reason: str) -> None:
    r"""Take back what you asked for.

    \b
    stele registry withdraw 3 --reason 'version 8 is better'
    """
    found = open_client().withdraw_request(request_id, reason)
    note(f"Request {found.request_id} is withdrawn.")


@click.command(cls=Command)
@click.argument("request_id")
@click.argument("text")
def comment(request_id: str, text: str) -> None:
    r"""Say something about a request.

    \b
    stele registry comment 3 'which data was it measured on?'
    """
    open_client().comment_on_request(request_id, text)


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--version", metavar="VERSION", help="Only of this version.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Such as alias_set. May be repeated.")
@click.option("--by", metavar="WHO", help="Only what somebody did.")
@click.option("--max-results", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most.")
@json_option
def events(
    name: str | None, version: str | None, kinds: Sequence[str], by: str | None, max_results: int, as_json: bool
) -> None:
    r"""Show who changed what and why, the newest first.

    \b
    stele registry events fraud
    stele registry events fraud --kind alias_set --kind stage_changed
    """
    client = open_client()
    found, _ = some(
        lambda size, token: client.search_registry_events(name, version, kinds, None, by, 0, size, token), max_results
    )
    if as_json:
        show_json(found)
        return
    columns = [Column("When", "time"), Column("Who"), Column("Model"), Column("Version", "id"), Column("What")]
    columns += [Column("From"), Column("To"), Column("Reason")]
    rows = [
        [
            event.time,
            event.principal,
            event.name,
            event.version,
            f"{event.kind.replace('_', ' ')} {event.subject}".strip(),
            event.before,
            event.after,
            event.reason,
        ]
        for event in found
    ]
    show_table(columns, rows, optional=1)


@click.command(cls=Command)
@click.argument("name")
@click.argument("version")
@json_option
def lineage(name: str, version: str, as_json: bool) -> None:
    r"""Show where a version comes from: datasets, run, logged model; and which aliases point to it.

    \b
    stele registry lineage fraud 7
    """
    found = open_client().get_lineage(name, version)
    if as_json:
        show_json(found)
        return
    show_facts(dict(_origin(found)))
    if found.datasets:
        heading("Datasets")
        rows = [[item.dataset.name, item.dataset.digest, item.dataset.source_type] for item in found.datasets]
        show_table([Column("Name"), Column("Digest", "id"), Column("Source")], rows, indent=2)


def _origin(found: Lineage) -> Iterator[tuple[str, str]]:
    if found.run is not None:
        yield "run", f"{found.run.run_name} ({found.run.run_id})"
        yield "experiment", found.run.experiment_id
    yield from ((tag.key, tag.value) for tag in found.code)
    if found.model is not None:
        yield "logged model", f"{found.model.name} ({found.model.model_id})"
        yield "digest", found.model.digest or ""
    yield "version", f"{found.version.name}, version {found.version.version}"
    yield "source", found.version.source
    yield "stage", "" if found.version.current_stage == "None" else found.version.current_stage
    yield "aliases", ", ".join(found.version.aliases)
    yield "the same model", ", ".join(f"{item.name} {item.version}" for item in found.siblings)


@click.command(cls=Command)
@click.argument("name")
@click.argument("version")
def card(name: str, version: str) -> None:
    r"""Print a model card in Markdown.

    \b
    stele registry card fraud 7 > CARD.md
    """
    open_client()
    click.echo(model_card(name, version), nl=False)
