"""Words about doses that went wrong, medicine at home, symptoms, people and wishes, English and Spanish side by side."""

from __future__ import annotations

from reminders.messaging.reply_text import words
from reminders.messaging.reply_words import DONT, MED

# --- a dose that was not as planned ---------------------------------------------------------------------------------------------

_TOOK = r"(?:took|taken|tooken|taked|tok|had|swallowed|have taken|had to take|did take|tome|tomado|me tome|he tomado)"
_NOT_A_TIME = (
    r"(?! ?(?:am|pm|oclock|o clock|hours?|hrs?|h|minutes?|mins?|days?|weeks?|times? (?:a|this)|horas?|minutos?|dias?|of my (?:3"
    r"|three|4|four)|mg))"
)
ASKS_DOUBLE = words(
    r"(?:can|could|should|shall|may|must|do|ok to|okay to|safe to|if|will|would|gonna|going to|want to|need to|have to|puedo|debo|podria)"
    r" (?:i |we |you )?(?:just |now |then |also )*(?:to )?(?:take |have |tomar )?(?:it |them )?(?:two|2|double(?: up)?|twice|both"
    r"|an extra|extra|another(?: one)?|dos|doble)"
    r"(?: (?:doses|pills|tablets|now|together|at (?:the same|one) time|of them|later|juntas|dosis|pastillas))*",
)
NOT_DOUBLE = words(
    rf"{DONT} (?:[a-z]+ )?(?:doubled?(?: up| dose)?|(?:take|took|taken) (?:two|2|double|extra|any extra|twice)|twice)",
    r"no (?:tome|tomare|voy a tomar) (?:doble|dos)",
    r"double check[a-z]*",
)
TOOK_DOUBLE = words(
    rf"(?<!not )(?<!havent )(?<!never )(?<!didnt )(?<!hasnt ){_TOOK} (?:like |about |the |my |just |only |accidentally |accidentaly "
    rf"|by mistake |by accident )*(?:two|2|three|3|four|4|double|an extra|extra|dos|tres|doble)\b{_NOT_A_TIME}"
    r"(?: (?:of (?:them|it|my [a-z]+)|extra|doses|pills|tablets|tabs|dose|pill|instead(?: of (?:one|1))?|by (?:mistake|accident)|juntas"
    r"|dosis|pastillas|tabletas))*",
    rf"{_TOOK} (?:it|them|my [a-z]+|the [a-z]+|that) (?:twice|two times|2 times|again|2x|x2)",
    rf"{_TOOK} (?:another|one more|a second|a 2nd|an additional|otra|una mas|otra mas)(?: (?:one|dose|pill|tablet|dosis|pastilla))?",
    rf"{_TOOK} (?:more than (?:i should|planned|prescribed|one|usual|told)|them together|both (?:pills|doses|tablets|together|at once)"
    rf"|de mas)",
    r"(?:i )?double ?dosed?",
    r"(?<!no )(?<!not )(?:i )?doubled?(?: (?:up|it|my dose|the dose|dose|dosis))?",
    r"(?:took |taken )?(?:it )?twice(?! (?:a|per|daily|this))(?: (?:by (?:mistake|accident)))?",
    r"(?:two|2) (?:doses|pills|tablets) (?:by (?:mistake|accident)|together|at (?:once|one time|the same time))",
    r"(?:tome )?(?:dos veces|el doble|doble)(?: (?:dosis|por error))?",
)
ASKS_HALF = words(
    r"(?:can|could|should|may|shall|ok to|puedo|debo) (?:i )?(?:just |only )?(?:take |tomar )?(?:a )?(?:half|la mitad|media|less"
    r"|menos)(?: [a-z]+){0,3}"
)
TOOK_HALF = words(
    rf"(?:{_TOOK} )?(?:only |just |about |solo )*(?:a )?half(?! past| an? hour| hour)(?: (?:of (?:it|them|my [a-z]+|the [a-z]+)"
    rf"|a (?:dose|pill|tablet)|my [a-z]+|the [a-z]+|dose|pill|tablet|it))?",
    rf"{_TOOK} (?:only |just |solo )?(?:less|part|some) (?:of (?:it|my (?:dose|pill)|the (?:dose|pill))|than (?:prescribed|planned"
    rf"|i should|usual))",
    rf"{_TOOK} (?:less|menos)",
    rf"(?:{_TOOK} )?(?:solo )?(?:la |una )?mitad(?: de (?:la (?:dosis|pastilla)|ella))?",
    rf"(?:{_TOOK} )?(?:solo )?media (?:pastilla|tableta|dosis|pildora)",
)
NOT_VOMITED = words(r"(?:no|not|didnt|did not|havent|never|without|sin) (?:vomit[a-z]*|throw(?:ing)? up|threw up|thrown up|puk[a-z]*)")
VOMITED = words(
    r"(?:i )?(?:threw|throw|thrown|throwing|throwed|threwn|through) (?:(?:it|them|everything|all|that) )*(?:all |back "
    r"|right )*up(?: (?:my [a-z]+|the [a-z]+|it|after))?",
    r"vom+it+[a-z]*",
    r"puk(?:e|ed|ing)(?: it)?(?: up)?",
    r"(?:barfed|barf|upchucked)",
    r"(?:spit|spat|spitted) (?:it |them )?(?:back )?(?:out|up)",
    r"(?:couldnt|could not|cant|didnt) keep (?:it|anything|them) down",
    r"(?:came|come) (?:back|right back) up",
    r"(?:la |lo )?(?:devolvi|vomite|vomito|vomitado|vomitando)",
)

# --- medicine at home, people, wishes -------------------------------------------------------------------------------------------

HAVE_MEDICINE = words(
    rf"(?:not|isnt|im not|never) (?:out of|running out of|running low on) {MED}",
    r"(?:dont|do not|didnt|no longer) (?:need|want)(?: (?:a|an|any|my|the|more|another|new))* (?:re ?fills?|prescription|rx)",
)
OUT_OF_MEDICINE = words(
    r"(?:i )?(?:have |had |has |just |completely |totally )*(?:ran|run|runs|running) out(?! of (?:time|town|the house|breath"
    rf"|battery))(?: of (?:it|them|{MED}))?",
    rf"(?:im |am |is |are |all |be |been |completely |totally |now )*out of (?:it|them|stock|supply|{MED})",
    rf"(?:dont|do not|didnt) (?:have|got) (?:any|any more|no|no more|enough|more)? ?(?:left|{MED})(?: left| anymore| any more)?",
    rf"(?:have|has|got|theres|there is|there are|had) (?:no|no more|zero|0|not any|none of) ?{MED}(?: left| anymore)?",
    rf"(?:no more|no|zero|0) {MED} (?:left|anymore|any more|remaining|at home|here)",
    rf"no more {MED}",
    r"(?:none|nothing|not any|no more) (?:left|remaining)",
    r"(?:bottle|box|pack|container)(?:s)?(?: is| are|s)? (?:empty|finished|all gone|gone)|empty (?:bottle|box|pack)",
    rf"(?:{MED}|they) (?:is |are )?(?:all )?(?:gone|finished|lost|stolen)",
    rf"(?:lost|misplaced|cant find|cannot find|dropped|forgot to (?:buy|pick up|refill|pack)) {MED}",
    rf"(?:cant|cannot|can not|couldnt|unable to) (?:afford|get|fill|refill|find|buy|pick up) (?:it|them|a refill|{MED})",
    r"(?:pharmacy|farmacia) (?:is |was )?(?:out|doesnt have|does not have|had none|has none|no tiene)(?: (?:of )?(?:it|them|any|stock))?",
    rf"sin {MED}",
    rf"se (?:me )?(?:acabo|acabaron|acabado|termino|terminaron|terminado|perdio|perdieron)(?: {MED})?",
    rf"no (?:me )?(?:quedan?|tengo|hay)(?: mas| nada de| ninguna| ningun)? ?{MED}",
    r"me quede sin(?: [a-z]+)?|no me quedan?(?: (?:mas|nada|ninguna))?",
    rf"no mas {MED}",
)
NEARLY_OUT = words(
    rf"(?:almost|nearly|about|soon|will be|close to|getting|going to be) (?:out|run out|running out|gone)(?: of (?:it|them|{MED}))?",
    rf"(?:running |getting |very |am |im |pretty )?low on (?:it|them|{MED})|running low",
    rf"(?:need|want|require|requesting|request|send)(?: (?:a|an|my|new|more|to get|to|some|another))* (?:re ?fills?|re ?filled"
    rf"|prescription|rx|supply|{MED})",
    rf"(?:last|only one|only 1|one|1|two|2|few|three|3|a few) {MED} left",
    rf"(?:took|used|this is|on|that was) (?:my|the) last (?:one|{MED})",
    rf"(?:necesito|quiero|ocupo)(?: (?:mas|otra|una|un|nueva|la|surtir|mi))* (?:receta|recarga|{MED})",
    rf"(?:me )?quedan? (?:poc[oa]s?|una|dos|2|1)(?: {MED})?|casi (?:sin|no (?:me )?quedan?) ?(?:{MED})?",
)
TABLETS_LEFT = words(
    rf"(?:have |has |got |theres |there are |there is |counted )?(?:still |only |exactly |just )*"
    rf"(?P<n1>[0-9]{{1,3}}) {MED} (?:left|remaining|in the (?:box|bottle|pack))",
    r"(?:have |has |got |theres |there are |there is )(?:still |only |exactly |just )*(?P<n2>[0-9]{1,3}) (?:left|remaining)",
    r"^(?:only )?(?P<n3>[0-9]{2,3}) (?:left|remaining)$",
    rf"have (?:still |only |exactly |just )*(?P<n5>[0-9]{{2,3}}) {MED}",
    rf"(?:aun |todavia )?(?:me |nos )?quedan (?:solo )?(?P<n4>[0-9]{{1,3}})(?: {MED})?",
)
REFILL_WANTED = words(r"^(?:a )?re ?fills?(?: please| pls)?$", r"^(?:una )?recarga(?: por favor)?$")
NO_REFILL = words(r"(?:no|not|havent|didnt|have not|did not|never)(?: [a-z]+){0,2} (?:re ?fill(?:ed)?|picked up)(?: [a-z]+){0,2}(?: yet)?")
REFILL = words(
    rf"(?:got|picked up|pick up|received|collected|filled|have|bought|fetched)(?: (?:my|a|the|new|more"
    rf"|another))*(?: (?P<n1>[0-9]{{1,3}}))?(?: new| more)? (?:re ?fill|prescription|rx|supply|bottle|box"
    rf"|{MED})(?: of (?P<n2>[0-9]{{1,3}})(?: {MED})?)?(?: today| now| again)?",
    rf"re ?filled(?: (?:it|my|the|today|prescription|rx|{MED}))*(?: (?P<n3>[0-9]{{1,3}})(?: {MED})?)?",
    rf"(?:re ?fill|recarga) (?P<n4>[0-9]{{1,3}})(?: {MED})?",
    rf"new (?:bottle|supply|box|pack)(?: of (?P<n5>[0-9]{{1,3}})(?: {MED})?)?",
    rf"(?:recogi|compre|surti|recibi|ya tengo|me dieron)(?: (?:mi|mis|la|las|el|nuevas?|mas|otras?))*(?: (?P<n6>[0-9]{{1,3}}))?(?: mas"
    rf"| nuevas)? (?:receta|recarga|frasco|caja|{MED})(?: nuevas?)?",
)
NOT_CALL = words(
    r"(?:dont|do not|never|no need to|please dont) (?:call|phone|ring)(?: me)?|no me llam[a-z]+|(?:i |will |ill |i will |already )(?:call"
    r"|called|phone) (?:you|the|them|my)[a-z ]*"
)
CALL_ME = words(
    r"(?:please |pls |can you |could you |can someone |could someone |someone |have (?:someone|a nurse|the (?:nurse|doctor)) |need (?:a"
    r"|someone to) )*(?:call|phone|ring|cal)(?: (?:me|us|back|my [a-z]+|please|pls|asap|now))+",
    r"^(?:please )?call$|call ?back|give (?:me|us) a (?:call|ring)",
    r"(?:i )?(?:(?:want|need|like|wish|can i|could i|may i|would like|have)(?: to)? )?(?:talk|speak|spek|chat) (?:to|with"
    r"|w)(?: [a-z]+){1,2}",
    r"(?:a |real |live |an )?(?:human|operator|person|representative|rep|agent)(?: please| pls)?",
    r"(?:i )?(?:need|want)(?: to (?:see|talk to|ask))? (?:a|the|my) (?:nurse|doctor|dr|pharmacist|provider)",
    r"(?:me )?(?:puede[ns]?|pueden|podria[ns]?) llamar(?:me)?|llam(?:e|en|a)(?:me|nme)|ll[ae]m[ae]nme|que me llamen|llamar(?:me)?|llamada",
    r"(?:quiero |necesito |puedo )?hablar(?: (?:con|a))(?: [a-z]+){1,2}",
    r"(?:una )?persona(?: real)?",
)
NO_HELP = words(
    r"(?:for|with) (?:the|your|all your|ur) help|no (?:help|ayuda)(?: needed| necesaria)?|(?:dont|do not) need (?:any )?help|doesnt help"
    r"|didnt help|helps|helped"
)
HELP = words(
    r"(?:please |pls |need |i need |some |send |more )*(?:help+|hlep|halp|info|information)(?: me)?(?: please| pls)?",
    r"ayud[ae](?:me|nme)?|auxilio|informacion",
    r"who (?:is|are) (?:this|you|it)|who dis|whos this|quien es|quien eres|de parte de quien",
)
LINK = words(
    r"(?:(?:please|pls|can|could|you|i|we|need|want|send|text|get|give|me|us|a|the|my|new|another) )*(?:web ?)?links?(?: again)*",
    r"(?:(?:mande|mandeme|mandame|envie|envieme|quiero|necesito|el|un|mi|nuevo|otro) )*(?:enlace|vinculo|link)(?: (?:nuevo|otra vez))*",
)
OPT_IN = words(
    r"(?<!not )(?<!dont )(?<!didnt )(?<!never )(?:opt|opting)(?: (?:me|us|this number|my number))?(?: back)? in(?: again)?",
    r"(?:re ?start|start|resume|continue|turn on|begin|reactivate)(?: (?:sending|getting|receiving|my|the|me|these|again))* (?:texts?"
    r"|texting|messages?|messaging|reminders?)(?: (?:again|please|me|back on))*",
    r"turn (?:the |my )?(?:texts?|messages?|reminders?) (?:back )?on",
    r"(?:text|message|remind) me again",
    r"(?:quiero|reanudar|empezar|comenzar|iniciar|volver a)(?: (?:los|a|recibir|otra vez|de nuevo))* (?:mensajes"
    r"|recordatorios)(?: (?:otra vez|de nuevo))?",
)
SLOWER = words(
    r"slow(?:er|ing)? (?:it )?down",
    r"(?:can|could|may|want|like|need|please)(?: (?:we|i|you|to|it|go|this))* (?:go |be |do it |step up |increase )?(?:slower"
    r"|more slowly|slowly)",
    r"(?:go|going|go up|step up|goes|raise it) (?:a bit |a little |more )?(?:slower|slowly)",
    r"^slower$|slower please",
    r"(?:going|goes|raising(?: it)?|increase is|its|it is|this is|going up|steps are|moving|is) (?:way |much |a bit "
    r"|a little )?too (?:fast|quick|quickly)",
    r"^too (?:fast|quick)$",
    r"mas (?:despacio|lento|lentamente)|(?:muy|demasiado) (?:rapido|aprisa)",
)
STIFFNESS = words(
    r"(?:muscle )?(?:stiff|stiffness|stifness|rigidez) (?:is |was |of |level |at |about |es |de )*(?P<n>10|[0-9])(?: ?(?:/ ?10"
    r"|out of (?:10|ten)|de 10))?"
)
SPASMS_AND_A_NUMBER = words(r"(?:spasms?|espasmos?) [0-9]+")
"""Not said which number it is: of a day, or of the scale. It is no answer to a dose's menu."""
NO_SYMPTOMS = words(
    r"(?:no|without|zero|not any|dont have any|havent had any|have no|none of the|sin|ningun|ningunos"
    r"|no tengo) (?:any )?(?:side ?effects?|symptoms?|issues|complaints|efectos?(?: secundarios)?|sintomas?|molestias?)(?: today| hoy"
    r"| so far| at all)?",
)
NOT_A_PROBLEM = words(
    r"(?:no|not|without|never|sin|any|ningun|isnt|arent) (?:a |any |more |much |big |feeling |feel |really )*(?:problems?|issues?|sick"
    r"|dizz[a-z]*|nause[a-z]*|pain|headaches?|tired|weak|rash|sleepy|drowsy|unwell|stiff|sore|problemas?|mareo|mareos|nauseas?|dolor)",
    r"por (?:el|este) mal",
)
PROBLEM = words(
    r"(?:a |have a |got a |there is a |having |some |with )*(?:problem|probelm|problme|porblem|prob)s?",
    r"issues?",
    r"side ?e?ff?ects?|sideeffects?|side affects?",
    r"(?:not|dont|doesnt|havent been|isnt|wasnt) (?:feel|feeling|felt|doing) (?:so |very |too |really |quite )?(?:well|good|great|right"
    r"|ok|okay|fine|myself|hot)",
    r"(?:feel|feels|feeling|felt|im|am|been|is|so|really|very|got|getting|makes me|make me|made me) (?:so |very |really |pretty |a bit "
    r"|a little |kinda |quite )*"
    r"(?:bad|awful|terrible|horrible|unwell|worse|off|funny|weird|strange|ill|sick|crappy|lousy|rough|poorly|shaky|anxious|sleepy|tired"
    r"|weak|drowsy|down|depressed|sore|stiff)",
    r"(?:sick|unwell|ill|nause[a-z]*|nausious|queasy|diz+[a-z]*|light ?head[a-z]*|head ?aches?|migraines?|weak(?:ness)?|tired(?:ness)?"
    r"|fatigued?|sleepy|drows[a-z]*|rash[a-z]*|itch[a-z]*|hives"
    r"|swelling|swollen|pains?|painful|hurts?|hurting|aches?|aching|cramp[a-z]*|spasms?|stiff(?:ness)?|shaky|shaking|insomnia|diarrh?e?a"
    r"|constipat[a-z]*|fell(?! asleep)|fallen|anxi[a-z]*|palpitations?|sweating)",
    r"(?:cant|cannot|couldnt) sleep",
    r"(?:will|would|could|can|might|may|do|does|did) (?:i|we|he|she) withdraw",
    r"(?:(?:much|got|getting|a lot|even) )*worse",
    r"problemas?",
    r"efectos?(?: secundarios?)?",
    r"(?:me )?(?:siento|sentia|senti|sentido|encuentro|estoy|esta|puse) (?:muy |un poco |bastante )?(?:mal|enferm[oa]|maread[oa]|debil"
    r"|cansad[oa]|ties[oa])",
    r"(?:mal|malestar|enferm[oa]|mare(?:o|os|ada|ado)|nauseas?|asco|dolor(?:es)?|duelen?|debil(?:idad)?|cansad[oa]|cansancio|sueno"
    r"|somnolient[oa]|somnolencia|picazon|comezon|ronchas|sarpullido"
    r"|hinchad[oa]|hinchazon|calambres?|rigidez|espasmos?|diarrea|estrenimiento|me cai)",
)
NOT_BETTER = words(r"(?:not|dont|doesnt|isnt|never) (?:[a-z]+ )?(?:any )?better|no (?:me )?(?:siento|estoy) (?:mejor|bien|nada bien)")
FELT_BETTER = words(
    r"(?:i )?(?:feel|feeling|felt|feels|doing|am|im|got|much|was)(?: (?:so|a lot|lots|much|way|already))* better",
    r"(?:me )?(?:siento|sentia|senti|sentido|estoy|encuentro) (?:mucho |muy |ya )?(?:mejor|bien)",
    r"mejor",
)
BLOOD_PRESSURE = words(
    r"(?:my |the |todays |mi |la )?(?:(?:blood pressure|bp|presion(?: arterial)?)(?: (?:today|is|was|hoy|es|fue|de"
    r"|esta))* )?(?P<s>[0-9]{2,3}) ?(?:/|over|sobre|on) ?(?P<d>[0-9]{2,3})(?: (?:today|hoy))?",
)
