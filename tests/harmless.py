"""Whether HTML can harm its reader: read as a browser's parser does, held against a short list."""

import re
from html.parser import HTMLParser

PLAIN = "blockquote br code em h1 h2 h3 h4 h5 h6 hr li p pre s strong table tbody td th thead tr ul"
ALLOWED = {tag: frozenset[str]() for tag in PLAIN.split(" ")} | {
    "a": frozenset({"href", "title", "rel"}),
    "ol": frozenset({"start"}),
}
SCHEMES = ("http:", "https:", "mailto:")


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", {}))

    def handle_decl(self, decl: str) -> None:
        self.found.append(("declaration", {}))


def harmless(html: str) -> bool:
    """True if there is nothing in it but the elements and attributes that posts may have."""
    return all(_allowed(tag, attributes) for tag, attributes in _Reader(html).found)


def _allowed(tag: str, attributes: dict[str, str | None]) -> bool:
    if tag not in ALLOWED or not attributes.keys() <= ALLOWED[tag]:
        return False
    # A browser skips blanks and control characters in front of and inside a scheme.
    address = re.sub(r"[\x00-\x20]+", "", attributes.get("href") or "").lower()
    scheme = re.match(r"[a-z][a-z0-9+.-]*:", address)
    if scheme and scheme.group() not in SCHEMES:
        return False
    return tag != "a" or "nofollow" in (attributes.get("rel") or "")
