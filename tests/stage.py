"""A clinic on a virtual clock: production's services over one ledger, moved by hand, told line by line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from db.engine import make_engine, migrate, reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import importing
from reminders.services.rehearsing import Line, Narrator
from reminders.simulation.driver import Driver
from tests.builders import NEW_YORK, THREE
from tests.files import File, a_caregiver, a_clinic, a_consent, a_dose, an_import_file

YEAR = 2026
ANA, RUI, ON_CALL = "+12025550101", "+12025550102", "+12025550109"


@lru_cache(maxsize=1)
def _template() -> Engine:
    engine = make_engine("sqlite://")
    migrate(engine)
    return engine


def empty_ledger() -> Engine:
    """A ledger in memory at the newest migration, copied from one: migrating each would take longer than a test."""
    return copied(_template())


def copied(ledger: Engine) -> Engine:
    """A ledger in memory with everything that is in another."""
    engine = make_engine("sqlite://")
    source, copy = ledger.raw_connection(), engine.raw_connection()
    source.driver_connection.backup(copy.driver_connection)  # type: ignore[union-attr]
    source.close()
    copy.close()
    return engine


def at(clock: str, zone: str = NEW_YORK) -> datetime:
    """Read a local time of the year in which everything here happens: "03-02 08:00"."""
    return datetime.fromisoformat(f"{YEAR}-{clock}").replace(tzinfo=ZoneInfo(zone))


def phase(amounts: str, days: int | None = None, *, times: Sequence[str] = THREE, every: int = 1) -> File:
    """One phase of a plan file from "5/5/10"; a dash is a slot without a dose that day."""
    doses = [a_dose(time, amount) for time, amount in zip(times, amounts.split("/"), strict=True) if amount != "-"]
    return {"days": days, "every_n_days": every, "doses": doses}


def plan(*phases: File, ref: str = "ana-baclofen", start: str = "03-02", advance: str = "stay_unless_met", **changes: object) -> File:
    """A plan in an import file: baclofen, of 5 mg three times a day without end if no phases are given."""
    head = {"ref": ref, "approved_by": "Dr. Noor Haddad", "drug": "baclofen-tablet", "kind": "titration", "zone": NEW_YORK}
    return {**head, "start": f"{YEAR}-{start}", "advance": advance, "phases": list(phases) or [phase("5/5/5")], **changes}


def patient(*plans: File, told: bool = False, **changes: object) -> File:
    """Ana; `told`: her brother Rui agreed to be told after two doses that were not confirmed."""
    person = {"ref": "ana", "name": "Ana Silva", "phone": ANA, "zone": NEW_YORK, "wording": "amount", "consent": a_consent()}
    return {**person, "caregivers": [a_caregiver()] if told else [], "plans": list(plans) or [plan()], **changes}


class Stage:
    """The patients of one clinic, from an instant on. Local times are New York's unless they are instants."""

    def __init__(self, engine: Engine, *patients: File, start: str | datetime = "03-02 00:00", on_call: File | None = None) -> None:
        """Enrol the patients: Ana with 5 mg three times a day, if none are given."""
        self.engine = engine
        self.clock = HandClock(_instant(start))
        self.transport = SandboxTransport(self.clock)
        self.lines: list[Line] = []
        self._narrator = Narrator(engine)
        clinic = a_clinic(on_call=on_call) if on_call else a_clinic()
        importing.import_file(engine, an_import_file(*(patients or [patient()]), clinic=clinic), now=self.clock.now())
        self.driver = Driver(engine, self.clock, self.transport, self._listen)
        self._listen(self.clock.now())

    @classmethod
    def on_paper(cls, *patients: File, start: str | datetime = "03-02 00:00", on_call: File | None = None) -> Self:
        """Enrol the patients in an empty ledger in memory."""
        return cls(empty_ledger(), *patients, start=start, on_call=on_call)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.driver.__exit__(kind, error, trace)
        if not self.engine.url.database:  # on paper: nobody else holds it
            self.engine.dispose()

    @property
    def now(self) -> datetime:
        """Where the clock stands."""
        return self.clock.now()

    def run_until(self, until: str | datetime) -> None:
        """Let time pass, with all that falls due on the way."""
        self.driver.run_until(_instant(until))

    def outage(self, until: str | datetime) -> None:
        """Let time pass with nothing of ours running."""
        self.driver.sleep_until(_instant(until))

    def says(self, text: str, when: str | datetime | None = None, *, phone: str = ANA) -> None:
        """Let somebody text us, now or at a later time."""
        self._until(when)
        self.driver.says(phone, text)

    def answers(self, *times: str, text: str = "1", phone: str = ANA) -> None:
        """Let somebody give the same answer at several times."""
        for time in times:
            self.says(text, time, phone=phone)

    def acts(
        self,
        action: str,
        when: str | datetime | None = None,
        *,
        of: str = "ana-baclofen",
        reason: str = "as agreed",
        phase: int | None = None,
        zone: str | None = None,
        alert: str | None = None,
        days: int | None = None,
        medicine: str | None = None,
        by: str = "Dr. Noor Haddad",
        labs_due: str | None = None,
    ) -> None:
        """Let Dr. Haddad, or somebody else, act on a plan, now or at a later time."""
        self._until(when)
        chosen = StaffAction(action)
        due = None if labs_due is None else date.fromisoformat(f"{YEAR}-{labs_due}")
        act = StaffAct(self.now, chosen, of, by, reason, phase=phase, zone=zone, alert=alert, days=days, medicine=medicine, labs_due=due)
        self.driver.acts(act)

    def carrier(self, status: str, code: int | None = None, *, phone: str = ANA) -> None:
        """Let the carrier treat a phone so from now on."""
        self.driver.carrier(phone, status=status, code=code)

    def hears(self, when: str | datetime | None = None, *, webhook: bool | None = None, lists: bool | None = None) -> None:
        """Let our webhook, or the carrier's lists, fail or work from now on, or from a later time."""
        self._until(when)
        self.driver.hears(webhook=webhook, lists=lists)

    def texts(self, purpose: str | None = None, *, to: str = ANA, zone: str = NEW_YORK) -> list[tuple[str, str]]:
        """What a phone was sent: (local time, words after the clinic's name), of one purpose if given."""
        found = [line for line in self._of("text_out") if line["to"] == to and purpose in (None, line["purpose"])]
        return [(local(line["at"], zone), line["body"].removeprefix("Harbor Clinic: ")) for line in found]

    def purposes(self, *, to: str = ANA, zone: str = NEW_YORK) -> list[tuple[str, str]]:
        """What a phone was sent: (local time, purpose)."""
        return [(local(line["at"], zone), line["purpose"]) for line in self._of("text_out") if line["to"] == to]

    def doses(self, of: str = "ana-baclofen") -> dict[str, str]:
        """The last word on each dose of a plan, by "date/number": its state, with its reason if it has one."""
        found = [line for line in self._of("dose") if line["plan"] == of]
        return {f"{line['local_date'][5:]}/{line['slot_no']}": _with_reason(line) for line in found}

    def amounts(self, of: str = "ana-baclofen") -> dict[str, str]:
        """The amounts of each date's doses that were due, in order: {"03-02": "5/5/5"}."""
        found = {
            (line["local_date"][5:], line["slot_no"]): line["amount"]
            for line in self._of("dose")
            if line["plan"] == of and line["state"] != "not_due"
        }
        days = sorted({day for day, _ in found})
        return {day: "/".join(amount for (date, _), amount in sorted(found.items()) if date == day) for day in days}

    def alerts(self, zone: str = NEW_YORK) -> list[tuple[str, str, str]]:
        """The alerts as they were raised or handed on: (local time, kind, to whom)."""
        return [(local(line["at"], zone), line["alert"], line["to"]) for line in self._of("alert")]

    def open_alerts(self) -> set[str]:
        """The kinds of the alerts that are not closed."""
        return {alert["kind"] for alert in self.rows("alert") if alert["closed_at"] is None}

    def plans(self, of: str = "ana-baclofen", zone: str = NEW_YORK) -> list[tuple[str, str, int]]:
        """What became of a plan: (local time, state, phase)."""
        return [(local(line["at"], zone), line["state"], line["phase"]) for line in self._of("plan") if line["plan"] == of]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        with reading(self.engine) as c:
            return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]

    def _until(self, when: str | datetime | None) -> None:
        if when is not None:
            self.run_until(when)

    def _of(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line["kind"] == kind]

    def _listen(self, moment: datetime) -> None:
        self.lines.extend(self._narrator.since(moment))


def local(instant: str, zone: str = NEW_YORK) -> str:
    """Write a line's instant by a zone's clock: "03-02 08:00"."""
    return f"{datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)):%m-%d %H:%M}"


def _with_reason(line: Line) -> str:
    return f"{line['state']} ({line['reason']})" if line["reason"] else str(line["state"])


def _instant(when: str | datetime) -> datetime:
    return at(when) if isinstance(when, str) else when
