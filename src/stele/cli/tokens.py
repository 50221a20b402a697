"""``stele tokens``."""

from __future__ import annotations

import click

from stele.cli.db import database_uri
from stele.cli.output import Column, json_option, note, show_json, show_table
from stele.cli.teaching import Group
from stele.stores.sql import SqlStore

__all__ = ["tokens"]

_uri_option = click.option("--backend-store-uri", help="The database. [the tracking URI]", metavar="URI")


@click.group(cls=Group)
def tokens() -> None:
    r"""Make and revoke the access tokens of a server's database.

    A token says who asks: the record of changes names its owner, and who requests an approval cannot give it.

    \b
    stele tokens create mara --backend-store-uri sqlite:///stele.db
    """


@tokens.command(short_help="Make a token for somebody, and print it once.")
@click.argument("name")
@_uri_option
@json_option
def create(name: str, backend_store_uri: str | None, as_json: bool) -> None:
    r"""Make a token for somebody, and print it once.

    NAME is who it is for; somebody may have several. Clients send it as STELE_TRACKING_TOKEN.

    \b
    stele tokens create mara
    """
    with SqlStore(database_uri(backend_store_uri)) as store:
        token = store.create_token(name)
    if as_json:
        show_json({"name": name, "token": token})
    else:
        note(f"The token of {name}, shown once:")
        click.echo(token)


@tokens.command("list", short_help="Who has tokens.")
@_uri_option
@json_option
def list_tokens(backend_store_uri: str | None, as_json: bool) -> None:
    r"""Who has tokens, and since when. The tokens themselves are not kept.

    \b
    stele tokens list
    """
    with SqlStore(database_uri(backend_store_uri)) as store:
        found = store.list_tokens()
    if as_json:
        show_json([{"name": name, "creation_time": made} for name, made in found])
    else:
        show_table([Column("Name"), Column("Made", "time")], found)


@tokens.command(short_help="Take all tokens of somebody away.")
@click.argument("name")
@_uri_option
@json_option
def revoke(name: str, backend_store_uri: str | None, as_json: bool) -> None:
    r"""Take all tokens of somebody away; a server that runs refuses them from the next request on.

    \b
    stele tokens revoke mara
    """
    with SqlStore(database_uri(backend_store_uri)) as store:
        count = store.revoke_tokens(name)
    if as_json:
        show_json({"name": name, "revoked": count})
    else:
        note(f"{count} token{'' if count == 1 else 's'} of {name} revoked.")
