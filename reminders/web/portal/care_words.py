"""The words of a caregiver's page, in the languages of the patient's texts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reminders.domain.dose_state import DoseState

Words = Mapping[str, str]

_ENGLISH = {
    "title": "{name}'s doses",
    "for": "For {reader}, from {clinic}. This page opens until {until}.",
    "told": "What you were told",
    "told_one": "{name} had not confirmed some doses. Please check on them.",
    "told_at": "Told",
    "take_on": "I will check on {name}",
    "taken_on": "You said that you will check.",
    "over": "This is over: a dose was confirmed, or the clinic closed it.",
    "nothing_told": "You were told of nothing in the last two weeks.",
    "today": "Today",
    "no_doses": "No doses today.",
    "near": "The next dose is near",
    "gave_early": "I gave it already",
    "gave_now": "I gave it just now",
    "earlier": "It was given earlier",
    "given_all_the_same": "It was given all the same",
    "when_due": "When it was due",
    "at": "At what time",
    "at_this": "At this time",
    "what_now": "Not given yet: what now?",
    "dose": "dose",
    "days": "The last 14 days",
    "day": "Day",
    "doses": "Doses",
    "none": "no dose",
    "noted": "Noted: the {when} dose is down as given.",
    "answer": "What the plan's rule says",
    "wrong_time": "That cannot be: the time is still to come, or lies long before the dose.",
    "refused": "That cannot be noted here any more. Look at the page as it is now, or call the clinic.",
    "not_granted": "{name} has not agreed that doses are shown here. Ask {name}, or the clinic.",
    "call": "Questions: call {clinic}",
    "emergency": "Emergency: 911.",
    "again": "For a new link, text LINK to the number that texts you.",
    "gone": "This link is good no more",
    "gone_why": "It is good for a week, and until a newer one is made or the texts to you end. "
    "Text LINK to the number that texts you, or ask the clinic.",
    "gave_dose": "I gave the {when} dose just now",
    "ask_dose": "The {when} dose was not given yet: what now?",
    "back": "Back to the page",
}

_SPANISH = {
    "title": "Las dosis de {name}",
    "for": "Para {reader}, de {clinic}. Esta página se abre hasta el {until}.",
    "told": "Lo que le avisamos",
    "told_one": "{name} no había confirmado algunas dosis. Por favor, vea si todo va bien.",
    "told_at": "Aviso",
    "take_on": "Voy a ver a {name}",
    "taken_on": "Usted dijo que va a ver.",
    "over": "Ya pasó: se confirmó una dosis, o la clínica cerró el aviso.",
    "nothing_told": "No le avisamos de nada en las últimas dos semanas.",
    "today": "Hoy",
    "no_doses": "Hoy no hay dosis.",
    "near": "La siguiente dosis está cerca",
    "gave_early": "Ya se la di",
    "gave_now": "Se la di ahora mismo",
    "earlier": "Se la di antes",
    "given_all_the_same": "Se le dio de todos modos",
    "when_due": "A su hora",
    "at": "A qué hora",
    "at_this": "A esta hora",
    "what_now": "Aún no se la di: ¿qué hago?",
    "dose": "dosis",
    "days": "Los últimos 14 días",
    "day": "Día",
    "doses": "Dosis",
    "none": "sin dosis",
    "noted": "Anotado: la dosis de {when} consta como dada.",
    "answer": "Lo que dice la regla del plan",
    "wrong_time": "No puede ser: la hora aún no llega, o es de mucho antes de la dosis.",
    "refused": "Eso ya no se puede anotar aquí. Mire la página como está ahora, o llame a la clínica.",
    "not_granted": "{name} no ha aceptado que aquí se vean sus dosis. Pregunte a {name} o a la clínica.",
    "call": "Preguntas: llame a {clinic}",
    "emergency": "Emergencia: 911.",
    "again": "Para un enlace nuevo, escriba ENLACE al número que le manda mensajes.",
    "gone": "Este enlace ya no sirve",
    "gone_why": "Sirve una semana, y hasta que haya uno nuevo o terminen los mensajes. "
    "Escriba ENLACE al número que le manda mensajes, o pregunte a la clínica.",
    "gave_dose": "Di la dosis de {when} ahora mismo",
    "ask_dose": "La dosis de {when} aún no se dio: ¿qué hago?",
    "back": "Volver a la página",
}

WORDS: Mapping[str, Words] = MappingProxyType({"en": MappingProxyType(_ENGLISH), "es": MappingProxyType(_SPANISH)})

_STATES_ENGLISH = {
    DoseState.TAKEN: ("T", "taken", "taken"),
    DoseState.OPEN: ("o", "open", "no answer yet"),
    DoseState.PENDING: ("o", "open", "no answer yet"),
    DoseState.SKIPPED: ("S", "skipped", "left out"),
    DoseState.MISSED: ("M", "missed", "not taken, as was told"),
    DoseState.UNCONFIRMED: ("U", "unconfirmed", "nobody answered"),
    DoseState.NOT_REMINDED: ("N", "not-reminded", "no reminder arrived"),
    DoseState.NOT_DUE: ("Z", "not-due", "not due"),
    None: ("·", "coming", "still to come"),
}
_STATES_SPANISH = {
    DoseState.TAKEN: "tomada",
    DoseState.OPEN: "aún sin respuesta",
    DoseState.PENDING: "aún sin respuesta",
    DoseState.SKIPPED: "omitida",
    DoseState.MISSED: "no tomada, según se dijo",
    DoseState.UNCONFIRMED: "nadie respondió",
    DoseState.NOT_REMINDED: "no llegó el mensaje",
    DoseState.NOT_DUE: "no tocaba",
    None: "por venir",
}

Looks = Mapping[DoseState | None, tuple[str, str, str]]

LOOKS: Mapping[str, Looks] = MappingProxyType(
    {
        "en": MappingProxyType(_STATES_ENGLISH),
        "es": MappingProxyType({state: (*_STATES_ENGLISH[state][:2], words) for state, words in _STATES_SPANISH.items()}),
    }
)
"""How a dose is shown: its letter, how it is drawn, its words. No colour stands without its letter."""


def words_in(language: str) -> Words:
    """The words of a language, or English."""
    return WORDS.get(language, WORDS["en"])


def looks_in(language: str) -> Looks:
    """The looks in a language, or in English."""
    return LOOKS.get(language, LOOKS["en"])
