"""The page to which an invitation leads: what one is invited to, the rules, and two buttons.

What it asks of somebody without an account is what a form to join asks. The link's token is in the
fragment, which no server sees, and leaves in a body alone.
"""

from functools import lru_cache

from app.pages import SAYING, WORDS, Page, page, paragraph, said

SCRIPT = (
    SAYING
    + """
const form = document.forms[0];
const done = document.getElementById("done");
const line = document.getElementById("line");
const path = form.dataset.path;
const language = document.documentElement.lang;
let token = null;
let invitation = null;

function call(method, resource, body) {
  return fetch(path + resource, {
    method,
    headers: { "Content-Type": "application/json", "Accept-Language": language },
    body: body && JSON.stringify(body),
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "no-referrer",
  });
}

function add(parent, kind, text) {
  parent.appendChild(document.createElement(kind)).textContent = text;
}

async function showRules() {
  const answer = await call("GET", "rules/versions/" + invitation.rules_version);
  const list = document.getElementById("rules");
  list.replaceChildren();
  for (const rule of (await answer.json()).items) {
    add(list, "h2", rule.heading[language]);
    add(list, "p", rule.text[language]);
  }
}

async function showNotice() {
  const answer = await call("GET", "association");
  const notice = (await answer.json()).privacy_notice;
  document.getElementById("privacy").textContent = notice.text[language];
}

async function begin() {
  token = new URLSearchParams(location.hash.slice(1)).get("token");
  done.hidden = true;
  form.hidden = true;
  if (!token) return say(word("no-token"));
  say(word("checking"));
  try {
    const answer = await call("POST", "invitations/inspection", { token });
    invitation = answer.ok ? await answer.json() : { valid: false };
    if (!invitation.valid) return say(word("token-not-good"));
    document.getElementById("name-of").textContent = invitation.community.name[language];
    line.disabled = line.hidden = !invitation.needs_identity;
    await Promise.all([showRules(), showNotice()]);
    say("");
    form.hidden = false;
  } catch {
    say(word("unreachable"));
  }
}

function acceptance() {
  const body = { token, agrees_to_rules_version: invitation.rules_version };
  if (!invitation.needs_identity) return body;
  const identity = { language };
  for (const field of line.querySelectorAll("input")) identity[field.name] = field.value;
  return { ...body, identity };
}

async function answerWith(resource, body, word_of) {
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  say(word("checking"));
  try {
    const answer = await call("POST", "invitations/" + resource, body);
    if (!answer.ok) return say(await refusal(answer));
    history.replaceState(null, "", location.pathname);
    form.reset();
    form.hidden = true;
    say("");
    done.textContent = word(word_of);
    done.hidden = false;
    done.focus();
  } catch {
    say(word("unreachable"));
  } finally {
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  answerWith("acceptance", acceptance(), "accepted");
});
document.getElementById("decline").addEventListener("click", () => {
  answerWith("decline", { token }, "declined");
});
addEventListener("hashchange", begin);
begin();
"""
)

_LINE = {
    "name": ("name", 200),
    "occupation": ("organization-title", 200),
    "affiliation": ("organization", 200),
    "area_of_interest": ("off", 2000),
}


@lru_cache
def invitation(language: str) -> Page:
    """Accepts an invitation or declines it, on a button; opening it changes nothing."""
    fields = "".join(
        f'<label for="{name}">{said(f"invitation.{name}", language)}</label>'
        f'<input id="{name}" name="{name}" type="text" maxlength="{most}"'
        f' autocomplete="{filled}" required>'
        for name, (filled, most) in _LINE.items()
    )
    words = {word: word for word in WORDS}
    words |= {word: f"invitation.{word}" for word in ("accepted", "declined")}
    hidden = "".join(
        f'<p id="word-{name.replace("_", "-")}" hidden>{said(key, language)}</p>'
        for name, key in words.items()
    )
    # Relative, so that it also works where a proxy serves this under a path of its own.
    body = (
        paragraph("invitation.lead", language)
        + f'<noscript><p role="alert">{said("script_needed", language)}</p></noscript>'
        + '<form method="post" hidden data-path="../api/v1/"><h2 id="name-of"></h2>'
        + f'<fieldset id="line" hidden>{fields}</fieldset>'
        + f"<details><summary>{said('invitation.rules', language)}</summary>"
        + '<div id="rules"></div></details>'
        + f"<details><summary>{said('invitation.privacy', language)}</summary>"
        + '<p id="privacy"></p></details>'
        + '<label class="beside"><input id="agreed" type="checkbox" required> '
        + f"{said('invitation.agree', language)}</label>"
        + f"<button>{said('invitation.accept', language)}</button> "
        + f'<button id="decline" type="button">{said("invitation.decline", language)}</button>'
        + '</form><p id="said" role="alert" hidden></p>'
        + f'<p id="done" role="status" tabindex="-1" hidden></p>{hidden}'
    )
    return page("invitation", language, body, SCRIPT)
