"""The store that everything local and every server uses."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy import select

from stele.stores.sql.approvals import ApprovalOperations
from stele.stores.sql.datasets import DatasetOperations
from stele.stores.sql.described import DatasetCache
from stele.stores.sql.engines import open_database
from stele.stores.sql.experiment_overview import OverviewOperations
from stele.stores.sql.experiments import ExperimentOperations, artifact_location, is_local, local_root
from stele.stores.sql.finding import FindOperations
from stele.stores.sql.group_writes import GroupWrites
from stele.stores.sql.ingest import IngestOperations
from stele.stores.sql.keys import Keys
from stele.stores.sql.lineage import LineageOperations
from stele.stores.sql.logged_models import LoggedModelOperations
from stele.stores.sql.maintenance import MaintenanceOperations
from stele.stores.sql.metrics import MetricOperations
from stele.stores.sql.model_versions import ModelVersionOperations
from stele.stores.sql.pyramid import new_cell_cache
from stele.stores.sql.recent_changes import RecentChangeOperations
from stele.stores.sql.registered_models import RegisteredModelOperations
from stele.stores.sql.registry_events import RegistryEventOperations
from stele.stores.sql.rewinding import RewindOperations
from stele.stores.sql.run_changes import BulkOperations
from stele.stores.sql.run_describe import RunDescriptions
from stele.stores.sql.run_frames import FrameMemory
from stele.stores.sql.run_groups import RunGroupOperations
from stele.stores.sql.run_keys import RunKeyOperations
from stele.stores.sql.run_table import RunTableOperations
from stele.stores.sql.schema_version import prepare
from stele.stores.sql.search_memory import SearchMemory
from stele.stores.sql.series_operations import SeriesOperations
from stele.stores.sql.tokens import TokenOperations
from stele.stores.sql.views import ViewOperations
from stele.stores.sql.webhooks import WebhookOperations

__all__ = ["SqlStore"]


class SqlStore(
    MaintenanceOperations,
    ExperimentOperations,
    DatasetOperations,
    GroupWrites,
    IngestOperations,
    MetricOperations,
    SeriesOperations,
    RunTableOperations,
    RunGroupOperations,
    RunDescriptions,
    RunKeyOperations,
    BulkOperations,
    OverviewOperations,
    LoggedModelOperations,
    RegisteredModelOperations,
    ModelVersionOperations,
    ApprovalOperations,
    RegistryEventOperations,
    LineageOperations,
    WebhookOperations,
    RewindOperations,
    TokenOperations,
    RecentChangeOperations,
    ViewOperations,
    FindOperations,
):
    """Experiments, runs and series in one SQL database, which is made when it is empty.

    Args:
        uri: ``sqlite:///file.db``, ``postgresql://user@host/name``, ``mysql://`` or ``mariadb://``.
        artifact_root: Where experiments made without a location keep their files: a path, or a URI such as
            ``mlflow-artifacts:/``. The default is ``./stele-artifacts``.

    Raises:
        InvalidParameterValue: The URI cannot be used, or the database holds something else.
        Conflict: The database has a newer or an older schema.
        Unavailable: The database cannot be reached.
    """

    def __init__(self, uri: str, artifact_root: str = "./stele-artifacts") -> None:
        super().__init__()
        self.db = open_database(uri)
        self.keys = Keys()
        self.described = DatasetCache()
        self.searches = SearchMemory()
        self.frames = FrameMemory()
        self.cells = new_cell_cache()
        # The one who starts a store may say ``..``; a client that makes an experiment may not.
        self.artifact_root = artifact_location(local_root(artifact_root) if is_local(artifact_root) else artifact_root)
        try:
            prepare(self.db, self.artifact_root)
        except BaseException:
            self.db.close()
            raise

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            Unavailable: It gives none.
        """
        self.db.read(lambda c: c.execute(select(1)).scalar_one())

    def close(self) -> None:
        """Compact what a run without a server has logged, stop the threads and close every connection."""
        self.stop_maintenance()
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
