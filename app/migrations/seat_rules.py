"""No two terms on one seat, and no two seats for one person in a community, on any day.

A partial unique index would refuse a successor who is recorded while the incumbent serves, so the
rule is over days, [starts_on, free_from): an EXCLUDE constraint on PostgreSQL (over a range of the
id itself, since btree_gist is not everywhere), triggers on SQLite that raise the same names.
"""

from alembic import op

# What makes two terms stand in each other's way. Since 0002 seats belong to a body (a community or
# a subcommittee of one), and acting terms stand beside the seats' own.
_GROUP = {1: "community_id", 2: "body_id"}
_ACTING = "CASE WHEN basis = 'acting' THEN 1 ELSE 0 END"


def _postgres_up(generation: int) -> tuple[str, ...]:
    group = _GROUP[generation]
    alike = f"int4range({_ACTING}, {_ACTING}, '[]') WITH &&," if generation > 1 else ""
    return (
        f"""ALTER TABLE term ADD CONSTRAINT ex_term_seat EXCLUDE USING gist (
            uuidrange(seat_id, seat_id, '[]') WITH &&, {alike}
            daterange(starts_on, free_from) WITH &&
        ) WHERE (seat_id IS NOT NULL)""",
        f"""ALTER TABLE term ADD CONSTRAINT ex_term_person EXCLUDE USING gist (
            uuidrange(person_id, person_id, '[]') WITH &&,
            uuidrange({group}, {group}, '[]') WITH &&, {alike}
            daterange(starts_on, free_from) WITH &&
        ) WHERE ({group} IS NOT NULL)""",
    )


# Two half-open ranges of days overlap, and neither is empty.
_OVERLAP = """
    (NEW.free_from IS NULL OR NEW.starts_on < NEW.free_from)
    AND (other.free_from IS NULL OR other.starts_on < other.free_from)
    AND (NEW.free_from IS NULL OR other.starts_on < NEW.free_from)
    AND (other.free_from IS NULL OR NEW.starts_on < other.free_from)
"""


def _sqlite_up(generation: int) -> list[str]:
    group = _GROUP[generation]
    alike = " AND (other.basis = 'acting') = (NEW.basis = 'acting')" if generation > 1 else ""
    rules = {
        "ex_term_seat": f"other.seat_id = NEW.seat_id{alike}",
        "ex_term_person": f"other.person_id = NEW.person_id AND other.{group} = NEW.{group}{alike}",
    }
    columns = f"seat_id, person_id, {group}, starts_on, free_from"
    moments = {
        "insert": "BEFORE INSERT ON term",
        "update": f"BEFORE UPDATE OF {columns} ON term",
    }
    return [
        f"""CREATE TRIGGER {name}_{moment} {when} FOR EACH ROW
        WHEN EXISTS (
            SELECT 1 FROM term AS other WHERE other.id != NEW.id AND {same} AND {_OVERLAP}
        )
        BEGIN SELECT RAISE(ABORT, '{name}'); END"""
        for name, same in rules.items()
        for moment, when in moments.items()
    ]


def upgrade(generation: int = 1) -> None:
    """Adds the rules to the table `term`, as they are since a revision of the schema."""
    for statement in _postgres_up(generation) if _postgres() else _sqlite_up(generation):
        op.execute(statement)


def downgrade() -> None:
    """Takes them away."""
    for name in ("ex_term_person", "ex_term_seat"):
        if _postgres():
            op.execute(f"ALTER TABLE term DROP CONSTRAINT {name}")
        else:
            op.execute(f"DROP TRIGGER {name}_insert")
            op.execute(f"DROP TRIGGER {name}_update")


def create_type() -> None:
    """The range type that stands in for an extension which is not everywhere."""
    if _postgres():
        op.execute("CREATE TYPE uuidrange AS RANGE (subtype = uuid)")


def drop_type() -> None:
    """Takes the type away again."""
    if _postgres():
        op.execute("DROP TYPE uuidrange")


def _postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"
