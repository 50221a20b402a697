"""Models: how they are packed, described, trusted and loaded."""
