"""Words with a fixed set of values, by name on output and by name or number on input."""

from __future__ import annotations

from typing import ClassVar, Literal

from stele.errors import InvalidParameterValue, shown

__all__ = [
    "LifecycleStage",
    "RunStatus",
    "RunStatusName",
    "SourceType",
    "ViewType",
    "ViewTypeName",
    "status_name",
    "view_name",
]

RunStatusName = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED", 1, 2, 3, 4, 5]
ViewTypeName = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL", 1, 2, 3]


class RunStatus:
    """How a run is doing. The numbers are those of the wire."""

    RUNNING = 1
    SCHEDULED = 2
    FINISHED = 3
    FAILED = 4
    KILLED = 5
    NAMES: ClassVar[dict[int, str]] = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
    NUMBERS: ClassVar[dict[str, int]] = {name: number for number, name in NAMES.items()}

    @staticmethod
    def from_string(status_str: str) -> int:
        """The number of a status name.

        Raises:
            InvalidParameterValue: No status has this name.
        """
        return _number(RunStatus.NUMBERS, status_str, "run status")

    @staticmethod
    def to_string(status: int) -> str:
        """The name of a status number.

        Raises:
            InvalidParameterValue: No status has this number.
        """
        return _name(RunStatus.NAMES, status, "run status")

    @staticmethod
    def is_terminated(status: int) -> bool:
        """Whether the run is over: finished, failed or killed."""
        return status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)

    @staticmethod
    def all_status() -> list[int]:
        """Every number."""
        return list(RunStatus.NAMES)


class ViewType:
    """Which lifecycle stages a listing shows."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3
    NAMES: ClassVar[dict[int, str]] = {1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}
    NUMBERS: ClassVar[dict[str, int]] = {name: number for number, name in NAMES.items()}

    @classmethod
    def from_string(cls, view_str: str) -> int:
        """The number of a view name, in any case.

        Raises:
            InvalidParameterValue: No view has this name.
        """
        return _number(cls.NUMBERS, view_str.upper(), "view type")

    @classmethod
    def to_string(cls, view_type: int) -> str:
        """The name of a view number, in lower case.

        Raises:
            InvalidParameterValue: No view has this number.
        """
        return _name(cls.NAMES, view_type, "view type").lower()


class LifecycleStage:
    """Whether a run or an experiment is in use or in the trash."""

    ACTIVE = "active"
    DELETED = "deleted"

    @classmethod
    def is_valid(cls, lifecycle_stage: str) -> bool:
        """Whether this is the name of a stage."""
        return lifecycle_stage in (cls.ACTIVE, cls.DELETED)

    @classmethod
    def view_type_to_stages(cls, view_type: int = ViewType.ALL) -> list[str]:
        """The stages that a view shows."""
        return {1: [cls.ACTIVE], 2: [cls.DELETED]}.get(view_type, [cls.ACTIVE, cls.DELETED])

    @classmethod
    def matches_view_type(cls, view_type: int, lifecycle_stage: str) -> bool:
        """Whether a view shows a stage."""
        return lifecycle_stage in cls.view_type_to_stages(view_type)


class SourceType:
    """What kind of program made a run."""

    NOTEBOOK = 1
    JOB = 2
    PROJECT = 3
    LOCAL = 4
    UNKNOWN = 5
    SOURCETYPE_TO_STRING: ClassVar[dict[int, str]] = {
        1: "NOTEBOOK",
        2: "JOB",
        3: "PROJECT",
        4: "LOCAL",
        5: "UNKNOWN",
    }

    @staticmethod
    def from_string(status_str: str) -> int:
        """The number of a source type name.

        Raises:
            InvalidParameterValue: No source type has this name.
        """
        numbers = {name: number for number, name in SourceType.SOURCETYPE_TO_STRING.items()}
        return _number(numbers, status_str, "source type")

    @staticmethod
    def to_string(status: int) -> str:
        """The name of a source type number.

        Raises:
            InvalidParameterValue: No source type has this number.
        """
        return _name(SourceType.SOURCETYPE_TO_STRING, status, "source type")


def status_name(value: str | int) -> str:
    """The name of a run status that was given by name or number.

    Raises:
        InvalidParameterValue: There is no such status.
    """
    return RunStatus.to_string(value if isinstance(value, int) else RunStatus.from_string(value))


def view_name(value: str | int) -> str:
    """The name of a view type that was given by name or number.

    Raises:
        InvalidParameterValue: There is no such view type.
    """
    return ViewType.to_string(value if isinstance(value, int) else ViewType.from_string(value)).upper()


def _number(numbers: dict[str, int], name: str, what: str) -> int:
    if name not in numbers:
        raise InvalidParameterValue(f"{shown(name)} is no {what}. Allowed are {', '.join(numbers)}.")
    return numbers[name]


def _name(names: dict[int, str], number: int, what: str) -> str:
    if number not in names:
        raise InvalidParameterValue(f"{shown(number)} is no {what}. Allowed are {', '.join(map(str, names))}.")
    return names[number]
