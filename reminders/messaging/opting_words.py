"""The words that end texts and take them up again: the carrier's, exact; and the law's, any reasonable wording, English and Spanish.

A carrier matches the whole body and nothing else; the law (47 CFR 64.1200(a)(10), DESIGN 4.6) wants more. So ours are wider, and
what only sounds like one (a complaint that no text came, the medicine that was stopped) is kept apart before they are looked for.
Every pattern meets plain words (`plain_words`). How they combine is decided in `replies.py`.
"""

from __future__ import annotations

import hashlib
import re
from itertools import product

from reminders.messaging.reply_text import words
from reminders.messaging.reply_words import DONT, MED, TEXTS

# --- the carrier's own words ------------------------------------------------------------------------------------------------------

CARRIERS_OUT = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
"""Bodies, whole and in any case, on which Twilio itself ends texts to a number and tells it so."""

CARRIERS_IN = frozenset({"START", "YES", "UNSTOP"})
"""Bodies on which it takes them up again. YES is one only where STOP stands; else it is an answer to us."""

_OWN_NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")  # ITU-T E.164: a long code, or a toll-free number
_TOLL_FREE = re.compile(r"\+18(?:00|33|44|55|66|77|88)[0-9]{7}")


def carrier_ended(body: str, to_phone: str) -> bool:
    """Say whether the carrier itself has ended texts on this body and told its sender, so that we must not tell them again.

    `to_phone` is the number it was sent to. A short code has no such handling, nor has the sandbox, whose number is empty.
    """
    return _OWN_NUMBER.fullmatch(to_phone) is not None and _whole(body) in CARRIERS_OUT


def carrier_resumed(body: str, to_phone: str) -> bool:
    """Say whether the carrier itself has taken texts up again on this body. The network of toll-free numbers knows no YES."""
    word, own = _whole(body), _OWN_NUMBER.fullmatch(to_phone) is not None
    return own and word in CARRIERS_IN and not (word == "YES" and _TOLL_FREE.fullmatch(to_phone))


def _whole(body: str) -> str:
    return body.strip().upper()


# --- the law's: whole texts and clauses -------------------------------------------------------------------------------------------


def _phrases(listed: str) -> frozenset[str]:
    return frozenset(listed.split("|"))


def _said(befores: str, stops: str, afters: str) -> frozenset[str]:
    """Every stop with what people put before and after it. Politeness and "you" have been left out already."""
    return frozenset(" ".join(filter(None, parts)) for parts in product(*(part.split("|") for part in (befores, stops, afters))))


CLAUSE_OPT_OUT = (
    _said(
        "|just|can|could|would|i said|i already said|already said|i told to|told to|reply|text|txt|send|spam|for gods sake",
        "stop|stop it|stop this|stop that|stop these|stop those|stop them|stop all|stop everything|stop both|stopall",
        "|now|right now|right away|at once|immediately|today|already|#|for gods sake",
    )
    | _said("", "alto|basta|pare|paren|parale|parenle|parar|para|detente|detenganse", "|todo|todos|esto|eso")
    | _phrases("unsubscribe|stpo|sotp|sstop|# stop|stop to end|make it stop|not interested stop")
) - _phrases("para|para todo|para todos|para esto|para eso|i told to stop it|told to stop it")
"""A clause of a text that means the texts, whatever stands beside it."""

WHOLE_OPT_OUT = CLAUSE_OPT_OUT | _phrases(
    "end|quit|revoke|optout|opt out|cancel|remove|arret|td|stopp|sto p|s top|s t o p|stop stop|stop stop stop|stop all of it|unsub"
    "|unsuscribe|halt|cease|cease and desist|cancel all|end all|enough|go away|no more|no contact|turn off|turn it off|turn this off"
    "|deactivate|turn these off|turn them off|shut it off|no reminders|no reminder|no texts|no text|no txts|no txt|no messages|no msgs"
    "|no sms"
    "|cancelar|cancele|cancela|cancelen|quiero cancelar|anular|anule|no mas|ya no mas|terminar|terminen"
    "|finalizar|fin|salir|salirme|renunciar|revocar|desactivar|baja|detener|detenga|detengan|para|quitar|eliminar|suficiente"
    "|no mensajes|sin mensajes|no molestar",
)
"""A whole text, but for politeness, that means the texts."""

WHOLE_OPT_IN = _phrases("start|unstop|subscribe|comenzar|iniciar")

# --- what only sounds like it -----------------------------------------------------------------------------------------------------

_WRITE = r"(?:text|txt|message|msg|contact|remind|write|bother|sms|send)"

NO_NEED = words(
    r"(?:dont|do not|didnt|did not) (?:really )?need (?:a|the|this|that|your|any|another) (?:reminder|text|message|alert)(?: today)?"
)
"""Talk beside a dose: "I don't need the reminder, I took it"."""

NOT_OPT_OUT = words(
    r"(?:why|where|there|theres|get|gets|got|getting|gotten|receive|received|receiving|have|had|see|saw|seen)(?: [a-z]+)??"
    rf" no (?:more )?{TEXTS}",
    rf"no (?:more )?{TEXTS} (?:yet|so far|since|came|come|coming|arrived|from)",
    rf"no {TEXTS} (?:today|yesterday|tonight|last|this|at all|for (?:[a-z0-9]+ )?(?:days?|weeks?|hours?))",
    rf"(?:did|have|has|had)(?: [a-z]+)? (?:stop|stopped|quit|ended?|cancell?ed)(?: [a-z]+){{0,3}}? {TEXTS}(?: me)?",
    rf"(?:{DONT})(?: [a-z]+)? (?:want|wish|like)(?: (?:you|it|my|the|these|your|those|any|all|of))* {TEXTS} to (?:stop|end|quit|cease)",
    rf"not (?:getting |sending )?enough(?: (?:of|your|the|these))* {TEXTS}",
    rf"(?:the )?(?:end|beginning|start) of (?:the|your|this|that|my|each|every)(?: [a-z]+)? {TEXTS}",
    rf"(?<!told )(?<!asked )(?<!tell )(?<!said )(?:you|u|they|he|she)(?: guys| all)?"
    rf" (?:dont|do not|never|no longer)(?: even| ever)? {_WRITE}"
    rf"(?: (?:me|us|anymore|again|here|{TEXTS}))*",
    rf"why (?:dont|do not|didnt|havent|wont) (?:you|u|they)(?: even| ever)? {_WRITE}(?: (?:me|us|anymore|again|here|{TEXTS}))*",
    r"(?:quit|stop|stopped|stopping|quitting) (?:smoking|drinking|vaping)(?: [a-z]+)?",
    r"(?:stop|stopping|stopped) by",
    r"(?:ya )?no (?:me|nos) (?:mand|envi)(?:a|an|aron|aste|o)(?: (?:el|los|mas|sus|ningun))*"
    r"(?: (?:mensajes?|textos?|avisos?|recordatorios?))?",
)
"""A complaint that no text came, a question why, a wish that they go on: for a person to read."""

# --- the law's: phrases anywhere ---------------------------------------------------------------------------------------------------

_ENOUGH = (
    r"(?:stop+|stoping|stopping|quit|end|cancel|cease|halt|discontinue|turn off|shut off|no more|enough"
    r"|alto|basta)"
)
_MENSAJES = r"(?:mensajes?|mensages?|textos?|sms|recordatorios?|avisos?|notificaciones|alertas|suscripcion|servicio|programa)"
_LIST = r"(?: (?:of |from )?(?:this|your|the|ur) (?:list|texts?|messages?|system|service|program|programme|database|reminders))"
_NO_ME = r"(?:mande[ns]?|mandar|envie[ns]?|enviar|escriba[ns]?|escribir|moleste[ns]?|molestar|contacte[ns]?|contactar|textee[ns]?|textear)"
_TO_ME = r"(?:mandar|enviar|escribir|molestar|contactar|textear|recordar|llegar)(?:me|nos)?"

OPT_OUT = words(
    rf"{_ENOUGH}(?: (?!med|pill|tak|baclof|dos)[a-z]+){{0,4}}? {TEXTS}(?: (?:me|us|my|this number|here|now))*",
    rf"(?:stop|end|cancel) {MED} {TEXTS}",
    rf"(?:dont|do not|never|quit|stop|please dont)(?: you)?(?: ever| dare)? {_WRITE}(?: to)?"
    r" ?(?:me|us|this|anymore|again|here)?(?: again| anymore)?"
    rf"(?: (?:any|more|another|these|those|your|such))*(?: {TEXTS})?(?: (?:any ?more|again|ever|here))*",
    r"(?:dont|do not|never|stop) (?:call|calling|phone|phoning)(?: me)? (?:or|and) (?:text|texting|txt|message|messaging)(?: me| us)?",
    rf"(?:dont|do not|no longer) (?:want|need|like|wish)(?: [a-z]+){{0,4}}? {TEXTS}(?: (?:any ?more|please))*",
    rf"(?:want|like|need|wish)(?: [a-z]+){{0,2}}? {TEXTS} (?:to )?(?:stop|end|cease)(?:ped)?(?! [a-z]+ing)",
    r"(?:opt|opts|opted|opting)(?: (?:me|us|everyone|(?:this|my) (?:number|phone|cell)))? ?out",
    r"un ?su[bs][a-z]*(?: me)?",
    r"(?:un|dis) ?enroll?(?: me| us)?|sign me (?:off|out)|(?:withdraw|deactivate)(?: me| us| my (?:number|phone|account))",
    r"cancel my (?:enroll?ment|subscription|participation|account)",
    rf"(?:take|get) (?:me|us|my number|this number) off(?: of)?(?:{_LIST}|(?: (?:this|here))?)",
    rf"(?:remove|delete|lose|erase|drop) (?:me|us|my (?:number|name|phone|cell)|this number){_LIST}?",
    r"leave (?:me|us) alone",
    r"(?:revoke|withdraw|take back|cancel) (?:my |the |all )?(?:consent|permission|authorization)",
    rf"no (?:me|nos) (?:vuelvan? a )?(?:{_NO_ME}|recuerden?)(?: (?:ya|nada|mas|nunca|estos|sus))*(?: {_MENSAJES})?(?: mas)?",
    rf"no (?:manden|envien|escriban|molesten|contacten|texteen|{_TO_ME})(?: (?:ya|nada|mas|nunca|estos|sus))*(?: {_MENSAJES})?(?: mas)?",
    rf"no {_NO_ME}(?: (?:mas|nada mas|estos|sus))*(?: {_MENSAJES}| mas)",
    rf"no vuelvan? a {_TO_ME}(?: mas)?(?: {_MENSAJES})?",
    rf"(?:deje|dejen|deja|dejar|pare|paren|para) de {_TO_ME}(?: (?:mas|sus|estos))*(?: {_MENSAJES})?",
    rf"(?:dejar|parar) de recibir(?: (?:los|mas|estos|sus))* {_MENSAJES}",
    rf"no (?:quiero|deseo|necesito)(?: (?:mas|recibir|sus|estos|los|que me))* (?:mande[a-z]*|escriba[a-z]*|{_MENSAJES})(?: mas)?",
    rf"no autorizo(?: (?:mas|que me|sus))* (?:manden?|escriban?|envien?|contacten?|{_MENSAJES})",
    rf"(?:no mas|basta de|alto a|parar?|paren?|cancel(?:ar|a|e|en|o)|anul(?:ar|e|en)|detener|detengan?|termin(?:ar|e|en)"
    rf"|desactiv(?:ar|e|en)|apag(?:ar|ue|uen)|quit(?:ar|e|en))(?: (?:los|la|el|estos|sus|con|mis|mi))* {_MENSAJES}",
    r"(?:revoco|retiro|cancelo|revocar|retirar) (?:mi|el) (?:consentimiento|permiso|autorizacion)",
    r"(?:dar|darme|darse|denme|deme|dame|doy|quiero|me doy)(?: de)? baja(?! (?:la|las|mi|mis|a la|una|el|los))",
    r"(?:quitar|quite|quiten|quitenme|borre|borren|borrar|elimine|eliminen|eliminar|saque|saquen|saquenme)(?:me)?"
    r" (?:mi (?:numero|telefono)(?: de (?:la|su|esta) lista)?|de (?:la|su|esta) lista)",
    r"(?:quitenme|saquenme|borrenme|eliminenme|quiteme|saqueme|borreme|elimineme)(?! (?:el|los|las|este|esta|un|una|la(?! lista)))",
    r"desu(?:b|s)?scri[a-z]*",
    r"dej[ea][a-z]*(?:me|nos) en paz",
)

STOP_WORD = words(r"stop+", r"stpo", r"alto", r"basta")
STOP_LIKE = words(
    r"stop+(?:ing|ping)?",
    r"stoping",
    r"quit(?:ting)?",
    r"discontinue",
    r"parar(?:la|lo)?",
    r"dejar(?:la|lo|las)?",
    r"no quiero mas",
    r"stpo",
    r"alto",
    r"basta",
)
"""Something shall stop; unless the rest of the clause settles what, a person finds out."""


def _version() -> str:
    """Name these tables by what is in them: the same words, the same name."""
    tables = (CARRIERS_OUT, CARRIERS_IN, CLAUSE_OPT_OUT, WHOLE_OPT_OUT, WHOLE_OPT_IN)
    patterns = (NO_NEED, NOT_OPT_OUT, OPT_OUT, STOP_WORD, STOP_LIKE)
    written = [*("|".join(sorted(table)) for table in tables), *(pattern.pattern for pattern in patterns)]
    return f"words {hashlib.sha256(chr(10).join(written).encode()).hexdigest()[:16]}"


VERSION = _version()
"""Which words were taken for an opting out or in, for the evidence: it changes whenever a table here does."""
