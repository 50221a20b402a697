"""How bytes travel to a server and back: over HTTP, or straight into an ASGI application of this process.

A transport knows addresses, credentials, retries and streams. What the bytes mean is known above it. The one for
applications is in :mod:`stele.transport.asgi`, because it needs asyncio, which takes longer to load than all of this.
"""

from __future__ import annotations

from stele.transport.base import CHUNK_BYTES, Body, Request, Response, Transport, checked
from stele.transport.http import HttpTransport

__all__ = ["CHUNK_BYTES", "Body", "HttpTransport", "Request", "Response", "Transport", "checked"]
