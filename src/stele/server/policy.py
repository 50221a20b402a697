"""What a principal may do: one question, asked for every request."""

from __future__ import annotations

from stele.errors import PermissionDenied, Unauthenticated
from stele.schema.routes import Permission
from stele.server.auth import ANONYMOUS, Principal

__all__ = ["permissions_of", "require"]


def require(principal: Principal, permission: Permission) -> None:
    """Let a request pass, or not.

    Raises:
        Unauthenticated: Nobody in particular asks, and the route is not public.
        PermissionDenied: The principal lacks the permission.
    """
    if permission is Permission.PUBLIC or principal.admin:
        return
    if principal == ANONYMOUS:
        raise Unauthenticated("This server needs an access token; set STELE_TRACKING_TOKEN.")
    raise PermissionDenied(f"{principal.name} lacks the permission {permission}.")


def permissions_of(principal: Principal) -> list[Permission]:
    """All that a principal may do beside what is public."""
    return [permission for permission in Permission if permission is not Permission.PUBLIC and principal.admin]
