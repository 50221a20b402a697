"""The logged model that metrics of this thread or task are about, when a call names none."""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import Literal, Self

from stele import settings
from stele.schema.logged_models import LoggedModel

__all__ = ["ActiveModel", "activate", "chosen_model_id", "clear_active_model", "get_active_model_id", "reset"]

_CHOSEN: ContextVar[str | None] = ContextVar("stele_active_model", default=None)

chosen_model_id = _CHOSEN.get
"""The id of the model that code chose; None when it chose none, empty when it chose that there is none."""


class ActiveModel(LoggedModel, frozen=True):
    """A logged model that metrics are about; as a context manager it gives way to the one before at the end."""

    previous: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        _CHOSEN.set(self.previous)
        return False


def activate(model: LoggedModel) -> ActiveModel:
    """Make a model the active one."""
    active = ActiveModel(model.info, model.data, _CHOSEN.get())
    _CHOSEN.set(model.model_id)
    return active


def get_active_model_id() -> str | None:
    """The id of the active model: the one that was set here, else the one of ``STELE_ACTIVE_MODEL_ID``."""
    chosen = _CHOSEN.get()
    return (settings.ACTIVE_MODEL_ID.get() if chosen is None else chosen) or None


def clear_active_model() -> None:
    """Let metrics be about no model, whatever the environment says."""
    _CHOSEN.set("")


def reset() -> None:
    """Forget what was chosen: for tests."""
    _CHOSEN.set(None)
