"""What can happen to verifications of who may belong to a restricted community."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {}
