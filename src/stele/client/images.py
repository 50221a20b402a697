"""Pictures: from arrays, Pillow images, files and nested lists to PNG, and to WebP for quick viewing."""

from __future__ import annotations

import io
import os
import uuid
from typing import TYPE_CHECKING, Any

from stele.errors import InvalidParameterValue, MissingDependency, shown

if TYPE_CHECKING:
    import numpy
    import PIL.Image

__all__ = ["Image", "encode", "image_path", "with_preview"]

_PREVIEW_PIXELS = 256


class Image:
    """A picture that can be logged, also as a cell of a table.

    Args:
        image: An array of shape (height, width) or (height, width, 1, 3 or 4), as integers or booleans of 0 to 255
            or floats of 0 to 1; a Pillow image; the path of a file; or nested lists of numbers.

    Raises:
        InvalidParameterValue: It is none of these.
    """

    def __init__(self, image: numpy.ndarray[Any, Any] | PIL.Image.Image | str | list[Any]) -> None:
        self.image: PIL.Image.Image = _to_pil(image)
        self.size: tuple[int, int] = self.image.size

    def to_pil(self) -> PIL.Image.Image:
        """The picture as a Pillow image."""
        return self.image

    def to_array(self) -> numpy.ndarray[Any, Any]:
        """The picture as an array of bytes, of shape (height, width) or (height, width, channels)."""
        import numpy as np

        return np.asarray(self.image)

    def to_list(self) -> list[Any]:
        """The picture as nested lists of numbers."""
        pixels: list[Any] = self.to_array().tolist()
        return pixels

    def resize(self, size: tuple[int, int]) -> Image:
        """Bring the picture to (width, height) in pixels, and return it."""
        self.image = self.image.resize(size)
        self.size = self.image.size
        return self

    def save(self, path: str) -> None:
        """Write the picture to a file; the ending tells the format."""
        self.image.save(path)


def encode(image: Any, path: str) -> bytes:
    """The picture in the format that the ending of the path tells.

    Raises:
        InvalidParameterValue: It is no picture, or the ending names no format for pictures.
    """
    picture = _to_pil(image)
    ending = os.path.splitext(path)[1].lower()  # noqa: PTH122
    kind = _pil().registered_extensions().get(ending)
    if kind is None:
        raise InvalidParameterValue(f"{path} does not end like a picture. Use .png, .jpg or .webp.")
    if kind == "JPEG" and picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, format=kind)
    return buffer.getvalue()


def with_preview(image: Any, path: str) -> dict[str, bytes]:
    """The content of two files by their paths: the picture, and a small one that is quickly viewed.

    Args:
        image: The picture.
        path: Of both, without ending, as :func:`image_path` makes it.

    Raises:
        InvalidParameterValue: It is no picture.
    """
    return {f"{path}.png": encode(image, f"{path}.png"), f"{path}+compressed.webp": _preview(image)}


def _preview(image: Any) -> bytes:
    """A WebP of the picture, at most 256 pixels wide and high."""
    picture = _to_pil(image).convert("RGBA")
    picture.thumbnail((_PREVIEW_PIXELS, _PREVIEW_PIXELS))
    buffer = io.BytesIO()
    picture.save(buffer, format="WEBP", quality=75)
    return buffer.getvalue()


def image_path(key: str, step: int, timestamp: int) -> str:
    """Where a picture of a series is kept, without ending, in MLflow's layout.

    Args:
        key: Name of the series; a slash becomes ``~``.
        step: Any integer.
        timestamp: Milliseconds since 1970.
    """
    return f"images/{key.replace('/', '~')}+step+{step}+timestamp+{timestamp}+{uuid.uuid4()}"


def _pil() -> Any:
    try:
        import PIL.Image
    except ImportError as e:
        raise MissingDependency("pillow", "to log an image") from e
    PIL.Image.init()
    return PIL.Image


def _to_pil(image: Any) -> Any:
    pil = _pil()
    if isinstance(image, Image):
        return image.image
    if isinstance(image, pil.Image):
        return image
    if isinstance(image, (str, os.PathLike)):
        try:
            with pil.open(image) as opened:
                opened.load()
                return opened
        except OSError as e:
            raise InvalidParameterValue(f"{shown(image)} cannot be read as a picture: {e}") from e
    return pil.fromarray(_pixels(image))


def _pixels(image: Any) -> Any:
    """The array as unsigned bytes of a shape that Pillow knows."""
    import numpy as np

    try:
        array = np.asarray(image)
    except ValueError as e:
        raise InvalidParameterValue("The image is a list of rows of different lengths.") from e
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise InvalidParameterValue(
            f"The image has the shape {array.shape}. It must be (height, width) or (height, width, 1, 3 or 4)."
        )
    if array.dtype.kind not in "buif":
        raise InvalidParameterValue(f"The image holds {array.dtype}. It must hold integers, floats or booleans.")
    low, high = (0, 1) if array.dtype.kind in "bf" else (0, 255)
    if not (array.min() >= low and array.max() <= high):
        raise InvalidParameterValue(
            f"The image holds values from {array.min()} to {array.max()}. "
            "Integers must be from 0 to 255, floats from 0 to 1."
        )
    return (array * 255).round().astype("uint8") if high == 1 else array.astype("uint8")
