"""The main path."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.migrations import seat_rules

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)
revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activity_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("head_seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_head")),
    )
    op.create_table(
        "association",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", JSON, nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("languages", JSON, nullable=False),
        sa.Column("notices", JSON, nullable=False),
        sa.Column("privacy_notice", JSON, nullable=False),
        sa.Column("grants_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_association")),
    )
    op.create_table(
        "community",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", JSON, nullable=False),
        sa.Column("description", JSON, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "archived",
                name="community_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("eligible_occupations", JSON, nullable=False),
        sa.Column("publishes_leadership", sa.Boolean(), nullable=False),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community")),
        sa.UniqueConstraint("slug", name=op.f("uq_community_slug")),
    )
    op.create_index(op.f("ix_community_place"), "community", ["place"], unique=False)
    op.create_index(op.f("ix_community_updated_at"), "community", ["updated_at"], unique=False)

    op.create_table(
        "grant",
        sa.Column("capability", sa.String(length=60), nullable=False),
        sa.Column("grantee", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("capability", "grantee", name=op.f("pk_grant")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("credential", sa.String(length=80), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", JSON, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("credential", "key_hash", name=op.f("pk_idempotency_key")),
    )
    op.create_index(
        op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False
    )

    op.create_table(
        "occupation",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("label", JSON, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_occupation")),
    )
    op.create_table(
        "position",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "community",
                "association",
                name="position_scope",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("title", JSON, nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=True),
        sa.Column("open_ended", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_position")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("window_starts_at", INSTANT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_sign_in_failure")),
    )
    op.create_index(
        op.f("ix_sign_in_failure_window_starts_at"),
        "sign_in_failure",
        ["window_starts_at"],
        unique=False,
    )

    op.create_table(
        "territory",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", JSON, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_territory")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("email_verified_at", INSTANT, nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("occupation", sa.String(length=200), nullable=True),
        sa.Column("occupation_code", sa.String(length=60), nullable=False),
        sa.Column("affiliation", sa.String(length=200), nullable=True),
        sa.Column("area_of_interest", sa.String(length=2000), nullable=True),
        sa.Column("territory", sa.String(length=20), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("deactivated_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["occupation_code"], ["occupation.code"], name=op.f("fk_person_occupation_code")
        ),
        sa.ForeignKeyConstraint(
            ["territory"], ["territory.code"], name=op.f("fk_person_territory")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email_key", name=op.f("uq_person_email_key")),
    )
    op.create_table(
        "seat",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=True),
        sa.Column("position_code", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_seat_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["position_code"], ["position.code"], name=op.f("fk_seat_position_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat")),
        sa.UniqueConstraint(
            "community_id",
            "position_code",
            "number",
            name=op.f("uq_seat_community_id_position_code_number"),
        ),
    )
    op.create_index(
        "uq_seat_association",
        "seat",
        ["position_code", "number"],
        unique=True,
        postgresql_where=sa.text("community_id IS NULL"),
        sqlite_where=sa.text("community_id IS NULL"),
    )

    op.create_table(
        "activity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column(
            "actor_kind",
            sa.Enum(
                "person",
                "applicant",
                "system",
                name="activity_actor_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("community_id", sa.Uuid(), nullable=True),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_activity_actor_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_activity_community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sa.UniqueConstraint("place", name=op.f("uq_activity_place")),
    )
    op.create_index("ix_activity_community", "activity", ["community_id", "id"], unique=False)
    op.create_index("ix_activity_subject", "activity", ["subject_id"], unique=False)
    op.create_index(
        "ix_activity_unsealed",
        "activity",
        ["id"],
        unique=False,
        postgresql_where=sa.text("place IS NULL"),
        sqlite_where=sa.text("place IS NULL"),
    )

    op.create_table(
        "discussion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "locked",
                name="discussion_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author", JSON, nullable=False),
        sa.Column("post_count", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_posted_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_discussion_author_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_discussion_community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discussion")),
    )
    op.create_index(op.f("ix_discussion_author_id"), "discussion", ["author_id"], unique=False)
    op.create_index(
        "ix_discussion_latest", "discussion", ["community_id", "last_posted_at", "id"], unique=False
    )
    op.create_index(
        "ix_discussion_updated", "discussion", ["community_id", "updated_at", "id"], unique=False
    )

    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("gathering", sa.String(length=200), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "sent",
                "parked",
                "dropped",
                name="mail_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("send_after", INSTANT, nullable=False),
        sa.Column("handed_on_at", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["recipient_id"], ["person.id"], name=op.f("fk_mail_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index("ix_mail_due", "mail", ["status", "send_after"], unique=False)
    op.create_index("ix_mail_recipient", "mail", ["recipient_id", "kind"], unique=False)
    op.create_index(
        "uq_mail_gathering",
        "mail",
        ["gathering"],
        unique=True,
        postgresql_where=sa.text("status = 'queued'"),
        sqlite_where=sa.text("status = 'queued'"),
    )

    op.create_table(
        "mailed_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "email_verification",
                "password",
                "first_password",
                "sign_in",
                name="mailed_token_purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_mailed_token_person_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_mailed_token")),
    )
    op.create_index("ix_mailed_token_expires_at", "mailed_token", ["expires_at"], unique=False)
    op.create_index(op.f("ix_mailed_token_person_id"), "mailed_token", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_mailed_token_submission_id"), "mailed_token", ["submission_id"], unique=False
    )

    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "practitioner",
                "academic",
                "lived_experience",
                "observer",
                "staff",
                name="membership_category",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column(
            "ending",
            sa.Enum(
                "left",
                "ended",
                "lapsed",
                name="membership_ending",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_membership_community_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    op.create_index("ix_membership_person_id", "membership", ["person_id"], unique=False)
    op.create_index("ix_membership_roster", "membership", ["community_id", "id"], unique=False)
    op.create_index(
        "ix_membership_updated", "membership", ["community_id", "updated_at"], unique=False
    )
    op.create_index(
        "uq_membership_open",
        "membership",
        ["community_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )

    op.create_table(
        "rules_version",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["published_by"], ["person.id"], name=op.f("fk_rules_version_published_by")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rules_version")),
    )
    op.create_index(
        op.f("ix_rules_version_effective_on"), "rules_version", ["effective_on"], unique=False
    )

    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_session_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_person_id"), "session", ["person_id"], unique=False)

    op.create_table(
        "term",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=True),
        sa.Column("position_code", sa.String(length=60), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("free_from", sa.Date(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column(
            "ending",
            sa.Enum(
                "resigned",
                "removed",
                "membership_ended",
                name="term_ending",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column(
            "basis",
            sa.Enum(
                "election",
                "appointment",
                name="term_basis",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "ends_on IS NULL OR starts_on <= ends_on", name=op.f("ck_term_days_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_term_community_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_term_person_id")),
        sa.ForeignKeyConstraint(
            ["position_code"], ["position.code"], name=op.f("fk_term_position_code")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["person.id"], name=op.f("fk_term_recorded_by")),
        sa.ForeignKeyConstraint(["seat_id"], ["seat.id"], name=op.f("fk_term_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
    )
    op.create_index("ix_term_community_id", "term", ["community_id"], unique=False)
    op.create_index("ix_term_person_id", "term", ["person_id"], unique=False)
    op.create_index("ix_term_seat_id", "term", ["seat_id"], unique=False)

    op.create_table(
        "unsubscription",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("mail_kind", sa.String(length=60), nullable=False),
        sa.Column("unsubscribed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_unsubscription_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "mail_kind", name=op.f("pk_unsubscription")),
    )
    op.create_table(
        "agreement",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("agreed_at", INSTANT, nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_agreement_person_id")),
        sa.ForeignKeyConstraint(
            ["rules_version"], ["rules_version.number"], name=op.f("fk_agreement_rules_version")
        ),
        sa.PrimaryKeyConstraint("person_id", "rules_version", name=op.f("pk_agreement")),
    )
    op.create_table(
        "join_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "awaiting_verification",
                "pending",
                "accepted",
                "declined",
                "withdrawn",
                "expired",
                name="join_request_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("occupation", sa.String(length=200), nullable=False),
        sa.Column("occupation_code", sa.String(length=60), nullable=False),
        sa.Column("affiliation", sa.String(length=200), nullable=False),
        sa.Column("area_of_interest", sa.Text(), nullable=False),
        sa.Column("territory", sa.String(length=20), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("privacy_notice_version", sa.Integer(), nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("verified_at", INSTANT, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("membership_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_join_request_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_join_request_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_join_request_membership_id")
        ),
        sa.ForeignKeyConstraint(
            ["occupation_code"], ["occupation.code"], name=op.f("fk_join_request_occupation_code")
        ),
        sa.ForeignKeyConstraint(
            ["rules_version"], ["rules_version.number"], name=op.f("fk_join_request_rules_version")
        ),
        sa.ForeignKeyConstraint(
            ["territory"], ["territory.code"], name=op.f("fk_join_request_territory")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_request")),
    )
    op.create_index(op.f("ix_join_request_email_key"), "join_request", ["email_key"], unique=False)
    op.create_index(
        "ix_join_request_queue", "join_request", ["community_id", "status", "id"], unique=False
    )
    op.create_index(
        op.f("ix_join_request_submission_id"), "join_request", ["submission_id"], unique=False
    )
    op.create_index(
        "uq_join_request_pending",
        "join_request",
        ["community_id", "email_key"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
        sqlite_where=sa.text("status = 'pending'"),
    )

    op.create_table(
        "post",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("discussion_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author", JSON, nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("body_html", sa.Text(), nullable=True),
        sa.Column("reply_to_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "visible",
                "hidden",
                "deleted",
                name="post_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("hidden_rule", sa.String(length=80), nullable=True),
        sa.Column("hidden_rules_version", sa.Integer(), nullable=True),
        sa.Column("hidden_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("edited_at", INSTANT, nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_post_author_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_post_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["discussion_id"], ["discussion.id"], name=op.f("fk_post_discussion_id")
        ),
        sa.ForeignKeyConstraint(["reply_to_id"], ["post.id"], name=op.f("fk_post_reply_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
        sa.UniqueConstraint("discussion_id", "number", name=op.f("uq_post_discussion_id_number")),
    )
    op.create_index(op.f("ix_post_author_id"), "post", ["author_id"], unique=False)
    op.create_index(op.f("ix_post_community_id"), "post", ["community_id"], unique=False)

    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("spent_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_refresh_token_session_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_token")),
    )
    op.create_index(
        op.f("ix_refresh_token_session_id"), "refresh_token", ["session_id"], unique=False
    )

    op.create_table(
        "rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "notice",
                "agreement",
                "conduct",
                "aspiration",
                name="rule_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("heading", JSON, nullable=False),
        sa.Column("text", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["rules_version"], ["rules_version.number"], name=op.f("fk_rule_rules_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule")),
        sa.UniqueConstraint("rules_version", "code", name=op.f("uq_rule_rules_version_code")),
    )
    op.create_table(
        "suspension",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("suspended_by", sa.Uuid(), nullable=False),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["lifted_by"], ["person.id"], name=op.f("fk_suspension_lifted_by")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_suspension_membership_id")
        ),
        sa.ForeignKeyConstraint(
            ["suspended_by"], ["person.id"], name=op.f("fk_suspension_suspended_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
    )
    op.create_index(
        op.f("ix_suspension_membership_id"), "suspension", ["membership_id"], unique=False
    )
    op.create_index(
        "uq_suspension_open",
        "suspension",
        ["membership_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
        sqlite_where=sa.text("lifted_at IS NULL"),
    )

    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "decided",
                "reversed",
                name="review_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reported_text", sa.Text(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "keep",
                "hide",
                name="review_action",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("rule", sa.String(length=80), nullable=True),
        sa.Column("rules_version", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reversed_at", INSTANT, nullable=True),
        sa.Column("reversed_by", sa.Uuid(), nullable=True),
        sa.Column("reversal_reason", sa.Text(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_review_author_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_review_community_id")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_review_decided_by")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_review_post_id")),
        sa.ForeignKeyConstraint(["reversed_by"], ["person.id"], name=op.f("fk_review_reversed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_post_id"), "review", ["post_id"], unique=False)
    op.create_index("ix_review_queue", "review", ["community_id", "status", "id"], unique=False)
    op.create_index(
        "uq_review_open",
        "review",
        ["post_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
        sqlite_where=sa.text("status = 'open'"),
    )

    op.create_table(
        "report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("reported_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_report_post_id")),
        sa.ForeignKeyConstraint(["reporter_id"], ["person.id"], name=op.f("fk_report_reporter_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_report_review_id")),
        sa.ForeignKeyConstraint(
            ["rules_version"], ["rules_version.number"], name=op.f("fk_report_rules_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint(
            "review_id", "reporter_id", name=op.f("uq_report_review_id_reporter_id")
        ),
    )
    op.create_index(op.f("ix_report_post_id"), "report", ["post_id"], unique=False)
    op.create_index(op.f("ix_report_reporter_id"), "report", ["reporter_id"], unique=False)

    seat_rules.create_type()
    seat_rules.upgrade()


def downgrade() -> None:
    seat_rules.downgrade()
    seat_rules.drop_type()

    op.drop_index(op.f("ix_report_reporter_id"), table_name="report")
    op.drop_index(op.f("ix_report_post_id"), table_name="report")

    op.drop_table("report")
    op.drop_index(
        "uq_review_open",
        postgresql_where=sa.text("status = 'open'"),
        sqlite_where=sa.text("status = 'open'"),
        table_name="review",
    )
    op.drop_index("ix_review_queue", table_name="review")
    op.drop_index(op.f("ix_review_post_id"), table_name="review")

    op.drop_table("review")
    op.drop_index(
        "uq_suspension_open",
        postgresql_where=sa.text("lifted_at IS NULL"),
        sqlite_where=sa.text("lifted_at IS NULL"),
        table_name="suspension",
    )
    op.drop_index(op.f("ix_suspension_membership_id"), table_name="suspension")

    op.drop_table("suspension")
    op.drop_table("rule")
    op.drop_index(op.f("ix_refresh_token_session_id"), table_name="refresh_token")

    op.drop_table("refresh_token")
    op.drop_index(op.f("ix_post_community_id"), table_name="post")
    op.drop_index(op.f("ix_post_author_id"), table_name="post")

    op.drop_table("post")
    op.drop_index(
        "uq_join_request_pending",
        postgresql_where=sa.text("status = 'pending'"),
        sqlite_where=sa.text("status = 'pending'"),
        table_name="join_request",
    )
    op.drop_index(op.f("ix_join_request_submission_id"), table_name="join_request")
    op.drop_index("ix_join_request_queue", table_name="join_request")
    op.drop_index(op.f("ix_join_request_email_key"), table_name="join_request")

    op.drop_table("join_request")
    op.drop_table("agreement")
    op.drop_table("unsubscription")
    op.drop_index("ix_term_seat_id", table_name="term")
    op.drop_index("ix_term_person_id", table_name="term")
    op.drop_index("ix_term_community_id", table_name="term")

    op.drop_table("term")
    op.drop_index(op.f("ix_session_person_id"), table_name="session")

    op.drop_table("session")
    op.drop_index(op.f("ix_rules_version_effective_on"), table_name="rules_version")

    op.drop_table("rules_version")
    op.drop_index(
        "uq_membership_open",
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
        table_name="membership",
    )
    op.drop_index("ix_membership_updated", table_name="membership")
    op.drop_index("ix_membership_roster", table_name="membership")
    op.drop_index("ix_membership_person_id", table_name="membership")

    op.drop_table("membership")
    op.drop_index(op.f("ix_mailed_token_submission_id"), table_name="mailed_token")
    op.drop_index(op.f("ix_mailed_token_person_id"), table_name="mailed_token")
    op.drop_index("ix_mailed_token_expires_at", table_name="mailed_token")

    op.drop_table("mailed_token")
    op.drop_index(
        "uq_mail_gathering",
        postgresql_where=sa.text("status = 'queued'"),
        sqlite_where=sa.text("status = 'queued'"),
        table_name="mail",
    )
    op.drop_index("ix_mail_recipient", table_name="mail")
    op.drop_index("ix_mail_due", table_name="mail")

    op.drop_table("mail")
    op.drop_index("ix_discussion_updated", table_name="discussion")
    op.drop_index("ix_discussion_latest", table_name="discussion")
    op.drop_index(op.f("ix_discussion_author_id"), table_name="discussion")

    op.drop_table("discussion")
    op.drop_index(
        "ix_activity_unsealed",
        postgresql_where=sa.text("place IS NULL"),
        sqlite_where=sa.text("place IS NULL"),
        table_name="activity",
    )
    op.drop_index("ix_activity_subject", table_name="activity")
    op.drop_index("ix_activity_community", table_name="activity")

    op.drop_table("activity")
    op.drop_index(
        "uq_seat_association",
        postgresql_where=sa.text("community_id IS NULL"),
        sqlite_where=sa.text("community_id IS NULL"),
        table_name="seat",
    )

    op.drop_table("seat")
    op.drop_table("person")
    op.drop_table("territory")
    op.drop_index(op.f("ix_sign_in_failure_window_starts_at"), table_name="sign_in_failure")

    op.drop_table("sign_in_failure")
    op.drop_table("position")
    op.drop_table("occupation")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")

    op.drop_table("idempotency_key")
    op.drop_table("grant")
    op.drop_index(op.f("ix_community_updated_at"), table_name="community")
    op.drop_index(op.f("ix_community_place"), table_name="community")

    op.drop_table("community")
    op.drop_table("association")
    op.drop_table("activity_head")
