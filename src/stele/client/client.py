"""The explicit interface: every call names the run or experiment it is about."""

from __future__ import annotations

from stele.client.calls.experiments import ExperimentCalls
from stele.client.calls.governance import GovernanceCalls
from stele.client.calls.rewinds import RewindCalls
from stele.client.calls.series import SeriesCalls
from stele.client.calls.values import ValueCalls
from stele.client.calls.webhooks import WebhookCalls

__all__ = ["Client", "MlflowClient"]


class Client(ExperimentCalls, ValueCalls, SeriesCalls, RewindCalls, WebhookCalls, GovernanceCalls):
    """Reads and writes experiments, runs and models of one store, with MLflow's method names and signatures.

    A client is cheap to make and may be used by any thread. Nothing here depends on which run is active.

    Args:
        tracking_uri: Address of the store; None means the current tracking URI, taken now.
        registry_uri: Address of the store of registered models; None means the one that is set, else the same.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(tracking_uri={_without_password(self.tracking_uri)!r})"


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    user_info, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{user_info.partition(':')[0]}{at}{host}"


MlflowClient = Client
