"""The one mail that an import sends, where somebody asked for it."""

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import texts
from app.models import Mail
from tests.cast import DTC, PASSWORD, WELLNESS, Api, mail_to, text_of, token_in
from tests.importing import applied, csv_of, done
from tests.test_mail import assert_in_language

HEADINGS = "email,name,communities,language"


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_newcomers_are_told_once_with_a_link_and_members_without(
    api: Api, language: str
) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member", language=language)
    await api.work_off()
    file = csv_of(
        f"new@example.org,Nadia New,{DTC};{WELLNESS},{language}",
        f"{mia.email},Mia Member,{WELLNESS},{language}",
        headings=HEADINGS,
    )
    await applied(staff, file, invite="true")
    sent = await api.work_off()
    assert len(sent) == 2
    new = mail_to(sent, "new@example.org")
    assert_in_language("imported", new, language)
    assert "Nadia" not in text_of(new)
    body = {"token": token_in(new), "password": PASSWORD}
    assert (await api.post("/auth/password-resets/confirmation", body)).status_code == 204
    assert "token=" not in text_of(mail_to(sent, mia.email))


async def test_nothing_is_said_of_what_was_undone_before_the_mail_left(api: Api) -> None:
    staff = await api.staff()
    await api.work_off()
    mia = await api.person("Mia Member")
    job = await applied(staff, csv_of(f"{mia.email},Mia Member,{DTC}"), invite="true")
    await done(staff, job, "reversal")
    assert await api.work_off() == []
    told = sa.select(Mail.status).where(col(Mail.kind) == "imported")
    assert [row.status for row in await api.read(told)] == ["dropped"]
