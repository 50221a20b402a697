"""Statements whose text is made once: on SQLite they do not pass SQLAlchemy, and nobody may notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, insert, select, text, update

from sql_statements import statements_sent
from stele.errors import InvalidParameterValue, SteleError
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.tables import entity_keys, ingest_clients

_SENDERS = select(ingest_clients.c.client_id, ingest_clients.c.sequence).order_by(ingest_clients.c.client_id)
_ADD = Prepared(insert(ingest_clients).values(client_id=bindparam("client_id"), sequence=1, update_time=2**52))


@pytest.fixture
def senders(sql_store) -> Iterator[list[str]]:
    """Some rows of the smallest table."""
    names = [f"prepared {number}" for number in range(3)]
    sql_store.db.write(lambda c: c.execute(ingest_clients.delete()))
    sql_store.db.write(lambda c: [_ADD(c, {"client_id": name}) for name in names])
    yield names
    sql_store.db.write(lambda c: c.execute(ingest_clients.delete()))


def test_rows_are_those_of_sqlalchemy(sql_store, senders):
    with sql_store.db.engine.connect() as connection:
        plain, prepared = connection.execute(_SENDERS).all(), Prepared(_SENDERS)(connection, {}).all()
        assert list(map(tuple, prepared)) == list(map(tuple, plain)) == [(name, 1) for name in senders]
        assert [(row.client_id, row.sequence) for row in prepared] == [(name, 1) for name in senders]
        assert list(map(tuple, Prepared(_SENDERS).rows(connection, {}))) == list(map(tuple, plain))
        assert Prepared(_SENDERS)(connection, {}).first().client_id == senders[0]
        assert Prepared(_SENDERS.where(text("1 = 0")))(connection, {}).first() is None


def test_columns_without_a_name_of_python_are_there(sql_store):
    with sql_store.db.engine.connect() as connection:
        (row,) = Prepared(select(text("1"), text("2 AS two")))(connection, {}).all()
        assert (row[0], row.two) == (1, 2)


def test_changed_rows_are_counted(sql_store, senders):
    change = Prepared(update(ingest_clients).where(ingest_clients.c.client_id >= bindparam("first")).values(sequence=2))
    assert sql_store.db.write(lambda c: change(c, {"first": senders[1]}).rowcount) == 2
    assert sql_store.db.write(lambda c: change(c, {"first": "z"}).rowcount) == 0


def test_it_is_a_part_of_the_transaction(sql_store, senders):
    def fail(connection):
        _ADD(connection, {"client_id": "another"})
        raise ValueError

    with pytest.raises(ValueError):
        sql_store.db.write(fail)
    with sql_store.db.engine.connect() as connection:
        assert [row.client_id for row in Prepared(_SENDERS)(connection, {})] == senders


def test_the_first_statement_of_a_reader_begins_a_transaction(sql_store, senders):
    if sql_store.db.family != "sqlite":
        pytest.skip("SQLAlchemy begins it")
    with sql_store.db.engine.connect() as connection:
        before = Prepared(_SENDERS)(connection, {}).all()
        sql_store.db.write(lambda c: _ADD(c, {"client_id": "another"}))
        assert Prepared(_SENDERS)(connection, {}).all() == before


@pytest.mark.parametrize("statement", [_ADD, Prepared(text("SELECT nothing FROM nowhere"))])
def test_an_error_is_that_of_a_statement_of_sqlalchemy(sql_store, senders, statement):
    with pytest.raises(SteleError) as raised:
        sql_store.db.write(lambda c: statement(c, {"client_id": senders[0]}))
    assert isinstance(raised.value, InvalidParameterValue) == (statement is _ADD), raised.value


def test_an_error_may_come_with_a_later_row(sql_store):
    if sql_store.db.family != "sqlite":
        pytest.skip("the others answer with all rows or none")
    broken = Prepared(text("SELECT 1 UNION ALL SELECT abs(-9223372036854775808)"))
    with pytest.raises(SteleError):
        sql_store.db.read(lambda c: broken(c, {}))


def test_who_listens_to_statements_hears_them(sql_store):
    asked = Prepared(select(entity_keys.c.name).where(entity_keys.c.key_id == bindparam("number")))
    with sql_store.db.engine.connect() as connection, statements_sent(sql_store.db.engine) as sent:
        assert asked(connection, {"number": 0}).first() is None
    assert [statement for statement, _ in sent if "entity_keys" in statement]
