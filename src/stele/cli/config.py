"""``stele config``."""

from __future__ import annotations

import os
import re
from typing import Any

import click

from stele import settings
from stele.cli.output import Column, heading, json_option, show_facts, show_json, show_table
from stele.cli.teaching import Group
from stele.client.stores import get_registry_uri, get_tracking_uri
from stele.errors import InvalidParameterValue
from stele.settings import Setting

__all__ = ["config", "masked"]

_SECRET_WORDS = ("TOKEN", "PASSWORD", "RUN_CONTEXT")
_HIDDEN = "***"
_USER_INFO = re.compile(r"(://[^/@\s:]*):[^/@\s]*@")


def masked(name: str, value: str) -> str:
    """The value of a variable as it may be shown: secrets hidden, passwords taken out of addresses."""
    if value and any(word in name for word in _SECRET_WORDS):
        return _HIDDEN
    return _USER_INFO.sub(rf"\1:{_HIDDEN}@", value)


@click.group(cls=Group)
def config() -> None:
    r"""Show the settings in force.

    \b
    stele config view
    """


@config.command(short_help="Show every setting with its value and source.")
@json_option
@click.option("--set", "only_set", is_flag=True, help="Only settings that a variable changes.")
def view(only_set: bool, as_json: bool) -> None:
    r"""Show every setting with its value, and which variable it comes from. Secrets are masked.

    \b
    stele config view
    stele config view --set --json
    """
    stores = {"tracking_uri": masked("", get_tracking_uri()), "registry_uri": masked("", get_registry_uri())}
    found = [_described(setting) for setting in settings.SETTINGS if setting.is_set() or not only_set]
    if as_json:
        show_json({**stores, "settings": found})
        return
    show_facts({"Tracking store": stores["tracking_uri"], "Model registry": stores["registry_uri"]})
    if found:
        heading("Settings")
        columns = [Column("Name"), Column("Value"), Column("From"), Column("Meaning")]
        show_table(
            columns, [[*(item[key] for key in ("name", "value", "source", "help"))] for item in found], optional=1
        )


def _described(setting: Setting[Any]) -> dict[str, str]:
    name = next((name for name in (setting.name, setting.twin) if name and os.environ.get(name)), None)
    try:
        value = _text(setting.get())
    except InvalidParameterValue as e:
        value = f"NOT VALID: {e}"
    return {
        "name": setting.name,
        "value": masked(setting.name, value),
        "source": "default" if name is None else name,
        "twin": setting.twin or "",
        "help": setting.help,
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
