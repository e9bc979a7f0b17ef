"""The server's own small pages, to which the links in mails lead where there is no frontend.

Each is one file without any other: style and script are in it, and its policy admits these very
bytes and nothing else. Opening a page changes nothing; what a button does goes through the API.
"""

import base64
import hashlib
import re
from functools import lru_cache
from html import escape
from typing import NamedTuple

from app import errors, texts

STYLE = """
:root { color-scheme: light dark; font: 1.0625rem/1.6 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 38rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.05rem; margin: 2rem 0 0; }
h2 + p { margin-top: .25rem; }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
label.beside { font-weight: 400; }
input[type=password], input[type=text], textarea {
  box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .7rem;
  border: 1px solid GrayText; border-radius: .4rem;
}
button {
  margin-top: 1.25rem; min-height: 3rem; padding: .6rem 1.4rem; font: inherit; font-weight: 600;
  color: #fff; background: #1d4f91; border: 0; border-radius: .4rem; cursor: pointer;
}
button:disabled { background: #6b7280; cursor: default; }
:focus-visible { outline: 3px solid #d97706; outline-offset: 2px; }
[role=alert] { border-left: .3rem solid #d97706; padding-left: .8rem; }
[hidden] { display: none; }
"""

# How every script speaks: texts are put in as text, never as HTML. Of a refusal the errors are
# said, where there are any, since they are what somebody can do something about.
SAYING = """
"use strict";
const says = document.getElementById("said");

const word = (name) => document.getElementById("word-" + name)?.textContent ?? name;

function say(text) {
  says.textContent = text;
  says.hidden = !text;
}

async function refusal(answer) {
  const problem = await answer.json();
  const details = (problem.errors ?? []).map((error) => error.detail);
  return (details.length ? details : [problem.detail]).join(" ");
}
"""

# The token is read from the fragment, which no server sees, and leaves in a body alone.
SCRIPT = (
    SAYING
    + """
const form = document.forms[0];
const button = form.querySelector("button");
const password = form.querySelector("#password");
const done = document.getElementById("done");
let token = null;

function post(path, body) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "no-referrer",
  });
}

async function begin() {
  token = new URLSearchParams(location.hash.slice(1)).get("token");
  done.hidden = true;
  form.hidden = true;
  if (!token) return say(word("no-token"));
  say(word("checking"));
  try {
    const answer = await post(form.dataset.inspection, { token });
    if (answer.ok && (await answer.json()).valid === false) return say(word("token-not-good"));
    say("");
  } catch {
    say(word("unreachable"));
  }
  form.hidden = false;
}

async function use(event) {
  event.preventDefault();
  button.disabled = true;
  say(word("checking"));
  try {
    const body = password ? { token, password: password.value } : { token };
    const answer = await post(form.dataset.confirmation, body);
    if (!answer.ok) return say(await refusal(answer));
    const shown = document.getElementById("access-token");
    if (shown) shown.value = (await answer.json()).access_token;
    history.replaceState(null, "", location.pathname);
    form.reset();
    form.hidden = true;
    say("");
    done.hidden = false;
    done.focus();
  } catch {
    say(word("unreachable"));
  } finally {
    button.disabled = false;
  }
}

form.addEventListener("submit", use);
addEventListener("hashchange", begin);
const visible = document.getElementById("visible");
if (visible) {
  visible.addEventListener("change", () => {
    password.type = visible.checked ? "text" : "password";
  });
}
begin();
"""
)

WORDS = ("checking", "no_token", "token_not_good", "unreachable")


class Page(NamedTuple):
    """A page's bytes, and the headers without which it must not go out."""

    html: bytes
    headers: dict[str, str]


@lru_cache
def email_verification(language: str) -> Page:
    """Proves an address with the token of the link, on the button."""
    return _token_page("email_verification", "email-verifications", language)


@lru_cache
def password(language: str) -> Page:
    """Chooses a password with the token of the link."""
    field = (
        f'<label for="password">{said("password.label", language)}</label>'
        '<input id="password" name="password" type="password" autocomplete="new-password"'
        ' minlength="10" maxlength="200" required aria-describedby="lead">'
        '<label class="beside"><input id="visible" type="checkbox"> '
        f"{said('password.show', language)}</label>"
    )
    return _token_page("password", "password-resets", language, field)


@lru_cache
def sign_in(language: str) -> Page:
    """Signs in with the token of the link, and shows the access token, once."""
    shown = (
        f'<label for="access-token">{said("sign_in.label", language)}</label>'
        '<textarea id="access-token" rows="6" readonly autocomplete="off"></textarea>'
    )
    return _token_page("sign_in", "sign-in-links", language, result=shown)


@lru_cache
def discussion(language: str) -> Page:
    """Says where discussions are shown."""
    return page("discussion", language, paragraph("discussion.lead", language))


def unsubscribe(language: str, key: str) -> Page:
    """Asks whether a reminder is to be stopped; the button does it, without any script."""
    form = (
        f'<form method="post" action="?key={escape(key)}">'
        f"<button>{said('unsubscribe.button', language)}</button></form>"
    )
    return page("unsubscribe", language, paragraph("unsubscribe.lead", language) + form)


@lru_cache
def unsubscribed(language: str) -> Page:
    """Says that a reminder was stopped."""
    done = f'<p role="status">{said("unsubscribe.done", language)}</p>'
    return page("unsubscribe", language, done)


# What a refusal fills in from the case at hand.
_FACT = re.compile(r"\{\w+\}")


@lru_cache
def problems(language: str) -> Page:
    """Every refusal by its code, at the anchor to which the `type` of a problem leads."""
    parts = [paragraph("problems.lead", language)]
    for refusal in errors.catalogue():
        code = escape(refusal.code)
        title = texts.text("problems", f"{refusal.code}.title", language)
        detail = _FACT.sub("…", texts.text("problems", f"{refusal.code}.detail", language))
        status = texts.text("pages", "problems.status", language, status=refusal.status)
        parts.append(
            f'<section id="{code}"><h2><code>{code}</code></h2>'
            f"<p><strong>{escape(title)}</strong> ({escape(status)})<br>{escape(detail)}</p>"
            "</section>"
        )
    return page("problems", language, "".join(parts))


def _token_page(
    name: str, resource: str, language: str, fields: str = "", result: str = ""
) -> Page:
    """A page that asks the API whether its link is good, and uses it on the button."""
    # Relative, so that it also works where a proxy serves this under a path of its own.
    path = f"../api/v1/auth/{resource}"
    words = "".join(
        f'<p id="word-{word.replace("_", "-")}" hidden>{said(word, language)}</p>' for word in WORDS
    )
    body = (
        paragraph(f"{name}.lead", language, identity="lead")
        + f'<noscript><p role="alert">{said("script_needed", language)}</p></noscript>'
        + f'<form method="post" hidden data-inspection="{path}/inspection"'
        + f' data-confirmation="{path}/confirmation">{fields}'
        + f"<button>{said(f'{name}.button', language)}</button></form>"
        + '<p id="said" role="alert" hidden></p>'
        + '<div id="done" role="status" tabindex="-1" hidden>'
        + f"{paragraph(f'{name}.done', language)}{result}</div>{words}"
    )
    return page(name, language, body, SCRIPT)


def page(name: str, language: str, body: str, script: str = "") -> Page:
    """A page of this name's title, which admits its own style and script and nothing else."""
    title = said(f"{name}.title", language)
    ending = f"<script>{script}</script>" if script else ""
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main>{ending}"
        "</body></html>\n"
    )
    policy = (
        "default-src 'none'",
        f"style-src {_digest(STYLE)}",
        f"script-src {_digest(script)}" if script else "script-src 'none'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "Content-Language": language,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language",
    }
    return Page(html.encode(), headers)


def _digest(source: str) -> str:
    """How a policy names the one text that it admits."""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def said(key: str, language: str) -> str:
    """Words of these pages, safe in HTML."""
    return escape(texts.text("pages", key, language))


def paragraph(key: str, language: str, identity: str = "") -> str:
    """The same as a paragraph."""
    marked = f' id="{identity}"' if identity else ""
    return f"<p{marked}>{said(key, language)}</p>"
