"""Bytes as they arrive: uvicorn's protocol, with a bound on what stands before a body.

uvicorn sets none: a header of 50 MB would be gathered in memory. What it refuses by itself, before
there is a request that the edge could answer, is a problem with the usual headers here too.
"""

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app import errors, settings
from app.edge import DRAIN_SECONDS, SECURITY_HEADERS
from app.models import new_id
from app.reader import encoded

HEAD_LIMIT = 64 * 1024


class HeadTooLong(Exception):
    """Raised through the parser, which then hears no more of the request."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, for heads of up to 64 KiB."""

    _open = False  # a head has begun and is not complete
    _gathered = 0  # how much of it has arrived in earlier pieces
    _refusal: type[errors.Problem] = errors.BadRequest
    _refused = False

    def on_message_begin(self) -> None:
        """A request begins."""
        self._open, self._gathered, self._refusal = True, 0, errors.BadRequest
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole; it is answered from here on, unless the head is too large."""
        self._open = False
        held = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if len(self.url) + held > HEAD_LIMIT:
            self._refusal = errors.HeadTooLarge
            raise HeadTooLong
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """One piece of what the client sends."""
        if self._refused:
            return  # it is sending on, and will read the refusal when it is done
        super().data_received(data)
        if self._open and not self._refused:
            self._gathered += len(data)
            if self._gathered > HEAD_LIMIT:
                self._refusal = errors.HeadTooLarge
                self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request; hangs up after a while, lest the refusal be lost."""
        self._refused = True
        self.transport.write(_refusal(self._refusal(), self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(DRAIN_SECONDS, self.transport.close)


def _refusal(problem: errors.Problem, defaults: list[tuple[bytes, bytes]]) -> bytes:
    """The whole answer, for a request that has no scope."""
    request_id = str(new_id())
    body = encoded(problem.document("en", settings.get().public_url, "*", request_id))
    headers = [
        *defaults,
        *SECURITY_HEADERS,
        (b"cache-control", b"private, no-cache"),
        (b"connection", b"close"),
        (b"content-length", str(len(body)).encode()),
        (b"content-type", errors.MEDIA_TYPE.encode()),
        (b"x-request-id", request_id.encode()),
    ]
    status = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n".encode()
    return b"".join([status, *(b"%b: %b\r\n" % pair for pair in headers), b"\r\n", body])
