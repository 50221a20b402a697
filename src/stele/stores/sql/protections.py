"""Aliases and stages that are moved with an approval only."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, exists, select

from stele.errors import PermissionDenied, shown
from stele.stores.sql.model_tables import registry_protections

__all__ = ["Kind", "demand_none", "demand_unprotected", "is_protected"]

Kind = Literal["alias", "stage"]

_p = registry_protections.c


def is_protected(connection: Connection, model: Any, kind: Kind, subject: str) -> bool:
    """Whether an alias or a stage of a model is protected."""
    own = (_p.registered == model.registered, _p.kind == kind, _p.subject == subject)
    return bool(connection.scalar(select(exists().where(*own))))


def demand_unprotected(connection: Connection, model: Any, kind: Kind, subject: str) -> None:
    """Let a change of an alias or a stage pass, or not.

    Raises:
        PermissionDenied: It is protected.
    """
    if is_protected(connection, model, kind, subject):
        raise PermissionDenied(
            f"The {kind} {shown(subject)} of {shown(model.name)} is protected. Ask for the change with "
            "request_approval; somebody else has to approve it."
        )


def demand_none(connection: Connection, model: Any, what: str) -> None:
    """Let a change of a whole model pass, or not.

    Raises:
        PermissionDenied: Something of it is protected.
    """
    found = connection.execute(select(_p.kind, _p.subject).where(_p.registered == model.registered).limit(1)).first()
    if found is not None:
        raise PermissionDenied(
            f"{shown(model.name)} cannot be {what}: its {found.kind} {shown(found.subject)} is protected. Ask for the "
            "protection to be lifted first."
        )
