"""The page to which a mail leads somebody who sent a form without an account: how far what they
asked for has come, and a button for each thing that they may do with it.

The link's token is a bearer, kept in the fragment, which no server sees; what the page shows and
offers is what the API answers to it.
"""

from functools import lru_cache
from html import escape
from typing import NamedTuple

from app.pages import WORDS, Page, page, paragraph, said

# Every text is put in as text, never as HTML.
SCRIPT = """
"use strict";
const thing = document.getElementById("thing");
const says = document.getElementById("said");
const about = new URLSearchParams(location.search).get("id");
const path = thing.dataset.path + encodeURIComponent(about);
let token = null;

const word = (name) => document.getElementById("word-" + name)?.textContent ?? name;

function say(text) {
  says.textContent = text;
  says.hidden = !text;
}

function call(method, act) {
  return fetch(path + act, {
    method,
    headers: { Authorization: "Bearer " + token },
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "no-referrer",
  });
}

async function show() {
  thing.hidden = true;
  token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return say(word("no-token"));
  say(word("checking"));
  try {
    const answer = await call("GET", "");
    if (!answer.ok) return say(word("token-not-good"));
    const found = await answer.json();
    document.getElementById("name").textContent = found.name.en || found.name.fr;
    document.getElementById("status").textContent = word("status-" + found.status);
    for (const button of thing.querySelectorAll("button")) {
      button.hidden = !found.viewer.can.includes(button.name);
    }
    say("");
    thing.hidden = false;
  } catch {
    say(word("unreachable"));
  }
}

async function act(event) {
  const button = event.currentTarget;
  button.disabled = true;
  try {
    const answer = await call(button.dataset.method, button.dataset.act);
    const problem = answer.ok ? null : await answer.json();
    await show();
    if (problem) say(problem.detail);
  } catch {
    say(word("unreachable"));
  } finally {
    button.disabled = false;
  }
}

for (const button of thing.querySelectorAll("button")) button.addEventListener("click", act);
addEventListener("hashchange", show);
show();
"""


class Act(NamedTuple):
    """Something that one may do: its operation, and how it is called."""

    operation: str
    method: str
    path: str


_OF_PROPOSALS = (
    Act("withdraw_community_proposal", "POST", "/withdrawal"),
    Act("withdraw_proposal_support", "DELETE", "/support"),
)
_STATUSES = ("open", "accepted", "declined", "withdrawn")


@lru_cache
def proposal(language: str) -> Page:
    """Follows a proposal that somebody made or supports; its button takes that back."""
    # Relative, so that it also works where a proxy serves this under a path of its own.
    path = "../api/v1/community-proposals/"
    buttons = "".join(
        f'<button name="{act.operation}" data-method="{act.method}" data-act="{act.path}" hidden>'
        f"{said(f'proposal.{act.operation}', language)}</button>"
        for act in _OF_PROPOSALS
    )
    words = {word: word for word in WORDS}
    words |= {f"status_{status}": f"proposal.{status}" for status in _STATUSES}
    hidden = "".join(
        f'<p id="word-{escape(name.replace("_", "-"))}" hidden>{said(key, language)}</p>'
        for name, key in words.items()
    )
    body = (
        paragraph("proposal.lead", language)
        + f'<noscript><p role="alert">{said("script_needed", language)}</p></noscript>'
        + '<p id="said" role="alert" hidden></p>'
        + f'<div id="thing" data-path="{path}" hidden><h2 id="name"></h2>'
        + f'<p id="status" role="status"></p>{buttons}</div>{hidden}'
    )
    return page("proposal", language, body, SCRIPT)
