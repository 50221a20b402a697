"""The HTTP server over a store."""
