"""What can happen to imports and exports of memberships."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {}
