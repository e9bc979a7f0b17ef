"""What is not kept of imports: files, and their rows, which are full of people."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.models import (
    UNDER_WAY,
    MembershipImport,
    MembershipImportMention,
    MembershipImportPiece,
    MembershipImportRow,
)

# Until then an import can be looked at, reversed, and applied again.
ENDED = timedelta(days=14)


def statements(now: datetime) -> dict[str, Any]:
    """What erases them; the import itself stays, with its counts."""
    over = sa.and_(
        col(MembershipImport.erased_at).is_(None),
        col(MembershipImport.updated_at) < now - ENDED,
        *(col(MembershipImport.status) != status for status in UNDER_WAY),
    )
    ids = sa.select(MembershipImport.id).where(over)
    gone = {
        model.__tablename__: sa.delete(model).where(col(model.import_id).in_(ids))
        for model in (MembershipImportPiece, MembershipImportRow, MembershipImportMention)
    }
    noted = sa.update(MembershipImport).where(over).values(erased_at=now)
    return {**gone, "membership_import": noted}
