"""The words of replies, English and Spanish side by side: both are always read. How they combine is decided in `replies.py`.

Every pattern meets plain words (`plain_words`): lower case, no accents, no apostrophes.
"""

from __future__ import annotations

from reminders.messaging.reply_text import words

MED = (
    r"(?:(?:my|the|this|that|these|those|all|your|mi|mis|la|las|el|los|su|sus|esta|este) )*"
    r"(?:meds?|medicines?|medicins?|medecines?|medicen|medications?|medcine|pills?|tablets?|tabs?|capsules?|drugs?|doses?|dosage"
    r"|prescription"
    r"|treatment|baclof[a-z]+|lioresal|gabapentin[a-z]*|neurontin|pregabalin[a-z]*|lyrica|tizanidin[a-z]*|zanaflex|clonidin[a-z]*"
    r"|venlafaxin[a-z]*|effexor|semaglutid[a-z]*|ozempic|metformin[a-z]*|prednisolon[a-z]*|prednison[a-z]*"
    r"|medicinas?|medicamentos?|medisinas?|pastillas?|pastiyas?|tabletas?|pildoras?|capsulas?|remedios?|tratamiento|dosis)"
)
TEXTS = (
    r"(?:texts?|txts?|texting|txting|messages?|messaging|messeges?|mesages?|msgs?|sms|reminders?|reminding|notifications?|notices|alerts?"
    r"|contacting|bothering|bugging|spamming|sending|writing|calling|pinging|harassing|service|subscription|program|programme|spam"
    r"|communications?"
    r"|mensajes?|mensages?|textos?|recordatorios?|avisos?|notificaciones|alertas)"
)
DONT = (
    r"(?:dont|do not|never|no longer|not|didnt|did not|havent|have not|hasnt|wont|will not|cant|cannot|can not|couldnt|please dont"
    r"|no he|nunca)"
)

# --- what says nothing, and what must not be read as what it looks like --------------------------------------------------------

SMALL_TALK = words(
    r"(?:i )?(?:was|am|im|were|fell|have been|been) (?:asleep|sleeping|at work|working|driving|busy|away)|wasnt (?:at )?home"
    r"|(?<!me )(?<!us )at work|working",
    r"good (?:morning|afternoon|evening|night|day)",
    r"buen(?:os|as) (?:dias|tardes|noches)",
    r"(?:have|has) a (?:good|great|nice) (?:day|one|night|evening|weekend)",
    r"(?:no|not a) problem at all|no problemo",
    r"(?:sorry )?(?:for|about) the (?:late|delayed|slow) (?:reply|response|answer|text)",
    r"(?:late|delayed|slow) (?:reply|response|answer|text|responding|replying)",
    r"(?:forgot|forgotten) to (?:reply|respond|answer|text|confirm|tell|let you know|write|message|hit|press)(?: you| back| you back| it"
    r"| this)?",
    r"(?:olvide|se me olvido) (?:responder|contestar|avisar|confirmar)[a-z]*",
    r"with (?:some |my |a )?(?:food|water|breakfast|lunch|dinner|milk|juice|coffee|meal)",
    r"con (?:agua|comida|leche|el desayuno|la comida|la cena)",
    r"(?:a (?:little |short )?while|a bit|a few (?:minutes|mins|hours|hrs)|(?:a )?little bit|some time) ago|hace (?:un )?(?:rato|ratito"
    r"|poco)",
    r"thank you(?: so much| very much)?|thanks(?: a lot| so much)?|muchas gracias|por favor",
    r"as (?:usual|prescribed|directed|planned|always|told)|como siempre",
    r"let you know|(?:thanks|thank you) for everything|for (?:asking|reminding(?: me)?|checking|the reminder|the text|your text|texting)",
)
DOUBTFUL = words(
    rf"(?:{DONT}|doesnt|does not|isnt|aint|wasnt)(?: (?!you)[a-z]+)? (?:skip[a-z]*|miss[a-z]*|forg[eo]t[a-z]*|late|doubled?|stop(?:ped"
    rf"|ping)?|quit|end|cancel)",
    r"(?:dont|do not|doesnt|didnt) want (?:you |it |them |this |the texts )?to (?:stop|end|quit)",
    r"no (?:se me olvido|olvide|salte|me la salte|deje)",
    r"(?:missed|skipped|forgot) (?:none|nothing)",
    r"(?:when|if|before|after|once|unless|until) (?:i|he|she|we|they) (?:have |had |has )?(?:take|took|taken|takes|taking|miss|missed"
    r"|skip)",
    r"(?:before|after) (?:taking|i took)",
    r"late (?:in |with )?taking",
    r"(?:will|can|could|should|did) (?:it|they|this) (?:stop|take|miss)",
    r"i (?:just )?(?:texted|sent|messaged|wrote|called|dialed|used)(?: [a-z]+){0,3}? wrong (?:number|person|phone)",
)
UNSURE = words(
    r"(?:not|isnt|arent|im not|am not) (?:really |totally |100 )?(?:sure|certain)(?: [a-z]+){0,4}? (?:took|taken|take|had|did)(?: [a-z]+)?",
    r"(?:unsure|uncertain|dont know|do not know|no idea|no clue|idk|wonder(?:ing)?)(?: [a-z]+){0,4}? (?:took|taken|take|had"
    r"|did)(?: (?:it|mine|my dose))?",
    r"(?:cant|cannot|can not|dont|do not|couldnt|didnt|did not) (?:remember|recall|rember|remeber)(?: [a-z]+){0,5}?(?: (?:took|taken"
    r"|take|taking|had|did)(?: [a-z]+)?)?",
    r"(?:forget|forgot|forgotten) (?:if|whether|when)(?: [a-z]+){0,4}? (?:took|taken|take|had|did)(?: (?:it|mine|my dose))?",
    r"(?:think|guess|believe|maybe|probably|perhaps|might have|may have|pretty sure|not sure)(?: (?:i|we|he|she|that|already|have"
    r"|did)){0,4} "
    r"(?:took|taken|missed|forgot|skipped|did)(?: (?:it|that|mine|my dose|the dose|my pill))?",
    r"(?:took|taken|tome|tomada)(?: (?:it|that|mine))?(?: ,)? (?:i (?:think|guess|believe|suppose)|creo)",
    r"(?:did|have|has) (?:i|he|she|we) (?:already )?(?:took|take|taken)(?: [a-z]+)?",
    r"no (?:recuerdo|me acuerdo|se|estoy segur[oa])(?: (?:de|si|que|haber|la|lo|ya|he|me)){0,4}(?: (?:tome|tomado|tomada|tomo))?",
    r"(?:creo que|quizas?|tal vez|a lo mejor)(?: (?:ya|si|la|lo|me|he|no)){0,3} (?:tome|tomado|tomada|olvide)",
)

# --- the medicine stopped, and the wrong phone ----------------------------------------------------------------------------------

STOPPED_TAKING = words(
    r"(?:stop|stopped|stopt|stoped|stopping|stoping|quit|quitting|quited|discontinued?|ceased?)(?: [a-z]+){0,2}? (?:taking|takin|takeing"
    r"|using)(?: [a-z]+)?",
    rf"(?:stop|stopped|stopt|stoped|stopping|stoping|quit|quitting|quited|discontinue|discontinued|discontinuing) (?:on "
    rf"|with )?{MED}(?! {TEXTS})",
    r"(?:i|ive|we|he|she|has|have|had|just|already) (?:have |has |had |just |already )*(?:stopped|stoped|quit taking)(?: (?:it|them"
    r"|all of them|cold turkey|completely))?"
    r"(?=$| \.| ,| ~| \?| (?:yesterday|today|because|since|on|last|a|2|two|this|cause|cuz))",
    rf"(?:no longer|not|dont|do not|wont) (?:take|taking|using|on) (?:it|them|that|{MED}) ?(?:any ?more|any longer)",
    rf"(?:no longer) (?:take|taking|using|on)(?: (?:it|them|{MED}))?",
    rf"(?:went|gone|been|came|come|coming|getting|got|am|im|took myself) off (?:of )?(?:it|them|{MED})",
    r"cold turkey",
    rf"(?:gave|given|giving) up (?:on )?(?:it|them|{MED})",
    r"(?:deje|dejado|dejo|dejar|dejando|pare|parado|parar) de (?:tomar|usar)[a-z]*",
    rf"(?:deje|dejado|abandone|suspendi|suspendido|dejar) {MED}",
    r"ya no (?:la |lo |las |los |me la )?(?:tomo|tomamos|toma|uso|estoy tomando)(?: mas)?",
    r"no (?:la |lo |las |los )?(?:tomo|toma|estoy tomando|voy a tomar) mas",
    r"no (?:la |lo )?quiero (?:seguir )?(?:tomar|tomando)[a-z]*(?: mas)?",
    r"no (?:la |lo |las |los )?(?:tomare|tomo) nunca mas",
)
# Only as the whole clause.
STOPPED_ALONE = frozenset(
    ("stopped", "i stopped", "ive stopped", "stopped it", "i stopped it", "i have stopped", "la deje", "lo deje", "ya la deje"),
)
_ALONE = r"(?=$| *[.,?~]| (?:here|please|sorry|thanks|thank|and|or|so|stop)(?![a-z]))"
WRONG_NUMBER = words(
    r"wrong (?:number|person|phone|guy|num)",
    rf"(?<!thats )(?<!is )(?<!its )(?<!was )wrong no{_ALONE}",
    r"you(?: have|ve)? got the wrong (?:number|person|phone|guy|man|woman|lady|patient|party|house|name|one)",
    r"(?:not|isnt) (?:my|his|her|the right|that persons?) (?:number|phone)",
    rf"(?:dont|do not) know (?:(?:him|her|them){_ALONE}|this person|who that is|anyone (?:by|with) that name"
    r"|(?:anyone|anybody|any (?:person|man|woman)) (?:named|called) [a-z]+)",
    r"no one (?:here )?(?:by|with) that name",
    r"numero (?:equivocado|incorrecto)|(?:se )?equivoc(?:o|ado|aron|aste) de (?:numero|persona)|no (?:es|soy) (?:mi numero|esa persona)",
)
"""Only where nothing else can be meant: "I dont know her blood pressure" is somebody who answers for the patient."""
