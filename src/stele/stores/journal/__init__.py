"""The journal: what a process logged, on disk before it is in the store.

One directory for each process and store. ``journal`` writes it, ``shipping`` carries it to a store, ``sender`` does
that on a thread. ``docs/reference/files.md`` describes the files, ``docs/decisions/0005-journal-first.md`` why they are
so.
"""
