"""Events of the registry, protections, approvals and lineage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stele.client.calls.model_registry import RegistryCalls
from stele.client.paged_list import PagedList
from stele.schema import governance as g

__all__ = ["GovernanceCalls"]


class GovernanceCalls(RegistryCalls):
    """The part of a client that only Stele's registry answers."""

    def search_registry_events(
        self,
        name: str | None = None,
        version: str | None = None,
        kinds: Sequence[str] = (),
        subject: str | None = None,
        principal: str | None = None,
        since: int = 0,
        max_results: int = 100,
        page_token: str | None = None,
    ) -> PagedList[g.RegistryEvent]:
        """One page of changes of the registry, the newest first.

        Args:
            name: Of this registered model, also under the names that it had before.
            version: Of this version.
            kinds: Such as ``alias_set`` or ``stage_changed``.
            subject: Of this alias, stage or key of a tag.
            principal: Made by somebody.
            since: Milliseconds since 1970.
            max_results: Size of the page, up to 1000.
            page_token: Token of the page before.

        Raises:
            InvalidParameterValue: An argument is not allowed.
        """
        request = g.SearchRegistryEvents(
            name=name or "",
            version=str(version or ""),
            kinds=list(kinds),
            subject=subject or "",
            principal=principal or "",
            since=since,
            max_results=max_results,
            page_token=page_token or "",
        )
        response = self._registry.search_registry_events(request)
        return PagedList(response.events, response.next_page_token)

    def get_lineage(self, name: str, version: str) -> g.Lineage:
        """Where a version comes from: its datasets, run and logged model; and where it is used.

        Raises:
            DoesNotExist: There is no such model or version.
        """
        return self._registry.get_lineage(g.GetLineage(name=name, version=str(version))).lineage

    def protect(self, name: str, *, alias: str | None = None, stage: str | None = None, reason: str = "") -> None:
        """Let an alias or a stage of a registered model be moved with an approval only.

        Args:
            name: The registered model.
            alias: The alias, which need not exist yet.
            stage: Instead of an alias, the stage.
            reason: Why; kept with the event.

        Raises:
            DoesNotExist: There is no such model.
            InvalidParameterValue: Not exactly one of alias and stage was given.
        """
        request = g.SetProtection(name=name, alias=alias or "", stage=stage or "", reason=reason)
        self._registry.set_protection(request)

    def list_protections(self, name: str) -> list[g.Protection]:
        """What of a registered model is protected.

        Raises:
            DoesNotExist: There is no such model.
        """
        return list(self._registry.list_protections(g.ListProtections(name=name)).protections)

    def request_approval(
        self,
        name: str,
        action: g.ApprovalAction,
        *,
        alias: str | None = None,
        stage: str | None = None,
        version: str | None = None,
        reason: str = "",
    ) -> g.ApprovalRequest:
        """Ask for a change of what is protected. It is carried out when somebody else approves it.

        Args:
            name: The registered model.
            action: ``set_alias``, ``delete_alias``, ``set_stage``, ``unprotect_alias`` or ``unprotect_stage``.
            alias: The alias that it is about.
            stage: Instead of an alias, the stage.
            version: For ``set_alias`` and ``set_stage``, the version.
            reason: Why.

        Raises:
            DoesNotExist: There is no such model or version.
            InvalidParameterValue: The arguments do not fit the action.
        """
        request = g.CreateApprovalRequest(
            name=name,
            action=action,
            alias=alias or "",
            stage=stage or "",
            version=str(version or ""),
            reason=reason,
        )
        return self._registry.create_approval_request(request).request

    def get_approval_request(self, request_id: str) -> g.ApprovalRequest:
        """A request with its comments.

        Raises:
            DoesNotExist: There is none with this id.
        """
        return self._registry.get_approval_request(g.ApprovalRequestId(request_id=str(request_id))).request

    def search_approval_requests(
        self,
        name: str | None = None,
        status: g.ApprovalStatus | None = None,
        max_results: int = 100,
        page_token: str | None = None,
    ) -> PagedList[g.ApprovalRequest]:
        """One page of requests, the newest first.

        Args:
            name: Of this registered model.
            status: ``open``, ``approved``, ``rejected`` or ``withdrawn``.
            max_results: Size of the page, up to 1000.
            page_token: Token of the page before.
        """
        request = g.SearchApprovals(
            name=name or "", status=status, max_results=max_results, page_token=page_token or ""
        )
        response = self._registry.search_approval_requests(request)
        return PagedList(response.requests, response.next_page_token)

    def approve_request(self, request_id: str, reason: str = "") -> g.ApprovalRequest:
        """Carry out what somebody else asked for.

        Raises:
            Conflict: It is decided already, or what it is about has changed since.
            DoesNotExist: There is no such request, or the version is gone.
            PermissionDenied: You asked for it yourself.
        """
        return self._registry.approve_request(_decision(request_id, reason)).request

    def reject_request(self, request_id: str, reason: str = "") -> g.ApprovalRequest:
        """Decide that a change is not made.

        Raises:
            Conflict: It is decided already.
            DoesNotExist: There is no such request.
        """
        return self._registry.reject_request(_decision(request_id, reason)).request

    def withdraw_request(self, request_id: str, reason: str = "") -> g.ApprovalRequest:
        """Take back what you asked for.

        Raises:
            Conflict: It is decided already.
            DoesNotExist: There is no such request.
            PermissionDenied: Somebody else asked for it.
        """
        return self._registry.withdraw_request(_decision(request_id, reason)).request

    def comment_on_request(self, request_id: str, text: str) -> g.ApprovalRequest:
        """Say something about a request.

        Raises:
            DoesNotExist: There is no such request.
            InvalidParameterValue: The text is empty or too long.
        """
        request = g.CommentOnApproval(request_id=str(request_id), text=text)
        return self._registry.comment_on_request(request).request


def _decision(request_id: str, reason: str) -> Any:
    return g.DecideApproval(request_id=str(request_id), reason=reason)
