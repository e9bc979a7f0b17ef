"""The page to which a mail leads somebody who sent a form without an account: how far what they
asked for has come, and a button for each thing that they may do with it.

The link's token is a bearer, kept in the fragment, which no server sees; what the page shows and
offers is what the API answers to it.
"""

from functools import lru_cache
from html import escape
from typing import NamedTuple

from app.pages import SAYING, WORDS, Page, page, paragraph, said

SCRIPT = (
    SAYING
    + """
const thing = document.getElementById("thing");
const about = new URLSearchParams(location.search).get("id");
const path = thing.dataset.path + encodeURIComponent(about);
let token = null;

function call(method, act, body) {
  const headers = { Authorization: "Bearer " + token };
  if (body) headers["Content-Type"] = "application/json";
  return fetch(path + act, {
    method,
    headers,
    body: body && JSON.stringify(body),
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "no-referrer",
  });
}

// Of a list, what stands last in it.
function within(value, name) {
  return (Array.isArray(value) ? value.at(-1) : value)?.[name];
}

function fill(part, found) {
  const value = part.dataset.shows.split(".").reduce(within, found);
  part.querySelector("p").textContent = value ?? "";
  part.hidden = !value;
}

function list(others) {
  const part = document.getElementById("others");
  if (!part) return;
  part.hidden = !others.length;
  part.querySelector("ul").replaceChildren(...others.map((one) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = "?id=" + encodeURIComponent(one.id) + location.hash;
    link.textContent = one.community.name[document.documentElement.lang];
    item.append(link);
    return item;
  }));
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
    const name = (found.community ?? found).name;
    const language = document.documentElement.lang;
    document.getElementById("name").textContent = name[language] || name.en || name.fr;
    document.getElementById("status").textContent = word("status-" + found.status);
    for (const part of thing.querySelectorAll("[data-shows]")) fill(part, found);
    for (const part of thing.querySelectorAll("[data-offered]")) {
      part.hidden = !found.viewer.can.includes(part.dataset.offered);
    }
    list(found.same_form ?? []);
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
    const field = button.parentElement.querySelector("textarea");
    const body = field && { [field.name]: field.value };
    const answer = await call(button.dataset.method, button.dataset.act, body);
    const refused = answer.ok ? "" : await refusal(answer);
    await show();
    if (refused) say(refused);
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
)


class Act(NamedTuple):
    """Something that one may do: its operation, how it is called, and what one writes for it."""

    operation: str
    method: str
    path: str
    field: str | None = None


class Followed(NamedTuple):
    """What is followed on a page: where it is read, its states, what is shown of it and when, and
    what one may do."""

    page: str
    path: str
    statuses: tuple[str, ...]
    acts: tuple[Act, ...]
    shows: tuple[tuple[str, str], ...] = ()


_PROPOSAL = Followed(
    "proposal",
    "community-proposals",
    ("open", "accepted", "declined", "withdrawn"),
    (
        Act("withdraw_community_proposal", "POST", "/withdrawal"),
        Act("withdraw_proposal_support", "DELETE", "/support"),
    ),
)
_JOIN_REQUEST = Followed(
    "join_request",
    "join-requests",
    ("pending", "information_requested", "accepted", "declined", "withdrawn", "expired"),
    (
        Act("give_join_information", "PUT", "/information", "answer"),
        Act("withdraw_join_request", "POST", "/withdrawal"),
    ),
    (
        ("reason", "decision.comment"),
        ("question", "inquiries.question"),
        ("answer", "inquiries.answer"),
        ("until", "answer_due_on"),
    ),
)


@lru_cache
def proposal(language: str) -> Page:
    """Follows a proposal that somebody made or supports; its button takes that back."""
    return _following(_PROPOSAL, language, "")


@lru_cache
def join_request(language: str) -> Page:
    """Follows a request to join: its applicant answers a question, and takes it back."""
    others = f"<h2>{said('join_request.others', language)}</h2><ul></ul>"
    return _following(_JOIN_REQUEST, language, f'<div id="others" hidden>{others}</div>')


def _following(what: Followed, language: str, more: str) -> Page:
    # Relative, so that it also works where a proxy serves this under a path of its own.
    path = f"../api/v1/{what.path}/"
    shown = "".join(
        f'<div data-shows="{member}" hidden><h2>{said(f"{what.page}.{name}", language)}</h2>'
        "<p></p></div>"
        for name, member in what.shows
    )
    acts = "".join(_offer(what.page, act, language) for act in what.acts)
    words: dict[str, str] = {word.replace("_", "-"): word for word in WORDS}
    words |= {f"status-{status}": f"{what.page}.{status}" for status in what.statuses}
    hidden = "".join(
        f'<p id="word-{escape(name)}" hidden>{said(key, language)}</p>'
        for name, key in words.items()
    )
    body = (
        paragraph(f"{what.page}.lead", language)
        + f'<noscript><p role="alert">{said("script_needed", language)}</p></noscript>'
        + '<p id="said" role="alert" hidden></p>'
        + f'<div id="thing" data-path="{path}" hidden><h2 id="name"></h2>'
        + f'<p id="status" role="status"></p>{shown}{acts}{more}</div>{hidden}'
    )
    return page(what.page, language, body, SCRIPT)


def _offer(name: str, act: Act, language: str) -> str:
    field = ""
    if act.field is not None:
        label = said(f"{name}.{act.field}", language)
        field = (
            f'<label for="{act.field}">{label}</label>'
            f'<textarea id="{act.field}" name="{act.field}" rows="6" maxlength="2000"></textarea>'
        )
    return (
        f'<div data-offered="{act.operation}" hidden>{field}<button name="{act.operation}"'
        f' data-method="{act.method}" data-act="{act.path}">'
        f"{said(f'{name}.{act.operation}', language)}</button></div>"
    )
