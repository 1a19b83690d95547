"""Repeated misses: the question, the caregivers, the alerts; and what a later answer takes back."""

from __future__ import annotations

from functools import partial

from db.engine import writing
from reminders.services.records import alerts
from tests.files import File, a_caregiver
from tests.stage import RUI, Stage, at, local, patient, phase, plan

RUNNING = plan(phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15"))


def first_words(texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Texts by their first sentence."""
    return [(time, body.split(". ")[0]) for time, body in texts]


def told_after(*counts: int | None) -> File:
    """Ana, with Rui who agreed to be told after so many misses; None: to be told nothing."""
    alerts = [None if count is None else {"after_misses": count} for count in counts]
    return patient(RUNNING, caregivers=[a_caregiver(alerts=alert) for alert in alerts])


def test_three_silent_doses() -> None:
    """Two silent doses ask the patient and tell the caregiver; the third alerts the provider, and the plan stays."""
    with Stage.on_paper(patient(RUNNING, told=True)) as clinic:
        clinic.run_until("03-03 08:30")
        assert (first_words(clinic.texts("question")), first_words(clinic.texts(to=RUI)), clinic.alerts(), clinic.plans()[-1]) == (
            [("03-02 18:00", "we have not heard from you since Mon 2 Mar")],
            [("03-02 18:00", "Ana has not confirmed the last 2 doses")],
            [
                ("03-02 18:00", "caregivers_told", "caregiver"),
                ("03-03 06:00", "misses", "provider"),
            ],
            ("03-03 06:00", "staying", 1),
        )


STAYS = "3 doses running not taken, 3 of them unconfirmed. The plan stays on phase 1. It goes on when a provider resumes it."


def test_one_cause_calls_one_person_once() -> None:
    """The alert about the misses tells of the stay that they bring about; a plan that goes on regardless is told of as before."""
    told = {}
    for advance in ("stay_unless_met", "as_prescribed"):
        with Stage.on_paper(patient(plan(phase("5/5/5", 3), phase("10/10/10"), advance=advance))) as clinic:
            clinic.run_until("03-03 07:00")
            told[advance] = [alert["words"] for alert in clinic.rows("alert") if alert["severity"] != "info"]
    assert told == {"stay_unless_met": [STAYS], "as_prescribed": ["3 doses running not taken, 3 of them unconfirmed"]}


def test_a_stay_outlives_what_brought_it_about() -> None:
    """When the misses are taken back the plan still stays: now that alone is told, until a provider resumes it."""
    with Stage.on_paper(patient(RUNNING)) as clinic:
        clinic.run_until("03-03 07:00")
        before = clinic.open_alerts()
        clinic.says("all of them", "03-03 07:30")
        clinic.says("took my 8pm yesterday", "03-03 07:40")
        clinic.run_until("03-03 09:00")
        after = clinic.open_alerts()
        clinic.acts("resume")
        assert (before, after, clinic.open_alerts()) == ({"misses"}, {"plan_stays"}, set())


def test_a_stay_that_a_person_ordered() -> None:
    """A plan that a person has stay is no news to the provider, whatever is counted later."""
    with Stage.on_paper(patient(RUNNING)) as clinic:
        clinic.acts("stay", "03-02 10:00")
        clinic.says("skipped it", "03-02 12:30")
        clinic.run_until("03-02 21:00")
        assert "plan_stays" not in clinic.open_alerts()


def test_a_later_answer_takes_it_back() -> None:
    """When the silent doses turn out to have been taken the alert is closed with its reason, and the caregiver hears it once."""
    with Stage.on_paper(patient(RUNNING, told=True)) as clinic:
        clinic.says("1", "03-03 07:00")
        clinic.run_until("03-03 14:00")
        closed = {alert["kind"]: alert["close_reason"] for alert in clinic.rows("alert") if alert["closed_at"]}
        words = [body for _, body in clinic.texts(to=RUI)][1:]
        assert (closed.get("caregivers_told"), words) == (
            "a dose was confirmed",
            ["Ana has now confirmed the Mon 8:00 pm dose. Nothing more to do. Thank you."],
        )


def test_the_question_answered_all() -> None:
    """A "1 all" to the question about the silence makes the doses taken, closes what was raised, and reassures the caregiver."""
    with Stage.on_paper(patient(RUNNING, told=True)) as clinic:
        clinic.says("1", "03-02 18:30")
        clinic.run_until("03-02 19:30")
        assert (clinic.doses(), clinic.open_alerts(), len(clinic.texts(to=RUI))) == ({"03-02/1": "taken", "03-02/2": "taken"}, set(), 2)


def test_nobody_is_told_of_what_is_over() -> None:
    """A caregiver's text and a question that wait for the morning are taken back if the doses are confirmed before it."""
    with Stage.on_paper(patient(RUNNING, told=True)) as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.run_until("03-03 06:30")
        told = clinic.alerts()
        clinic.says("took my 8pm yesterday", "03-03 07:00")
        clinic.run_until("03-03 13:00")
        asked = [body for _, body in clinic.texts("question") if "not heard" in body]
        assert (told, clinic.texts(to=RUI), asked) == ([("03-03 06:00", "caregivers_told", "caregiver")], [], [])


def test_a_question_does_not_come_with_a_reminder() -> None:
    """A question that waited for the morning comes half an hour after the first reminder, whose "1" means another thing."""
    with Stage.on_paper(patient(RUNNING)) as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.run_until("03-03 09:30")
        assert clinic.texts("question")[0][0] == "03-03 08:30"


def test_one_numbered_question_at_a_time() -> None:
    """While the question before a step is open no other with numbered answers is asked."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 1), phase("10/10/10")))) as clinic:
        clinic.run_until("03-02 20:30")
        assert [body[:20] for _, body in clinic.texts("question")] == ["before your next ste"]


def test_reported_misses_ask_why() -> None:
    """Where a dose was told as not taken the question is not whether, but why."""
    with Stage.on_paper(patient(RUNNING)) as clinic:
        clinic.says("skipped it", "03-02 12:30")
        clinic.run_until("03-02 19:00")
        assert first_words(clinic.texts("question")) == [("03-02 18:00", "some doses were not confirmed")]


def test_agreed_to_nothing() -> None:
    """A caregiver who did not agree to be told after misses is told nothing."""
    with Stage.on_paper(told_after(None)) as clinic:
        clinic.run_until("03-03 08:30")
        assert clinic.texts(to=RUI) == []


def test_agreed_to_hear_of_one() -> None:
    """A caregiver who agreed to hear of the first is told after one."""
    with Stage.on_paper(told_after(1)) as clinic:
        clinic.run_until("03-02 13:00")
        assert [time for time, _ in clinic.texts(to=RUI)] == ["03-02 12:00"]


def test_agreed_to_hear_of_three() -> None:
    """A caregiver who agreed to hear of three is told after three, in the morning."""
    with Stage.on_paper(told_after(3)) as clinic:
        clinic.run_until("03-03 08:30")
        assert [(time, body[:40]) for time, body in clinic.texts(to=RUI)] == [("03-03 08:00", "Ana has not confirmed the last 3 doses. ")]


def test_six_reported_suspend() -> None:
    """Six doses running told as not taken suspend the plan; the patient is told to call, and nothing is due any more."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.answers("03-02 12:30", "03-02 18:30", "03-03 06:30", "03-03 12:30", "03-03 18:30", "03-04 06:30", text="skipped it")
        clinic.run_until("03-05 00:00")
        notice = (
            "after a break this long, do not restart by yourself. Call 202 555 0100 before your next dose. We have told your care team."
        )
        assert (clinic.plans()[-1], clinic.texts("suspend_notice"), list(clinic.doses())[-1], clinic.open_alerts() >= {"suspended"}) == (
            ("03-04 06:30", "suspended", 1),
            [("03-04 08:00", notice)],
            "03-03/3",
            True,
        )


def test_silence_alone_never_suspends() -> None:
    """Six silent doses are urgent, "cannot reach" comes after 48 hours, and the reminders go on."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.run_until("03-04 14:00")
        raised = [(time, kind) for time, kind, to in clinic.alerts() if to != "backup"]
        assert (raised, clinic.plans()[-1][1], clinic.texts("reminder")[-1][0]) == (
            [("03-03 06:00", "misses"), ("03-04 06:00", "misses_urgent"), ("03-04 08:00", "cannot_reach")],
            "active",
            "03-04 14:00",
        )


def test_cannot_reach_by_the_clock() -> None:
    """A weekly dose nobody answers for is "cannot reach" after three days, though nothing else happens in them."""
    with Stage.on_paper(patient(plan(phase("5", times=("10:00",), every=7)))) as clinic:
        clinic.run_until("03-06 00:00")
        assert ("03-05 10:00", "cannot_reach", "clinic") in clinic.alerts()


def test_a_phone_problem() -> None:
    """Three reminders running that did not arrive mean "phone problem, call"; it is over once one arrives."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.carrier("undelivered", 30003)
        clinic.run_until("03-03 07:00")
        raised = clinic.alerts()
        clinic.carrier("delivered")
        clinic.says("1", "03-03 08:05")
        assert (raised, clinic.open_alerts(), set(clinic.doses().values())) == (
            [("03-02 20:00", "phone_problem", "clinic")],
            set(),
            {"not_reminded (carrier 30003)", "taken"},
        )


def test_four_of_nine() -> None:
    """Four of the last nine not taken alert the provider, though no three ran together."""
    with Stage.on_paper(patient(plan())) as clinic:
        said = {
            f"03-0{day} {time}": text
            for day, row in ((2, "121"), (3, "212"), (4, "112"))
            for time, text in zip(("08:30", "14:30", "20:30"), row, strict=True)
        }
        for time, text in said.items():
            clinic.says({"1": "taken", "2": "skipped it"}[text], time)
        clinic.run_until("03-05 07:00")
        assert [(time, kind) for time, kind, _ in clinic.alerts() if kind == "misses"] == [("03-05 06:00", "misses")]


def test_a_muted_dose_counts_nowhere() -> None:
    """Doses muted in hospital raise nothing, and break no run."""
    with Stage.on_paper(patient(RUNNING, told=True)) as clinic:
        clinic.acts("mute", "03-02 08:10")
        clinic.run_until("03-04 10:00")
        assert (clinic.texts(to=RUI), clinic.alerts(), clinic.texts("question")) == ([], [], [])


def test_nobody_took_it_on() -> None:
    """An alert nobody has taken on within four clinic hours goes to the backup; one that was acknowledged does not."""
    with Stage.on_paper(patient(plan()), patient(plan(ref="ben-plan"), ref="ben", phone="+12025550103")) as clinic:
        clinic.run_until("03-03 07:00")
        clinic.acts("acknowledge", "03-03 09:00", of="ben-plan")
        clinic.run_until("03-03 13:00")
        assert [line["plan"] for line in clinic.lines if line["kind"] == "alert" and line["to"] == "backup"] == ["ana-baclofen"]


def raised_again(clinic: Stage) -> list[tuple[str, str]]:
    """When alerts were raised again, as the audit has it: (local time, which and how often)."""
    events = [event for event in clinic.rows("audit") if event["action"] == "alert raised again"]
    return [(local(event["at"].isoformat()), event["detail"]) for event in events]


def test_a_red_flag_is_raised_again_until_somebody_takes_it_on() -> None:
    """After ten minutes, ten, twenty and then every hour, by night too; each an event; its deadline stands. Taken on, it is quiet."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.says("I had a seizure", "03-03 03:00")
        clinic.run_until("03-03 05:45")
        (flag,) = [alert for alert in clinic.rows("alert") if alert["kind"] == "red_flag"]
        clinic.acts("acknowledge", alert="red_flag")
        clinic.run_until("03-03 12:00")
        (taken_on,) = [alert for alert in clinic.rows("alert") if alert["kind"] == "red_flag"]

        times = ("03:10", "03:20", "03:40", "04:40", "05:40")
        found = [event for event in raised_again(clinic) if "red_flag" in event[1]]
        assert found == [(f"03-03 {time}", f"red_flag, {number}") for number, time in enumerate(times, 1)]
        assert (flag["deadline_at"], flag["raised_again"], flag["owner"]) == (at("03-03 03:10"), 5, "backup")
        assert (taken_on["deadline_at"], taken_on["call_at"], taken_on["raised_again"]) == (None, None, 5)


def test_what_can_wait_goes_to_the_backup_once() -> None:
    """A warning is raised again at its deadline and then no more; that nobody took it on stays to be seen."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.says("please call me", "03-03 09:00")
        clinic.run_until("03-05 09:00")
        (asked,) = [alert for alert in clinic.rows("alert") if alert["kind"] == "call_me"]

        assert [event for event in raised_again(clinic) if event[1].startswith("call_me")] == [("03-03 13:00", "call_me, 1")]
        assert (asked["deadline_at"], asked["call_at"]) == (at("03-03 13:00"), None)


def test_after_an_outage_an_alert_is_raised_again_once() -> None:
    """What should have been raised again meanwhile is not made up for: once, and from there on as ever."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.says("I had a seizure", "03-03 03:00")
        clinic.outage("03-03 06:00")
        clinic.run_until("03-03 06:15")
        assert [time for time, _ in raised_again(clinic)] == ["03-03 06:00", "03-03 06:10"]


def test_of_two_that_find_an_alert_one_raises_it() -> None:
    """A process that looked before another raised it again changes nothing; nor one that looked before it was taken on, or closed."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.says("I had a seizure", "03-03 03:00")
        called = []
        for minute, then in ((10, alerts.call), (20, partial(alerts.acknowledge, by="Dr. Noor Haddad"))):
            now = at(f"03-03 03:{minute}")
            with writing(clinic.engine) as c:
                (seen,) = alerts.unanswered(c, now=now, limit=10)
                then(c, seen, at=now)
                called.append(alerts.call(c, seen, at=now))
        assert (called, raised_again(clinic)) == ([False, False], [("03-03 03:10", "red_flag, 1")])


def test_what_is_verified_later_still_tells_of_the_stay() -> None:
    """Once it is known that she did not answer, the alert says no more that it is not verified; and still that the plan stays."""
    with Stage.on_paper(patient(RUNNING)) as clinic:
        clinic.hears("03-02 07:00", webhook=False, lists=False)
        clinic.run_until("03-03 07:00")
        (deaf,) = [alert["words"] for alert in clinic.rows("alert") if alert["kind"] == "misses"]
        clinic.hears(webhook=True, lists=True)
        clinic.run_until("03-03 07:30")
        (heard,) = [alert for alert in clinic.rows("alert") if alert["kind"] == "misses"]
        assert (deaf, heard["words"], heard["stays"]) == (f"{STAYS} Not verified: replies may be lost.", STAYS, True)


def test_a_restart_counts_anew() -> None:
    """Misses from before a restart count no more: three new ones alert again."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.answers("03-02 12:30", "03-02 18:30", "03-03 06:30", "03-03 12:30", "03-03 18:30", "03-04 06:30", text="skipped it")
        clinic.acts("restart", "03-05 07:00", phase=1)
        quiet = clinic.open_alerts()
        clinic.run_until("03-06 07:00")
        raised = [time for time, kind, to in clinic.alerts() if kind == "misses" and to == "provider"]
        assert (quiet, raised) == (set(), ["03-03 06:00", "03-06 06:00"])
