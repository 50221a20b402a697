"""Drives experiments, runs, searches, artifacts and datasets; see ``driver_tools.py``."""

import driver_runs  # noqa: F401, I001 - its steps come first
import driver_reads  # noqa: F401
from driver_tools import main

if __name__ == "__main__":
    main()
