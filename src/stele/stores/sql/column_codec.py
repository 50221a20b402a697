"""How one column of 64-bit numbers becomes bytes.

A codec is a number that stands in every block, so it is never given another meaning. pcodec makes columns smallest;
where it has no wheel, zlib of the differences takes over. Either is always read.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stele.errors import MissingDependency

__all__ = ["PCO", "RAW", "ZLIB", "Corrupt", "decode", "encode", "preferred"]

RAW, PCO, ZLIB = 0, 1, 3
"""The codecs. Number 2 is set aside for zstd, which Python's standard library does not read yet."""

Column = npt.NDArray[Any]
"""One-dimensional and contiguous, of int64 or float64."""

_PCO_LEVEL = 8
_ZLIB_LEVEL = 6
_SAMPLED, _PIECE = 1_024, 128


class Corrupt(Exception):  # the reader makes a SteleError of it that names the place
    """Bytes that no encoder wrote; the text says what is wrong with them."""


class _Pcodec(NamedTuple):
    """The library, and its settings for columns of different kinds."""

    library: Any
    search: Any
    """Try all that it knows, which takes three times as long as the rest of its work."""
    differences: Any
    """Of neighbours."""
    as_they_are: Any


@cache
def _pcodec() -> _Pcodec | None:
    """None where it is not installed."""
    try:
        from pcodec import ChunkConfig, DeltaSpec, standalone
    except ImportError:
        return None
    return _Pcodec(
        standalone,
        ChunkConfig(compression_level=_PCO_LEVEL),
        ChunkConfig(compression_level=_PCO_LEVEL, delta_spec=DeltaSpec.try_consecutive(1)),
        ChunkConfig(compression_level=_PCO_LEVEL, delta_spec=DeltaSpec.no_op()),
    )


def preferred() -> int:
    """The codec that new blocks get on this machine."""
    return PCO if _pcodec() else ZLIB


def encode(column: Column, codec: int, *, rising: bool = False) -> bytes:
    """The bytes of a column.

    Args:
        column: The numbers.
        codec: One of the codecs.
        rising: Whether the numbers are nearly always in their order, so that differences are what to keep.
    """
    if codec == PCO:
        return _encode_pco(column, rising=rising)
    if codec == ZLIB:
        return zlib.compress(_shuffled_differences(column), _ZLIB_LEVEL)
    return column.tobytes()


def _encode_pco(column: Column, *, rising: bool) -> bytes:
    pcodec = _pcodec()
    assert pcodec is not None
    config = pcodec.search
    if rising:
        config = pcodec.differences
    elif len(column) >= 4 * _SAMPLED:
        # Noise, as most metrics are, is best left as it is: some pieces tell, together also whether it drifts.
        starts = np.linspace(0, len(column) - _PIECE, _SAMPLED // _PIECE).astype(int)
        sample = np.concatenate([column[start : start + _PIECE] for start in starts])
        sizes = [len(pcodec.library.simple_compress(sample, each)) for each in (pcodec.as_they_are, pcodec.search)]
        if sizes[0] <= sizes[1]:
            config = pcodec.as_they_are
    packed: bytes = pcodec.library.simple_compress(column, config)
    return packed


def decode(data: memoryview, codec: int, out: Column) -> None:
    """Fill ``out`` with the numbers in ``data``.

    Raises:
        Corrupt: These are not exactly as many numbers as ``out`` holds.
        MissingDependency: The column was written with pcodec, which is not installed here.
    """
    if codec == PCO:
        _decode_pco(data, out)
    elif codec == ZLIB:
        _decode_zlib(data, out)
    elif codec == RAW:
        if len(data) != out.nbytes:
            raise Corrupt(f"{len(data)} bytes where {out.nbytes} belong")
        out[:] = np.frombuffer(data, out.dtype)
    else:
        raise Corrupt(f"unknown codec {codec}")


def _decode_pco(data: memoryview, out: Column) -> None:
    pcodec = _pcodec()
    if pcodec is None:
        raise MissingDependency("pcodec", "to read points that were compressed on another machine")
    try:
        progress = pcodec.library.simple_decompress_into(bytes(data), out)
    except (RuntimeError, TypeError) as e:
        raise Corrupt(str(e)) from e
    if progress.n_processed != len(out) or not progress.finished:
        raise Corrupt(f"not {len(out)} numbers")


def _shuffled_differences(column: Column) -> bytes:
    """The differences of neighbours, first bytes first: what changes little compresses well side by side."""
    bits = column.view(np.uint64)
    return np.diff(bits, prepend=np.uint64(0)).view(np.uint8).reshape(-1, 8).T.tobytes()


def _decode_zlib(data: memoryview, out: Column) -> None:
    inflater = zlib.decompressobj()
    try:
        shuffled = inflater.decompress(data, out.nbytes + 1)  # never more than belongs here
    except zlib.error as e:
        raise Corrupt(str(e)) from e
    if len(shuffled) != out.nbytes or not inflater.eof:
        raise Corrupt(f"not {len(out)} numbers")
    differences = np.frombuffer(shuffled, np.uint8).reshape(8, -1).T.copy().view(np.uint64).reshape(-1)
    np.cumsum(differences, out=out.view(np.uint64))
