"""The statements about models and the registry find their rows by an index, on a table that has many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from sql_statements import statements_sent
from stele.schema import governance as g
from stele.schema import logged_models as lm
from stele.schema import registered_models as rm
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.stores.sql import SqlStore
from stele.testing.registry_calls import new_version, set_alias

SMALL = {"webhooks", "CONSTANT", "matching"}
"""What is read whole: a small table, a row without a table, the rows of a search that are to be sorted."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    folder = tmp_path_factory.mktemp("models")
    with SqlStore(f"sqlite:///{folder}/s.db", str(folder / "files")) as store:
        fill(store)
        yield store


def fill(store: SqlStore) -> None:
    run = store.create_run(r.CreateRun(experiment_id="0")).run.info.run_id
    for i in range(30):
        store.create_run(r.CreateRun(experiment_id="0"))
        request = lm.CreateLoggedModel(
            experiment_id="0",
            name=f"m{i}",
            source_run_id=run,
            params=[lm.LoggedModelParameter("p", str(i))],
            tags=[lm.LoggedModelTag("t", str(i))],
        )
        model = store.create_logged_model(request).model.model_id
        store.log_batch(r.LogBatch(run_id=run, metrics=[Metric("acc", i / 30, 1, step, model) for step in range(3)]))
        name = f"r{i}"
        tags = [rm.RegisteredModelTag("t", str(i))]
        store.create_registered_model(rm.CreateRegisteredModel(name=name, tags=tags))
        for _ in range(3):
            new_version(store, name, f"models:/{model}", model_id=model, tags=[rm.ModelVersionTag("t", "1")])
        set_alias(store, name, "champion", "1")
    store.db.write(lambda c: c.execute(text("ANALYZE")))


def plans(store: SqlStore, call: Callable[[], Any]) -> list[str]:
    """How SQLite runs each statement of a call."""
    with statements_sent(store.db.engine) as statements:
        call()
    found = []
    with store.db.engine.connect() as connection:
        for statement, parameters in statements:
            if not statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
                continue
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found += [row[3] for row in rows]
    assert found
    return found


def search(**fields: Any) -> lm.SearchLoggedModels:
    return lm.SearchLoggedModels(experiment_ids=["0"], **fields)


def model_id(store: SqlStore) -> str:
    return store.search_logged_models(search(max_results=1)).models[0].model_id


CALLS: dict[str, Callable[[SqlStore], Any]] = {
    "model": lambda s: s.get_logged_model(lm.LoggedModelId(model_id=model_id(s))),
    "models": lambda s: s.search_logged_models(search(max_results=5)),
    "model by name": lambda s: s.search_logged_models(search(filter="name = 'm3' AND source_run_id = 'x'")),
    "models by metric": lambda s: s.search_logged_models(search(filter="metrics.acc > 0.5", max_results=5)),
    "models by param and tag": lambda s: s.search_logged_models(search(filter="params.p = '3' AND tags.t = '3'")),
    "models in order of a metric": lambda s: s.search_logged_models(
        search(order_by=[lm.LoggedModelOrder(field_name="metrics.acc")], max_results=5)
    ),
    "registered model": lambda s: s.get_registered_model(rm.RegisteredModelName(name="r3")),
    "registered models": lambda s: s.search_registered_models(rm.SearchRegisteredModels(max_results=5)),
    "newest registered models": lambda s: s.search_registered_models(
        rm.SearchRegisteredModels(max_results=5, order_by=["timestamp DESC"])
    ),
    "registered models by tag": lambda s: s.search_registered_models(rm.SearchRegisteredModels(filter="tags.t = '3'")),
    "version": lambda s: s.get_model_version(rm.ModelVersionName(name="r3", version="2")),
    "version by alias": lambda s: s.get_model_version_by_alias(
        rm.RegisteredModelAliasName(name="r3", alias="champion")
    ),
    "newest versions": lambda s: s.search_model_versions(rm.SearchModelVersions(max_results=5)),
    "versions of a model": lambda s: s.search_model_versions(rm.SearchModelVersions(filter="name = 'r3'")),
    "versions of a run": lambda s: s.search_model_versions(rm.SearchModelVersions(filter="run_id = 'x'")),
    "lineage": lambda s: s.get_lineage(g.GetLineage(name="r3", version="1")),
    "events": lambda s: s.search_registry_events(g.SearchRegistryEvents(max_results=5)),
    "events of a model": lambda s: s.search_registry_events(g.SearchRegistryEvents(name="r3")),
    "requests": lambda s: s.search_approval_requests(g.SearchApprovals(status="open")),
    "requests of a model": lambda s: s.search_approval_requests(g.SearchApprovals(name="r3")),
    "deliveries": lambda s: s.take_deliveries(10),
}


@pytest.mark.parametrize("name", CALLS)
def test_rows_are_found_by_an_index(store: SqlStore, name: str) -> None:
    for step in plans(store, lambda: CALLS[name](store)):
        words = step.split()
        whole = words[0] == "SCAN" and "INDEX" not in words and words[1] not in SMALL
        # A table in the order of its key that stops at the end of a page is no scan of all of it.
        paged = words[0] == "SCAN" and words[1] in {"registry_events", "approval_requests", "registered_models"}
        assert not whole or paged, step


def test_statements_do_not_grow_with_the_page(store: SqlStore) -> None:
    def count(size: int) -> int:
        with statements_sent(store.db.engine) as statements:
            store.search_logged_models(search(max_results=size))
            store.search_registered_models(rm.SearchRegisteredModels(max_results=size))
            store.search_model_versions(rm.SearchModelVersions(max_results=size))
        return len(statements)

    assert count(2) == count(30)
