"""Serving a model over HTTP, predicting for files, and packing a model to be served elsewhere."""
