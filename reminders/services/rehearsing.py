"""Rehearsing: what a story needs to know of the ledger, to move its clock and to tell what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from db.engine import reading
from reminders.domain.plan import plain
from reminders.services.records import history, troubles
from reminders.services.records.history import Work

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["Line", "Narrator", "Work", "instant", "next_moments"]

Line = Mapping[str, Any]


def next_moments(engine: Engine) -> dict[Work, datetime]:
    """When each kind of work is next due; a kind that has nothing to do is left out."""
    with reading(engine) as c:
        return history.next_moments(c)


class Narrator:
    """Tells each thing that happened once, as a line of a story's output, in time order; and whether we can hear, if asked to."""

    def __init__(self, engine: Engine, *, troubles: bool = False) -> None:
        self._engine = engine
        self._tells_troubles = troubles
        self._deaf = False
        self._texts: set[str] = set()
        self._alerts: set[tuple[str, str]] = set()
        self._events: set[str] = set()
        self._doses: dict[str, tuple[object, ...]] = {}
        self._plans: dict[str, tuple[str, int, str | None]] = {}

    def since(self, moment: datetime) -> list[Line]:
        """What happened at or after an instant and was not yet told."""
        with reading(self._engine) as c:
            told = [*self._plan_lines(c, moment), *self._dose_lines(c, moment), *self._alert_lines(c, moment), *self._text_lines(c, moment)]
            return [*self._trouble_lines(c, moment), *told] if self._tells_troubles else told

    def _plan_lines(self, c: Connection, moment: datetime) -> Iterator[Line]:
        for event in history.plan_events(c, since=moment):
            if event["id"] in self._events:
                continue
            self._events.add(event["id"])
            if event["kind"] != "step":
                yield from self._plan(event["plan"], event["state"], event["phase_no"], event["reason"] or None, event["at"])

    def _plan(self, ref: str, state: str, phase: int | None, reason: str | None, at: datetime) -> Iterator[Line]:
        was = self._plans.get(ref)
        phase = phase or (was[1] if was else 1)
        if was is None or was[:2] != (state, phase) or (reason and reason != was[2]):
            self._plans[ref] = (state, phase, reason)
            yield {"at": instant(at), "kind": "plan", "plan": ref, "state": state, "phase": phase, "reason": reason}

    def _dose_lines(self, c: Connection, moment: datetime) -> Iterator[Line]:
        for dose in history.doses_changed(c, since=moment):
            seen = (dose["state"], dose["taken_at"], dose["reason"], dose["unverified"])
            if self._doses.get(dose["id"]) == seen:
                continue
            if dose["id"] not in self._doses and dose["state"] != "not_due":
                was = self._plans.get(dose["plan"])
                if was is not None:
                    yield from self._plan(dose["plan"], was[0], dose["phase_no"], None, dose["changed_at"])
            self._doses[dose["id"]] = seen
            yield {
                "at": instant(dose["changed_at"]),
                "kind": "dose",
                "plan": dose["plan"],
                "local_date": dose["local_date"].isoformat(),
                "slot_no": dose["slot_no"],
                "amount": plain(dose["amount"]),
                "state": dose["state"],
                "taken_at": instant(dose["taken_at"]) if dose["taken_at"] else None,
                "reason": dose["reason"],
                **({"unverified": True} if dose["unverified"] else {}),
            }

    def _trouble_lines(self, c: Connection, moment: datetime) -> Iterator[Line]:
        deaf = any(trouble["name"] == troubles.Trouble.CANNOT_HEAR.value for trouble in troubles.standing(c))
        if deaf != self._deaf:
            self._deaf = deaf
            yield {"at": instant(moment), "kind": "trouble", "trouble": "cannot_hear", "state": "began" if deaf else "over"}

    def _alert_lines(self, c: Connection, moment: datetime) -> Iterator[Line]:
        for alert in history.alerts_changed(c, since=moment):
            told = (alert["id"], alert["owner"])
            if told in self._alerts:
                continue
            self._alerts.add(told)
            at = moment if alert["owner"] == "backup" else alert["raised_at"]
            yield {
                "at": instant(at),
                "kind": "alert",
                "plan": alert["plan"],
                "alert": alert["kind"],
                "severity": alert["severity"],
                "to": alert["owner"],
            }

    def _text_lines(self, c: Connection, moment: datetime) -> Iterator[Line]:
        fresh = [text for text in history.texts_sent(c, since=moment) if text["id"] not in self._texts]
        about = history.doses_of_texts(c, [text["id"] for text in fresh])
        for text in fresh:
            self._texts.add(text["id"])
            spoken = [
                {"plan": dose["plan"], "local_date": dose["local_date"].isoformat(), "slot_no": dose["slot_no"]}
                for dose in about.get(text["id"], ())
            ]
            line = {"at": instant(text["sent_at"]), "kind": "text_out", "to": text["phone"], "purpose": text["purpose"]}
            yield {**line, "body": text["body"], "doses": spoken}


def instant(at: datetime) -> str:
    """Write an instant in UTC: 2026-03-08T12:00:00Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
