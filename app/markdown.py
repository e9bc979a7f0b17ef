"""Markdown as members write it, and the HTML that is safe to show to others.

HTML in the source is text. What CommonMark makes of the rest passes a sanitiser with an explicit
list of what is allowed, so that nothing stored by one person can run for another.
"""

import anyio.to_thread
import nh3
from markdown_it import MarkdownIt

THREAD_ABOVE = 4_000

_renderer = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    .enable("table")
    .enable("strikethrough")
    .disable("image")
)
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href", "title"}, "ol": {"start"}, "code": set()},
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow noopener noreferrer ugc",
)


def cleaned(html: str) -> str:
    """The same HTML without anything that could run; what is clean stays as it is."""
    return _cleaner.clean(html)


def render(source: str) -> str:
    """Sanitised HTML for a text in Markdown."""
    return cleaned(_renderer.render(source))


async def rendered(source: str) -> str:
    """The same, in a thread where the text is long, so that nobody else waits for it."""
    if len(source) <= THREAD_ABOVE:
        return render(source)
    return await anyio.to_thread.run_sync(render, source)
