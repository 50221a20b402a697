"""Experiment tracking that cannot lose what was logged. The names that users see, loaded when first used."""
