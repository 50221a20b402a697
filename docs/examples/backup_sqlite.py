"""Copies a SQLite store while it is used."""

import sqlite3
from contextlib import closing

with closing(sqlite3.connect("stele.db")) as store, closing(sqlite3.connect("backup.db")) as copy:
    store.backup(copy)
