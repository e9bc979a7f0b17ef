"""The rules of etiquette and participation, in versions that are never altered."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, one_of, reference


class RuleKind(StrEnum):
    """What a rule is: something to know, to agree to, to keep, or to strive for."""

    NOTICE = "notice"
    AGREEMENT = "agreement"
    CONDUCT = "conduct"
    ASPIRATION = "aspiration"


class RulesVersion(SQLModel, table=True):
    """One published version of the rules; in force from the first moment of its day."""

    __tablename__ = "rules_version"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    effective_on: date = Field(index=True)
    published_at: datetime = instant()
    published_by: UUID | None = reference("person.id", nullable=True)


class Rule(SQLModel, table=True):
    """One rule of one version, addressed by a code that lasts over versions."""

    __table_args__ = (sa.UniqueConstraint("rules_version", "code"),)

    id: UUID = identity()
    rules_version: int = reference("rules_version.number")
    place: int
    code: str = Field(max_length=80)
    kind: RuleKind = one_of(RuleKind, "rule_kind")
    heading: dict[str, str] = json()
    text: dict[str, str] = json()
