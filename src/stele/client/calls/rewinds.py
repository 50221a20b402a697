"""Going back in a run: hiding what was logged behind a step."""

from __future__ import annotations

from stele.client.calls.base import StoreCalls, integer
from stele.schema import rewinds as messages
from stele.schema.rewinds import Rewind, RewindResponse

__all__ = ["RewindCalls"]


class RewindCalls(StoreCalls):
    """The part of a client that hides points and shows them again."""

    def rewind(self, run_id: str, step: int) -> RewindResponse:
        """Hide the points of a run behind a step, so that training can log those steps again.

        Nothing is removed: :meth:`undo_rewind` shows them again, and the store keeps who hid what, and when. Runs that
        were forked from this one keep what they share with it.

        Args:
            run_id: The run; params, tags and files stay as they are.
            step: The last step that stays.

        Returns:
            How many points were hidden.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: It is deleted.
        """
        return self._store.rewind_run(messages.RewindRun(run_id=run_id, step=integer(step, "step")))

    def undo_rewind(self, run_id: str) -> RewindResponse:
        """Show again what the last rewind hid; what was logged in its place is hidden instead.

        Called once more it brings that back.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: There is no rewind that could be undone, or the run is deleted.
        """
        return self._store.undo_rewind(messages.UndoRewind(run_id=run_id))

    def list_rewinds(self, run_id: str) -> list[Rewind]:
        """The rewinds of a run, oldest first: step, principal, times.

        Raises:
            DoesNotExist: There is no such run.
        """
        return self._store.list_rewinds(messages.ListRewinds(run_id=run_id)).rewinds
