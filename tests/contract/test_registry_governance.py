"""What Stele adds to the registry: on SQLite, PostgreSQL and MariaDB, behind a journal, and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from store_kinds import OnHttp, OnJournal, OnSql

from stele.errors import Conflict, DoesNotExist, PermissionDenied
from stele.schema import governance as g
from stele.schema import registered_models as rm
from stele.stores.base import ACTOR
from stele.stores.sql import SqlStore
from stele.testing.registry_calls import aliased, set_alias, to_stage
from stele.testing.registry_governance import RegistryGovernanceContract, ask, events_of, protect


@contextmanager
def acting_as(user: str) -> Iterator[None]:
    """What is done in the block is done by somebody."""
    token = ACTOR.set(user)
    yield
    ACTOR.reset(token)


class TestSqlStore(OnSql, RegistryGovernanceContract):
    def test_an_approval_carries_the_change_out(self, store: SqlStore, name: str) -> None:
        set_alias(store, name, "champion", "1")
        protect(store, name, alias="champion")
        with acting_as("ann"):
            made = ask(store, name, "set_alias", alias="champion", version="2", reason="better")
        with acting_as("bob"):
            decision = g.DecideApproval(request_id=made.request_id, reason="agreed")
            found = store.approve_request(decision).request
        assert (found.status, found.requester, found.decided_by) == ("approved", "ann", "bob")
        assert aliased(store, name, "champion") == "2"
        events = events_of(store, name)[:3]
        assert [(event.kind, event.principal, event.reason) for event in events] == [
            ("request_approved", "bob", "agreed"),
            ("alias_set", "bob", "better"),
            ("request_opened", "ann", "better"),
        ]

    def test_a_protection_is_lifted_with_an_approval(self, store: SqlStore, name: str) -> None:
        to_stage(store, name, "1", "Production")
        protect(store, name, stage="Production")
        for action, fields in (
            ("set_stage", {"stage": "Production", "version": "2"}),
            ("unprotect_stage", {"stage": "Production"}),
        ):
            with acting_as("ann"):
                made = ask(store, name, action, **fields)
            with acting_as("bob"):
                store.approve_request(g.DecideApproval(request_id=made.request_id))
        assert store.list_protections(g.ListProtections(name=name)).protections == []
        assert to_stage(store, name, "3", "Production", archive=True).current_stage == "Production"

    def test_a_request_about_another_state_is_refused(self, store: SqlStore, name: str) -> None:
        with acting_as("ann"):
            first = ask(store, name, "set_alias", alias="champion", version="1")
            second = ask(store, name, "set_alias", alias="champion", version="2")
        with acting_as("bob"):
            store.approve_request(g.DecideApproval(request_id=first.request_id))
            with pytest.raises(Conflict, match="has changed"):
                store.approve_request(g.DecideApproval(request_id=second.request_id))
        assert aliased(store, name, "champion") == "1"
        assert store.get_approval_request(g.ApprovalRequestId(request_id=second.request_id)).request.status == "open"

    def test_a_version_that_is_gone_cannot_be_approved(self, store: SqlStore, name: str) -> None:
        with acting_as("ann"):
            made = ask(store, name, "set_stage", stage="Staging", version="1")
        store.delete_model_version(rm.ModelVersionName(name=name, version="1"))
        with acting_as("bob"), pytest.raises(DoesNotExist):
            store.approve_request(g.DecideApproval(request_id=made.request_id))

    def test_only_who_asked_withdraws(self, store: SqlStore, name: str) -> None:
        with acting_as("ann"):
            made = ask(store, name, "set_alias", alias="champion", version="1")
        decision = g.DecideApproval(request_id=made.request_id)
        with acting_as("bob"), pytest.raises(PermissionDenied, match="'ann', who alone can withdraw"):
            store.withdraw_request(decision)
        found = store.get_approval_request(g.ApprovalRequestId(request_id=made.request_id)).request
        assert (found.status, events_of(store, name)[0].kind) == ("open", "request_opened")
        with acting_as("ann"):
            assert store.withdraw_request(decision).request.status == "withdrawn"


class TestBufferedStore(OnJournal, RegistryGovernanceContract):
    pass


class TestRestStore(OnHttp, RegistryGovernanceContract):
    pass
