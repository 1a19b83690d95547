"""The words that end texts and take them up again: the carrier's, exact; and the law's, any reasonable wording, English and Spanish.

A carrier matches the whole body and nothing else; the law (47 CFR 64.1200(a)(10), DESIGN 4.6) wants more. So ours are wider, and
what only sounds like one (a complaint that no text came, the medicine that was stopped) is kept apart before they are looked for.
Every pattern meets plain words (`plain_words`). How they combine is decided in `replies.py`.
"""

from __future__ import annotations

import re
from itertools import product

from reminders.messaging.reply_text import words
from reminders.messaging.reply_words import DONT, MED, TEXTS

# --- the carrier's own words ------------------------------------------------------------------------------------------------------

CARRIERS_OUT = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
"""Bodies, whole and in any case, on which Twilio itself ends texts to a number and tells it so."""

CARRIERS_IN = frozenset({"START", "YES", "UNSTOP"})
"""Bodies on which it takes them up again. YES is one only where STOP stands; else it is an answer to us."""

CARRIERS_WORDS = frozenset({"STOP", "START", "HELP"})
"""What it says that it took a text for, where keywords are set up at the carrier (Twilio's `OptOutType`): it has acted and answered."""

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
        "|now|right now|right away|at once|immediately|today|already|#|for gods sake|forever|for good|permanently",
    )
    | _said("", "alto|basta|pare|paren|parale|parenle|parar|para|detente|detenganse", "|todo|todos|esto|eso")
    | _phrases("unsubscribe|stpo|sotp|sstop|# stop|stop to end|make it stop|not interested stop")
) - _phrases("para|para todo|para todos|para esto|para eso|i told to stop it|told to stop it")
"""A clause of a text that means the texts, whatever stands beside it."""

CLAUSE_MAYBE = _phrases(
    "withdraw|i withdraw|i want to withdraw|i would like to withdraw|not interested|im not interested|i am not interested"
    "|not interested anymore|no longer interested|i want out|let me out|i want this to end|i want to end this"
    "|no me interesa|ya no me interesa|no estoy interesado|no estoy interesada|quiero salir|quiero salirme",
)
"""A clause that could mean the texts, the plan or what was asked ("your dose is due": "not interested"): a person asks which."""

WHOLE_OPT_OUT = (
    CLAUSE_OPT_OUT
    # A carrier's word with a small one is an order about what was just read. "Cancel it", "quit it", "cancel that" may take back an
    # answer or mean the medicine, and "I quit" says who quits: those are for a person.
    | _said("", "end|quit|cancel|revoke|optout|opt out", "now|right now|right away|at once|this|these|those|this now|these now")
    | _phrases(
        "end|quit|revoke|optout|opt out|cancel|remove|arret|td|stopp|sto p|s top|s t o p|stop stop|stop stop stop|stop all of it|unsub"
        "|unsuscribe|halt|cease|cease and desist|cancel all|end all|enough|go away|no more|no contact|turn off|turn it off|turn this off"
        "|deactivate|i revoke|knock it off|get lost|turn these off|turn them off|shut it off"
        "|no reminders|no reminder|no texts|no text|no txts|no txt|no messages|no msgs|no sms"
        "|cancelar|cancele|cancela|cancelen|quiero cancelar|anular|anule|no mas|ya no mas|terminar|terminen"
        "|finalizar|fin|salir|salirme|renunciar|revocar|desactivar|baja|detener|detenga|detengan|para|quitar|eliminar|suficiente"
        "|no mensajes|sin mensajes|no molestar|anula|anulen|desactiva|desactive|desactiven",
    )
)
"""A whole text, but for politeness, that means the texts."""

NONE_LEFT = _phrases("no more|no mas")
ANSWERS_TOO = NONE_LEFT | _phrases("enough|suficiente|baja|fin|remove|no text|no reminder")
"""Of those, what answers a question as well: no more spasms, no more tablets, a pressure that is low. The carrier's words are not here."""

WHOLE_OPT_IN = _phrases(
    "start|unstop|subscribe|comenzar|iniciar|optin|subscribe me|subscribe again|resubscribe|re subscribe|unstop me"
    "|sign me back up|start texts"
)
RESTARTS = _phrases(
    "restart|re start|start again|start it again|start back|resume|begin again|sign me up|turn on|turn it on|turn them on"
    "|turn it back on|reanudar|reanude|reanuden|reiniciar|alta|dar de alta|darme de alta|deme de alta|denme de alta|dame de alta"
    "|quiero darme de alta|activar|activa|active|activen|reactivar|reactiva|reactive|empezar de nuevo|continuar"
)
"""Whole texts that take texts up again where STOP stands. Where it does not, they may mean the medicine, or a pressure that is high."""

# --- what only sounds like it -----------------------------------------------------------------------------------------------------

_WRITE = r"(?:text|txt|message|msg|contact|remind|write|bother|sms|send)"
_TO_PHONE = r"(?:text|txt|message|msg|sms|contact|remind|write(?: to)?)"
_DOING = r"(?:contacting|bothering|bugging|spamming|sending|writing(?: to)?|calling|pinging|harassing|pestering)"
_NEW = r"(?:texts?(?! (?:me|us|him|her|them)(?![a-z]))|txts?|messages?(?! (?:me|us)(?![a-z]))|messeges?|mesages?|msgs?|reminders?|alerts?)"
_THEM = (
    rf"(?:{_NEW}|texting|txting|messaging|sms|reminding|notifications?|notices|spam|communications?"
    r"|mensajes?|mensages?|textos?|recordatorios?|avisos?|notificaciones|alertas)"
)
_SCHEME = r"(?:service|subscription|program|programme)"
_WHAT_COMES = rf"(?:{_THEM}|(?:(?:text|texting|txt|sms|reminder|message|messaging|alert) )?{_SCHEME})"
"""What we send, and what sends it. A verb is none: "cancel my visit and text me" ends nothing."""

_AT_START = r"(?:(?<![a-z0-9#~:/] )|(?<=please )|(?<=pls )|(?<=plz )|(?<=just )|(?<=ok )|(?<=okay )|(?<=hey )|(?<=hi )|(?<=hello ))"
_TOLD = rf"(?:{_AT_START}|(?<=to )|(?<=said )|(?<=again )|(?<=told you ))"
"""Where an order begins: before it stands nobody who could be doing it ("the spasms don't bother me")."""

_NOBODYS = (
    r"(?<!\bi )(?<!\bwe )(?<!\bhe )(?<!\bshe )(?<!\bthey )(?<!\bit )(?<!people )(?<!family )(?<!staff )(?<!pharmacy )(?<!clinic )(?<!who )"
    r"(?<!that )(?<!which )(?<!really )(?<!usually )(?:(?<!s )|(?<=this )|(?<=yes )|(?<=thanks ))"
)
"""What is not to be done, but for somebody before it who does not do it: "my kids dont text me"."""

_ENDS = (
    r"(?= *$| +[.,?~#]| +(?:please|pls|plz|thanks|thank|ok|okay|and(?! driv)|but|or|because|bc|cause|cuz|since|any ?more|again|now"
    r"|ever|already|immediately|asap|por favor|gracias|y|pero|porque|o|ya)(?![a-z]))"
)
"""Nothing else is named in the clause."""

_THEN = (
    r"tonight|tomorrow|before|after(?! (?:this|today))|until|till|while|during|between|at (?:work|night|[0-9]|noon|midnight|home)"
    r"|(?:so|this|that|too) (?:early|late|much|often)|on (?:week|sun|mon|tues|wednes|thurs|fri|satur)[a-z]*"
    r"|in the (?:morning|middle|night)|by (?:phone|email|mail|call)|of|why|how|when"
)
_NOT_THEN = rf"(?! (?:{_THEN})(?![a-z]))"
_AT_A_TIME = rf"(?! (?:today|{_THEN})(?![a-z]))"
"""Not then, or not that way: a wish that a person sees to."""

NO_NEED = words(
    r"(?:dont|do not|didnt|did not) (?:really )?need (?:a|the|this|that|your|any|another) (?:reminder|text|message|alert)(?: today)?",
    r"(?:dont|do not|no need to) bother (?:to call|calling|to phone|phoning)(?: (?:me|us|back))*",
)
"""Talk beside a dose: "I don't need the reminder, I took it"."""

NOT_OPT_OUT = words(
    r"(?<!to )(?:why|where|there|theres|get|gets|got|getting|gotten|receive|received|receiving|have|had|see|saw|seen)(?: [a-z]+)??"
    rf" no (?:more )?{TEXTS}",
    rf"no (?:more )?{TEXTS} (?:yet|so far|since|came|come|coming|arrived)|no {TEXTS} from",
    rf"no {TEXTS} (?:today|yesterday|tonight|last|this|at all|for (?:[a-z0-9]+ )?(?:days?|weeks?|hours?))",
    rf"(?:did|have|has|had)(?: [a-z]+)? (?:stop|stopped|quit|ended?|cancell?ed)(?: [a-z]+){{0,3}}? {TEXTS}(?: me)?",
    rf"i (?:quit|stopped) (?:getting|receiving)(?: [a-z]+)? {TEXTS}",
    rf"(?:{DONT})(?: [a-z]+)? (?:want|wish|like)(?: (?:you|it|my|the|these|your|those|any|all|of))* {TEXTS} to (?:stop|end|quit|cease)",
    rf"(?<!why )(?<!you )(?<!still )(?:dont|do not|didnt|did not|never|(?:am|im) not)"
    r"(?: (?:really|want|wanna|mean|meant|wish|trying|try|going|intend|intended|plan|need|you|to|ever|be|i))*"
    r" (?:discontinue|turn off|shut off|halt|(?:opt|opted|opting)(?: (?:me|us))? ?out|un ?subscrib(?:e|ed|ing)|unenroll(?:ed)?"
    r"|(?:remove|delete|drop|erase|withdraw|deactivate) (?:me|us|my (?:number|name|phone|cell))|revoke|sign me (?:off|out)"
    rf"|(?:take|get) (?:me|us) off)(?: (?:of|from|the|my|your|these|this|{TEXTS}))*",
    r"(?:did|have) i (?:already )?(?:un ?subscribed?|opt(?:ed)? ?out)",
    rf"not (?:getting |sending )?enough(?: (?:of|your|the|these))* {TEXTS}",
    rf"(?:{DONT}) (?:get|getting|have|send|receive) enough(?: (?:of|your|the|these))* {TEXTS}",
    rf"(?:the )?(?:end|beginning|start) of (?:the|your|this|that|my|each|every)(?: [a-z]+)? {TEXTS}",
    r"(?:cancel|delete|remove|undo|forget|ignore) (?:that|my|(?:the|my|that|this|your) (?:last|previous|first|other|earlier))"
    r" (?:text|txt|message|msg|answer|reply)",
    r"(?<!told )(?<!asked )(?<!tell )(?<!said )(?<!rather )(?<!prefer )(?<!wish )(?<!that )(?:you|u|they|he|she)(?: guys| all)?"
    rf" (?:dont|do not|never|no longer)(?: even| ever)? {_WRITE}(?!(?: [a-z]+){{0,2}} again(?![a-z]))"
    rf"(?: (?:me|us|anymore|again|here|{TEXTS}))*",
    rf"(?:they|he|she) (?:dont|do not|never|no longer)(?: even| ever)? {_WRITE}(?: (?:me|us|anymore|again|here|{TEXTS}))*",
    rf"why (?:dont|do not|didnt|havent|wont) (?:you|u|they)(?: even| ever)? {_WRITE}(?: (?:me|us|anymore|again|here|{TEXTS}))*",
    r"(?:quit|stop|stopped|stopping|quitting) (?:smoking|drinking|vaping)(?: [a-z]+)?",
    r"(?:stop|stopping|stopped) by",
    r"(?:bus|train|next|full|pit) stop",
    r"stops? (?:me|us|him|her|them) from(?! (?:tak|us)ing)(?: [a-z]+)?",
    r"(?:ya )?no (?:me|nos) (?:mand|envi)(?:a|an|aron|aste|o)(?: (?:el|los|mas|sus|ningun))*"
    r"(?: (?:mensajes?|textos?|avisos?|recordatorios?))?",
)
"""A complaint that no text came, a question why, a wish that they go on: for a person to read."""

# --- the law's: phrases anywhere ---------------------------------------------------------------------------------------------------

_ENOUGH = (
    r"(?:stop+|stoping|stopping|quit|end|cancel|cease|halt|discontinue|turn off|shut off|no more|enough"
    r"|alto|basta)"
)
_THOSE = r"(?:the|these|those|this|that|your|ur|my|all|any|of|more|such|so|many)"
_GETTING = (
    r"(?:to|receive|receiving|recieve|get|getting|have|having|see|be|keep|continue|sent|send|sending|with|from|for|it|them|me|us|you"
    r"|please|a|another)"
)
_OPEN = (
    r"(?!(?:med|pill|tak|baclof|dos|tab|caps|refill|re|appoint|presc|drug|visit|and|but|so|because|if|when|since|after|before|i|im|my"
    r"|is|are|was|for|thanks|from|on|in|at|until|or|by|who|that|has|have|had|will|to|with|text|txt|call|me|us)(?![a-z])"
    r"|(?:med|pill|tablet|baclof|dos|caps|refill|appoint|presc|drug))[a-z]+"
)
_ANY_SUCH = (
    rf"(?:(?: {_THOSE}| {_GETTING})*? {_WHAT_COMES}|(?: {_THOSE}| {_GETTING})*? {_THOSE}(?: {_OPEN}){{1,2}} (?!text(?![a-z])){_THEM})"
)
"""Our texts, with little words before them, or with what somebody thinks of them: "the damn texts"."""

_MENSAJES = r"(?:mensajes?|mensages?|textos?|sms|recordatorios?|avisos?|notificaciones|alertas|suscripcion|servicio|programa)"
_UNOS = r"(?: (?:ya|nada|mas|nunca|jamas|estos|esos|esas|sus|los|las|tantos|ningun|ninguna|otro|otros|de|con|mis|mi|el|la|su))*"
_LISTED = (
    r"(?:(?:(?:text|texting|mailing|contact|call|calling|phone|reminder|message|messaging|sms) )?lists?|texts?|messages?|system|service"
    r"|programs?|programme|database|reminders?|notifications?|alerts|contacts|records)"
)
_LIST = rf"(?: (?:of |from )?(?:this|your|the|ur|these|all(?: of)?(?: your| the| these)?|any) {_LISTED})"
_MYSELF = r"(?:me|us|my (?:(?:phone|cell|mobile) )?(?:number|name|phone|cell|info)|this (?:number|phone))"
_NO_ME = r"(?:mande[ns]?|mandar|envie[ns]?|enviar|escriba[ns]?|escribir|moleste[ns]?|molestar|contacte[ns]?|contactar|textee[ns]?|textear)"
_TO_ME = r"(?:mandar|enviar|escribir|molestar|contactar|textear)(?:me|nos)?"
_TO_ME_ALONE = r"(?:mandar|enviar|escribir|molestar|contactar|textear|recordar|llegar)(?:me|nos)"
_SUS_MENSAJES = rf"(?:{_UNOS} {_MENSAJES}(?: de texto)?(?: mas)?|(?: (?:ya|nada|mas|nunca|jamas))*{_ENDS})"
"""Messages, or nothing else that could be sent or written."""

OPT_OUT = words(
    rf"{_ENOUGH}{_ANY_SUCH}{_NOT_THEN}(?: (?:me|us|my|this number|here|now))*",
    rf"(?:stop|end|cancel) {MED} {_THEM}|no more {_OPEN} (?:texts|txts|messages|msgs|reminders|notifications|alerts)",
    rf"(?:told|asked|said)(?: you| u)?(?: guys)? (?:not to|to not) {_TO_PHONE} (?:me|us|this number){_AT_A_TIME}",
    rf"(?<!\bi )(?<!\bi will )(?<!they )(?<!\bhe )(?<!she )(?:stop+|stoping|stopping|quit|quitting|cease|halt|discontinue|no more|enough)"
    rf"(?: (?:it|with|the|all|this|that|your|ur|you|always|constantly|please|of|just))* {_DOING}"
    rf"(?:(?: (?:me|us|my (?:number|phone|cell)|this (?:number|phone)|here|these|those|this|stuff|things|so many|all the time|{_THEM}))+"
    rf"|{_ENDS})",
    rf"(?:{_NOBODYS}(?:dont|do not)(?: you)?(?: ever| dare)?|{_TOLD}never(?: ever)?) {_TO_PHONE}"
    rf" (?:me|us|this (?:number|phone|cell)|my (?:number|phone|cell)|any ?more|again|here|{_THEM}){_AT_A_TIME}"
    rf"(?: (?:any|more|another|these|those|your|such|this|number))*(?: {_THEM})?(?: (?:any ?more|again|ever|here))*{_AT_A_TIME}",
    rf"{_TOLD}(?:dont|do not|never)(?: ever)? {_TO_PHONE}{_ENDS}",
    rf"(?:quit|stop)(?: to)? {_WRITE}(?! an? )(?: (?:me|us|this number|any ?more|again|here))*"
    rf"(?: (?:any|more|another|these|those|your|such))*(?: {_THEM})?",
    rf"{_NOBODYS}(?:dont|do not|never)(?: ever)? send(?: me| us)?(?: (?:any|any ?more|more|another|these|those|your|such|the|all|of|out))*"
    rf" {_THEM}{_AT_A_TIME}(?: (?:to me|any ?more|again|ever|here))*",
    rf"{_NOBODYS}(?:dont|do not|never)(?: ever)? send (?:(?:me|us)(?: (?:anything|stuff|any ?more|again|these|this|those|more|things"
    rf"|else|further))*"
    rf"|(?:any ?more|anything)(?: (?:to (?:me|us)|again|any ?more|else|further))*){_ENDS}",
    rf"{_TOLD}(?:dont|do not|never)(?: you)?(?: ever| dare)? bother (?:me|us)(?: (?:any ?more|again|ever|with (?:this|these|your)"
    rf" {_THEM}))*{_ENDS}",
    r"(?:you|u) (?:do not|dont|never)(?: ever)? (?:text|txt|message|msg|contact|write(?: to)?) (?:me|us|this number)(?: ever)? again",
    rf"(?:you|u) (?:must not|may not|mustnt|should not|shouldnt|shall not|are not to|have no (?:permission|consent|right) to) {_TO_PHONE}"
    rf" (?:me|us|this number){_AT_A_TIME}",
    rf"(?:rather|prefer|wish)(?: that)? (?:you|u) (?:didnt|did not|dont|do not|not|wouldnt|would not|never) {_TO_PHONE} (?:me"
    rf"|us){_AT_A_TIME}",
    r"(?<!\bi )(?:dont|do not|never|stop) (?:call|calling|phone|phoning)(?: me)? (?:or|and) (?:text|texting|txt|message|messaging)"
    r"(?: me| us)?",
    rf"(?:dont|do not|no longer|never) (?:want|wanna|need|like|wish){_ANY_SUCH}{_AT_A_TIME}(?: (?:any ?more|please))*",
    rf"(?:dont|do not|no longer) (?:want|need|like|wish)(?: (?:to|be|in|on|part|of))+{_LIST}",
    rf"(?:dont|do not|no longer) (?:want|wish|like) (?:you|u) (?:to )?(?:text|txt|message|msg|contact|write|writing)(?:ing)?(?: to)? "
    rf"(?:me|us){_AT_A_TIME}",
    rf"(?:dont|do not|no longer) (?:want|wish|like) to (?:get|receive|be getting|be receiving) (?:these|those|anything)(?: from you| any"
    rf" ?more){_ENDS}",
    rf"(?:want|wish|like|ask) (?:(?:my|this) (?:number|name) )?to be (?:removed|deleted)(?:{_LIST}|{_ENDS})",
    r"(?:dont|do not|no longer) (?:want|wish|like|care) to be (?:texted|messaged|contacted|bothered|spammed|harassed|reminded)",
    rf"(?:rather|prefer|like|wish|want) (?:to )?not (?:to )?(?:be )?(?:get|getting|receive|receiving|have|see|sent){_ANY_SUCH}{_AT_A_TIME}",
    rf"(?:want|like|need|wish)(?: [a-z]+){{0,2}}? {TEXTS} (?:to )?(?:stop|end|cease)(?:ped)?(?! [a-z]+ing)",
    rf"(?:not|no longer) interested in{_ANY_SUCH}",
    r"(?:opt|opts|opted|opting)(?: (?:me|us|everyone|(?:this|my) (?:number|phone|cell)))? ?out(?! form)"
    rf"(?! of (?!(?:this|these|that|those|it|all|any|your|ur|everything|getting|receiving|the {_LISTED}|{_THEM})(?![a-z])))",
    r"unsu[bs]s?c[a-z]*(?: me)?|unsubb?e?[ds]?(?: me)?|un su[bs]?s?cr?i?b[a-z]*(?: me)?",
    rf"(?:un|dis) ?enroll?(?: me| us)?|{_AT_START}sign (?:me|us) (?:off|out)(?:{_LIST}|{_ENDS})",
    rf"(?:withdraw|deactivate)(?: me| us| my (?:number|phone|account))(?:{_LIST}|(?! from))",
    r"cancel my (?:enroll?ment|subscription|participation|account)",
    rf"(?:take|get|strike|scratch) {_MYSELF} off(?: of)?{_LIST}",
    rf"{_AT_START}(?:take|get) {_MYSELF} off(?: of)?(?: (?:this|here))?{_ENDS}",
    rf"(?:remove|delete|erase) {_MYSELF}(?:{_LIST}|(?! (?:as|from(?! (?:your|ur) phone))(?![a-z])))",
    rf"(?:remove|delete|take)(?: off)?(?: of| from) (?:this|your|ur|the) {_LISTED}",
    rf"drop (?:me|us){_LIST}|{_AT_START}drop (?:me|us){_ENDS}",
    rf"{_AT_START}lose (?:my|this) number",
    rf"(?:{_AT_START}|(?<=you to ))leave (?:me|us) alone(?: with (?:this|these|your|the|all the) {_THEM})?{_ENDS}",
    r"(?:want|wish|like|need|choose|decided|can i|do i|please)(?: (?:to|you|me|i|let))* (?:leave|exit|quit|withdraw from|drop out of"
    r"|come off"
    rf"|get off|get out of|be removed from|be taken off|be off|off) (?:this|your|the|ur|these) (?:(?:text|texting|reminder|message) )?"
    rf"(?:lists?|{_SCHEME}s?|system|texts|reminders)(?! on(?![a-z]))",
    r"(?:revoke|withdraw|take back|cancel)(?:ing)? (?:my |the |all )?(?:consent|permission|authorization)(?! (?:for my|from))",
    r"(?:consent|permission) (?:is |has been )?(?:withdrawn|revoked)",
    r"(?:dont|do not|no longer|never|did not|didnt|not|wont|will not)(?: give(?: you| my| any)*)? (?:consent(?:ed|ing)?|permission)"
    rf"(?:{_ENDS}| (?:to|for|that)(?: (?:be|being|get|getting|receive|receiving|you|have|you to|your|these|this|any|the|more))*"
    rf" (?:{_WHAT_COMES}|texted|messaged|contacted|contact|message|text|this|these))",
    rf"no (?:me|nos) (?:vuelvan? a )?(?:{_NO_ME}|recuerden?){_SUS_MENSAJES}",
    rf"(?<!por )(?<!puedo )no (?:manden|envien|escriban|molesten|contacten|texteen|{_TO_ME}){_SUS_MENSAJES}",
    rf"no {_NO_ME}(?: (?:mas|nada mas|estos|sus))*(?: {_MENSAJES}| mas{_ENDS})",
    rf"no vuelvan? a (?:{_TO_ME}|{_TO_ME_ALONE}){_SUS_MENSAJES}",
    rf"(?:dejen|paren) de (?:{_TO_ME}|{_TO_ME_ALONE}){_SUS_MENSAJES}",
    rf"(?:deje|deja|dejes|dejar|pare|para) de {_TO_ME_ALONE}{_SUS_MENSAJES}",
    rf"(?:deje|deja|dejes|dejar|pare|para) de {_TO_ME}{_UNOS} {_MENSAJES}",
    rf"(?:dejar|dejen|deje|parar) de recibir{_UNOS} {_MENSAJES}",
    r"no (?:quiero|deseo|necesito)(?: (?:mas|recibir|seguir|recibiendo|tener|sus|estos|esos|los|ningun|ningunos|de))*"
    rf" {_MENSAJES}(?: mas)?",
    rf"no (?:quiero|deseo) (?:recibir|seguir recibiendo)(?: (?:nada|mas|estos|esto))+{_ENDS}",
    rf"no (?:quiero|deseo) que (?:me|nos) (?:mande[a-z]*|envie[a-z]*|escriba[a-z]*|contacte[a-z]*|textee[a-z]*"
    rf"|moleste[a-z]*){_SUS_MENSAJES}",
    rf"no (?:quiero|deseo) (?:estar|seguir|continuar)(?: mas)? en (?:la|su|esta|este|el) (?:lista|{_MENSAJES})",
    rf"no autorizo(?: (?:mas|sus|los|estos))* {_MENSAJES}|no autorizo(?: mas)? que (?:me|nos) (?:manden?|escriban?|envien?|contacten?)"
    rf"{_SUS_MENSAJES}",
    rf"(?:no mas|basta de|alto a|parar|pare|paren|cancel(?:ar|a|e|en|o)|anul(?:ar|a|e|en)|detener|detengan?|terminar|terminen"
    rf"|desactiv(?:ar|a|e|en)|apag(?:ar|a|ue|uen)|quit(?:ar|a|e|en))(?: (?:los|la|el|estos|sus|con|mis|mi))* {_MENSAJES}"
    rf"(?! de (?!{_MENSAJES}|texto))",
    rf"termine(?: (?:los|estos|sus|con))* (?:mensajes|textos|recordatorios|avisos)|{_AT_START}para(?: (?:los|estos|sus|con))*"
    rf" {_MENSAJES}{_ENDS}",
    rf"(?:quiero|quisiera|deseo|como puedo|puedo|como) (?:salir|salirme|salgo|retirarme|irme)(?: me)? (?:del|de (?:este|su|la|esta|los))"
    rf" (?:lista|{_MENSAJES})",
    r"(?:revoco|retiro|cancelo|revocar|retirar) (?:mi|el) (?:consentimiento|permiso|autorizacion)",
    r"(?:no|ya no) (?:doy|autorizo|tienen) (?:mi |el )?(?:consentimiento|permiso)"
    rf"(?:{_ENDS}| (?:para|de)(?: (?:que me|mandar|enviar|recibir|sus|estos|los|mas))* (?:escriban?|manden?|envien?|{_MENSAJES}))",
    r"(?<!va a )(?<!van a )(?<!quiere )(?:dar|darme|darse|denme|deme|dame|doy|quiero|me doy)(?: de)? baja"
    rf"(?:{_ENDS}| (?:de (?:la|su|esta|los|estos|sus|este)|del) (?:lista|{_MENSAJES}))",
    r"(?:quitar|quita|quite|quiten|quitenme|borre|borra|borren|borrar|elimine|elimina|eliminen|eliminar|saque|saca|saquen|saquenme)(?:me)?"
    r" (?:mi (?:numero|telefono)(?: de (?:la|su|esta) lista)?|de (?:la|su|esta) lista)",
    rf"(?:quitenme|saquenme|borrenme|eliminenme|quiteme|saqueme|borreme|elimineme|quitame|sacame|borrame|eliminame|retirenme"
    r"|retireme|retirame)"
    rf"(?:{_ENDS}| (?:de (?:la|su|esta|los|estos|sus|este)|del) (?:lista|{_MENSAJES})| de (?:aqui|esto)(?![a-z]))",
    r"desu(?:b|s)?scri[a-z]*",
    r"dej[ea][a-z]*(?:me|nos) en paz",
)

STOP_OF_WHAT_WAS_READ = re.compile(
    r"(?:^| )stop+ (?:(?:the|my|this|these|that|those|all|any|his|her|having|feeling|getting) )+~"
    r"|(?:^| )(?:the|my|this|these|that|his|her) ~ (?:to |will |would |please )?stop+(?: |$)|(?:^| )make (?:the |my |this |these )*~ stop"
)
"""It is a symptom that shall stop: "stop the pain"."""

STOP_WORD = words(r"stop+", r"stpo", r"alto", r"basta")
STOP_LIKE = words(
    r"stop+(?:ing|ping)?",
    r"stoping",
    r"quit(?:ting)?",
    r"discontinue",
    r"parar(?:la|lo)?",
    r"dejar(?:la|lo|las)?",
    r"(?:take|get|wean|taking|getting|weaning) (?:me|us|him|her) off(?! (?:of )?(?:the|your) (?:wait|schedule|calendar|transplant)[a-z]*)",
    rf"(?:quite|quiten|saque|saquen|quita|saca)(?:me|nme) (?:de |del )?{MED}",
    r"no quiero mas",
    r"stpo",
    r"alto",
    r"basta",
)
"""Something shall stop; unless the rest of the clause settles what, a person finds out."""
