"""Running a scoring server: one process, or several that share an address."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import msgspec

from stele.client.client import Client
from stele.collector import spare_the_collector, starting
from stele.errors import InvalidParameterValue, shown
from stele.models.pyfunc import load_model
from stele.schema.registered_models import ModelVersion
from stele.server.listening import listen, run_here, run_workers
from stele.server.log_lines import set_up_logging
from stele.serving.app import ScoringApp
from stele.serving.config import ServingConfig
from stele.serving.sampling import Sampler
from stele.serving.served import ModelHolder, ServedModel
from stele.serving.telemetry import ServingTelemetry

__all__ = ["load_served", "make_app", "serve", "worker_app"]

_CONFIG_VARIABLE = "_STELE_SERVING_CONFIG"


def serve(config: ServingConfig, *, started: Callable[[str], None] = lambda version: None) -> None:
    """Serve a model until SIGINT or SIGTERM; requests that were accepted are answered first.

    Args:
        config: What to serve, and how.
        started: Called once with the model's version when the server is about to listen.

    Raises:
        Unavailable: The address is taken.
        SteleError: The model does not load.
    """
    set_up_logging(config.log_format)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    listening = listen(config.host, config.port)
    with starting():
        app = make_app(config)  # with several workers, too: a model that does not load is reported here
    started(app.holder.current.version)
    if config.workers == 1:
        run_here(app, listening)
        return
    del app
    # Workers are new processes that import this module; they find their options in the environment.
    os.environ[_CONFIG_VARIABLE] = msgspec.json.encode(config).decode()
    run_workers("stele.serving.run:worker_app", config.workers, listening)


def worker_app() -> ScoringApp:
    """The application of one worker process."""
    config = msgspec.json.decode(os.environ[_CONFIG_VARIABLE], type=ServingConfig)
    set_up_logging(config.log_format)
    with starting():
        app = make_app(config)
    spare_the_collector()
    return app


def make_app(config: ServingConfig) -> ScoringApp:
    """The application that a configuration describes, with its model loaded.

    Raises:
        SteleError: The model does not load, or nobody follows this kind of URI.
    """
    client = Client(config.tracking_uri or None)
    telemetry = ServingTelemetry()
    newest = _newest(client, config)
    holder = ModelHolder(lambda: load_served(client, config), newest, config.follow_seconds, telemetry.swapped)
    sampler = None
    if config.sample_rate > 0:
        sampler = Sampler(config.sample_rate, client, config.sample_experiment or "serving", config.model_uri)
    return ScoringApp(config, holder, telemetry, sampler)


def load_served(client: Client, config: ServingConfig) -> ServedModel:
    """The model that the URI of a configuration means now.

    Raises:
        SteleError: It does not exist, nobody vouches for its code, or it cannot be loaded.
    """
    version = _registered(client, config.model_uri)
    uri = config.model_uri if version is None else f"models:/{version.name}/{version.version}"
    model = load_model(uri, trust=config.trust or None)
    served = ServedModel(model, uri, "" if version is None else version.version, config.batching)
    served.warm_up()
    return served


def _newest(client: Client, config: ServingConfig) -> Callable[[], str] | None:
    """What looks up the version that should be served; None when nothing is followed."""
    if not config.follow_alias:
        return None
    if _registered(client, config.model_uri) is None:
        raise InvalidParameterValue(
            f"{shown(config.model_uri)} cannot be followed; that takes models:/NAME@ALIAS or models:/NAME/STAGE."
        )

    def look_up() -> str:
        return client.version_at(config.model_uri).version

    return look_up


def _registered(client: Client, uri: str) -> ModelVersion | None:
    """The version that a URI of the registry names now; None for a path, a run's or a logged model."""
    name = uri.removeprefix("models:/").strip("/")
    return client.version_at(uri) if uri.startswith("models:/") and ("/" in name or "@" in name) else None
