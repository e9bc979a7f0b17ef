"""The bytes of an import's file: packed into pieces in the database, and a file again for its run.

The worker may be on another host than the server that took the file.
"""

import tempfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import anyio.to_thread
import sqlalchemy as sa
from sqlmodel import col

from app import import_errors
from app.db import Work
from app.models import MembershipImportPiece
from app.reader import Prepared, Reader

PIECE = 1 << 20
_PIECE = Prepared(
    sa.select(col(MembershipImportPiece.content)).where(
        col(MembershipImportPiece.import_id) == sa.bindparam("import_id", type_=sa.Uuid),
        col(MembershipImportPiece.number) == sa.bindparam("number", type_=sa.Integer),
    )
)


async def keep(work: Work, import_id: UUID, path: Path) -> None:
    """Stores a file with its import, piece by piece."""
    with path.open("rb") as file:
        number = 0
        while content := await anyio.to_thread.run_sync(_packed, file):
            await work.execute(
                sa.insert(MembershipImportPiece).values(
                    import_id=import_id, number=number, content=content
                )
            )
            number += 1


def _packed(file: BinaryIO) -> bytes:
    piece = file.read(PIECE)
    return zlib.compress(piece, 1) if piece else b""


@asynccontextmanager
async def taken_out(reader: Reader, import_id: UUID) -> AsyncIterator[Path]:
    """The file on this host, for as long as the context lasts. Raises FileErased."""
    with tempfile.TemporaryDirectory(prefix="cop-import-") as folder:
        path = Path(folder) / "file"
        with path.open("wb") as file:
            number = 0
            while row := await reader.first(_PIECE, import_id=import_id, number=number):
                await anyio.to_thread.run_sync(partial(_unpacked, file, row.content))
                number += 1
        if not number:
            raise import_errors.FileErased
        yield path


def _unpacked(file: BinaryIO, content: bytes) -> None:
    file.write(zlib.decompress(content))
