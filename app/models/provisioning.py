"""What partners' directories provision: users of their own, and whom they put into which group."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, reference

_BEGAN = "began"


class ProvisionedUser(SQLModel, table=True):
    """Somebody as a partner's directory has them. It is the partner's own row, and no account.

    Whose account it is (`person_id`) is looked up, or made, when the partner first puts the user
    into a group.
    """

    __tablename__ = "provisioned_user"
    __table_args__ = (
        sa.UniqueConstraint("partner_id", "user_name_key"),
        sa.UniqueConstraint("partner_id", "external_id"),
    )

    id: UUID = identity()
    partner_id: UUID = reference("partner.id")
    user_name: str = Field(max_length=254)
    user_name_key: str = Field(max_length=254)
    external_id: str | None = Field(default=None, max_length=256)
    display_name: str | None = Field(default=None, max_length=200)
    formatted_name: str | None = Field(default=None, max_length=200)
    given_name: str | None = Field(default=None, max_length=200)
    family_name: str | None = Field(default=None, max_length=200)
    active: bool = True
    person_id: UUID | None = reference("person.id", nullable=True, index=True)
    created_at: datetime = instant()
    updated_at: datetime = instant()
    version: int = 1

    @property
    def known_as(self) -> str:
        """The name under which an account begins; its owner corrects it."""
        parts = " ".join(part for part in (self.given_name, self.family_name) if part)
        named = self.display_name or self.formatted_name or parts
        return (named or self.user_name.partition("@")[0])[:200]


class ProvisionedGroup(SQLModel, table=True):
    """A community as a partner's directory has it; the row under which the partner changes it."""

    __tablename__ = "provisioned_group"
    __table_args__ = (
        sa.UniqueConstraint("partner_id", "community_id"),
        sa.UniqueConstraint("partner_id", "external_id"),
    )

    id: UUID = identity()
    partner_id: UUID = reference("partner.id")
    community_id: UUID = reference("community.id")
    external_id: str | None = Field(default=None, max_length=256)
    updated_at: datetime = instant()


class ProvisionedMember(SQLModel, table=True):
    """That a partner has put a user into a group: with which membership, and whether it began it.

    Without a membership it rests, because the user is not active.
    """

    __tablename__ = "provisioned_member"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "community_id"),
        sa.CheckConstraint("NOT began OR membership_id IS NOT NULL", name="began_what"),
        sa.Index(
            "uq_provisioned_member_began",
            "membership_id",
            unique=True,
            postgresql_where=sa.text(_BEGAN),
            sqlite_where=sa.text(_BEGAN),
        ),
    )

    id: UUID = identity()
    user_id: UUID = reference("provisioned_user.id")
    community_id: UUID = reference("community.id", index=True)
    membership_id: UUID | None = reference("membership.id", nullable=True)
    began: bool = False
