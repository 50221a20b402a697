"""Drives logged models and the registry; see ``driver_tools.py``."""

import driver_logged_models  # noqa: F401 - its steps come first
import driver_registry  # noqa: F401
from driver_tools import main

if __name__ == "__main__":
    main()
