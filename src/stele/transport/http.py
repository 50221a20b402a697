"""HTTP through urllib3: keep-alive, retries, redirects, proxies, TLS, credentials."""

from __future__ import annotations

import base64
import itertools
import logging
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from stele import settings
from stele.errors import BadRequest, DeadlineExceeded, InvalidParameterValue, SteleError, Unavailable, shown
from stele.transport.base import CHUNK_BYTES, Body, Request, Response, checked, retry_after_seconds, user_agent

if TYPE_CHECKING:
    from collections.abc import Iterable

    import urllib3

__all__ = ["HttpTransport"]

logger = logging.getLogger(__name__)

_RETRY_STATUSES = frozenset({429, 502, 503, 504})
_REFUSED_STATUSES = frozenset({429, 503})  # the server says that it did nothing
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_MAX_REDIRECTS = 5
_MAX_WAIT_SECONDS = 120.0
_MAX_CONNECT_SECONDS = 30.0
_POOL_CONNECTIONS = 16


class _Sent:
    """A body on its way: remembers whether it was begun, and the error of its source, which is not the network's."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.once = not isinstance(body, bytes) and iter(body) is iter(body)
        self.begun = False
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        self.begun = True
        try:
            yield from (self._body,) if isinstance(self._body, bytes) else self._body
        except Exception as e:
            self.failure = e
            raise

    def for_wire(self) -> bytes | Iterable[bytes] | None:
        return (self._body or None) if isinstance(self._body, bytes) else iter(self)

    def can_be_sent_again(self) -> bool:
        return not (self.once and self.begun)


class _BrokenError(Exception):
    """No answer came. ``sent`` says whether the server may have got the request."""

    def __init__(self, error: SteleError, *, sent: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.sent = sent


class HttpTransport:
    """Keep-alive connections to one server through urllib3.

    Lost connections and 429, 502, 503, 504 are tried again with growing, random waits, or after the time that the
    server names. What must not be done twice is tried again only when the server did not get it or refused it.

    Args:
        address: ``http://`` or ``https://``, host, port, path in front of everything; ``user:password@`` is
            accepted and shown nowhere.
        authenticate: Whether to send credentials: those of the address, else ``STELE_TRACKING_USERNAME`` and
            ``STELE_TRACKING_PASSWORD``, else ``STELE_TRACKING_TOKEN``.
        timeout_seconds: For one answer; None reads ``STELE_HTTP_TIMEOUT``.
        retries: How often to try again; None reads ``STELE_HTTP_RETRIES``.

    Raises:
        InvalidParameterValue: The address is not one of HTTP.
    """

    def __init__(
        self,
        address: str,
        *,
        authenticate: bool = True,
        timeout_seconds: float | None = None,
        retries: int | None = None,
    ) -> None:
        try:
            parts = urlsplit(address.strip())
            port = parts.port
        except ValueError as e:
            raise InvalidParameterValue(f"The server address is not a valid URL: {e}.") from e
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidParameterValue("The server address must be of the form http://host:port or https://host:port.")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._scheme, self._host = parts.scheme, parts.hostname
        origin = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
        self._origin_key = (parts.scheme, parts.hostname, port or _PORTS[parts.scheme])
        self._origin = origin
        self.address = origin + parts.path.rstrip("/")
        self._authenticate = authenticate
        self._userinfo = (unquote(parts.username or ""), unquote(parts.password or ""))
        self._timeout = settings.HTTP_TIMEOUT_SECONDS.get() if timeout_seconds is None else timeout_seconds
        self._retries = settings.HTTP_RETRIES.get() if retries is None else retries
        self._pool, self._process = self._new_pool(), os.getpid()
        self._own: urllib3.HTTPConnectionPool | None = None

    def send(self, request: Request) -> Response:
        """See :meth:`Transport.send`."""
        body = _Sent(request.body)
        for attempt in itertools.count():
            last = attempt >= self._retries
            try:
                response = self._follow(request, body)
            except _BrokenError as e:
                repeatable = request.is_repeatable() or not e.sent
                if last or not repeatable or not body.can_be_sent_again():
                    raise e.error from e.__cause__
                seconds = _waiting_seconds(attempt, None)
            else:
                repeatable = request.is_repeatable() or response.status in _REFUSED_STATUSES
                if response.status not in _RETRY_STATUSES or last or not repeatable or not body.can_be_sent_again():
                    return checked(response, request, self.address)
                response.close()
                seconds = _waiting_seconds(attempt, response.headers.get("retry-after"))
            logger.info("%s does not answer %s; again in %.1f s", self.address, request.path, seconds)
            sleep(seconds)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """See :meth:`Transport.close`."""
        self._own = None
        self._pool.clear()

    def _follow(self, request: Request, body: _Sent) -> Response:
        """Send, and follow redirects that stay on the same host."""
        url = f"{self.address}{request.target()}"
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._exchange(request, url, body)
            location = response.headers.get("location")
            if response.status not in _REDIRECT_STATUSES or location is None:
                return response
            response.close()
            url = self._redirected(request, response.status, url, location)
            if not body.can_be_sent_again():
                raise BadRequest(f"{self.address} redirects an upload that cannot be sent twice. Use its new address.")
        raise BadRequest(f"{self.address} redirects more than {_MAX_REDIRECTS} times.")

    def _redirected(self, request: Request, status: int, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            same = (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)) == self._origin_key
        except ValueError as e:
            raise BadRequest(f"{self.address} redirects to {shown(location)}, which is no address.") from e
        safer = parts.scheme == "https" and self._scheme == "http" and parts.hostname == self._host
        if not same and not safer:
            raise BadRequest(
                f"{self.address} redirects to another host, {shown(parts.hostname)}, which is not followed: "
                "credentials would go there. Use the address of the tracking server itself."
            )
        if status not in (307, 308) and request.method not in ("GET", "HEAD"):
            raise BadRequest(f"{self.address} redirects a {request.method} request. Use its new address instead.")
        return target

    def _exchange(self, request: Request, url: str, body: _Sent) -> Response:
        import urllib3.exceptions as failures

        try:
            connections, target = self._connections(url)
            answer = connections.urlopen(
                request.method,
                target,
                body=body.for_wire(),
                headers=self._headers(request),
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=self._limits(),
            )
        except failures.SSLError as e:
            raise Unavailable(f"No trusted connection to {self.address}: {e}.") from e
        except failures.LocationValueError as e:
            raise InvalidParameterValue(f"{shown(self.address)} is not an address: {e}.") from e
        except failures.HTTPError as e:
            if body.failure is not None:
                raise body.failure from None
            raise self._broken(e) from e
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(
            answer.status, headers, self._stream(answer), lambda: _release(answer), lambda: self._whole(answer)
        )

    def _stream(self, answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        with self._reading():
            yield from answer.stream(CHUNK_BYTES)

    def _whole(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        with self._reading():  # straight into its place: chunks would be copied to be joined
            return answer.read()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        import urllib3.exceptions as failures

        try:
            yield
        except failures.ReadTimeoutError as e:
            raise DeadlineExceeded(f"{self.address} stopped sending for {self._timeout:g} s.") from e
        except failures.HTTPError as e:
            raise Unavailable(f"The connection to {self.address} broke in the middle of an answer: {e}.") from e

    def _broken(self, error: Exception) -> _BrokenError:
        import urllib3.exceptions as failures

        if isinstance(error, failures.ReadTimeoutError):
            return _BrokenError(
                DeadlineExceeded(f"{self.address} did not answer within {self._timeout:g} s."), sent=True
            )
        if isinstance(error, failures.ProxyError):
            cause: Exception = error.original_error
            problem = f"Cannot reach {self.address} through the proxy: {_reason(cause)}."
        else:
            cause, problem = error, f"Cannot reach {self.address}: {_reason(error)}."
        unsent = isinstance(cause, failures.NewConnectionError | failures.ConnectTimeoutError)
        return _BrokenError(Unavailable(problem), sent=not unsent)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"User-Agent": user_agent(), **request.headers}
        if self._authenticate and (credentials := self._credentials()):
            headers["Authorization"] = credentials
        return headers

    def _credentials(self) -> str | None:
        user, password = self._userinfo
        if not user and not password:
            user, password = settings.TRACKING_USERNAME.get(), settings.TRACKING_PASSWORD.get()
        if user or password:
            return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        token = settings.TRACKING_TOKEN.get().strip()
        if not token:
            return None
        if not token.isascii() or not token.isprintable():
            raise InvalidParameterValue(
                f"The token in {settings.TRACKING_TOKEN.name} holds a character that no token has."
            )
        return f"Bearer {token}"

    def _limits(self) -> urllib3.Timeout:
        import urllib3

        return urllib3.Timeout(connect=min(self._timeout, _MAX_CONNECT_SECONDS), read=self._timeout)

    def _connections(self, url: str) -> tuple[urllib3.PoolManager | urllib3.HTTPConnectionPool, str]:
        """Connections for an address, and how they are asked for it.

        urllib3 looks for the connections of an address as long as it sends a small request, so those of this server
        are kept. What is redirected, or goes through a proxy, is left to it.
        """
        if self._process != os.getpid():  # a fork must not speak on its parent's sockets
            self._pool, self._process = self._new_pool(), os.getpid()
            self._own = None
        if self._pool.proxy is not None or not url.startswith(f"{self._origin}/"):
            return self._pool, url
        if self._own is None:
            self._own = self._pool.connection_from_url(self._origin)
        return self._own, url[len(self._origin) :]

    def _new_pool(self) -> urllib3.PoolManager:
        import urllib3

        options: dict[str, Any] = {"num_pools": 4, "maxsize": _POOL_CONNECTIONS}
        if settings.TRACKING_INSECURE_TLS.get():
            options["cert_reqs"] = "CERT_NONE"
        if authorities := settings.TRACKING_CA_FILE.get():
            options["ca_certs"] = authorities
        if certificate := settings.TRACKING_CLIENT_CERT.get():
            options["cert_file"] = certificate
        proxy = _proxy(self._scheme, self._host)
        if proxy is None:
            return urllib3.PoolManager(**options)
        parts = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
        if parts.scheme not in ("http", "https"):
            raise InvalidParameterValue(f"A proxy of type {shown(parts.scheme)} is not supported. Use an HTTP proxy.")
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=login)
        return urllib3.ProxyManager(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", **options)


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for a host; none for this machine itself."""
    from urllib.request import getproxies, proxy_bypass

    if host == "localhost" or host.startswith("127.") or host == "::1" or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all")


def _waiting_seconds(attempt: int, retry_after: str | None) -> float:
    """What the server names, else 0.5 s, 1 s, 2 s, ... less up to half at random, so that clients come back spread."""
    named = retry_after_seconds(retry_after)
    if named is not None:
        return min(named, _MAX_WAIT_SECONDS)
    return min(0.5 * 2.0**attempt, _MAX_WAIT_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


def _reason(error: Exception) -> str:
    """What urllib3 says, without the name of its connection object."""
    cause = error.args[-1] if error.args else error
    return str(cause).rpartition(": ")[2] if isinstance(cause, str) else str(cause)


def _release(answer: urllib3.BaseHTTPResponse) -> None:
    if not answer.closed:  # unread bytes would spoil the connection for the next request
        answer.close()
    answer.release_conn()
