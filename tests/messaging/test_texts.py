"""Every text we send: its length, its fields, its purpose, and the reply words it prints."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.messaging import intents as i
from reminders.messaging.question_kinds import MENUS, Meaning, QuestionKind
from reminders.messaging.replies import parse
from reminders.messaging.segments import Encoding, gsm7_units, is_gsm7, segments
from reminders.messaging.texts import (
    CUT_FIELDS,
    FIELD_WIDTHS,
    LANGUAGES,
    TEXTS,
    Purpose,
    Template,
    UnknownText,
    WrongFields,
    date_words,
    fit_field,
    phone_words,
    purpose_of,
    render,
    template_of,
    time_words,
    to_gsm7,
    when,
)

NEW_YORK = ZoneInfo("America/New_York")
WORDINGS = [pytest.param(template, language, id=f"{key}-{language}") for key, template in TEXTS.items() for language in template.wordings]


def _longest(template: Template, language: str) -> str:
    return template.wording(language).format_map({field: "9" * FIELD_WIDTHS[field] for field in template.fields})


# --- form -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("template", "language"), WORDINGS)
def test_every_text_is_one_gsm7_segment_at_its_longest(template: Template, language: str) -> None:
    """Filled at the longest widths, every wording is GSM-7 and one segment."""
    counted = segments(_longest(template, language))

    assert (counted.encoding, counted.parts) == (Encoding.GSM_7, 1)


@pytest.mark.parametrize(("template", "language"), WORDINGS)
def test_every_wording_has_the_same_fields(template: Template, language: str) -> None:
    """A translation uses exactly the fields of the English text."""
    assert set(re.findall(r"\{(\w+)\}", template.wording(language))) == template.fields


@pytest.mark.parametrize("template", TEXTS.values(), ids=TEXTS.keys())
def test_every_text_names_the_clinic(template: Template) -> None:
    """A patient sees from whom a text is; but a number nobody enrolled learns nothing, not even that."""
    assert ("clinic" in template.fields) is (template.key != "unknown_number")


def test_every_purpose_has_a_text() -> None:
    """The public names of purposes and the texts agree."""
    assert {template.purpose for template in TEXTS.values()} == set(Purpose)


def test_spanish_lacks_no_text() -> None:
    """A text that Spanish lacks would go out in English: the list of those is empty."""
    assert [key for key, template in TEXTS.items() if "es" not in template.wordings] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_files_a_text_under_the_same_purpose(language: str) -> None:
    """A language's file has no text that English lacks, and none under another purpose."""
    content = tomllib.loads((resources.files("reminders.messaging") / "locales" / f"{language}.toml").read_text(encoding="utf-8"))

    filed = {(key, purpose) for purpose, texts in content["texts"].items() for key in texts}

    assert filed == {(key, str(template.purpose)) for key, template in TEXTS.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_prints_a_time_without_its_weekday(language: str) -> None:
    """A bare {time} stands only beside a {date}, and no wording has a clock time of its own."""
    careless = [
        key
        for key, template in TEXTS.items()
        if re.search(r"\d:\d\d", template.wording(language)) or ("time" in template.fields and "date" not in template.fields)
    ]

    assert careless == []


# --- what a text must carry -------------------------------------------------------------------------------------------------------

REQUIRED = {
    "consent_ask": ("911", "YES", "HELP", "STOP"),
    "consent_done": ("STOP", "not your medicine", "HELP"),
    "opted_in": ("STOP", "not your medicine", "HELP"),
    "reminder_discreet": ("{when}", "HELP", "STOP"),
    "reminder_not_before": ("not before {until}", "{amount}", "Do not double"),
    "reminder_guard": ("{after}", "skip this one"),
    "reminder_stay_label": ("{phone}", "label differs"),
    "reminder_ask": ("{when}", "{phone}", "before you take"),
    "late_reminder": ("{when}", "{until}"),
    "nudge": ("Never take extra",),
    "take_now": ("{until}", "after that skip", "One dose only", "{next}"),
    "take_now_last": ("{until}", "after that skip", "last one"),
    "skip": ("{when}", "{next}", "Do not double"),
    "skip_instead": ("{when}", "{next}", "Do not double"),
    "skip_last": ("{when}", "Do not double"),
    "already_taken": ("{phone}", "Do not take it again"),
    "too_soon": ("{until}", "{phone}"),
    "ask_provider": ("{phone}", "pharmacist", "before you take"),
    "took_two": ("{phone}", "1-800-222-1222", "911"),
    "half_or_vomited": ("Do not take more", "{phone}"),
    "no_dose_due": ("{when}", "{phone}", "take no more"),
    "out_of_medicine": ("dangerous", "{phone}", "today"),
    "stopped_taking": ("dangerous", "{phone}", "before you restart", "911"),
    "step": ("{date}", "{time}", "{amount}", "not before", "{phone}"),
    "step_all": ("{date}", "{amount}", "not before", "{phone}"),
    "stay_rising": ("Do not raise", "do not stop", "{phone}"),
    **dict.fromkeys(
        ("stay_doses", "stay_check_in", "stay_signs", "stay_matters", "stay_tablets"), ("Do not raise", "do not stop", "{phone}")
    ),
    "stay_tapering": ("Do not lower", "do not stop", "{phone}"),
    "suspended_gap": ("do not restart", "{phone}"),
    "stopped_straight": ("no more", "{phone}", "911"),
    "suspended_provider": ("no dose", "{phone}", "911"),
    "correction": ("do not take", "{when}", "{phone}"),
    "after_hours": ("{until}", "{phone}", "911"),
    "emergency": ("911", "fit", "seeing or hearing", "fever", "stiffness", "breathing", "awake"),
    "self_harm": ("988", "911"),
    "texts_stopped": ("not your medicine", "{phone}", "START"),
    "wants_to_stop": ("{phone}", "STOP"),
    "end_or_answer": ("{phone}", "STOP"),
    "help": ("{phone}", "911", "STOP"),
    "not_understood": ("{phone}",),
    "caregiver_invite": ("{name}", "No medicine names", "YES", "STOP", "HELP"),
    "caregiver_alert": ("{name}", "not confirmed", "911", "STOP"),
    "on_call": ("{n}", "{when}", "list of alerts", "STOP"),
    "on_call_again": ("{n}", "{when}", "Told before: {times}", "STOP"),
    "on_call_stopped": ("no more alerts", "tell the clinic", "START"),
}


@pytest.mark.parametrize("key", REQUIRED)
def test_a_text_carries_what_it_must(key: str) -> None:
    """What the missed-dose and safety rules oblige a text to say stands in its English wording."""
    assert [needed for needed in REQUIRED[key] if needed not in TEXTS[key].wording("en")] == []


def test_an_alert_to_staff_says_nothing_of_a_patient() -> None:
    """The on-call phone learns how many alerts wait, and since when: no name, no drug, no illness."""
    fields = {field for template in TEXTS.values() if template.purpose is Purpose.STAFF_ALERT for field in template.fields}

    assert fields == {"clinic", "n", "when", "times"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_emergency_text_names_no_dose(language: str) -> None:
    """One text serves withdrawal and overdose, so it tells no one to take or leave a dose."""
    assert TEXTS["emergency"].fields == {"clinic"}
    assert not re.search(r"\btake\b|\btome (?!doble)", TEXTS["emergency"].wording(language))


@pytest.mark.parametrize(("template", "language"), WORDINGS)
def test_no_text_calls_silence_a_missed_dose(template: Template, language: str) -> None:
    """The word "missed" is a reply word and one answer, never our word for a dose nobody confirmed."""
    wording = template.wording(language)

    assert re.sub(r"MISSED if you are late|2 missed some", "", wording).lower().count("missed") == 0


# --- the carriers' words ----------------------------------------------------------------------------------------------------------

RESERVED = (
    *("stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "cancel", "opt out", "opt-out", "remove", "arret", "td"),
    *("start", "unstop", "yes", "help", "info", "alto", "parar", "cancelar", "basta", "no mas"),
)
# The legal meaning of each, as the texts say it.
LEGAL = re.compile(
    r"Reply YES to agree|YES: acepta|HELP for (?:info|our number)|AYUDA: info|HELP, STOP|AYUDA, STOP|STOP(?: to end(?: texts)?| ends \w+)"
    r"|STOP termina \w+|STOP: (?:no recibir mensajes|no mensajes|fin)|reply STOP|mensajes: STOP|Reply START for texts again"
    r"|START: recibir mensajes otra vez",
)
ANSWER = re.compile(r"(?<![\w-])(\d) ((?:[^\W\d]+ ?)+?)(?=,|\.|\?|$)")
CAPITALS = re.compile(r"\b(?:[A-Z]{3,}|TD)\b")


@pytest.mark.parametrize(("template", "language"), WORDINGS)
def test_no_carriers_word_is_a_command_or_answer_of_ours(template: Template, language: str) -> None:
    """STOP, START, HELP and YES stand in a text only with their legal meaning; no menu offers a reserved word."""
    rest = LEGAL.sub("", template.wording(language))
    commands = [word.lower() for word in CAPITALS.findall(rest)]
    answers = [words.strip().lower() for _, words in ANSWER.findall(rest)]

    assert [word for word in (*commands, *answers) if word in RESERVED or word.split()[0] in RESERVED] == []


# --- the words we print -----------------------------------------------------------------------------------------------------------

MEANT: dict[Meaning, tuple[type[i.Intent], ...]] = {
    Meaning.TAKEN: (i.Taken,),
    Meaning.NOT_TAKEN: (i.NotTaken,),
    Meaning.PROBLEM: (i.Problem,),
    Meaning.ALL: (i.Taken,),
    Meaning.SOME: (i.SomeTaken,),
    Meaning.NONE: (i.NoneOfThem,),
    Meaning.ON_TIME: (i.OnTime,),
    Meaning.JUST_NOW: (i.Taken,),
    Meaning.TOOK_ONE: (i.Taken,),
    Meaning.TOOK_NONE: (i.NotTaken,),
    Meaning.FORGOT: (i.LateQuestion,),
    Meaning.UNWELL: (i.Problem,),
    Meaning.OUT_OF_MEDICINE: (i.OutOfMedicine,),
    Meaning.FELT_BETTER: (i.FeltBetter,),
    Meaning.OTHER: (i.OtherReason,),
    Meaning.NEITHER: (i.NoneOfThem,),
}
OWN_MENUS = {
    "which_dose": {3: Meaning.NEITHER},
    "reminder_two": {1: Meaning.ALL, 2: Meaning.NONE, 3: Meaning.PROBLEM},
    "reminder_two_new": {1: Meaning.ALL, 2: Meaning.NONE, 3: Meaning.PROBLEM},
    "nudge_many": {1: Meaning.ALL, 2: Meaning.NONE, 3: Meaning.PROBLEM},
    "reminder_many": {1: Meaning.ALL, 2: Meaning.SOME, 3: Meaning.PROBLEM},
}


def _printed(key: str, language: str) -> list[tuple[int, str]]:
    """The numbered answers that a wording prints; the scales of a check-in and the caregiver's one answer are no reply words."""
    if key in {"symptoms", "stiffness", "spasms", "caregiver_alert", "caregiver_alert_one"}:
        return []
    wording = TEXTS[key].wording(language).replace("1-800-222-1222", "")
    found = [(int(digit), re.sub(r"^(?:when|if|for a) ", "", words.strip())) for digit, words in ANSWER.findall(wording)]
    return [(digit, words) for digit, words in found if not words.startswith(("to ", "the ", "la de", "doses"))]


PRINTED = [
    pytest.param(key, language, digit, words, id=f"{key}-{language}-{words}")
    for key, template in TEXTS.items()
    for language in template.wordings
    for digit, words in _printed(key, language)
]


@pytest.mark.parametrize(("key", "language", "digit", "words"), PRINTED)
def test_every_reply_word_we_print_parses_back_to_its_meaning(key: str, language: str, digit: int, words: str) -> None:
    """A patient who sends the word instead of its digit, or both, is understood alike."""
    menu = OWN_MENUS.get(key) or MENUS[QuestionKind(key) if key in set(QuestionKind) else QuestionKind.DOSE]

    expected = MEANT[menu[digit]]
    word_alone, both = parse(words, language=language), parse(f"{digit} {words}", language=language)

    assert [isinstance(intent, expected) for intent in word_alone.intents] == [True]
    assert both.intents == tuple(sorted((i.Digit(digit), *word_alone.intents), key=lambda intent: not isinstance(intent, i.Digit)))


def test_enough_reply_words_are_looked_at() -> None:
    """The pattern that finds printed answers still finds them."""
    assert len(PRINTED) >= 100


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [
        ("TAKEN", "en", i.Taken()),
        ("MISSED", "en", i.LateQuestion()),
        ("S4", "en", i.Stiffness(4)),
        ("A2 C1", "en", i.Symptoms((("A", 2), ("C", 1)))),
        ("118/76", "en", i.BloodPressure(118, 76)),
        ("P2 3", "en", i.Spasms(2, 3)),
        ("W no F no", "en", i.Ticks((("F", False), ("W", False)))),
        ("H yes", "en", i.Ticks((("H", True),))),
        ("L no", "en", i.Ticks((("L", False),))),
        ("R no", "es", i.Ticks((("R", False),))),
        ("P2 3", "es", i.Spasms(2, 3)),
        ("W no F no", "es", i.Ticks((("F", False), ("W", False)))),
        ("H si", "es", i.Ticks((("H", True),))),
        ("STOP", "en", i.OptOut()),
        ("START", "en", i.OptIn()),
        ("HELP", "en", i.HelpWanted()),
        ("YES", "en", i.Yes()),
        ("TOMADA", "es", i.Taken()),
        ("OLVIDO", "es", i.LateQuestion()),
        ("AYUDA", "es", i.HelpWanted()),
        ("S4", "es", i.Stiffness(4)),
        ("A2 C1", "es", i.Symptoms((("A", 2), ("C", 1)))),
        ("STOP", "es", i.OptOut()),
        ("START", "es", i.OptIn()),
        ("YES", "es", i.Yes()),
    ],
)
def test_every_command_we_print_is_understood(word: str, language: str, expected: i.Intent) -> None:
    """The words printed in capitals, and the tokens of check-ins, mean what their text says."""
    assert parse(word, language=language).intents == (expected,)


# --- filling in -------------------------------------------------------------------------------------------------------------------


def test_render_fills_in_a_text() -> None:
    """The patient's language, every field fitted."""
    text = render("refill_noted", "es", clinic="Clínica Río", phone="+12025550101")

    assert text == "Clinica Rio: gracias, medicina nueva anotada. Preguntas: 202 555 0101."


def test_render_falls_back_to_english() -> None:
    """A language without wordings of its own gets the English text rather than none."""
    assert render("refill_noted", "fr", clinic="A", phone="x") == render("refill_noted", "en", clinic="A", phone="x")


@pytest.mark.parametrize("fields", [{"clinic": "A"}, {"clinic": "A", "phone": "x", "when": "y"}, {}])
def test_render_refuses_missing_and_surplus_fields(fields: dict[str, str]) -> None:
    """A text with a hole, or a value that nobody reads, is an error of ours."""
    with pytest.raises(WrongFields):
        render("refill_noted", "en", **fields)


def test_there_is_no_text_of_another_name() -> None:
    """An unknown key is named in the error."""
    with pytest.raises(UnknownText, match="no_such_text"):
        template_of("no_such_text")


def test_a_text_knows_its_purpose() -> None:
    """Whoever sends a text asks the catalogue what it is for."""
    assert purpose_of("nudge") is Purpose.FOLLOW_UP


def test_there_is_no_field_of_another_name() -> None:
    """A width is known for every field, so another name is an error of ours."""
    with pytest.raises(WrongFields, match="colour"):
        fit_field("colour", "blue")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("clinic", "Northside Family Practice", "Northside Fami"),
        ("name", "  María\n José ", "Maria José"),
        ("label", "B, white [big] cap", "B, white [big"),
        ("amount", "1 of 10 mg and 1 of 5 mg and 1 of 2.5 mg", "1 of 10 mg and 1 of 5 mg and 1 of 2.5 mg"),
        ("amount", "1½ tablets of 10 mg", "1 1/2 tablets of 10 mg"),
        ("phone", "+12025550101", "202 555 0101"),
        ("drug", "baclofen\u00a0ER", "baclofen"),
    ],
)
def test_a_value_is_made_to_fit(name: str, value: str, expected: str) -> None:
    """Names are cut to their width, counted in septets; an amount never is, and no value breaks the line."""
    assert fit_field(name, value) == expected


@given(st.text(), st.sampled_from(sorted(FIELD_WIDTHS)))
def test_any_value_fits(value: str, name: str) -> None:
    """Whatever a clinic types, a field is GSM-7, one line, and a name keeps its width."""
    fitted = fit_field(name, value)

    assert is_gsm7(fitted)
    assert "\n" not in fitted
    assert name not in CUT_FIELDS or gsm7_units(fitted) <= FIELD_WIDTHS[name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("áíóú ÁÍÓÚ", "aiou AIOU"),
        ("“it’s” – …", '"it\'s" - ...'),
        ("Łódź", "Lodz"),
        ("Œuvre", "OEuvre"),
        ("李 👍", "? ?"),
        ("ñ é ü ¿", "ñ é ü ¿"),
    ],
)
def test_letters_outside_gsm7_take_their_plain_form(text: str, expected: str) -> None:
    """One letter outside GSM-7 would more than double the price of a text."""
    assert to_gsm7(text) == expected


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("+12025550101", "202 555 0101"),
        ("(202) 555-0101", "202 555 0101"),
        ("12025550101", "202 555 0101"),
        ("+3225550101", "+3225550101"),
        ("911", "911"),
    ],
)
def test_a_phone_is_written_as_it_is_read_out(phone: str, expected: str) -> None:
    """A North American number loses its country code; any other stays as it is."""
    assert phone_words(phone) == expected


# --- words for times --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant", "language", "expected"),
    [
        (datetime(2026, 11, 26, 3, 30, 59, tzinfo=UTC), "en", "Wed 10:30 pm"),
        (datetime(2026, 11, 26, 3, 30, 59, tzinfo=UTC), "es", "mie 10:30 pm"),
        (datetime(2026, 11, 25, 17, 0, tzinfo=UTC), "en", "Wed 12:00 pm"),
        (datetime(2026, 11, 25, 5, 5, tzinfo=UTC), "fr", "Wed 12:05 am"),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "en", "Sun 1:30 am"),
    ],
)
def test_an_instant_is_said_with_its_weekday(instant: datetime, language: str, expected: str) -> None:
    """The local time in the patient's zone, rounded down to the minute, never without its weekday."""
    assert when(instant, NEW_YORK, language) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_time_and_date_keeps_its_width(language: str) -> None:
    """No weekday, month or hour outgrows its field in any language."""
    instants = [datetime(2026, month, day, hour, 59, tzinfo=UTC) for month in range(1, 13) for day in range(20, 27) for hour in range(24)]

    assert max(len(when(instant, NEW_YORK, language)) for instant in instants) == FIELD_WIDTHS["when"]
    assert max(len(date_words(instant.date(), language)) for instant in instants) == FIELD_WIDTHS["date"]
    assert max(len(time_words(instant.time(), language)) for instant in instants) == FIELD_WIDTHS["time"]


@pytest.mark.parametrize(("language", "expected"), [("en", "Wed 25 Nov"), ("es", "mie 25 nov")])
def test_a_date_is_said_with_its_weekday(language: str, expected: str) -> None:
    """Weekday, day, month."""
    assert date_words(date(2026, 11, 25), language) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_time_we_say_is_read_back(language: str) -> None:
    """A patient who answers with the time as our text says it names exactly that time."""
    named = parse(when(datetime(2026, 11, 26, 3, 30, tzinfo=UTC), NEW_YORK, language), language=language)

    assert named.intents == (i.Named(at=time(22, 30), day=i.DayWord.WEDNESDAY),)
