"""The danger signs and words of self-harm as patterns, English and Spanish side by side; how they are used is in `reply_alarms.py`.

Source of the list: the US baclofen labels' signs of withdrawal and of overdose.
"""

from __future__ import annotations

import re

from reminders.messaging.intents import RedFlagKind
from reminders.messaging.reply_text import words

_CANNOT = r"(?:cant|cannot|can not|couldnt|could not|unable to|wont|will not)"
_TAKE = r"(?:took|taken|taking|take|had|swallowed|tome|tomado|tomo)"
_PIECES = (
    r"(?:pills?|tablets?|tabs?|meds?|doses?|capsules?|pastillas?|tabletas?|capsulas?|dosis|baclofen|of (?:them|my|the|it)"
    r"|de (?:ellas|las|mis))"
)
_NOT_CONSENT = (
    r"(?! (?:me|us|money|cash|(?:my |the |all )*(?:consent|permission|authorization)|from (?:the|this|your|ur) (?:text[a-z]*|messag[a-z]*"
    r"|study|list|service|program|programme|reminders))(?![a-z]))"
)
"""It is the body that withdraws, and nobody who takes back what was agreed."""

SELF_HARM = words(
    r"kill(?:ing)? (?:myself|my self|himself|herself|themselves)",
    r"suicid[a-z]*",
    r"(?:wants?|wanted|wanna|wish(?:es|ed)?|going|ready|rather|hoping|tried|trying) (?:to |i (?:would |could )?|he would "
    r"|she would )?(?:die|be dead|was dead|were dead|not (?:be alive|exist|wake up))",
    r"(?:end|ending|take|taking) (?:my|his|her|their|your) (?:own )?life",
    r"end(?:ing)? it all",
    r"(?:dont|do not|doesnt|does not) (?:want|wanna) (?:to )?(?:live|be alive|be here|wake up|exist)(?: any ?more)?",
    r"(?:no|nothing) (?:reason|point) (?:to|in) liv(?:e|ing)",
    r"better off (?:dead|without me)",
    r"(?:hurt|hurting|harm|harming|cut|cutting) (?:myself|my self|himself|herself|themselves)",
    r"self harm[a-z]*",
    r"(?:quiero|quiere|quisiera|deseo|ganas de) (?:morir[a-z]*|matar[ms]e)",
    r"matar[ms]e",
    r"no (?:quiero|quiere) (?:vivir|seguir viviendo)",
    r"quitar[ms]e la vida",
    r"hacer[ms]e dano",
    r"acabar con (?:mi vida|su vida|todo)",
)

FLAGS: tuple[tuple[RedFlagKind, re.Pattern[str]], ...] = (
    (
        RedFlagKind.SEIZURE,
        words(
            r"seiz(?:ures?|ing|ed|ers?|ur|urs)",
            r"ceizures?",
            r"fits?",
            r"fitting",
            r"convuls[a-z]*",
            r"epilep[a-z]*",
            r"jerking(?: all over)?",
            rf"(?:{_CANNOT} stop |keeps? |violently |uncontrollably )(?:shaking|twitching|jerking)",
            r"(?:shaking|twitching) (?:all over|uncontrollably|violently|badly|non ?stop)",
            r"ataques?",
            r"temblando sin parar",
        ),
    ),
    (
        RedFlagKind.HALLUCINATION,
        words(
            r"hall?[ou][cs][a-z]*",
            r"al+ucin[a-z]*",
            r"(?:seeing|hearing|sees?|hears?|saw|heard) (?:[a-z]+ )?(?:things|voices|ghosts|bugs|spiders)",
            r"(?:things?|people|voices) (?:that |who |which )?(?:arent|are not|isnt|is not|werent|were not) (?:really )?(?:there|real)",
            r"(?:veo|ve|ver|viendo|vi|oigo|oye|oir|oyendo|escucho|escucha|escuchando) (?:[a-z]+ )?(?:cosas|voces)",
        ),
    ),
    (
        RedFlagKind.FEVER,
        words(
            r"fever(?:s|ish)?",
            r"high temp(?:erature)?",
            r"temp(?:erature)? (?:[a-z]+ ){0,2}?(?:10[0-9]|3[89]|4[0-2])",
            r"burning up",
            r"fiebres?",
            r"calentura",
            r"temperatura alta",
        ),
    ),
    (
        RedFlagKind.RIGID,
        words(
            r"rigid(?:ity)?",
            r"(?:very|so|too|extremely|really|super|completely|totally|severely|all) stiff",
            r"stiff (?:all over|as a board|everywhere|like a board)",
            r"severe(?:ly)? (?:muscle )?stiff[a-z]*",
            r"lock(?:ed|ing) up",
            rf"{_CANNOT} move",
            r"(?:muy|todo|toda|completamente) (?:ties[oa]|rigid[oa])",
            r"rigid[oa]s?",
            r"no (?:me |se )?(?:puedo|puede) mover(?:me|se)?",
            r"mucha rigidez",
        ),
    ),
    (
        RedFlagKind.CONFUSED,
        words(
            r"confus(?:ed|ion|e)",
            r"disorient[a-z]*",
            r"deliri[a-z]*",
            r"delirando",
            r"(?:dont|do not|doesnt|does not) know (?:where|who) (?:i|he|she|they) (?:am|is|are)",
            r"not making (?:any )?sense",
            r"confundid[oa]s?",
            r"desorientad[oa]s?",
        ),
    ),
    (
        RedFlagKind.UNCONSCIOUS,
        words(
            rf"(?:{_CANNOT}|not|isnt|doesnt|hard to|difficult to) (?:wak(?:e|es|ing|en)|waken|wakeup|awaken|be woken|be awake"
            rf"|stay awake)(?: (?:him|her|them|me|my [a-z]+))?(?: up)?",
            r"(?:hardly|barely) awake",
            rf"{_CANNOT} keep (?:my|his|her|their) eyes open",
            r"unconscious",
            r"unresponsive",
            r"(?:not|isnt) responding to (?:me|us|anything)",
            r"(?:very|so|too|really|extremely|super|overly|incredibly|abnormally|quite|way too) (?:sleepy|drowsy|groggy|sedated)",
            r"coma(?:tose)?",
            r"no (?:se )?despierta",
            r"no (?:lo |la |se )?(?:puedo|podemos|puede) despertar[a-z]*",
            r"inconsciente",
            r"(?:muy|mucho|demasiado) (?:sueno|dormid[oa]|somnolient[oa]|adormilad[oa])",
            r"no reacciona",
        ),
    ),
    (
        RedFlagKind.BREATHING,
        words(
            rf"(?:{_CANNOT}|not|isnt|stopped) br(?:ea|e|ae)th?[a-z]*",
            r"(?:(?:hard|difficult) to|trouble|difficulty|slow|shallow|short of|shortness of|out of|hardly|barely|struggling to"
            r"|heavy) br(?:ea|e|ae)th?[a-z]*",
            r"br(?:ea|e|ae)th[a-z]*(?: (?:very |too |really )?(?:slow|slowly|hard|heavy|shallow|fast|weird|funny))?",
            r"breating",
            r"gasping",
            r"chok(?:e|ed|ing)",
            r"suffocat[a-z]*",
            r"(?:blue|purple|gray|grey) lips",
            r"lips (?:(?:are|is|look|turned|turning|went|going) )*(?:blue|purple|gray|grey)",
            r"turn(?:ed|ing) blue",
            r"throat (?:is )?(?:closing|swelling|swollen)(?: up)?|(?:swollen|swelling) (?:throat|tongue|lips|face)",
            r"(?:no (?:puedo|puede|puedes|me deja) |no |dificultad para |problemas para |cuesta )?respira[a-z]*",
            r"(?:falta|faltaba) (?:el |de )?aire",
            r"(?:me|se) ahog[a-z]+",
            r"labios (?:azules|morados)",
        ),
    ),
    (
        RedFlagKind.COLLAPSE,
        words(
            r"col+aps[a-z]*",
            r"faint(?:ed|ing|s)?",
            r"pass(?:ed|ing|es)? out",
            r"black(?:ed|ing)? ?out",
            r"desmay[a-z]*",
            r"perdi(?:o)? el conocimiento",
        ),
    ),
    (
        RedFlagKind.OVERDOSE,
        words(
            r"over ?dos(?:e|ed|es|ing)",
            rf"(?:{_TAKE} (?:[a-z]+ ){{0,2}}?)?too many(?! (?:texts?|messages?|reminders?|times|txts?|msgs?|calls?|questions?|alerts?"
            rf"|things))(?: {_PIECES})?",
            rf"{_TAKE} (?:[a-z]+ ){{0,2}}?too much",
            r"too much (?:med(?:icine|ication|s)?|baclofen|of (?:it|my))",
            rf"(?:{_TAKE} (?:[a-z]+ ){{0,2}}?)?(?:whole|entire|full) (?:bottle|box|pack|packet)",
            rf"(?:{_TAKE} )?(?:all|everything) (?:[a-z]+ ){{0,3}}?at once",
            rf"{_TAKE} (?:like |about |almost |maybe )?(?:(?:[5-9]|[1-9][0-9]+|five|six|seven|eight|nine|ten|twenty|a (?:handful|bunch)"
            rf"|handful)) (?:of )?(?:my |the )?{_PIECES}",
            r"poison[a-z]*",
            r"sobredosis",
            r"demasiadas(?! (?:preguntas|veces|cosas))",
            rf"{_TAKE} demasiad[oa]s?",
            r"(?:todo )?el frasco(?: entero)?",
            r"(?:intoxica|envenena)[a-z]*",
        ),
    ),
    (
        RedFlagKind.EMERGENCY,
        words(
            rf"(?:withdrawing|(?:starts?|started|starting|begins?|began|beginning|going|about) to withdraw){_NOT_CONSENT}",
            rf"withdrawals?(?! of ){_NOT_CONSENT}",
            r"abstinencia",
            r"chest pains?",
            r"heart attack",
            r"stroke",
            r"ambulance",
            r"emergency",
            r"dying",
            r"(?:going to|gonna) die",
            r"dolor de pecho",
            r"infarto",
            r"ambulancia",
            r"emergencia",
            r"me muero",
        ),
    ),
)
