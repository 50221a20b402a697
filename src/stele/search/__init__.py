"""Filters and orders: text to a checked syntax tree, and page tokens. No SQL."""
