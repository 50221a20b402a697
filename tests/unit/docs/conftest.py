"""Every test starts in a working directory of its own."""

from __future__ import annotations

from workplace import workplace

__all__ = ["workplace"]
