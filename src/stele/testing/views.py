"""The contract of saved views, for every :class:`~stele.stores.base.TrackingStore` that keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from stele import limits
from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import views as v
from stele.stores.base import TrackingStore
from stele.testing.tracking_calls import unique

__all__ = ["ViewContract"]

_STATE = '{"columns": ["metrics.loss", "params.größe"], "sort": [{"key": "loss"}]}'


class ViewContract:
    """Tests of views."""

    @pytest.fixture
    def experiment(self, store: TrackingStore) -> str:
        """The id of a fresh experiment."""
        return store.create_experiment(e.CreateExperiment(name=unique("views"))).experiment_id

    def test_views_are_kept_as_they_are_by_name(self, store: TrackingStore, experiment: str) -> None:
        other = store.create_experiment(e.CreateExperiment(name=unique("views"))).experiment_id
        made = [new_view(store, experiment, name) for name in ("b", "ä", "a")]
        new_view(store, other, "a")
        assert made[0].state == _STATE
        assert made[0].principal
        assert made[0].creation_time == made[0].last_update_time > 0
        found = list_views(store, experiment)
        assert [view.name for view in found] == ["a", "b", "ä"]
        assert {view.view_id: view for view in found} == {view.view_id: view for view in made}

    def test_a_view_is_changed(self, store: TrackingStore, experiment: str) -> None:
        made = new_view(store, experiment, "mine")
        renamed = store.update_view(v.UpdateView(view_id=made.view_id, name="ours")).view
        assert (renamed.name, renamed.state) == ("ours", _STATE)
        changed = store.update_view(v.UpdateView(view_id=made.view_id, state="{}")).view
        assert (changed.name, changed.state, changed.principal) == ("ours", "{}", made.principal)
        assert changed.last_update_time >= made.last_update_time
        assert changed.creation_time == made.creation_time
        assert store.update_view(v.UpdateView(view_id=made.view_id)).view == changed
        assert store.update_view(v.UpdateView(view_id=made.view_id, name="ours")).view.name == "ours"
        assert len(list_views(store, experiment)) == 1

    def test_a_name_is_taken_once_in_an_experiment(self, store: TrackingStore, experiment: str) -> None:
        new_view(store, experiment, "mine")
        second = new_view(store, experiment, "Mine")
        with pytest.raises(AlreadyExists, match="mine"):
            new_view(store, experiment, "mine")
        with pytest.raises(AlreadyExists, match="mine"):
            store.update_view(v.UpdateView(view_id=second.view_id, name="mine"))
        assert [view.name for view in list_views(store, experiment)] == ["Mine", "mine"]

    def test_a_view_is_deleted_once(self, store: TrackingStore, experiment: str) -> None:
        made = new_view(store, experiment, "mine")
        store.delete_view(v.ViewId(view_id=made.view_id))
        assert list_views(store, experiment) == []
        for call, request in (
            (store.delete_view, v.ViewId(view_id=made.view_id)),
            (store.update_view, v.UpdateView(view_id=made.view_id, name="x")),
        ):
            operation: Any = call
            with pytest.raises(DoesNotExist, match=made.view_id):
                operation(request)

    @pytest.mark.parametrize("name", ["", "  ", "x" * 251, "nul\0"])
    def test_bad_name(self, store: TrackingStore, experiment: str, name: str) -> None:
        with pytest.raises(InvalidParameterValue, match="name"):
            new_view(store, experiment, name)

    @pytest.mark.parametrize("state", ["", "{", "[]", "1", '{"a": NaN}', '{"a": "' + "x" * 65_536 + '"}', "[" * 5_000])
    def test_bad_state(self, store: TrackingStore, experiment: str, state: str) -> None:
        with pytest.raises(InvalidParameterValue, match="state"):
            store.create_view(v.CreateView(experiment_id=experiment, name="x", state=state))
        made = new_view(store, experiment, "mine")
        with pytest.raises(InvalidParameterValue, match="state"):
            store.update_view(v.UpdateView(view_id=made.view_id, state=state))

    def test_the_largest_state_is_kept(self, store: TrackingStore, experiment: str) -> None:
        state = '{"a": "' + "x" * (limits.MAX_VIEW_BYTES - 9) + '"}'
        made = store.create_view(v.CreateView(experiment_id=experiment, name="x", state=state)).view
        assert list_views(store, experiment) == [made]
        assert made.state == state

    def test_views_of_an_experiment_that_is_not_there_or_deleted(self, store: TrackingStore, experiment: str) -> None:
        with pytest.raises(DoesNotExist):
            list_views(store, "999999")
        with pytest.raises(DoesNotExist):
            new_view(store, "999999", "mine")
        made = new_view(store, experiment, "mine")
        store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
        assert list_views(store, experiment) == [made]
        with pytest.raises(InvalidParameterValue, match="deleted"):
            new_view(store, experiment, "more")
        with pytest.raises(InvalidParameterValue, match="deleted"):
            store.update_view(v.UpdateView(view_id=made.view_id, name="more"))

    def test_an_experiment_has_so_many_views(self, store: TrackingStore, experiment: str) -> None:
        for number in range(limits.MAX_VIEWS):
            store.create_view(v.CreateView(experiment_id=experiment, name=str(number), state="{}"))
        with pytest.raises(InvalidParameterValue, match=f"at most {limits.MAX_VIEWS}"):
            new_view(store, experiment, "one more")


def new_view(store: TrackingStore, experiment: str, name: str) -> v.View:
    """A fresh view."""
    return store.create_view(v.CreateView(experiment_id=experiment, name=name, state=_STATE)).view


def list_views(store: TrackingStore, experiment: str) -> list[v.View]:
    """The views of an experiment."""
    return store.list_views(v.ListViews(experiment_id=experiment)).views
