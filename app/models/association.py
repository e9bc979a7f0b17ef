"""The association's own data: its texts, its closed lists, and its settings."""

from typing import Any

from sqlmodel import Field, SQLModel

from app.models.base import json


class Association(SQLModel, table=True):
    """The one row that says whose server this is, and the versions that caches compare."""

    id: int = Field(default=1, primary_key=True)
    code: str = Field(max_length=40)
    name: dict[str, str] = json()
    contact_email: str = Field(max_length=254)
    languages: list[str] = json()
    notices: list[dict[str, Any]] = json()
    privacy_notice: dict[str, Any] = json()
    grants_version: int = 1
    confirms_grants: bool = True
    version: int = 1


class Occupation(SQLModel, table=True):
    """One entry of the closed list of occupations, and what else people write for it."""

    code: str = Field(primary_key=True, max_length=60)
    place: int
    label: dict[str, str] = json()
    also_called: list[str] = json(default_factory=list)


class Territory(SQLModel, table=True):
    """A province or territory by its ISO 3166-2 code, or a place outside the list."""

    code: str = Field(primary_key=True, max_length=20)
    place: int
    name: dict[str, str] = json()
    also_called: list[str] = json(default_factory=list)
