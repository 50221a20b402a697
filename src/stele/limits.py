"""Every limit of the data model, once, and the checks that enforce them.

The numbers are MLflow's (its limits for entities, batches and pages), so that whatever one product accepts the
other does too. The stores call these checks, so a limit holds locally and over HTTP alike.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

from stele.errors import InvalidParameterValue, shown

__all__ = [
    "INT64_MAX",
    "INT64_MIN",
    "check_alias",
    "check_client_id",
    "check_digest",
    "check_experiment_name",
    "check_int64",
    "check_key",
    "check_length",
    "check_max_results",
    "check_model_name",
    "check_new_model_id",
    "check_new_run_id",
    "check_registered_name",
    "check_run_id",
    "check_timestamp",
]

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

MAX_KEY_CHARACTERS = 250
MAX_PARAM_CHARACTERS = 6_000
MAX_TAG_CHARACTERS = 8_000
MAX_EXPERIMENT_NAME_CHARACTERS = 500
MAX_EXPERIMENT_TAG_CHARACTERS = 20_000
MAX_ARTIFACT_LOCATION_CHARACTERS = 2_048
MAX_RUN_NAME_CHARACTERS = 500
MAX_USER_ID_CHARACTERS = 256

MAX_BATCH_METRICS = 1_000
MAX_BATCH_PARAMS = 100
MAX_BATCH_TAGS = 100
MAX_BATCH_ENTITIES = 1_000

MAX_INGEST_POINTS = 1_000_000
MAX_CLIENT_ID_CHARACTERS = 64

MAX_DATASET_NAME_CHARACTERS = 500
MAX_DATASET_DIGEST_CHARACTERS = 36
MAX_DATASET_SOURCE_CHARACTERS = 65_535
MAX_DATASET_SCHEMA_CHARACTERS = 1_048_575
MAX_DATASET_PROFILE_CHARACTERS = 16_777_215
MAX_INPUT_TAG_KEY_CHARACTERS = 255
MAX_INPUT_TAG_VALUE_CHARACTERS = 500
MAX_BATCH_INPUTS = 1_000
MAX_DATASET_SUMMARIES = 1_000
MAX_DATASET_SUMMARY_EXPERIMENTS = 20

MAX_MODEL_NAME_CHARACTERS = 500
MAX_MODEL_ID_CHARACTERS = 64
MAX_MODEL_TYPE_CHARACTERS = 500
MAX_MODEL_VALUE_CHARACTERS = 100_000
MAX_MODEL_ENTRIES = 10_000
MAX_MODEL_FILES = 10_000
MAX_REGISTERED_NAME_CHARACTERS = 256
MAX_ALIAS_CHARACTERS = 255
MAX_REGISTRY_TAG_CHARACTERS = 100_000
MAX_DESCRIPTION_CHARACTERS = 100_000
MAX_SOURCE_CHARACTERS = 4_096
MAX_REASON_CHARACTERS = 5_000
MAX_SECRET_CHARACTERS = 1_000
MAX_WEBHOOKS_PAGE = 1_000
MAX_EVENTS_PAGE = 1_000
MAX_MODELS_PAGE = 1_000

MAX_VIEW_NAME_CHARACTERS = 250
MAX_VIEW_BYTES = 64 * 1024
MAX_VIEWS = 200

MAX_FOUND = 50
MAX_TREE_FILES = 200_000
MAX_TREE_PAGE = 10_000
MAX_VERSIONS_PAGE = 200_000
MAX_MODEL_POINTS_IN_SEARCH = 1_000
MAX_MODEL_POINTS = 100_000

DEFAULT_PAGE = 1_000
MAX_PAGE = 50_000
MAX_HISTORY_PAGE = 25_000
MAX_BULK_RUNS = 100
MAX_INTERVAL_POINTS = 2_500
MAX_SERIES_RUNS = 500
MAX_SERIES_KEYS = 200
MAX_SERIES_PAIRS = 2_000
MAX_SERIES_POINTS = 2_000_000
MAX_BUCKETS = 10_000
MAX_TABLE_ROWS = 1_000
MAX_TABLE_COLUMNS = 200
MAX_EXPANDED_RUNS = 10_000
MAX_GROUP_COLUMNS = 4
MAX_GROUP_AGGREGATES = 50
MAX_GROUPS = 10_000
MAX_COLUMN_RUNS = 100_000
MAX_CHANGED_RUNS = 10_000
MAX_OVERVIEW_PAGE = 1_000

MAX_FILTER_CHARACTERS = 10_000
MAX_FILTER_DEPTH = 32
MAX_FILTER_CLAUSES = 100
MAX_ORDER_BY_CLAUSES = 20

_MOST_SEEN_KEYS = 65_536
_SEEN_KEYS: set[str] = set()
"""Keys that are allowed: most programs log the same few again and again."""

_KEY = re.compile(r"[/\w.\- :]+")
_CLIENT_ID = re.compile(r"[\w\-]{1,64}", re.ASCII)
_ALIAS = re.compile(r"[\w\-]{1,255}")
_NO_ALIAS = re.compile(r"latest|v[0-9]+", re.IGNORECASE)
_NOT_IN_NAME = re.compile(r"[/:]|%[0-9a-fA-F]{2}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NOT_IN_MODEL_NAME = re.compile(r"[/:.%\"'\x00-\x1f\x7f-\x9f]")
_NEW_RUN_ID = re.compile(r"[0-9a-f]{32}")
_NEW_MODEL_ID = re.compile(f"m-{_NEW_RUN_ID.pattern}")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}", re.ASCII)


def check_key(key: str, path: str) -> str:
    """The key of a metric, param or tag, unchanged when it is allowed.

    Allowed are 1 to 250 Unicode word characters, ``/ . - :`` and spaces that form a relative path in its shortest form.

    Args:
        key: The key.
        path: Where it stands in the request, such as ``metrics[3].key``.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    if not are_keys((key,)):
        raise InvalidParameterValue(f"{path} {_problem_of_key(key)}")
    return key


def are_keys(keys: Sequence[str]) -> bool:
    """Whether :func:`check_key` allows all of them."""
    if _SEEN_KEYS.issuperset(keys):
        return True
    fresh = set(keys) - _SEEN_KEYS
    if any(map(_problem_of_key, fresh)):
        return False
    if len(_SEEN_KEYS) + len(fresh) > _MOST_SEEN_KEYS:
        _SEEN_KEYS.clear()
    _SEEN_KEYS.update(islice(fresh, _MOST_SEEN_KEYS))
    return True


def _problem_of_key(key: str) -> str | None:
    if not key:
        return f"is missing. A key has 1 to {MAX_KEY_CHARACTERS} characters."
    if len(key) > MAX_KEY_CHARACTERS:
        return f"has {len(key)} characters, at most {MAX_KEY_CHARACTERS} are allowed: {shown(key)}"
    if not _KEY.fullmatch(key):
        allowed = "Allowed are letters, digits, _ / . - : and space."
        return f"{shown(key)} holds a character that is not allowed. {allowed}"
    if posixpath.normpath(key) != key or key.startswith(("/", "../")) or key in (".", ".."):
        form = "No slash at either end, no double slash, no segment '.' or '..'."
        return f"{shown(key)} is not a plain relative path. {form}"
    return None


def check_length(value: str, maximum: int, path: str) -> str:
    """The text, unchanged when it has at most ``maximum`` characters and no NUL.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    if len(value) > maximum:
        raise InvalidParameterValue(
            f"{path} has {len(value)} characters, at most {maximum} are allowed: {shown(value)}"
        )
    if "\0" in value:
        raise InvalidParameterValue(f"{path} holds a NUL character, which no store can keep: {shown(value)}")
    return value


def check_experiment_name(name: str, path: str = "name") -> str:
    """The name, unchanged when it has 1 to 500 characters and is not blank.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    if not name.strip():
        raise InvalidParameterValue(
            f"{path} {shown(name)} is empty. An experiment name has 1 to {MAX_EXPERIMENT_NAME_CHARACTERS} characters."
        )
    return check_length(name, MAX_EXPERIMENT_NAME_CHARACTERS, path)


def check_run_id(run_id: str, path: str = "run_id") -> str:
    """The id, unchanged when it is a letter or digit followed by up to 255 letters, digits, ``_`` or ``-``.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    form = "a letter or digit, then up to 255 letters, digits, '_' or '-'"
    return _formed(run_id, _RUN_ID, path, f"is not a run id: {form}")


def is_run_id(run_id: str) -> bool:
    """Whether :func:`check_run_id` allows an id."""
    return _RUN_ID.fullmatch(run_id) is not None


def check_new_run_id(run_id: str, path: str = "run_id") -> str:
    """The id that a client chose for a new run, unchanged when it has 32 lower-case hexadecimal digits.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    return _formed(run_id, _NEW_RUN_ID, path, "cannot be the id of a new run: 32 lower-case hexadecimal digits")


def check_new_model_id(model_id: str, path: str = "model_id") -> str:
    """The id that a client chose for a new logged model, unchanged when it is ``m-`` and 32 hexadecimal digits.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    form = "'m-' and 32 lower-case hexadecimal digits"
    return _formed(model_id, _NEW_MODEL_ID, path, f"cannot be the id of a new model: {form}")


def _formed(text: str, form: re.Pattern[str], path: str, problem: str) -> str:
    if not form.fullmatch(text):
        raise InvalidParameterValue(f"{path} {shown(text)} {problem}.")
    return text


def check_client_id(client_id: str, path: str = "client_id") -> str:
    """The id of a sender, unchanged when it has 1 to 64 letters, digits, ``_`` or ``-``.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    form = f"1 to {MAX_CLIENT_ID_CHARACTERS} letters, digits, '_' or '-'"
    return _formed(client_id, _CLIENT_ID, path, f"is not the id of a sender: {form}")


def check_model_name(name: str, path: str = "name") -> str:
    """The name of a logged model, unchanged when it is allowed: up to 500 characters, none of ``/ : . % " '``.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    if not name.strip() or _NOT_IN_MODEL_NAME.search(name):
        raise InvalidParameterValue(
            f"{path} {shown(name)} cannot name a model: it must not be blank, nor hold a control character or one of "
            "/ : . % \" '."
        )
    return check_length(name, MAX_MODEL_NAME_CHARACTERS, path)


def check_registered_name(name: str, path: str = "name") -> str:
    """The name of a new registered model in its one form (Unicode NFC), when it is allowed.

    Two names that look alike must not be two models: no control or format character, no blank at either end, nothing
    that reads differently once it is URL-decoded; and none of ``/ :``, and not ``.`` or ``..``.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    normal = unicodedata.normalize("NFC", name)
    hidden = any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for character in normal)
    if hidden or not normal or normal != normal.strip() or normal in (".", "..") or _NOT_IN_NAME.search(normal):
        raise InvalidParameterValue(
            f"{path} {shown(name)} cannot name a registered model: it must not be empty, '.' or '..', begin or end "
            "with a blank, nor hold '/', ':', a hidden character or an escape such as %2F."
        )
    return check_length(normal, MAX_REGISTERED_NAME_CHARACTERS, path)


def check_alias(alias: str, path: str = "alias") -> str:
    """The alias in Unicode NFC, when it is allowed: letters, digits, ``_`` and ``-``, not ``latest``, not ``v1``.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    normal = unicodedata.normalize("NFC", alias)
    if not _ALIAS.fullmatch(normal) or _NO_ALIAS.fullmatch(normal):
        raise InvalidParameterValue(
            f"{path} {shown(alias)} is no alias: 1 to {MAX_ALIAS_CHARACTERS} letters, digits, '_' and '-'; not "
            "'latest', nor 'v' and a number."
        )
    return normal


def check_digest(digest: str, path: str = "digest") -> str:
    """The digest of a model's files, unchanged when it is ``sha256:`` and 64 lower-case hexadecimal digits.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    return _formed(digest, _DIGEST, path, "is no digest: 'sha256:', then 64 lower-case hexadecimal digits")


def check_int64(value: int, path: str) -> int:
    """The integer, unchanged when it fits into 64 bits with sign.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not INT64_MIN <= value <= INT64_MAX:
        raise InvalidParameterValue(f"{path} {shown(value)} is not an integer from {INT64_MIN} to {INT64_MAX}.")
    return value


def check_timestamp(value: int, path: str) -> int:
    """The time, unchanged when it is a whole number of milliseconds since 1970, 0 or more.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    if check_int64(value, path) < 0:
        raise InvalidParameterValue(f"{path} {shown(value)} is negative. It counts milliseconds since 1970.")
    return value


def check_max_results(value: int, maximum: int, path: str = "max_results") -> int:
    """The page size, unchanged when it is from 1 to ``maximum``.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    if not 1 <= value <= maximum:
        raise InvalidParameterValue(f"{path} {shown(value)} is not from 1 to {maximum}.")
    return value
