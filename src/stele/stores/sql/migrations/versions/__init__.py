"""The schemas, one file each, named after their revision."""
