"""What can happen to what partners provision."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {}
