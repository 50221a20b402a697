"""Where experiments and runs are kept: the protocol, and its implementations in SQL and over HTTP."""
