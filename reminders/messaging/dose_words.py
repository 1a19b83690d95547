"""The words by which a reply says that a dose was taken, not taken, late or asked about, English and Spanish side by side.

`dose_sentences.py` combines them. A sentence counts only if every word of it is known here: "took my dog out" is no dose.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from reminders.messaging.reply_text import listed, words


class Word(Enum):
    """What one word or phrase contributes to a sentence."""

    ASK = auto()
    NOT = auto()
    WILL = auto()
    SKIP = auto()
    MISS = auto()
    TAKE = auto()
    TAKING = auto()
    LATE = auto()
    JUST_NOW = auto()
    NOW = auto()
    ALL = auto()
    SOME = auto()
    NONE = auto()
    BOTH = auto()
    ON_TIME = auto()
    YES = auto()
    NO = auto()
    OTHER = auto()
    COUNT_ONE = auto()


BEFORE_TIMES: tuple[tuple[Word, re.Pattern[str]], ...] = (
    (
        Word.SOME,
        words(
            r"(?:i )?(?:missed|skipped|forgot|mised) (?:some|a few|a couple|several|two|2|three|3|four|4|most|a lot|many)(?: of (?:them"
            r"|it|my doses|the doses))?(?: doses| pills| times)?",
            r"(?:not|no|nt) (?:all|every|everything|todas|todos)(?: of (?:them|it|my doses))?(?: (?:taken|tomadas))?",
            r"(?:all|todas) (?:but|except|menos) (?:one|1|two|2|a few|una|dos)",
            r"(?:only |just |solo )?(?:some|most|a few|a couple(?! (?:of )?(?:hours|hrs|minutes|mins))|part|algunas?|algunos?|unas"
            r"|la mayoria)(?: of (?:them|it|my doses"
            r"|the doses))?(?: were)?",
            r"(?:falto|faltaron|olvide|me faltaron|me salte) (?:una|dos|algunas|unas|varias|1|2)",
        ),
    ),
    (
        Word.ASK,
        words(
            r"(?:can|could|should|shall|may|do|would it be ok to|is it (?:ok|okay|safe|alright|fine) (?:to|if i)|(?:is it )?(?:ok|okay"
            r"|safe|too late|to late) to|am i ok to)"
            r" (?:i |we |he |she )?(?:still |just |now |also |even |go ahead and |only )*(?:take|tak|have|skip|use)",
            r"(?:la |lo |las |me la )?(?:puedo|puede|debo|debe|podria|se puede)(?: (?:todavia|aun|ya|tomar|tomarla|tomarlo|tomarlas"
            r"|tomarme|tomarmela|omitir|saltarme|saltar))+",
            r"(?:is it |its |it is )?(?:too|to) late(?: (?:now|to take))?",
            r"what (?:do|should|can|must|shall) i (?:do|take)(?: now)?|what now|what to do|now what",
            r"que (?:hago|debo hacer|puedo hacer)|es (?:muy |ya |demasiado )?tarde para tomar[a-z]*",
        ),
    ),
    (
        Word.NOT,
        words(
            r"(?:i )?(?:didnt|did nt|did not|dint|didn|didnot|havent|havnt|have not|hasnt|has not|wasnt able to|was not able to|couldnt"
            r"|could not|cant|cannot|can not"
            r"|wont|will not|not|never|aint|decided not to|forgot and didnt)"
            r"(?: (?:yet|even|actually|been able to|able to|get to|got to|gotten|remember to|have|ever|going to|gonna|to"
            r"|still))* (?:take|taken|took|taking|takn|tooken|taked|had|done|do|have)",
            r"(?:no|nope|still|todavia|aun)(?: not)? (?:not )?yet|(?:still )?not (?:yet|now|done|today)|havent yet|didnt yet",
            r"(?:todavia |aun )?no (?:(?:la|lo|las|los|me|he|ha|se|hemos|todavia|aun|ha sido) ){0,3}(?:tome|tomado|tomada|tomadas"
            r"|tomados|pude)(?: tomar(?:la|lo|las|los)?)?",
            r"todavia no|aun no|no todavia|ahorita no|sin tomar",
            r"untaken",
        ),
    ),
    (
        Word.WILL,
        words(
            r"(?:i )?(?:will|gonna|going to|about to|planning to|plan to|need to|still need to|still have to|have to|got to|gotta"
            r"|im gonna|im going to)"
            r" (?:just |still |probably |now )*(?:take|tak|do|have)(?: (?:it|them|mine|my dose|that))?(?: (?:later|soon|asap|now|tonight"
            r"|tomorrow|shortly|in a (?:bit|minute|min|sec|second|few|while)|in [0-9]+ (?:min|mins|minutes)))?",
            r"(?:maybe )?later|(?:mas tarde|luego|despues|al rato|ahorita|en un rato)(?: (?:la|lo) (?:tomo|tomare))?",
            r"(?:la |lo |las )?(?:voy a tomar(?:la|lo)?|tomare|la tomo|lo tomo)(?: (?:luego|despues|mas tarde|al rato|en un rato|ahorita"
            r"|ahora))?",
        ),
    ),
    (
        Word.MISS,
        words(
            r"(?:i )?(?:have |had |may have |just )?(?:missed|mised|misssed|missd|mist|miss|misse|mssed|missing)",
            r"(?:i )?(?:have |had |just |totally |completely |almost )*(?:forgot|forgott|forgotten|forget|fogot|forgto|forogt|4got"
            r"|forgor|frogot|foget)(?: (?:to (?:take|tak|do|have)|about|taking|all about))?",
            r"(?:i )?(?:overslept|over slept|slept (?:through|past|in|over)(?: (?:my |the )?alarm)?)",
            r"(?:me |lo |la )?(?:olvide|olvido|olvidado|olvidada|olvidaba|olvidarla)(?: (?:de|tomar(?:la|lo|me|mela)?|tomarme))*",
            r"se (?:me|le) (?:olvido|paso|fue|olvidaron|pasaron|olvidaba)(?: (?:tomar(?:la|lo|me)?|de))*",
        ),
    ),
    (
        Word.SKIP,
        words(
            r"(?:i )?(?:will |am |im |have |had |gonna |going to |just |decided to )*(?:skip|skipped|skiped|skippd|skipt|skipping|skp"
            r"|skipd|skipp|sckipped)",
            r"(?:i )?(?:passed on|refused|refuse|omitted|omit)",
            r"(?:me )?(?:la |lo )?(?:omitida|omitido|omiti|omito|omitir|salte|saltada|saltado|salto|brinque)",
        ),
    ),
    (
        Word.TAKING,
        words(
            r"(?:i )?(?:just now|just|only just|just this minute|right now|now) (?:took|taken|tooken|tok|taking|take|had|did|swallowed)",
            r"(?:im |i am |am )?(?:taking|takin|takeing)(?: (?:it|them|mine|my dose))?(?: (?:right )?now)?",
            r"(?:la |lo |me la |me |ya )*(?:acabo|acabamos|acaba) de tomar(?:la|lo|las|mela|melo)?|recien (?:la |lo |me la )?(?:tome"
            r"|tomada|tomado)",
            r"(?:la |lo |me la )?(?:estoy tomando|tomando)(?:la|lo)?(?: ahora(?: mismo)?)?",
        ),
    ),
    (Word.NOT, words(r"(?:i )?(?:didnt|did not|havent|have not|hasnt|has not|didnot|didn)")),
    (
        Word.JUST_NOW,
        words(r"(?:only )?just now|right now|just this (?:minute|second)|this (?:minute|second)|a (?:second|minute|moment|sec) ago"
        r"|ahora mismo|ahorita mismo|recien"),
    ),
    (Word.ON_TIME, words(r"(?:right )?(?:on time|ontime|on schedule)|a tiempo|a (?:la|su) hora|en punto|puntual")),
    (
        Word.TAKE,
        words(
            r"(?:i )?(?:have |had |has |did |was |were |its |been |already |ya )*(?:took|tooked|tok|takn|taken|taked|tooken|tookit|tookk"
            r"|yook|takem|tajen|takenn|takin it|swallowed|popped)",
            r"(?:i )?(?:have |had |has |been |already |its |am |im )*(?:done|did|completed|complete|dun|donee)(?: (?:it|that|so))?",
            r"(?:i )?(?:already )?(?:had|drank) (?:it|mine|them)",
            r"(?:ya )?(?:me )?(?:la |lo |las |los )?(?:he |ha |hemos )?(?:tome|tomada|tomadas|tomado|tomados|tomamos)(?: ya)?",
            r"(?:ya )?(?:esta )?(?:listo|lista|hecho|hecha)(?: ya)?|ya (?:esta|quedo)|ya (?:la|lo) hice",
            r"^(?:yes )?i have(?: already)?$",
        ),
    ),
)  # fmt: skip
AFTER_TIMES: tuple[tuple[Word, re.Pattern[str]], ...] = (
    (Word.LATE, words(r"(?:a )?(?:bit |little |few (?:minutes|mins|hours) |[0-9]+ (?:hours?|hrs?|minutes?|mins?) )?(?:late|tarde)"
    r"|(?:running |im |am |was |been )late|behind")),
    (Word.BOTH, words(r"both(?: of (?:them|those))?|ambas|ambos|las dos|los dos")),
    (Word.ALL, words(r"all(?: of (?:them|it|those|my))?|every(?:thing| one| dose| pill| single one)|each(?: one)?|todas?|todos?")),
    (Word.NONE, words(r"none(?: of (?:them|those|it|the above))?|nothing|neither(?: one| of them)?|not any|any"
    r"|ningun[ao]?(?: de (?:las|ellas|los|las dos))?|nada|ni una")),
    (
        Word.OTHER,
        words(r"(?:an)?other reason|(?:for )?(?:some )?other(?: reasons?| things?)?|something else|otr[oa](?: (?:cosa|razon|motivo))?"
        r"|por otr[oa] (?:cosa|razon|motivo)"),
    ),
    (
        Word.YES,
        words(
            r"yes+|yep+|yup+|yeah+|yea|yas|yah|ye|yse|ys|yee|yess+ir|yessir|aye|oui|si+|sip|simon|claro(?: que si)?|correct|correcto"
            r"|affirmative|absolutely|of course|i agree|agreed?|acepto"
            r"|estoy de acuerdo|de acuerdo|por supuesto",
        ),
    ),
    (Word.NO, words(r"no+|nope+|nah+|nop|naw|negative|nay|nel")),
    (Word.NOW, words(r"now|ahora|ahorita")),
    (Word.COUNT_ONE, words(r"(?:just |only |solo )(?:one|1|una)(?= (?:dose|pill|tablet|dosis|pastilla)|$)")),
)  # fmt: skip
ALL_WELL = words(
    r"(?:all|every ?thing|tod[oa]s?)(?: (?:is|are|was|seems?|feels?|very|so|really|still|muy|esta|va))*"
    r" (?:fine|good|great|ok|okay|alright|well|right|clear|cool|calm|quiet|normal|better|bien|mejor|tranquil[oa])",
)
"""How somebody is, and nothing of a dose: what only says "ok" must never confirm one."""

DIGITS = {
    **{str(digit): digit for digit in range(10)},
    **{word: digit for digit, word in enumerate(("one", "two", "three", "four", "five"), 1)},
    **{word: digit for digit, word in enumerate(("uno", "dos", "tres", "cuatro", "cinco"), 1)},
    "won": 1,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
}
DOSE_NOUNS = listed(
    "dose doses dosage med meds medicine medicines medicin medication medications pill pills tablet tablets tab tabs capsule capsules",
    "dosis medicina medicinas medicamento pastilla pastillas tableta tabletas pildora toma",
)
"""Names of drugs are not among them: with two plans, a drug's name says which dose is meant, and we could not tell which."""
FILLER = DOSE_NOUNS | listed(
    "a an i im ive id me my mine myself the this that it its them those these of is was were am are be been being have has had just",
    "already alredy aready allready please pls plz plse thanks thank thx tks ty you u ur your hi hello hey dear clinic doc dr doctor",
    "nurse sir maam madam team sorry srry apologies ok okay k alright so and but well um uh lol haha ha oh yet again still only one",
    "ones once also too on in at for with to as then there here today he she we they his her him our their son daughter mom mum",
    "mother dad father wife husband child kid boy girl baby patient finally actually really definitely indeed earlier before early",
    "sooner right good great fine cool feel feels feeling felt makes made make purpose everyone very much yo la lo las los el ella mi",
    "mis de del que ya se le te una un unas gracias hola senor senora senorita doctora enfermera y pues bueno bien perdon disculpe",
    "disculpen favor por fin solo tambien es fue su sus hijo hija mama papa esposo esposa usted ustedes temprano antes",
)
WITH_DIGIT = listed(
    "reply replied replying answer response respond option number num no nr choice choose pick press text its it is the my i for if",
    "when and to a an please pls thanks thank you sorry hi hello hey ok okay was were am me in this that from said say says just",
    "meant mean so with un una el la es de respuesta respondo opcion numero gracias hola por favor para si fue digo quiero decir y",
)
"""Words beside a digit that is an answer: "my answer is 2", "1 when taken"."""
BECAUSE = re.compile(r" (?:because|cause|cuz|bc|bcuz|since|so|as|porque|pues|ya que) ")
DOUBT = re.compile(
    r"(?<![a-z])(?:no|not|never|dont|didnt|doesnt|cant|cannot|wont|havent|isnt|wasnt|nor|neither|think|guess|maybe|perhaps|probably|if"
    r"|unless|but|or|and|then|except|almost|instead|joke|joking|jk|kidding|lie|lying|wrong|mistake|oops|wait|actually|nevermind|weeks?"
    r"|months?|tomorrow|ago|later|hours?|minutes?|doses?|pills?|tablets?|took|taken|take"
    r"|pero|sin|nunca|tal vez|quizas?|creo|o|y|semanas?|manana|horas?|dosis|pastillas?|tome|tomada)(?![a-z])|[#?0-9]",
)
