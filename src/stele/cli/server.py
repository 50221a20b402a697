"""``stele server`` and ``stele ui``."""

from __future__ import annotations

import click
import msgspec

from stele import settings
from stele.cli.teaching import Command
from stele.client.stores import resolve_uri
from stele.server.config import ServerConfig
from stele.server.run import serve
from stele.stores.sql import SqlStore

__all__ = ["server", "ui"]

_PROXIED_ROOT = "mlflow-artifacts:/"
_LOCAL_ROOT = "./stele-artifacts"


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@click.command(cls=Command)
@click.option("--backend-store-uri", help="The database: sqlite:///file, postgresql://..., mysql://...", metavar="URI")
@click.option("--default-artifact-root", help="Where new experiments keep files. [mlflow-artifacts:/]", metavar="URI")
@click.option(
    "--artifacts-destination",
    default=_LOCAL_ROOT,
    show_default=True,
    help="Where the server keeps files that go through it.",
    metavar="URI",
)
@click.option(
    "--serve-artifacts/--no-serve-artifacts", default=True, show_default=True, help="Let files go through the server."
)
@click.option("--host", "-h", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", "-p", default=5000, show_default=True, type=click.IntRange(0, 65535), help="TCP port.")
@click.option("--workers", "-w", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that serve.")
@click.option("--static-prefix", default="", help="Path in front of every address, as in /stele.", metavar="PATH")
@click.option("--allowed-hosts", default="", help="More host names to answer to, by comma; * for any.", metavar="NAMES")
@click.option(
    "--cors-allowed-origins", default="", help="Web origins that may send writes, by comma.", metavar="ORIGINS"
)
@click.option("--insecure-no-auth", is_flag=True, help="Ask nobody for a token, even on a network.")
@click.option("--new-token", is_flag=True, help="Replace the admin token, and print the new one once.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def server(
    backend_store_uri: str | None,
    default_artifact_root: str | None,
    artifacts_destination: str,
    serve_artifacts: bool,
    host: str,
    port: int,
    workers: int,
    static_prefix: str,
    allowed_hosts: str,
    cors_allowed_origins: str,
    insecure_no_auth: bool,
    new_token: bool,
    log_format: str,
) -> None:
    r"""Serve a store over HTTP, to Stele's and MLflow's clients.

    On a network address, or under more host names, the server asks for an access token. It makes one when it starts for
    the first time, and prints it once: give it to clients as STELE_TRACKING_TOKEN.

    \b
    stele server
    stele server --host 0.0.0.0 --backend-store-uri postgresql://stele@db/stele --allowed-hosts stele.example.org
    """
    config = ServerConfig(
        backend_store_uri=_database(backend_store_uri),
        default_artifact_root=default_artifact_root or (_PROXIED_ROOT if serve_artifacts else _LOCAL_ROOT),
        artifacts_destination=artifacts_destination,
        serve_artifacts=serve_artifacts,
        host=host,
        port=port,
        workers=workers,
        static_prefix=_prefix(static_prefix),
        allowed_hosts=_split(allowed_hosts or settings.ALLOWED_HOSTS.get()),
        allowed_origins=_split(cors_allowed_origins or settings.ALLOWED_ORIGINS.get()),
        log_format=log_format,
    )
    run(config, insecure=insecure_no_auth, new_token=new_token)


@click.command(cls=Command)
@click.option("--host", "-h", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", "-p", default=5000, show_default=True, type=click.IntRange(0, 65535), help="TCP port.")
@click.option("--backend-store-uri", help="The database. [./stele.db]", metavar="URI")
@click.option("--artifacts-destination", default=_LOCAL_ROOT, show_default=True, help="Where files are.", metavar="URI")
def ui(host: str, port: int, backend_store_uri: str | None, artifacts_destination: str) -> None:
    r"""Serve the local store on this machine: ./stele.db with the files in ./stele-artifacts.

    \b
    stele ui
    stele ui --port 8080
    """
    run(
        ServerConfig(
            backend_store_uri=_database(backend_store_uri),
            artifacts_destination=artifacts_destination,
            host=host,
            port=port,
        )
    )


def run(config: ServerConfig, *, insecure: bool = False, new_token: bool = False) -> None:
    """Start a server, and say how to reach it."""
    needs_token = config.is_shared and not insecure
    with SqlStore(config.backend_store_uri, config.default_artifact_root) as store:
        address = store.db.name
        token = store.ensure_admin_token(renew=new_token) if needs_token or new_token else None
    config = msgspec.structs.replace(config, require_token=needs_token)

    def started() -> None:
        click.echo(f"Stele serves {address} on http://{config.host}:{config.port}{config.static_prefix}")
        if token:
            click.echo(f"Access token (shown once): {token}")
        elif config.is_shared and insecure:
            click.echo(
                "Anybody who reaches this address can read and change everything (--insecure-no-auth).", err=True
            )

    serve(config, started=started)


def _database(named: str | None) -> str:
    """The database to serve: as the command or `stele --tracking-uri` names it, else ./stele.db.

    STELE_TRACKING_URI is not asked: it tells clients of this machine where the server is.
    """
    uri = named or click.get_current_context().find_root().params.get("tracking_uri")
    if uri and uri.startswith(("http://", "https://")):
        raise click.BadParameter(f"{uri} is a server; this command serves a database", param_hint="--tracking-uri")
    return resolve_uri(uri) if uri else "sqlite:///stele.db"


def _prefix(path: str) -> str:
    if path and (not path.startswith("/") or path.endswith("/")):
        raise click.BadParameter(
            "it starts with a slash and ends without one, as in /stele", param_hint="--static-prefix"
        )
    return path
