"""What can happen to proposals of communities."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {}
