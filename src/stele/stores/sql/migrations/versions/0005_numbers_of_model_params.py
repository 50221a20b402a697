"""Params of logged models that spell a number, so that they compare as numbers."""

import math
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LONG_TEXT = (
    sa.Text()
    .with_variant(sa.Text(collation="C"), "postgresql")
    .with_variant(mysql.LONGTEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
)
WORD = (
    sa.String(250)
    .with_variant(sa.String(250, collation="C"), "postgresql")
    .with_variant(mysql.VARCHAR(250, collation="utf8mb4_bin"), "mysql", "mariadb")
)
CLUSTERED: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "sqlite_with_rowid": False,
}
_ROWS_AT_ONCE = 1_000
_MAX_NUMBER_CHARACTERS = 64


def upgrade() -> None:
    """Add the numbers of the params that there are."""
    if op.get_bind().dialect.name == "sqlite":
        _make_params_anew()
    else:
        op.add_column("logged_model_params", sa.Column("number", sa.Double(), nullable=True))
    _fill()


def _make_params_anew() -> None:
    """SQLite would write a new column behind the constraints, other than in a database that begins with it."""
    op.rename_table("logged_model_params", "old_params")
    op.create_table(
        "logged_model_params",
        sa.Column("model", ID, nullable=False),
        sa.Column("key", WORD, nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.Column("number", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("model", "key", name="pk_logged_model_params"),
        **CLUSTERED,
    )
    op.execute("INSERT INTO logged_model_params SELECT model, key, value, NULL FROM old_params")
    op.drop_table("old_params")


def _fill() -> None:
    params = sa.table("logged_model_params", *map(sa.column, ("model", "key", "value", "number")))
    c, connection = params.c, op.get_bind()
    own = sa.and_(c.model == sa.bindparam("of_model"), c.key == sa.bindparam("of_key"))
    last: tuple[int, str] = (0, "")
    while True:
        behind = sa.or_(c.model > last[0], sa.and_(c.model == last[0], c.key > last[1]))
        page = sa.select(c.model, c.key, c.value).where(behind).order_by(c.model, c.key).limit(_ROWS_AT_ONCE)
        rows = connection.execute(page).all()
        if not rows:
            return
        last = (rows[-1].model, rows[-1].key)
        numbers = [{"of_model": model, "of_key": key, "found": _number_in(value)} for model, key, value in rows]
        if spelled := [each for each in numbers if each["found"] is not None]:
            connection.execute(sa.update(params).where(own).values(number=sa.bindparam("found")), spelled)


def _number_in(text: str) -> float | None:
    if not text or len(text) > _MAX_NUMBER_CHARACTERS or not text.isascii() or "_" in text or text != text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
