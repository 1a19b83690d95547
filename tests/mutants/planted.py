"""Ten bugs of the kind that loses a text or doubles one, each as the lines it changes, and the tests that must see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug: in `file`, `old` (which stands there once) becomes `new`; `tests` are those expected to notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


DELIVERING = "tests/services/test_delivering.py"

PLANTED = (
    Planted(
        "drop the attempt fence",
        "reminders/services/records/outbox.py",
        '    still = (TEXT_OUT.c.id == text["id"]) & (TEXT_OUT.c.attempt == text["attempt"]) & TEXT_OUT.c.state.in_(states)\n',
        '    still = (TEXT_OUT.c.id == text["id"]) & TEXT_OUT.c.state.in_(states)\n',
        (DELIVERING,),
    ),
    Planted(
        "settle too short",
        "reminders/services/records/outbox.py",
        '    settled = (TEXT_OUT.c.state == "unknown") & (TEXT_OUT.c.lease_until <= now - settle)\n',
        '    settled = (TEXT_OUT.c.state == "unknown") & (TEXT_OUT.c.lease_until <= now - settle / 50)\n',
        (DELIVERING,),
    ),
    Planted(
        "commit after send",
        "reminders/services/delivering/sending.py",
        """        passing(Milestone.SEND_BEFORE_CLAIM_COMMIT)
    if not claimed:
        return 0
    passing(Milestone.SEND_AFTER_CLAIM_COMMIT)
    with writing(engine) as c:
        ready = last_look.still_right(c, claimed, now=clock.now())
    looked_at = _Moment.of(clock)

    def may_begin() -> bool:
        return not stopping() and claimed_at.is_within(patience.lease / 2, clock) and looked_at.is_within(LOOK_HOLDS, clock)

    sending = _Sending(transport, clock, may_begin, passing)
    tried = await sending.each(ready, alone=alone)
    passing(Milestone.SEND_BEFORE_RECORD)
    with writing(engine) as c:
        record(""",
        """        passing(Milestone.SEND_BEFORE_CLAIM_COMMIT)
        if not claimed:
            return 0
        ready = last_look.still_right(c, claimed, now=clock.now())
        sending = _Sending(transport, clock, lambda: not stopping(), passing)
        tried = await sending.each(ready, alone=alone)
        passing(Milestone.SEND_BEFORE_RECORD)
        record(""",
        (DELIVERING,),
    ),
    Planted(
        "unconditional status update",
        "reminders/services/records/outbox.py",
        """    .where(TEXT_OUT.c.id == bindparam("its_id"), TEXT_OUT.c.rank < bindparam("new_rank"))
""",
        """    .where(TEXT_OUT.c.id == bindparam("its_id"), bindparam("new_rank") == bindparam("new_rank"))
""",
        (DELIVERING,),
    ),
    Planted(
        "an hour that comes twice fires twice",
        "reminders/domain/schedule.py",
        """        Slot(day.date, number, dose.at, instant_of(day.date, dose.at, tz), dose.amount, day.phase_no)
        for number, dose in enumerate(day.phase.doses, 1)
""",
        """        Slot(day.date, number + 50 * fold, dose.at, due_at, dose.amount, day.phase_no)
        for number, dose in enumerate(day.phase.doses, 1)
        for fold, due_at in enumerate(
            dict.fromkeys(datetime.combine(day.date, dose.at.replace(fold=fold), tzinfo=tz).astimezone(UTC) for fold in (0, 1))
        )
""",
        ("tests/domain/test_schedule.py", "tests/domain/test_dst_sweep.py"),
    ),
    Planted(
        "trust a forwarded host",
        "reminders/web/webhooks.py",
        "carrier.public_url + _target(request)",
        "('https://' + request.headers['X-Forwarded-Host'] if 'X-Forwarded-Host' in request.headers else carrier.public_url)"
        " + _target(request)",
        ("tests/web/test_webhooks.py",),
    ),
    Planted(
        "try again on a 5xx",
        "reminders/messaging/twilio.py",
        '        return Ambiguous(f"HTTP {status}")  # Twilio calls a 5xx safe to retry; for a create it is not\n',
        "        return NotSent(code, retry_after)\n",
        ("tests/messaging/test_transport_twilio.py",),
    ),
    Planted(
        "ignore announce_until",
        "reminders/domain/announcing.py",
        "    if now >= times.announce_until:\n",
        "    if now >= times.answer_until:\n",
        ("tests/domain/test_announcing.py", "tests/services/test_reminding.py"),
    ),
    Planted(
        "skip the version check",
        "reminders/services/records/last_look.py",
        '    return plan is None or plan.course.current.no != text["version_no"] or plan.state is not PlanState.ACTIVE\n',
        "    return plan is None or plan.state is not PlanState.ACTIVE\n",
        (DELIVERING,),
    ),
    Planted(
        "let an error end the scheduler's thread",
        "reminders/scheduling/loop.py",
        """        except Exception:
            log.exception("the scheduler's pass failed, and is tried again")
""",
        """        except LookupError:
            log.exception("the scheduler's pass failed, and is tried again")
""",
        ("tests/scheduling/test_loop.py", "tests/scheduling/test_faults.py"),
    ),
)
