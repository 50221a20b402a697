"""Each test has a working directory and a store of its own."""

from workplace import workplace

__all__ = ["workplace"]
