"""Every environment variable that Stele reads, once: name, type, default, meaning, and its MLflow twin.

Precedence: an argument in code or on the command line, then ``STELE_*``, then the ``MLFLOW_*`` twin, then the default.
A variable is read each time it is needed, so a test or a notebook may change it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from stele.errors import InvalidParameterValue, shown

__all__ = ["SETTINGS", "Setting"]

T = TypeVar("T")

_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

SETTINGS: list[Setting[Any]] = []
"""Every setting, in the order of this file; the reference page is generated from it."""


class Setting(Generic[T]):
    """One environment variable.

    Args:
        name: Its name.
        read: Text to value; raises ValueError for text that is not allowed.
        default: The value when neither it nor its twin is set.
        help: What it does, with the unit.
        twin: The MLflow variable that is read when this one is not set.
    """

    def __init__(self, name: str, read: Callable[[str], T], default: T, help: str, twin: str | None = None) -> None:  # noqa: A002
        self.name = name
        self.read = read
        self.default = default
        self.help = help
        self.twin = twin
        SETTINGS.append(self)

    def get(self) -> T:
        """The value in force.

        Raises:
            InvalidParameterValue: The variable holds text that is not allowed.
        """
        for name in (self.name, self.twin):
            text = os.environ.get(name) if name else None
            if text:
                try:
                    return self.read(text)
                except ValueError as e:
                    raise InvalidParameterValue(f"The variable {name} is {shown(text)}: {e}.") from e
        return self.default

    def is_set(self) -> bool:
        """Whether the variable or its twin has a value."""
        return any(os.environ.get(name) for name in (self.name, self.twin) if name)


def _boolean(text: str) -> bool:
    if text.lower() not in _WORDS:
        raise ValueError(f"allowed are {', '.join(_WORDS)}")
    return _WORDS[text.lower()]


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise ValueError("it must be a number greater than 0")
    return number


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError("it must be a whole number, 0 or more")
    return number


_TRUST = {"true": "warn", "false": "none"}  # what the twin's values mean


def _trust(text: str) -> str:
    mode = _TRUST.get(text.lower(), text.lower())
    if mode not in ("warn", "recorded", "any", "none"):
        raise ValueError("allowed are warn, recorded, any and none")
    return mode


TRACKING_URI = Setting(
    "STELE_TRACKING_URI", str, "", "The store: http(s)://, sqlite:///, postgresql://, mysql://.", "MLFLOW_TRACKING_URI"
)
REGISTRY_URI = Setting(
    "STELE_REGISTRY_URI",
    str,
    "",
    "The store of registered models; by default the tracking store.",
    "MLFLOW_REGISTRY_URI",
)
ARTIFACT_URI = Setting(
    "STELE_ARTIFACT_URI", str, "", "Artifact root of new experiments in a local store.", "MLFLOW_ARTIFACT_URI"
)
TRACKING_TOKEN = Setting("STELE_TRACKING_TOKEN", str, "", "Bearer token sent to the server.", "MLFLOW_TRACKING_TOKEN")
TRACKING_USERNAME = Setting(
    "STELE_TRACKING_USERNAME", str, "", "User name for basic authentication.", "MLFLOW_TRACKING_USERNAME"
)
TRACKING_PASSWORD = Setting(
    "STELE_TRACKING_PASSWORD", str, "", "Password for basic authentication.", "MLFLOW_TRACKING_PASSWORD"
)
TRACKING_INSECURE_TLS = Setting(
    "STELE_TRACKING_INSECURE_TLS",
    _boolean,
    False,
    "Do not check the server's certificate.",
    "MLFLOW_TRACKING_INSECURE_TLS",
)
TRACKING_CA_FILE = Setting(
    "STELE_TRACKING_CA_FILE",
    str,
    "",
    "File of certificate authorities to trust.",
    "MLFLOW_TRACKING_SERVER_CERT_PATH",
)
TRACKING_CLIENT_CERT = Setting(
    "STELE_TRACKING_CLIENT_CERT",
    str,
    "",
    "File with the client's certificate and key.",
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
)
HTTP_TIMEOUT_SECONDS = Setting(
    "STELE_HTTP_TIMEOUT", _positive, 120.0, "Seconds to wait for one answer.", "MLFLOW_HTTP_REQUEST_TIMEOUT"
)
HTTP_RETRIES = Setting(
    "STELE_HTTP_RETRIES",
    _count,
    5,
    "How often a request is sent again after a broken connection or 429, 502, 503, 504.",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
)
EXPERIMENT_NAME = Setting(
    "STELE_EXPERIMENT_NAME", str, "", "Experiment of new runs, by name.", "MLFLOW_EXPERIMENT_NAME"
)
EXPERIMENT_ID = Setting("STELE_EXPERIMENT_ID", str, "", "Experiment of new runs, by id.", "MLFLOW_EXPERIMENT_ID")
RUN_ID = Setting("STELE_RUN_ID", str, "", "Run that start_run() resumes.", "MLFLOW_RUN_ID")
ACTIVE_MODEL_ID = Setting(
    "STELE_ACTIVE_MODEL_ID",
    str,
    "",
    "Logged model that metrics are about when none is named.",
    "MLFLOW_ACTIVE_MODEL_ID",
)
RUN_CONTEXT = Setting("STELE_RUN_CONTEXT", str, "", "JSON object of tags for every new run.", "MLFLOW_RUN_CONTEXT")
ASYNC_LOGGING = Setting[bool | None](
    "STELE_ASYNC_LOGGING",
    _boolean,
    None,
    "true: params and tags go through the journal as metrics do; false: metrics are stored when a call returns.",
    "MLFLOW_ENABLE_ASYNC_LOGGING",
)
TRUNCATE_LONG_VALUES = Setting(
    "STELE_TRUNCATE_LONG_VALUES",
    _boolean,
    True,
    "Cut param and tag values that are too long instead of refusing them (read by the store).",
    "MLFLOW_TRUNCATE_LONG_VALUES",
)
CAPTURE = Setting(
    "STELE_CAPTURE",
    _boolean,
    True,
    "Record source code state (commit, branch, diff) and environment (packages, Python, host) with each new run.",
)
CAPTURE_DIFF_BYTES = Setting(
    "STELE_CAPTURE_DIFF_BYTES", _count, 1_000_000, "Largest git diff to keep as an artifact, in bytes; 0 keeps none."
)
SYSTEM_METRICS = Setting(
    "STELE_SYSTEM_METRICS",
    _boolean,
    False,
    "Sample CPU, memory, disk, network and GPU during runs.",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING",
)
SYSTEM_METRICS_SECONDS = Setting(
    "STELE_SYSTEM_METRICS_INTERVAL",
    _positive,
    10.0,
    "Seconds between two samples of system metrics.",
    "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL",
)
SYSTEM_METRICS_SAMPLES = Setting(
    "STELE_SYSTEM_METRICS_SAMPLES",
    _count,
    1,
    "Samples to average before one point is logged.",
    "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING",
)
SYSTEM_METRICS_NODE = Setting(
    "STELE_SYSTEM_METRICS_NODE_ID",
    str,
    "",
    "Name of this machine in the keys of system metrics.",
    "MLFLOW_SYSTEM_METRICS_NODE_ID",
)
CONSOLE = Setting(
    "STELE_ENABLE_CONSOLE_LOGGING",
    _boolean,
    False,
    "Keep what a program prints during runs as files of the run.",
)
PROGRESS = Setting(
    "STELE_PROGRESS",
    _boolean,
    True,
    "Show progress bars on a terminal.",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR",
)
TRANSFER_THREADS = Setting("STELE_TRANSFER_THREADS", _count, 8, "Files transferred at once.")
POOL_SIZE = Setting(
    "STELE_POOL_SIZE", _count, 10, "Database connections kept open per process.", "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE"
)
POOL_RECYCLE_SECONDS = Setting(
    "STELE_POOL_RECYCLE",
    _positive,
    1800.0,
    "Seconds after which an idle database connection is replaced.",
    "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE",
)
SEARCH_SECONDS = Setting("STELE_SEARCH_TIMEOUT", _positive, 30.0, "Seconds after which a search is given up.")
ALLOWED_HOSTS = Setting(
    "STELE_ALLOWED_HOSTS",
    str,
    "",
    "Host names the server answers to, separated by commas; * allows any.",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
)
ALLOWED_ORIGINS = Setting(
    "STELE_ALLOWED_ORIGINS",
    str,
    "",
    "Foreign web origins that may send writes, separated by commas.",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
)
MAX_BODY_BYTES = Setting(
    "STELE_MAX_BODY_BYTES", _count, 64 * 1024 * 1024, "Largest JSON body that the server reads, in bytes."
)
INFLIGHT_BYTES = Setting(
    "STELE_INFLIGHT_BYTES",
    _count,
    128 * 1024 * 1024,
    "Bytes of request bodies that a server works on at once; a request beyond is answered with 429 and Retry-After.",
)
EVENT_STREAMS = Setting(
    "STELE_EVENT_STREAMS",
    _count,
    200,
    "Streams of events that one server process keeps open for pages; a request beyond is answered with 429.",
)
MAX_POINTS_PER_RUN = Setting(
    "STELE_MAX_POINTS_PER_RUN",
    _count,
    0,
    "Most metric points that one run may have: what it shares with the run it was forked from counts, what a rewind "
    "hides does not; 0 is no limit (read by the store).",
    "MLFLOW_TRACKING_EVENTS_MAX_SIZE",
)
WEBHOOK_SCHEMES = Setting(
    "STELE_WEBHOOK_ALLOWED_SCHEMES",
    str,
    "https",
    "Schemes that the address of a webhook may have, separated by commas (read by the store and the server).",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES",
)
WEBHOOK_PRIVATE = Setting(
    "STELE_WEBHOOK_ALLOW_PRIVATE_IPS",
    _boolean,
    False,
    "Whether webhooks may go to addresses of this machine and of private networks (read by the store and the server).",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS",
)
WEBHOOK_TIMEOUT_SECONDS = Setting(
    "STELE_WEBHOOK_TIMEOUT",
    _positive,
    30.0,
    "Seconds that the delivery of a webhook may take in all.",
    "MLFLOW_WEBHOOK_REQUEST_TIMEOUT",
)
MODEL_CACHE_DIR = Setting(
    "STELE_MODEL_CACHE_DIR",
    str,
    "",
    "Where files of loaded models are kept; by default stele/models in the user's cache directory.",
)
MODEL_CACHE_BYTES = Setting(
    "STELE_MODEL_CACHE_BYTES",
    _count,
    10 * 1024 * 1024 * 1024,
    "Bytes that files of loaded models may take on this machine; 0 keeps none.",
)
MODEL_SOURCE_PATTERN = Setting(
    "STELE_MODEL_SOURCE_PATTERN",
    str,
    "",
    "Regular expression that the source of a new model version must match (read by the store).",
    "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX",
)
OFFLINE = Setting("STELE_OFFLINE", _boolean, False, "Ask no server: keep everything in the journal for `stele sync`.")
JOURNAL_DIR = Setting(
    "STELE_JOURNAL_DIR", str, "", "Directory of the journals; by default stele/journal in the user's state directory."
)
JOURNAL_MAX_BYTES = Setting(
    "STELE_JOURNAL_MAX_BYTES",
    _count,
    1024 * 1024 * 1024,
    "Most bytes that the journal of one process may take; beyond, points are thinned evenly.",
)
EXIT_TIMEOUT_SECONDS = Setting(
    "STELE_EXIT_TIMEOUT",
    _positive,
    60.0,
    "Seconds that the end of a run or of the process waits for the store at most; the rest stays in the journal.",
)
MODEL_TRUST = Setting(
    "STELE_MODEL_TRUST",
    _trust,
    "warn",
    "Which models may run code when they are loaded. warn: those that are as the store recorded them, and with a "
    "warning those at a plain local path; recorded: only the first; any: all; none: none, whatever a program says.",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION",
)
SERVING_TOKEN = Setting(
    "STELE_SERVING_TOKEN", str, "", "Bearer token that `stele models serve` asks for; without one it asks for none."
)
SERVING_TIMEOUT_SECONDS = Setting(
    "STELE_SERVING_TIMEOUT",
    _positive,
    60.0,
    "Seconds after which a request for a prediction is given up.",
    "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT",
)
ENVIRONMENTS_DIR = Setting(
    "STELE_ENVIRONMENTS_DIR",
    str,
    "",
    "Directory of the environments made for models; by default stele/environments in the user's cache directory.",
)
