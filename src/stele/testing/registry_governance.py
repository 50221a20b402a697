"""The contract of what Stele adds to the registry: events, protections, approvals, lineage.

A test module subclasses :class:`RegistryGovernanceContract` and defines a ``store`` fixture.
"""

from __future__ import annotations

from typing import Any

import pytest

from stele.errors import Conflict, DoesNotExist, InvalidParameterValue, PermissionDenied
from stele.schema import datasets as d
from stele.schema import experiments as e
from stele.schema import governance as g
from stele.schema import logged_models as lm
from stele.schema import registered_models as rm
from stele.schema import runs as r
from stele.stores.base import TrackingStore
from stele.testing.registry_calls import aliased, new_model, new_version, set_alias, to_stage
from stele.testing.tracking_calls import unique

__all__ = ["RegistryGovernanceContract", "ask", "events_of", "protect"]


def events_of(store: TrackingStore, name: str, **fields: Any) -> list[g.RegistryEvent]:
    """The events of a model, the newest first."""
    return store.search_registry_events(g.SearchRegistryEvents(name=name, **fields)).events


def protect(store: TrackingStore, name: str, **subject: str) -> None:
    """Protect an alias or a stage."""
    store.set_protection(g.SetProtection(name=name, **subject))


def ask(store: TrackingStore, name: str, action: Any, **fields: str) -> g.ApprovalRequest:
    """A fresh request."""
    request = g.CreateApprovalRequest(name=name, action=action, **fields)
    return store.create_approval_request(request).request


class RegistryGovernanceContract:
    """Tests of events, protections, requests and lineage."""

    @pytest.fixture
    def name(self, store: TrackingStore) -> str:
        """A registered model with three versions."""
        name = new_model(store)
        for _ in range(3):
            new_version(store, name)
        return name

    # -- events

    def test_every_change_is_an_event(self, store: TrackingStore) -> None:
        name, other = new_model(store), unique("renamed")
        new_version(store, name, "s3://b/x")
        new_version(store, name, "s3://b/y")
        set_alias(store, name, "champion", "1", reason="first")
        set_alias(store, name, "champion", "2", reason="better")
        set_alias(store, name, "champion", "2")  # changes nothing
        store.delete_registered_model_alias(rm.RegisteredModelAliasName(name=name, alias="champion", reason="bad"))
        store.delete_registered_model_alias(rm.RegisteredModelAliasName(name=name, alias="champion"))
        to_stage(store, name, "1", "Staging", reason="tested")
        to_stage(store, name, "2", "Staging", archive=True)
        store.set_registered_model_tag(rm.SetRegisteredModelTag(name=name, key="k", value="v"))
        store.delete_registered_model_tag(rm.RegisteredModelTagName(name=name, key="k"))
        store.set_model_version_tag(rm.SetModelVersionTag(name=name, version="1", key="t", value="v"))
        store.delete_model_version_tag(rm.ModelVersionTagName(name=name, version="1", key="t"))
        store.update_registered_model(rm.UpdateRegisteredModel(name=name, description="words"))
        store.update_model_version(rm.UpdateModelVersion(name=name, version="1", description="d"))
        store.delete_model_version(rm.ModelVersionName(name=name, version="2", reason="old"))
        store.rename_registered_model(rm.RenameRegisteredModel(name=name, new_name=other))
        store.delete_registered_model(rm.RegisteredModelName(name=other, reason="done"))
        found = [*reversed(events_of(store, name)), *reversed(events_of(store, other))]
        shown = [(event.kind, event.version, event.subject, event.before, event.after, event.reason) for event in found]
        assert shown == [
            ("model_created", "", "", None, None, ""),
            ("version_created", "1", "", None, "s3://b/x", ""),
            ("version_created", "2", "", None, "s3://b/y", ""),
            ("alias_set", "1", "champion", None, "1", "first"),
            ("alias_set", "2", "champion", "1", "2", "better"),
            ("alias_deleted", "2", "champion", "2", None, "bad"),
            ("stage_changed", "1", "Staging", "None", "Staging", "tested"),
            ("stage_changed", "1", "Archived", "Staging", "Archived", ""),
            ("stage_changed", "2", "Staging", "None", "Staging", ""),
            ("model_tag_set", "", "k", None, "v", ""),
            ("model_tag_deleted", "", "k", "v", None, ""),
            ("version_tag_set", "1", "t", None, "v", ""),
            ("version_tag_deleted", "1", "t", "v", None, ""),
            ("model_updated", "", "", None, "words", ""),
            ("version_updated", "1", "", "", "d", ""),
            ("version_deleted", "2", "", "s3://b/y", None, "old"),
            ("model_renamed", "", "", name, other, ""),
            ("model_deleted", "", "", None, None, "done"),
        ]
        assert all(event.principal and event.time > 0 for event in found)
        assert [event.event_id for event in found] == sorted(event.event_id for event in found)

    def test_events_follow_a_model_to_its_new_name(self, store: TrackingStore, name: str) -> None:
        other = unique("renamed")
        store.rename_registered_model(rm.RenameRegisteredModel(name=name, new_name=other))
        assert [event.kind for event in events_of(store, other)] == [
            "model_renamed",
            *["version_created"] * 3,
            "model_created",
        ]

    def test_what_is_refused_is_no_event(self, store: TrackingStore, name: str) -> None:
        before = events_of(store, name)
        for alias, version in (("champion", "99"), ("v1", "1")):
            with pytest.raises((DoesNotExist, InvalidParameterValue)):
                set_alias(store, name, alias, version)
        with pytest.raises(InvalidParameterValue, match="reason"):
            set_alias(store, name, "champion", "1", reason="x" * 5_001)
        assert events_of(store, name) == before

    def test_events_are_searched(self, store: TrackingStore, name: str) -> None:
        set_alias(store, name, "champion", "1")
        set_alias(store, name, "other", "2")
        assert [event.subject for event in events_of(store, name, kinds=["alias_set"])] == ["other", "champion"]
        assert [event.version for event in events_of(store, name, subject="champion")] == ["1"]
        assert [event.kind for event in events_of(store, name, version="2")] == ["alias_set", "version_created"]
        newest = events_of(store, name)[0]
        assert newest in events_of(store, name, since=newest.time, principal=newest.principal)
        assert events_of(store, name, since=newest.time + 86_400_000) == []
        assert events_of(store, name, principal="nobody") == []
        found: list[g.RegistryEvent] = []
        token = ""
        while token or not found:
            request = g.SearchRegistryEvents(name=name, max_results=2, page_token=token)
            page = store.search_registry_events(request)
            found += page.events
            token = page.next_page_token
        assert found == events_of(store, name)
        for fields in ({"max_results": 0}, {"page_token": "!!"}, {"version": "x"}):
            with pytest.raises(InvalidParameterValue):
                events_of(store, name, **fields)

    # -- protections

    def test_a_protected_alias_does_not_move(self, store: TrackingStore, name: str) -> None:
        set_alias(store, name, "champion", "1")
        for _ in range(2):
            protect(store, name, alias="champion")
        found = store.list_protections(g.ListProtections(name=name)).protections
        assert [(item.kind, item.subject) for item in found] == [("alias", "champion")]
        set_alias(store, name, "champion", "1")  # it is there already
        set_alias(store, name, "other", "2")
        calls: list[Any] = [
            lambda: set_alias(store, name, "champion", "2"),
            lambda: set_alias(store, name, "champion", "2", expected_version="1"),
            lambda: store.delete_registered_model_alias(rm.RegisteredModelAliasName(name=name, alias="champion")),
            lambda: store.delete_model_version(rm.ModelVersionName(name=name, version="1")),
            lambda: store.delete_registered_model(rm.RegisteredModelName(name=name)),
            lambda: store.rename_registered_model(rm.RenameRegisteredModel(name=name, new_name=unique())),
        ]
        for call in calls:
            with pytest.raises(PermissionDenied, match="protected"):
                call()
        assert aliased(store, name, "champion") == "1"
        store.delete_model_version(rm.ModelVersionName(name=name, version="2"))

    def test_a_protected_stage_is_neither_entered_nor_left(self, store: TrackingStore, name: str) -> None:
        to_stage(store, name, "1", "Production")
        protect(store, name, stage="production")
        calls: list[Any] = [
            lambda: to_stage(store, name, "2", "Production"),
            lambda: to_stage(store, name, "2", "Production", archive=True),
            lambda: to_stage(store, name, "1", "Archived"),
            lambda: store.delete_model_version(rm.ModelVersionName(name=name, version="1")),
        ]
        for call in calls:
            with pytest.raises(PermissionDenied, match="Production"):
                call()
        assert to_stage(store, name, "1", "Production").current_stage == "Production"
        assert to_stage(store, name, "2", "Staging").current_stage == "Staging"

    def test_bad_protections(self, store: TrackingStore, name: str) -> None:
        for subject in ({}, {"alias": "a", "stage": "Staging"}, {"alias": "a b"}, {"stage": "Foo"}):
            with pytest.raises(InvalidParameterValue):
                protect(store, name, **subject)
        with pytest.raises(DoesNotExist):
            protect(store, unique("none"), alias="a")

    # -- requests

    def test_a_request_is_read_back(self, store: TrackingStore, name: str) -> None:
        set_alias(store, name, "champion", "1")
        made = ask(store, name, "set_alias", alias="champion", version="2", reason="better")
        assert (made.name, made.action, made.subject, made.version) == (name, "set_alias", "champion", "2")
        assert (made.before, made.status, made.reason, made.decided_by) == ("1", "open", "better", "")
        said = g.CommentOnApproval(request_id=made.request_id, text="  why?  ")
        found = store.comment_on_request(said).request
        assert [comment.text for comment in found.comments] == ["why?"]
        assert store.get_approval_request(g.ApprovalRequestId(request_id=made.request_id)).request == found
        assert aliased(store, name, "champion") == "1"

    def test_a_comment_is_an_event(self, store: TrackingStore, name: str) -> None:
        made = ask(store, name, "set_alias", alias="champion", version="2")
        store.comment_on_request(g.CommentOnApproval(request_id=made.request_id, text="why?"))
        event = events_of(store, name)[0]
        assert (event.kind, event.subject, event.version, event.reason) == (
            "request_commented",
            "champion",
            "2",
            "why?",
        )

    def test_nobody_approves_what_he_asked_for(self, store: TrackingStore, name: str) -> None:
        made = ask(store, name, "set_alias", alias="champion", version="2")
        with pytest.raises(PermissionDenied, match=made.requester):
            store.approve_request(g.DecideApproval(request_id=made.request_id))
        with pytest.raises(InvalidParameterValue):
            aliased(store, name, "champion")

    def test_a_rejected_request_is_over(self, store: TrackingStore, name: str) -> None:
        made = ask(store, name, "set_stage", stage="production", version="2")
        assert (made.subject, made.before) == ("Production", "None")
        decision = g.DecideApproval(request_id=made.request_id, reason="not yet")
        found = store.reject_request(decision).request
        assert (found.status, found.decision_reason, bool(found.decided_by)) == ("rejected", "not yet", True)
        for decide in (store.reject_request, store.approve_request):
            with pytest.raises(Exception, match="already"):
                decide(decision)

    def test_a_withdrawn_request_is_over(self, store: TrackingStore, name: str) -> None:
        made = ask(store, name, "set_alias", alias="champion", version="2")
        decision = g.DecideApproval(request_id=made.request_id, reason="version 3 is better")
        found = store.withdraw_request(decision).request
        assert (found.status, found.decided_by, found.decision_reason) == (
            "withdrawn",
            made.requester,
            "version 3 is better",
        )
        event = events_of(store, name)[0]
        assert (event.kind, event.principal, event.version, event.subject, event.reason) == (
            "request_withdrawn",
            made.requester,
            "2",
            "champion",
            "version 3 is better",
        )
        for decide in (store.withdraw_request, store.reject_request, store.approve_request):
            with pytest.raises(Conflict, match="withdrawn already"):
                decide(decision)
        with pytest.raises(InvalidParameterValue):
            aliased(store, name, "champion")

    def test_requests_are_searched(self, store: TrackingStore, name: str) -> None:
        made = [ask(store, name, "set_alias", alias="champion", version=number).request_id for number in "123"]
        store.reject_request(g.DecideApproval(request_id=made[1]))
        store.withdraw_request(g.DecideApproval(request_id=made[2]))

        def search(**fields: Any) -> list[str]:
            found = store.search_approval_requests(g.SearchApprovals(name=name, **fields))
            return [item.request_id for item in found.requests]

        assert search() == made[::-1]
        assert search(status="open") == [made[0]]
        assert search(status="rejected") == [made[1]]
        assert search(status="withdrawn") == [made[2]]
        page = store.search_approval_requests(g.SearchApprovals(name=name, max_results=2))
        assert len(page.requests) == 2
        assert search(page_token=page.next_page_token) == made[:1]

    @pytest.mark.parametrize(
        ("action", "fields"),
        [
            ("set_alias", {"version": "1"}),
            ("set_alias", {"alias": "a"}),
            ("set_alias", {"stage": "Staging", "version": "1"}),
            ("set_alias", {"alias": "a", "version": "99"}),
            ("delete_alias", {"alias": "a", "version": "1"}),
            ("set_stage", {"stage": "Foo", "version": "1"}),
            ("unprotect_stage", {"alias": "a"}),
        ],
    )
    def test_bad_request(self, store: TrackingStore, name: str, action: str, fields: dict[str, str]) -> None:
        with pytest.raises((InvalidParameterValue, DoesNotExist)):
            ask(store, name, action, **fields)
        assert store.search_approval_requests(g.SearchApprovals(name=name)).requests == []

    def test_unknown_request(self, store: TrackingStore) -> None:
        for number, error in (("999999999", DoesNotExist), ("x", InvalidParameterValue)):
            calls: list[Any] = [
                lambda number=number: store.get_approval_request(g.ApprovalRequestId(request_id=number)),
                lambda number=number: store.approve_request(g.DecideApproval(request_id=number)),
                lambda number=number: store.reject_request(g.DecideApproval(request_id=number)),
                lambda number=number: store.withdraw_request(g.DecideApproval(request_id=number)),
                lambda number=number: store.comment_on_request(g.CommentOnApproval(request_id=number, text="x")),
            ]
            for call in calls:
                with pytest.raises(error):
                    call()

    # -- lineage

    def test_lineage_leads_from_the_data_to_the_alias(self, store: TrackingStore) -> None:
        experiment = store.create_experiment(e.CreateExperiment(name=unique("lineage"))).experiment_id
        tags = [r.RunTag("mlflow.source.git.commit", "abc"), r.RunTag("other", "x")]
        run = store.create_run(r.CreateRun(experiment_id=experiment, tags=tags)).run.info.run_id
        dataset = d.DatasetInput(d.Dataset("train", "123", "local", "{}"), [d.InputTag("mlflow.data.context", "t")])
        used = store.create_logged_model(lm.CreateLoggedModel(experiment_id=experiment, name="base")).model
        inputs = d.LogInputs(run_id=run, datasets=[dataset], models=[d.LoggedModelInput(used.model_id)])
        store.log_inputs(inputs)
        request = lm.CreateLoggedModel(experiment_id=experiment, name="net", source_run_id=run)
        model = store.create_logged_model(request).model
        name, other = new_model(store), new_model(store)
        for registered in (name, other):
            new_version(store, registered, model.model_uri, model_id=model.model_id)
        set_alias(store, name, "champion", "1")
        found = store.get_lineage(g.GetLineage(name=name, version="1")).lineage
        assert (found.version.aliases, found.version.model_id) == (["champion"], model.model_id)
        assert found.model is not None
        assert found.model.model_id == model.model_id
        assert found.run is not None
        assert found.run.run_id == run
        assert found.code == [r.RunTag("mlflow.source.git.commit", "abc")]
        assert found.datasets == [dataset]
        assert found.input_models == [used.model_id]
        assert [(sibling.name, sibling.version) for sibling in found.siblings] == [(other, "1")]

    def test_lineage_of_files_from_elsewhere_is_short(self, store: TrackingStore, name: str) -> None:
        found = store.get_lineage(g.GetLineage(name=name, version="1")).lineage
        assert (found.version.version, found.model, found.run, found.datasets) == ("1", None, None, [])
        with pytest.raises(DoesNotExist):
            store.get_lineage(g.GetLineage(name=name, version="99"))
