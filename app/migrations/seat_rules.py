"""No two terms on one seat, and no two seats for one person in a community, on any day.

A partial unique index would refuse a successor who is recorded while the incumbent serves, so the
rule is over days, [starts_on, free_from): an EXCLUDE constraint on PostgreSQL (over a range of the
id itself, since btree_gist is not everywhere), triggers on SQLite that raise the same names.
"""

from alembic import op

_POSTGRES_UP = (
    "CREATE TYPE uuidrange AS RANGE (subtype = uuid)",
    """ALTER TABLE term ADD CONSTRAINT ex_term_seat EXCLUDE USING gist (
        uuidrange(seat_id, seat_id, '[]') WITH &&,
        daterange(starts_on, free_from) WITH &&
    ) WHERE (seat_id IS NOT NULL)""",
    """ALTER TABLE term ADD CONSTRAINT ex_term_person EXCLUDE USING gist (
        uuidrange(person_id, person_id, '[]') WITH &&,
        uuidrange(community_id, community_id, '[]') WITH &&,
        daterange(starts_on, free_from) WITH &&
    ) WHERE (community_id IS NOT NULL)""",
)
_POSTGRES_DOWN = (
    "ALTER TABLE term DROP CONSTRAINT ex_term_person",
    "ALTER TABLE term DROP CONSTRAINT ex_term_seat",
    "DROP TYPE uuidrange",
)

# Two half-open ranges of days overlap, and neither is empty.
_OVERLAP = """
    (NEW.free_from IS NULL OR NEW.starts_on < NEW.free_from)
    AND (other.free_from IS NULL OR other.starts_on < other.free_from)
    AND (NEW.free_from IS NULL OR other.starts_on < NEW.free_from)
    AND (other.free_from IS NULL OR NEW.starts_on < other.free_from)
"""
_RULES = {
    "ex_term_seat": "other.seat_id = NEW.seat_id",
    "ex_term_person": ("other.person_id = NEW.person_id AND other.community_id = NEW.community_id"),
}
_MOMENTS = {
    "insert": "BEFORE INSERT ON term",
    "update": ("BEFORE UPDATE OF seat_id, person_id, community_id, starts_on, free_from ON term"),
}


def _sqlite_up() -> list[str]:
    return [
        f"""CREATE TRIGGER {name}_{moment} {when} FOR EACH ROW
        WHEN EXISTS (
            SELECT 1 FROM term AS other WHERE other.id != NEW.id AND {same} AND {_OVERLAP}
        )
        BEGIN SELECT RAISE(ABORT, '{name}'); END"""
        for name, same in _RULES.items()
        for moment, when in _MOMENTS.items()
    ]


def upgrade() -> None:
    """Adds the rules to the table `term`."""
    for statement in _POSTGRES_UP if _postgres() else _sqlite_up():
        op.execute(statement)


def downgrade() -> None:
    """Takes them away; on SQLite the triggers go with the table."""
    for statement in _POSTGRES_DOWN if _postgres() else ():
        op.execute(statement)


def _postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"
