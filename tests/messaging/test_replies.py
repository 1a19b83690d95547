"""What replies mean: the table of phrasings, and what holds for every text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminders.messaging.intents import (
    Digit,
    Intent,
    LateQuestion,
    NotTaken,
    OptIn,
    OptOut,
    Reading,
    RedFlag,
    RedFlagKind,
    SelfHarm,
    SomeTaken,
    StoppedTaking,
    Taken,
    TookDouble,
    Unclear,
    Yes,
)
from reminders.messaging.replies import parse
from reminders.messaging.reply_alarms import corrected, find_alarms
from reminders.messaging.reply_text import LONGEST_REPLY, is_reaction, plain_words
from tests.messaging.phrasings import ENGLISH, SPANISH

TABLE = [
    pytest.param(language, phrasing, intents, id=f"{language}: {phrasing}")
    for language, phrasings in (("en", ENGLISH), ("es", SPANISH))
    for intents, said in phrasings
    for phrasing in said
]

CARRIER_STOPS = ("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "CANCEL", "opt out", "REMOVE", "ARRET", "TD")
WORDS = (
    *(
        "stop",
        "taken",
        "not",
        "no",
        "yes",
        "1",
        "2",
        "3",
        "took",
        "missed",
        "my",
        "8am",
        "at",
        "8:15",
        "a",
        "b",
        "double",
        "half",
        "seizure",
        ".",
    ),
    *(
        "?",
        ",",
        "and",
        "taking",
        "it",
        "the",
        "texts",
        "want",
        "to",
        "help",
        "out",
        "of",
        "medicine",
        "a2",
        "s4",
        "118/76",
        "si",
        "ya",
        "tome",
    ),
    *(
        "la",
        "de",
        "las",
        "hace",
        "ago",
        "half",
        "past",
        "mon",
        "morning",
        "all",
        "none",
        "12",
        "noon",
        "0",
        "quarter",
        "un",
        "rato",
        "oclock",
    ),
)
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


# --- the table --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "phrasing", "intents"), TABLE)
def test_a_phrasing_means_exactly_this(language: str, phrasing: str, intents: tuple[Intent, ...]) -> None:
    """Each phrasing has its intents, in reading order, and no others."""
    assert parse(phrasing, language=language).intents == intents


def test_the_table_is_large_enough() -> None:
    """Fewer phrasings would prove too little."""
    assert (len(TABLE) >= 600, sum(param.values[0] == "es" for param in TABLE) >= 120) == (True, True)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [("ya", "en", Yes()), ("ya", "es", Taken()), ("y", "es", Unclear()), ("y", "en", Yes()), ("s", "es", Yes())],
)
def test_the_language_settles_the_few_words_that_differ(text: str, language: str, expected: Intent) -> None:
    """The word "ya" is a yes in English and "already" in Spanish; both vocabularies are read otherwise alike."""
    assert parse(text, language=language).intents == (expected,)


# --- danger signs -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("no fever, fits or confusion", [("fever", True), ("seizure", True), ("confused", True)]),
        ("no fever, confused", [("fever", True), ("confused", False)]),
        ("no fever but confused", [("fever", True), ("confused", False)]),
        ("couldn't stop the seizure", [("seizure", False)]),
        ("no trouble breathing, high fever", [("breathing", True), ("fever", False)]),
        ("sin fiebre ni convulsiones", [("fever", True), ("seizure", True)]),
    ],
)
def test_a_negation_reaches_only_what_it_negates(text: str, kinds: list[tuple[str, bool]]) -> None:
    """It is carried on by "or" and "nor", by a comma only in a list that ends in one of them, and never over other words."""
    alarms, _ = find_alarms(corrected(plain_words(text)))

    assert sorted((str(alarm.kind), alarm.negated) for alarm in alarms if isinstance(alarm, RedFlag)) == sorted(kinds)


@pytest.mark.parametrize("word", ["seizure", "fever", "confused", "breathing", "overdose", "unconscious", "convulsiones", "desmayo"])
def test_a_misspelt_danger_sign_is_still_one(word: str) -> None:
    """Any two letters in the wrong order, any one left out or doubled behind the first two, is read as what was meant."""
    slips = {
        *(word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(2, len(word) - 1)),
        *(word[:at] + word[at + 1 :] for at in range(2, len(word))),
        *(word[:at] + word[at] + word[at:] for at in range(2, len(word))),
    }

    assert [slip for slip in slips if not any(isinstance(intent, RedFlag) for intent in parse(f"had {slip} today").intents)] == []


@pytest.mark.parametrize("word", ["fewer", "never", "confusing", "bathing", "conclusion", "breakfast", "benefit", "color", "shoes", "pain"])
def test_an_everyday_word_is_no_danger_sign(word: str) -> None:
    """Words that lie close to a danger sign raise no alarm."""
    assert not any(isinstance(intent, RedFlag) for intent in parse(f"had {word} today").intents)


@pytest.mark.parametrize("text", ["3 fits", "2 bad fits", "fits 3 times", "had 3 seizures", "seizure x2"])
def test_a_count_of_danger_signs_is_no_digit(text: str) -> None:
    """Three fits are never the reply 3."""
    assert not any(isinstance(intent, Digit) for intent in parse(text).intents)


@pytest.mark.parametrize("text", ["STOP had a seizure", "seizure. stop", "no fits, stop texting me"])
def test_a_danger_sign_and_a_stop_both_take_effect(text: str) -> None:
    """Neither silences the other, and the danger sign comes first."""
    assert [type(intent) for intent in parse(text).intents] == [RedFlag, OptOut]


# --- stopping ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", CARRIER_STOPS)
@pytest.mark.parametrize("shape", ["{}", " {}. ", "{}!", "please {}", "{} please", "'{}'", "\n{}\n"])
def test_every_stop_word_is_an_opt_out_in_any_polite_shape(word: str, shape: str) -> None:
    """A carrier matches the bare word; the law wants any reasonable wording, in any case."""
    assert [parse(shape.format(each)).intents for each in (word.lower(), word.upper(), word.title())] == [(OptOut(),)] * 3


@pytest.mark.parametrize("word", ["START", "UNSTOP", "start", "Unstop."])
def test_every_start_word_is_an_opt_in(word: str) -> None:
    """What the carrier reads as an opt-in, we read so too."""
    assert parse(word).intents == (OptIn(),)


@given(SENTENCES)
def test_a_sentence_about_stopping_the_medicine_is_never_an_opt_out(around: str) -> None:
    """The words "stopped taking" next to whatever is a clinical event; only another word can opt out beside it."""
    intents = parse(f"i stopped taking my medicine . {around}").intents

    assert StoppedTaking() in intents
    assert OptOut() not in intents or "stop" in around or "texts" in around


@given(SENTENCES)
@example("12 seizure seizure")
def test_stop_on_its_own_always_wins(around: str) -> None:
    """However much stands beside it, a STOP that is a sentence of its own ends the texts."""
    assert OptOut() in parse(f"{around} . STOP").intents


# --- what holds for every text ----------------------------------------------------------------------------------------------------


@given(st.one_of(st.text(), SENTENCES), st.sampled_from(["en", "es"]))
def test_any_text_can_be_read(text: str, language: str) -> None:
    """Parsing never raises, gives at least one meaning and each only once, and "unclear" only alone."""
    reading = parse(text, language=language)

    assert reading.intents
    assert len(set(reading.intents)) == len(reading.intents)
    assert Unclear() not in reading.intents or reading.intents == (Unclear(),)


@given(SENTENCES)
def test_reading_is_deterministic(text: str) -> None:
    """The same text means the same again; case does not matter."""
    assert parse(text) == parse(text) == parse(text.upper())


@given(SENTENCES)
def test_one_dose_is_never_both_taken_and_not(text: str) -> None:
    """A text that contradicts itself about an unnamed dose means nothing rather than one of the two."""
    intents = parse(text).intents
    unnamed = {type(intent) for intent in intents if intent in (Taken(), NotTaken())}

    assert len(unnamed) <= 1


@given(SENTENCES)
def test_nobody_is_told_they_took_a_dose_that_they_only_ask_about(text: str) -> None:
    """A question is never read as a statement: a text of one sentence that ends in a question mark takes no dose."""
    intents = parse(f"can i take it {text.replace('.', '').replace('?', '').replace(',', '')} ?").intents

    assert not any(isinstance(intent, Taken | NotTaken | Digit) for intent in intents)


def test_a_very_long_text_is_cut() -> None:
    """No carrier passes on more than it sends; the rest is not read."""
    assert parse("zz " * LONGEST_REPLY + ". stop").intents == (Unclear(),)


# --- what is left for a person ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("took it, love you guys", Reading((Taken(),), "love you guys")),
        ("took it. had a fit", Reading((RedFlag(RedFlagKind.SEIZURE), Taken()))),
        ("took it and put it back", Reading((Unclear(),), "took it and put it back")),
        ("took it, not really", Reading((Unclear(),), "took it , not really")),
        ("took it, last week", Reading((Unclear(),), "took it , last week")),
        ("taken. not sure really", Reading((Unclear(),), "taken . not sure really")),
        ("took it, i dont know if i took it", Reading((parse("idk if i took it").intents[0],), "took it , i ~")),
        ("took it. skipped it", Reading((Unclear(),), "took it . skipped it")),
        ("purple monkey dishwasher", Reading((Unclear(),), "purple monkey dishwasher")),
        ("ok", Reading((Unclear(),))),
        ("", Reading((Unclear(),))),
    ],
)
def test_words_that_nobody_understood_are_kept_for_a_person(text: str, expected: Reading) -> None:
    """What is unread is shown to staff; where it raises a doubt, what was read of a dose does not count."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Liked “Northside: your Wed 8:00 am dose is due. STOP to end texts.”",
        "Loved 'Reply 1 when taken'",
        'Reacted 😂 to "Reply 1 when taken"',
        "👍 to “Reply 1 when taken, STOP to end texts”",
        "Le gustó «Responda 1 tomada»",
        "Removed a heart from “Reply 1 when taken”",
    ],
)
def test_a_tap_on_our_text_quotes_us_and_says_nothing(text: str) -> None:
    """A phone writes a tap as a text that quotes ours; the STOP and the 1 in it are our own words."""
    assert (is_reaction(text), parse(text).intents) == (True, (Unclear(),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tomé la dosis, ¿ok?", "tome la dosis , ok ?"),
        ("Tomó", "tomado"),
        ("I'll, ill take it", "i will , i will take it"),
        ("I’m ill", "im ill"),
        ("8.15 a.m.", "8:15 am"),
        ("2.5 mg", "2#5 mg"),
        ("1️⃣ \uff11 ①", "1 1 1"),
        ("½ & 1/2", "half and half"),
        ("yesssss!!!", "yes ."),
        ("否 👎 👍 #1", "# # 1"),
        ("118/76 and/or 8:15: ok", "118/76 and or 8:15 ok"),
    ],
)
def test_a_reply_becomes_plain_words(text: str, expected: str) -> None:
    """Case, accents and keyboards make no difference; what cannot be read stays visible as `#`."""
    assert plain_words(text) == expected


# --- times ------------------------------------------------------------------------------------------------------------------------

TIMES = {
    "8am": (8, 0, None),
    "8 a.m.": (8, 0, None),
    "8:15": (8, 15, 20),
    "08:15": (8, 15, None),
    "8.15": (8, 15, 20),
    "17:00": (17, 0, None),
    "17:00h": (17, 0, None),
    "5pm": (17, 0, None),
    "5p": (17, 0, None),
    "530pm": (17, 30, None),
    "5 30 pm": (17, 30, None),
    "1730 hrs": (17, 30, None),
    "1730": (17, 30, None),
    "8 15": (8, 15, 20),
    "8 o'clock": (8, 0, 20),
    "half past 8": (8, 30, 20),
    "quarter to 9": (8, 45, 20),
    "quarter past 12": (12, 15, 0),
    "quarter to 1 am": (0, 45, None),
    "noon": (12, 0, None),
    "12 noon": (12, 0, None),
    "midnight": (0, 0, None),
    "12": (12, 0, 0),
    "12 am": (0, 0, None),
    "12:30 pm": (12, 30, None),
    "0:30": (0, 30, None),
    "8 in the morning": (8, 0, None),
    "8 this evening": (20, 0, None),
    "11 at night": (23, 0, None),
    "2 at night": (2, 0, None),
    "eight": (8, 0, 20),
}


@pytest.mark.parametrize("words", TIMES)
def test_a_time_is_read_in_any_usual_writing(words: str) -> None:
    """Without am or pm a time means two moments, and both are given."""
    hour, minute, or_hour = TIMES[words]

    (taken,) = parse(f"took it at {words}").intents

    assert isinstance(taken, Taken)
    assert taken.at is not None
    assert (taken.at.hour, taken.at.minute, taken.or_at and taken.or_at.hour) == (hour, minute, or_hour)


@pytest.mark.parametrize(
    ("words", "hour", "minute", "or_hour"),
    [
        ("a las 5", 5, 0, 17),
        ("a la una", 1, 0, 13),
        ("a las ocho y media", 8, 30, 20),
        ("a las 8 y cuarto de la noche", 20, 15, None),
        ("a las 9 menos cuarto", 8, 45, 20),
        ("a las 2 de la tarde", 14, 0, None),
        ("a las 12 del dia", 12, 0, None),
        ("a eso de las 7 de la mañana", 7, 0, None),
        ("al mediodía", 12, 0, None),
    ],
)
def test_a_spanish_time_is_read(words: str, hour: int, minute: int, or_hour: int | None) -> None:
    """Spanish says the hour with its article, and the half of the day after it."""
    (taken,) = parse(f"la tomé {words}", language="es").intents

    assert isinstance(taken, Taken)
    at = taken.at or taken.due
    either = taken.or_at or taken.or_due
    assert at is not None
    assert (at.hour, at.minute, either and either.hour) == (hour, minute, or_hour)


@pytest.mark.parametrize("words", ["25:00", "8:75", "at 99", "24 pm", "half past 8:15", "at 8ish", "my 2 pills"])
def test_what_is_no_time_is_not_read_as_one(words: str) -> None:
    """An impossible time is not rounded to a possible one: the text is left to a person."""
    assert not any(isinstance(intent, Taken | LateQuestion) for intent in parse(f"took it {words}").intents)


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("10 minutes ago", 10),
        ("an hour ago", 60),
        ("half an hour ago", 30),
        ("about 2 hrs ago", 120),
        ("hace 20 minutos", 20),
        ("hace una hora", 60),
        ("hace media hora", 30),
        ("hace un par de horas", 120),
    ],
)
def test_a_time_ago_is_read(words: str, minutes: int) -> None:
    """How long before the reply a dose was taken."""
    assert parse(f"taken {words}").intents == (Taken(ago=timedelta(minutes=minutes)),)


@pytest.mark.parametrize("words", ["a few hours ago", "a while ago", "hace un rato"])
def test_a_vague_time_ago_is_only_taken(words: str) -> None:
    """A time that is not said is not made up."""
    assert parse(f"taken {words}").intents == (Taken(),)


@pytest.mark.parametrize("words", ["several hours ago", "hace muchas horas", "some years ago"])
def test_an_unknown_count_is_not_guessed(words: str) -> None:
    """What counts nothing we know is left to a person."""
    assert parse(f"taken {words}").intents == (Unclear(),)


# --- statements together ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("took it. A", (Taken(label="A"),)),
        ("took it. A and B", (Unclear(),)),
        ("took A at 8 and B at 9", (Unclear(),)),
        ("took my mon 8am and tue 2pm", (Unclear(),)),
        ("skipped all", (NotTaken(all=True),)),
        ("skipped none", (Unclear(),)),
        ("did not take both", (Unclear(),)),
        ("late taking it", (Unclear(),)),
        ("none taken, took all", (Unclear(),)),
        ("none. took it", (Unclear(),)),
        ("none. skipped", (NotTaken(),)),
        ("some. took it", (SomeTaken(),)),
        ("yes no", (Unclear(),)),
        ("yes other", (parse("other").intents[0],)),
        ("took other", (Unclear(),)),
        ("took it at 8. took it at 9", (Unclear(),)),
        ("took A. took it", (Unclear(),)),
        ("took it. at 8pm", (parse("took it at 8pm").intents)),
        ("missed my 8am, skipped my 2pm", (NotTaken(due=parse("2pm").intents[0].at), LateQuestion(at=parse("8am").intents[0].at))),  # type: ignore[union-attr]
        ("missed my 8am, forgot my 2pm, took it", (Unclear(),)),
        ("forgot. took my 8am", (parse("took my 8am").intents)),
        ("skipped. on time", (Unclear(),)),
        ("missed it on time", (Unclear(),)),
        ("on time, all", (parse("all on time").intents)),
        ("A at 8am", parse("took A at 8am").intents),
        ("all A", (Unclear(),)),
        ("took all A and B", (Unclear(),)),
        ("took two, threw up", (TookDouble(), parse("threw up").intents[0])),
        ("now", (Unclear(),)),
        ("forgot, took it", (Taken(),)),
        ("taking it late", (Unclear(),)),
        ("overslept some", (SomeTaken(),)),
        ("i want to die, stop", (SelfHarm(), OptOut())),
    ],
)
def test_what_contradicts_itself_means_nothing(text: str, expected: tuple[Intent, ...]) -> None:
    """The statements of one text are fitted together; what does not fit is left to a person."""
    assert parse(text).intents == expected
