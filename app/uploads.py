"""A file that comes in a form: written to disk as it arrives, whatever its size, and then gone.

A form has one part `file` and plain fields beside it, in any order. Nothing of the file is held in
memory beyond the piece that is just arriving.
"""

import hashlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import anyio.to_thread
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from app import errors, import_errors
from app.membership_files.rows import LARGEST_FILE

FORM = "multipart/form-data"
LONGEST_FIELD, MOST_PARTS = 262_144, 40
# Written in pieces of this size, each in a thread: a disk may be slow.
PIECE = 1 << 20


@dataclass(slots=True)
class Upload:
    """A file that has arrived, and the fields that came with it; the file goes with the request."""

    path: Path
    name: str = ""
    size: int = 0
    fields: dict[str, str] = field(default_factory=dict)

    def as_asked(self, shape: type[BaseModel]) -> Any:
        """The fields in the shape that an operation takes. Raises what any other body would."""
        try:
            return shape.model_validate(self.fields)
        except ValidationError as error:
            found: Any = error.errors(include_url=False, include_input=False)
            raise RequestValidationError(
                [{**item, "loc": ("body", *item["loc"])} for item in found]
            ) from error


class _Form:
    """What the parser tells, piece by piece."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._name = ""
        self._text: bytearray | None = None
        self._parts = 0
        self._digest = hashlib.sha256()
        self.arrived = bytearray()
        self.over = False

    def callbacks(self) -> Any:
        """For the parser."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._field,
            "on_header_value": self._told,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_data,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._parts += 1
        self._disposition = b""
        if self._parts > MOST_PARTS:
            raise import_errors.FormUnreadable

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _told(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _begin_data(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        known = self._upload.fields
        if not self._name or self._name in known:
            raise import_errors.FormUnreadable
        if self._name == "file":
            said = options.get(b"filename", b"").decode("utf-8", "replace")
            plain = "".join(sign for sign in said if sign.isprintable())
            self._upload.name = plain.replace("\\", "/").rpartition("/")[2][:200]
            known["file"] = self._upload.name
            self._text = None
        else:
            self._text = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._text is None:
            self.arrived += data[start:end]
            self._digest.update(memoryview(data)[start:end])
            self._upload.size += end - start
            if self._upload.size > LARGEST_FILE:
                raise import_errors.FileTooLarge
            return
        self._text += data[start:end]
        if len(self._text) > LONGEST_FIELD:
            raise errors.BodyTooLarge

    def _end(self) -> None:
        if self._text is not None:
            try:
                self._upload.fields[self._name] = self._text.decode()
            except UnicodeDecodeError as error:
                raise import_errors.FormUnreadable from error

    def _finish(self) -> None:
        self.over = True

    def told(self) -> bytes:
        """The form as a retry is compared by it: clients make up the bytes between the parts anew
        each time."""
        return self._digest.digest() + repr(sorted(self._upload.fields.items())).encode()


async def received(request: Request) -> AsyncIterator[Upload]:
    """The form of a request, with its file on disk for as long as the request lasts.

    Raises MediaTypeUnsupported, FormUnreadable, BodyTooLarge, FileTooLarge.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind.decode("latin-1") != FORM:
        raise errors.MediaTypeUnsupported
    if not options.get(b"boundary"):
        raise import_errors.FormUnreadable
    with tempfile.TemporaryDirectory(prefix="cop-upload-") as folder:
        upload = Upload(Path(folder) / "file")
        form = _Form(upload)
        try:
            parser = MultipartParser(options[b"boundary"], form.callbacks())
            with upload.path.open("wb") as file:
                async for piece in request.stream():
                    parser.write(piece)
                    await _write(file, form, at_least=PIECE)
                parser.finalize()
                await _write(file, form, at_least=1)
        except FormParserError as error:
            raise import_errors.FormUnreadable from error
        except ClientDisconnect as error:
            raise errors.BadRequest from error
        if not form.over:
            raise import_errors.FormUnreadable
        request.scope["state"]["body_for_key"] = form.told()
        yield upload


async def _write(file: IO[bytes], form: _Form, *, at_least: int) -> None:
    if len(form.arrived) >= at_least:
        piece, form.arrived = form.arrived, bytearray()
        await anyio.to_thread.run_sync(file.write, piece)
