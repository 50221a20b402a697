"""Figures of matplotlib and plotly as files."""

from __future__ import annotations

import io
import os
from typing import Any

from stele.errors import InvalidParameterValue, shown

__all__ = ["figure_bytes"]


def figure_bytes(figure: Any, path: str, save_kwargs: dict[str, Any]) -> bytes:
    """The figure in the format that the ending of the path tells.

    Args:
        figure: A figure of matplotlib, or of plotly (``.html``, or a picture when kaleido is installed).
        path: Where it will be kept.
        save_kwargs: Passed to the method of the figure that writes it.

    Raises:
        InvalidParameterValue: It is no figure, or its library does not write this kind of file.
    """
    ending = os.path.splitext(path)[1].lstrip(".").lower()  # noqa: PTH122
    if hasattr(figure, "savefig"):
        buffer = io.BytesIO()
        try:
            figure.savefig(buffer, **({"format": ending} | save_kwargs))
        except ValueError as e:
            raise InvalidParameterValue(f"The figure cannot be written to {shown(path)}: {e}") from e
        return buffer.getvalue()
    if hasattr(figure, "to_html") and hasattr(figure, "to_image"):
        if ending == "html":
            # The script of plotly has 4 MB; by default the page fetches it.
            return str(figure.to_html(**({"include_plotlyjs": "cdn"} | save_kwargs))).encode()
        content: bytes = figure.to_image(**({"format": ending} | save_kwargs))
        return content
    raise InvalidParameterValue(f"{shown(figure)} is no figure of matplotlib or plotly.")
