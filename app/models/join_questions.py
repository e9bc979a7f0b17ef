"""What a community asks those who wish to join, beside what everybody is asked."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import SQLModel

from app.models.base import instant, json, reference


class QuestionKind(StrEnum):
    """What an answer is: a line, a text, one or several of some options, or yes or no."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"


class JoinForm(SQLModel, table=True):
    """A community's own questions, as a whole (app/questions.py says what one is).

    A community without a row has none, which is version 1 of its form.
    """

    __tablename__ = "join_form"

    community_id: UUID = reference("community.id", primary_key=True)
    questions: list[dict[str, Any]] = json(default_factory=list)
    updated_at: datetime = instant()
    version: int = 1
