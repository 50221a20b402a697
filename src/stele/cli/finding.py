"""What the words of a command line mean: which store, which experiment, which run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from stele.client.client import Client
from stele.client.paged_list import PagedList
from stele.client.stores import close_stores
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.limits import DEFAULT_PAGE
from stele.schema.enums import ViewType
from stele.schema.experiments import Experiment
from stele.schema.runs import Run

__all__ = [
    "VIEW_NAMES",
    "chosen_experiments",
    "experiment_names",
    "find_experiment",
    "find_run",
    "key_values",
    "open_client",
    "some",
    "view_option",
]

T = TypeVar("T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

VIEW_NAMES = ("active_only", "deleted_only", "all")
_SHORTEST_PREFIX = 4
_ID_CHARACTERS = 32
_AMBIGUOUS_SHOWN = 5


def view_option(default: str = "active_only") -> Decorator:
    """``--view``: which lifecycle stages a listing shows."""
    return click.option(
        "--view",
        "-v",
        type=click.Choice(VIEW_NAMES, case_sensitive=False),
        default=default,
        show_default=True,
        help="Those in use, those in the trash, or both.",
    )


def open_client() -> Client:
    """A client of the tracking store; the store is closed when the command ends."""
    click.get_current_context().find_root().call_on_close(close_stores)
    return Client()


def some(fetch: Callable[[int, str | None], PagedList[T]], most: int) -> tuple[list[T], bool]:
    """Up to ``most`` items from as many pages as that takes, and whether there are more."""
    items: list[T] = []
    token: str | None = None
    while len(items) < most:
        page = fetch(min(DEFAULT_PAGE, most - len(items)), token)
        items += page
        token = page.token
        if token is None:
            return items, False
    return items, True


def find_experiment(client: Client, words: str | None, experiment_id: str | None, name: str | None) -> Experiment:
    """The one experiment that an argument or an option names.

    Args:
        client: Where to look.
        words: An argument: an id, else a name.
        experiment_id: The option ``--experiment-id``.
        name: The option ``--experiment-name``.

    Raises:
        UsageError: Not exactly one of them was given.
        DoesNotExist: There is no such experiment.
    """
    if sum(given is not None for given in (words, experiment_id, name)) != 1:
        raise click.UsageError("Name one experiment: as EXPERIMENT, with -x ID, or with -n NAME.")
    if experiment_id is not None:
        return client.get_experiment(experiment_id)
    wanted = name if name is not None else words
    assert wanted is not None
    if name is None and wanted.isascii() and wanted.isdigit():
        try:
            return client.get_experiment(wanted)
        except DoesNotExist:
            pass  # a name made of digits
    found = client.get_experiment_by_name(wanted)
    if found is None:
        raise DoesNotExist(f"No experiment has the {'name' if name is not None else 'id or name'} {shown(wanted)}.")
    return found


def experiment_names(client: Client, view: int = ViewType.ALL) -> dict[str, str]:
    """The names of all experiments by their ids."""
    names: dict[str, str] = {}
    token: str | None = None
    while True:
        page = client.search_experiments(view, page_token=token)
        names |= {experiment.experiment_id: experiment.name for experiment in page}
        token = page.token
        if token is None:
            return names


def chosen_experiments(client: Client, words: Iterable[str]) -> dict[str, str]:
    """The names by id of the experiments that some names or ids mean; of all of them when there are no words.

    Raises:
        DoesNotExist: One of them is not there.
    """
    found = [find_experiment(client, word, None, None) for word in words]
    return {experiment.experiment_id: experiment.name for experiment in found} or experiment_names(client)


def find_run(client: Client, run_id: str) -> Run:
    """A run by its id or the beginning of it, at least four characters.

    Raises:
        DoesNotExist: There is none.
        InvalidParameterValue: Several runs begin so.
    """
    if len(run_id) >= _ID_CHARACTERS or not (len(run_id) >= _SHORTEST_PREFIX and run_id.isalnum()):
        return client.get_run(run_id)
    condition = f"attributes.run_id LIKE '{run_id}%'"
    found = client.search_runs(list(experiment_names(client)), condition, ViewType.ALL, _AMBIGUOUS_SHOWN + 1)
    if len(found) > 1:
        ids = ", ".join(run.info.run_id for run in found[:_AMBIGUOUS_SHOWN])
        more = " and more" if len(found) > _AMBIGUOUS_SHOWN else ""
        raise InvalidParameterValue(f"Several runs have an id that begins with {shown(run_id)}: {ids}{more}.")
    return client.get_run(found[0].info.run_id if found else run_id)


def key_values(pairs: Iterable[str], option: str) -> dict[str, str]:
    """A dictionary from ``key=value`` texts.

    Raises:
        BadParameter: One of them has no ``=``.
    """
    result = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{shown(pair)} is not key=value.", param_hint=option)
        result[key] = value
    return result
