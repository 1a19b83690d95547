"""`doseline caregiver`: what the people around a patient may see on their page, and the links to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from reminders.as_json.parts import instant_text
from reminders.clock import SystemClock
from reminders.commands.ledger import the_ledger
from reminders.commands.output import SCREEN, JsonFlag, print_json, print_table, telling
from reminders.commands.staff_commands import ClinicOption, clinic_of
from reminders.domain.caring import Grant, Sees
from reminders.errors import NotAllowed
from reminders.services import caring
from reminders.settings import load_settings

if TYPE_CHECKING:
    from datetime import datetime

    from reminders.services.caring import Around

app = typer.Typer(help="What caregivers may see, and the links to their pages.", no_args_is_help=True)

PatientArgument: TypeAlias = Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's reference.")]
PersonArgument: TypeAlias = Annotated[str, typer.Argument(metavar="PERSON", help="The caregiver's or proxy's reference.")]
ByOption: TypeAlias = Annotated[str, typer.Option(help="Who at the clinic does it, as its list names them.")]


@app.command("list")
def list_(ctx: typer.Context, patient: PatientArgument, *, clinic: ClinicOption = None, as_json: JsonFlag = False) -> None:
    """Show who is around a patient, and what each may see."""
    with telling(ctx), the_ledger() as engine:
        people = caring.around_ref(engine, clinic_of(engine, clinic), patient, now=SystemClock().now())
    if as_json:
        print_json([_json(person) for person in people])
    elif people:
        print_table(_table(people))
    else:
        SCREEN.print(Text("Nobody is around this patient."))


@app.command()
def agree(
    ctx: typer.Context,
    patient: PatientArgument,
    person: PersonArgument,
    *,
    sees: Annotated[Sees, typer.Option(help="alerts (only what they were told of), today (today's doses) or strip (the last 14 days).")],
    answers: Annotated[bool, typer.Option("--answers", help="They may say that a dose was given.")] = False,
    agreed_by: Annotated[str, typer.Option(help="Who agreed to it: the patient, or who answers for them.")],
    by: ByOption,
    clinic: ClinicOption = None,
) -> None:
    """Note what the patient agreed that somebody may see; it holds from now on, for a link that is out too."""
    with telling(ctx), the_ledger() as engine:
        here, now = clinic_of(engine, clinic), SystemClock().now()
        try:
            grant = Grant(sees, answers=answers)
        except ValueError as error:
            raise NotAllowed(str(error)) from None
        whose = caring.find(engine, here, patient, person)
        caring.agree(engine, here, *whose, grant, agreed_by=agreed_by, agreed_at=now, by=by, now=now)
    SCREEN.print(Text(f"{person} sees {WORDS[sees]}{', and may say that a dose was given' if answers else ''}."))


@app.command()
def link(
    ctx: typer.Context,
    patient: PatientArgument,
    person: PersonArgument,
    *,
    by: ByOption,
    clinic: ClinicOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a link to somebody's page, shown this once. An older link is good no more."""
    with telling(ctx), the_ledger() as engine:
        here, settings = clinic_of(engine, clinic), load_settings()
        made = caring.link(engine, here, *caring.find(engine, here, patient, person), by=by, now=SystemClock().now())
    address = f"{settings.address}/care/{made.token}"
    if as_json:
        print_json({"name": made.name, "link": address, "expires_at": instant_text(made.expires_at)})
    else:
        SCREEN.print(Text(f"For {made.name}, until {made.expires_at:%a %d %b %H:%M} UTC:\n{address}"), soft_wrap=True)


WORDS = {Sees.ALERTS: "only what they were told of", Sees.TODAY: "today's doses", Sees.STRIP: "the last 14 days"}


def _table(people: tuple[Around, ...]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("reference", "is", "sees", "answers", "agreed", "link until"):
        table.add_column(name, no_wrap=True)
    for person in people:
        agreed = f"{person.agreed.agreed_at:%d %b %Y}, {person.agreed.agreed_by}" if person.agreed else ""
        until = person.no_page or (f"{person.link_until:%a %d %b %H:%M} UTC" if person.link_until else "")
        answers = "yes" if person.grant.answers else "no"
        table.add_row(Text(person.ref), person.role.value, WORDS[person.grant.sees], answers, Text(agreed), until)
    return table


def _json(person: Around) -> dict[str, object]:
    return {
        "ref": person.ref,
        "name": person.name,
        "role": person.role.value,
        "sees": person.grant.sees.value,
        "answers": person.grant.answers,
        "agreed_by": person.agreed.agreed_by if person.agreed else None,
        "agreed_at": _instant(person.agreed.agreed_at if person.agreed else None),
        "no_page": person.no_page,
        "link_until": _instant(person.link_until),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
