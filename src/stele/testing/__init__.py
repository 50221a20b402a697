"""Contract suites that every implementation must pass, ours or a plug-in's, and oracles."""
