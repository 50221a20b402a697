"""Who changed what in the registry, what may not be changed without approval, and where a version comes from."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from stele.schema.codec import Int64, Message
from stele.schema.datasets import DatasetInput
from stele.schema.logged_models import LoggedModel
from stele.schema.registered_models import ModelVersion
from stele.schema.runs import RunInfo, RunTag

__all__ = [
    "ApprovalComment",
    "ApprovalRequest",
    "ApprovalRequestId",
    "ApprovalResponse",
    "CommentOnApproval",
    "CreateApprovalRequest",
    "DecideApproval",
    "GetLineage",
    "Lineage",
    "LineageResponse",
    "ListProtections",
    "ListProtectionsResponse",
    "Protection",
    "RegistryEvent",
    "SearchApprovals",
    "SearchApprovalsResponse",
    "SearchRegistryEvents",
    "SearchRegistryEventsResponse",
    "SetProtection",
]

ApprovalAction = Literal["set_alias", "delete_alias", "set_stage", "unprotect_alias", "unprotect_stage"]
ApprovalStatus = Literal["open", "approved", "rejected", "withdrawn"]


class RegistryEvent(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """A change of the registry. It is never changed or removed.

    ``kind`` is such as ``alias_set``; ``subject`` the alias, the stage or the key of a tag; ``before`` and ``after``
    what it was and what it became, absent for nothing. ``time`` is milliseconds since 1970.
    """

    event_id: int
    time: int
    kind: str
    principal: str
    name: str
    version: str = ""
    subject: str = ""
    before: str | None = None
    after: str | None = None
    reason: str = ""


class SearchRegistryEvents(Message):
    """Events, the newest first; of one model when it is named, also under the names that it had before."""

    name: str = ""
    version: str = ""
    kinds: list[str] = []
    subject: str = ""
    principal: str = ""
    since: Int64 = 0
    max_results: Int64 = 100
    page_token: str = ""


class SearchRegistryEventsResponse(Message):
    events: list[RegistryEvent] = []
    next_page_token: str = ""


class Protection(Struct, frozen=True):
    """An alias or a stage of a registered model that is moved with an approval only."""

    kind: Literal["alias", "stage"]
    subject: str
    principal: str
    creation_time: int


class SetProtection(Message):
    """Protect an alias or a stage. To lift a protection takes an approval."""

    name: str
    alias: str = ""
    stage: str = ""
    reason: str = ""


class ListProtections(Message):
    name: str


class ListProtectionsResponse(Message):
    protections: list[Protection] = []


class ApprovalComment(Struct, frozen=True):
    """What somebody says about a request."""

    principal: str
    time: int
    text: str


class ApprovalRequest(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """Somebody wants to change what is protected. ``before`` is what it was when that was asked for."""

    request_id: str
    name: str
    action: str
    subject: str
    status: str
    requester: str
    creation_time: int
    version: str = ""
    before: str | None = None
    reason: str = ""
    decided_by: str = ""
    decision_time: int | None = None
    decision_reason: str = ""
    comments: list[ApprovalComment] = []


class CreateApprovalRequest(Message):
    name: str
    action: ApprovalAction
    alias: str = ""
    stage: str = ""
    version: str = ""
    reason: str = ""


class ApprovalRequestId(Message):
    request_id: str


class DecideApproval(Message):
    request_id: str
    reason: str = ""


class CommentOnApproval(Message):
    request_id: str
    text: str


class ApprovalResponse(Message):
    request: ApprovalRequest


class SearchApprovals(Message):
    """Requests, the newest first; of one model when it is named."""

    name: str = ""
    status: ApprovalStatus | None = None
    max_results: Int64 = 100
    page_token: str = ""


class SearchApprovalsResponse(Message):
    requests: list[ApprovalRequest] = []
    next_page_token: str = ""


class GetLineage(Message):
    name: str
    version: str


class Lineage(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """Where a version comes from and where it is used: datasets -> run -> logged model -> version -> aliases.

    What is unknown or gone is absent. ``code`` are the tags of the run about its source; ``siblings`` are other
    versions that are the same logged model.
    """

    version: ModelVersion
    model: LoggedModel | None = None
    run: RunInfo | None = None
    code: list[RunTag] = []
    datasets: list[DatasetInput] = []
    input_models: list[str] = []
    siblings: list[ModelVersion] = []


class LineageResponse(Message):
    lineage: Lineage
