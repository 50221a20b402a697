"""Requests to change what is protected: asked for by one, approved by another, carried out when approved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from stele import limits
from stele.errors import Conflict, DoesNotExist, InvalidParameterValue, PermissionDenied, shown
from stele.schema import governance as g
from stele.schema.codec import required
from stele.schema.experiments import Empty
from stele.search.page import Position, decode_token, encode_token, fingerprint
from stele.stores.sql import dialect
from stele.stores.sql.core import StoreCore, actor, now_ms
from stele.stores.sql.model_tables import (
    REQUEST_APPROVED,
    REQUEST_OPEN,
    REQUEST_REJECTED,
    REQUEST_WITHDRAWN,
    approval_comments,
    approval_requests,
    registered_models,
    registry_protections,
)
from stele.stores.sql.model_versions import move_stage
from stele.stores.sql.protections import Kind, is_protected
from stele.stores.sql.registered_models import move_alias, pointed_to
from stele.stores.sql.registry_events import Change, record
from stele.stores.sql.registry_rows import STAGE_NAMES, found_registered, found_version, stage_number

__all__ = ["ApprovalOperations"]

_STATUS = {
    REQUEST_OPEN: "open",
    REQUEST_APPROVED: "approved",
    REQUEST_REJECTED: "rejected",
    REQUEST_WITHDRAWN: "withdrawn",
}
_STATUS_NUMBERS = {name: number for number, name in _STATUS.items()}
_r, _p = approval_requests.c, registry_protections.c


class ApprovalOperations(StoreCore):
    """The part of the registry that lets two people decide."""

    def list_protections(self, request: g.ListProtections) -> g.ListProtectionsResponse:
        def work(connection: Connection) -> g.ListProtectionsResponse:
            model = found_registered(connection, request.name)
            query = select(registry_protections).where(_p.registered == model.registered)
            rows = connection.execute(query.order_by(_p.kind, _p.subject))
            found = [g.Protection(row.kind, row.subject, row.principal, row.creation_time) for row in rows]
            return g.ListProtectionsResponse(protections=found)

        return self.db.read(work)

    def set_protection(self, request: g.SetProtection) -> Empty:
        kind, subject = _subject(request.alias, request.stage)

        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            if not is_protected(connection, model, kind, subject):
                row = {"registered": model.registered, "kind": kind, "subject": subject}
                row |= {"principal": actor()[: limits.MAX_USER_ID_CHARACTERS], "creation_time": now_ms()}
                connection.execute(dialect.insert_ignore(connection, registry_protections), row)
                record(connection, model, Change(f"{kind}_protected", subject=subject), request.reason)
            return Empty()

        return self.db.write(work)

    def create_approval_request(self, request: g.CreateApprovalRequest) -> g.ApprovalResponse:
        kind, subject = _subject(request.alias, request.stage)
        reason = limits.check_length(request.reason, limits.MAX_REASON_CHARACTERS, "reason")
        if not request.action.endswith(kind):
            raise InvalidParameterValue(f"The action {request.action} is not about the {kind} {shown(subject)}.")

        def work(connection: Connection) -> g.ApprovalResponse:
            model = found_registered(connection, request.name, lock=True)
            version = None
            if request.action in ("set_alias", "set_stage"):
                version = found_version(connection, model, required(request.version, "version")).version
            elif request.version:
                raise InvalidParameterValue(f"The action {request.action} takes no version.")
            row = {
                "registered": model.registered,
                "action": request.action,
                "subject": subject,
                "version": version,
                "before": _state(connection, model, request.action, subject, version),
                "status": REQUEST_OPEN,
                "requester": actor()[: limits.MAX_USER_ID_CHARACTERS],
                "creation_time": now_ms(),
                "reason": reason,
                "decider": "",
                "decision_reason": "",
            }
            inserted = connection.execute(approval_requests.insert(), row)
            number = int(inserted.inserted_primary_key[0])  # type: ignore[index]  # an insert of one row has it
            what = Change("request_opened", version, subject, after=f"{request.action} {number}")
            record(connection, model, what, reason)
            return _response(connection, number)

        return self.db.write(work)

    def get_approval_request(self, request: g.ApprovalRequestId) -> g.ApprovalResponse:
        number = _number(request.request_id)
        return self.db.read(lambda c: _response(c, number))

    def search_approval_requests(self, request: g.SearchApprovals) -> g.SearchApprovalsResponse:
        limits.check_max_results(request.max_results, limits.MAX_EVENTS_PAGE)
        mark = fingerprint("approval requests", request.name, request.status)
        position = decode_token(request.page_token, mark, [int])

        def work(connection: Connection) -> g.SearchApprovalsResponse:
            query = select(_r.request).order_by(_r.request.desc()).limit(request.max_results + 1)
            if request.name:
                query = query.where(_r.registered == found_registered(connection, request.name).registered)
            if request.status is not None:
                query = query.where(_r.status == _STATUS_NUMBERS[request.status])
            if position is not None:
                query = query.where(_r.request < position.values[0])
            numbers = list(connection.scalars(query))
            token = ""
            if len(numbers) > request.max_results:
                numbers = numbers[: request.max_results]
                token = encode_token(Position((numbers[-1],), 0), mark)
            return g.SearchApprovalsResponse(requests=_entities(connection, numbers), next_page_token=token)

        return self.db.read(work)

    def approve_request(self, request: g.DecideApproval) -> g.ApprovalResponse:
        def act(connection: Connection, model: Any, row: Any) -> None:
            if row.requester == actor():
                raise PermissionDenied(
                    f"The request {row.request} is one of {shown(row.requester)}, who cannot approve it too."
                )
            state = _state(connection, model, row.action, row.subject, row.version)
            if state != row.before:
                raise Conflict(
                    f"The {row.subject} of {shown(model.name)} has changed since the request {row.request} was made: "
                    f"it was {shown(row.before)} and is {shown(state)}. Make the request again."
                )
            _carry_out(connection, model, row, row.reason)

        return self._decide(request, REQUEST_APPROVED, act)

    def reject_request(self, request: g.DecideApproval) -> g.ApprovalResponse:
        return self._decide(request, REQUEST_REJECTED, lambda *_: None)

    def withdraw_request(self, request: g.DecideApproval) -> g.ApprovalResponse:
        def act(_connection: Connection, _model: Any, row: Any) -> None:
            if row.requester != actor():
                raise PermissionDenied(
                    f"The request {row.request} is one of {shown(row.requester)}, who alone can withdraw it. "
                    "Others reject it."
                )

        return self._decide(request, REQUEST_WITHDRAWN, act)

    def comment_on_request(self, request: g.CommentOnApproval) -> g.ApprovalResponse:
        number = _number(request.request_id)
        text = limits.check_length(required(request.text.strip(), "text"), limits.MAX_REASON_CHARACTERS, "text")

        def work(connection: Connection) -> g.ApprovalResponse:
            model = _model_of(connection, number)
            asked = _found(connection, number)
            row = {"request": number, "principal": actor()[: limits.MAX_USER_ID_CHARACTERS], "time": now_ms()}
            connection.execute(approval_comments.insert(), row | {"text": text})
            what = Change("request_commented", asked.version, asked.subject, after=f"{asked.action} {number}")
            record(connection, model, what, text)
            return _response(connection, number)

        return self.db.write(work)

    def _decide(self, request: g.DecideApproval, status: int, act: Any) -> g.ApprovalResponse:
        number = _number(request.request_id)
        reason = limits.check_length(request.reason, limits.MAX_REASON_CHARACTERS, "reason")

        def work(connection: Connection) -> g.ApprovalResponse:
            model = _model_of(connection, number)
            row = _found(connection, number)  # again, now that nobody else can decide
            if row.status != REQUEST_OPEN:
                raise Conflict(f"The request {number} is {_STATUS[row.status]} already, by {shown(row.decider)}.")
            act(connection, model, row)
            decision = {"status": status, "decider": actor()[: limits.MAX_USER_ID_CHARACTERS]}
            decision |= {"decision_time": now_ms(), "decision_reason": reason}
            connection.execute(update(approval_requests).where(_r.request == number).values(**decision))
            what = Change(f"request_{_STATUS[status]}", row.version, row.subject, after=f"{row.action} {number}")
            record(connection, model, what, reason)
            return _response(connection, number)

        return self.db.write(work)


def _carry_out(connection: Connection, model: Any, row: Any, reason: str) -> None:
    match row.action:
        case "set_alias" | "delete_alias":
            move_alias(connection, model, row.subject, row.version, reason, approved=True)
        case "set_stage":
            version = found_version(connection, model, row.version)
            move_stage(connection, model, version, stage_number(row.subject), reason, approved=True)
        case _:
            kind = row.action.removeprefix("unprotect_")
            own = (_p.registered == model.registered, _p.kind == kind, _p.subject == row.subject)
            connection.execute(delete(registry_protections).where(*own))
            record(connection, model, Change(f"{kind}_unprotected", subject=row.subject), reason)


def _model_of(connection: Connection, number: int) -> Any:
    """The row of the model that a request is about, locked."""
    query = select(registered_models.c.name).where(
        registered_models.c.registered == _found(connection, number).registered
    )
    name = connection.scalar(query)
    if name is None:
        raise DoesNotExist(f"The model of the request {number} was deleted.")
    return found_registered(connection, name, lock=True)


def _state(connection: Connection, model: Any, action: str, subject: str, version: int | None) -> str | None:
    """What a request would change, as it is now: what it was asked for must still hold when it is approved."""
    if action in ("set_alias", "delete_alias"):
        now = pointed_to(connection, model, subject)
        return None if now is None else str(now)
    if action == "set_stage" and version is not None:
        return STAGE_NAMES[found_version(connection, model, version).model_stage]
    return None


def _subject(alias: str, stage: str) -> tuple[Kind, str]:
    if bool(alias) == bool(stage):
        raise InvalidParameterValue("Name either an alias or a stage.")
    return ("alias", limits.check_alias(alias)) if alias else ("stage", STAGE_NAMES[stage_number(stage)])


def _number(request_id: str) -> int:
    if not (request_id.isascii() and request_id.isdigit() and len(request_id) < 19):
        raise InvalidParameterValue(f"request_id {shown(request_id)} is not the id of a request, which is a number.")
    return int(request_id)


def _found(connection: Connection, number: int) -> Any:
    row = connection.execute(select(approval_requests).where(_r.request == number)).one_or_none()
    if row is None:
        raise DoesNotExist(f"There is no request {number}.")
    return row


def _response(connection: Connection, number: int) -> g.ApprovalResponse:
    _found(connection, number)
    return g.ApprovalResponse(request=_entities(connection, [number])[0])


def _entities(connection: Connection, numbers: Sequence[int]) -> list[g.ApprovalRequest]:
    if not numbers:
        return []
    c = approval_comments.c
    comments: dict[int, list[g.ApprovalComment]] = {number: [] for number in numbers}
    said = select(approval_comments).where(c.request.in_(numbers)).order_by(c.comment)
    for row in connection.execute(said):
        comments[row.request].append(g.ApprovalComment(row.principal, row.time, row.text))
    names = registered_models.c
    query = select(approval_requests, names.name).outerjoin(registered_models, names.registered == _r.registered)
    rows = {row.request: row for row in connection.execute(query.where(_r.request.in_(numbers)))}
    return [_entity(rows[number], comments[number]) for number in numbers]


def _entity(row: Any, comments: list[g.ApprovalComment]) -> g.ApprovalRequest:
    return g.ApprovalRequest(
        request_id=str(row.request),
        name=row.name or "",
        action=row.action,
        subject=row.subject,
        status=_STATUS[row.status],
        requester=row.requester,
        creation_time=row.creation_time,
        version="" if row.version is None else str(row.version),
        before=row.before,
        reason=row.reason,
        decided_by=row.decider,
        decision_time=row.decision_time,
        decision_reason=row.decision_reason,
        comments=comments,
    )
