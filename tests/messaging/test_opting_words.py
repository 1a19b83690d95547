"""Ending texts and taking them up again: the carrier's exact words, the law's many, and what only sounds like them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.messaging import opting_words, replies, request_words
from reminders.messaging.intents import HelpWanted, OptIn, OptOut, StoppedTaking, Taken
from reminders.messaging.opting_words import CARRIERS_OUT, carrier_ended, carrier_resumed
from reminders.messaging.replies import parse

LONG_CODE, TOLL_FREE, SHORT_CODE, SANDBOX = "+12025550100", "+18005551212", "20255", ""

# fmt: off
OPT_OUTS = (
    "stop", "STOP", "Stop.", "stop!", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel", "stop please",
    "please stop texting me", "opt out", "opt-out", "opt me out", "remove me", "take me off", "no more texts",
    "take me off your list", "take me off this list please", "i want to opt out", "i'd like to opt out",
    "i would like to unsubscribe", "please unsubscribe me", "unsubscribe me from this", "how do i unsubscribe",
    "how do I stop these texts", "how do i opt out of this", "stop texting", "stop texting this number", "quit texting me",
    "stop sending me messages", "stop sending texts", "stop sending me stuff", "stop messaging me", "don't text me anymore",
    "do not text me again", "dont message me", "do not contact me", "please do not contact me anymore", "stop contacting me",
    "stop bothering me", "leave me alone", "lose my number", "delete my number", "remove my number",
    "remove my number from your list", "remove me from your list", "remove me from the list", "remove me from this service",
    "take my number off", "take me off of this", "get me off this list", "I don't want these texts",
    "I don't want any more texts", "i no longer want to receive these messages", "i do not wish to receive texts", "no texts",
    "no texts please", "no more messages", "no more messages please", "no more reminders", "no reminders please",
    "enough texts", "enough with the texts", "cancel these texts", "cancel messages", "cancel my subscription",
    "cancel the service", "cancel reminders", "cancel texts please", "end texts", "end the texts", "end messages",
    "end this service", "discontinue texts", "cease and desist", "cease texting me", "turn off texts", "turn off reminders",
    "turn these off", "shut off the reminders", "i revoke consent", "I withdraw my consent", "revoke consent",
    "I revoke my permission to text me", "stop!!!!", "STOP STOP STOP", "stop it now", "make it stop", "stop now please",
    "S T O P", "s.t.o.p", "stop.", '"stop"', "'STOP'", "Stop 🛑", "STOP texting!", "stop spamming me", "spam stop", "unsub",
    "unsubscribed", "unsubscibe", "unsuscribe", "unsubscrible", "un-subscribe", "opt - out", "opted out", "stop all texts",
    "stop all messages", "STOP ALL", "stop everything", "stop alerts", "stop notifications", "ok stop", "hi, stop please",
    "hello please stop", "stop thanks", "please stop this", "please stop these texts", "please stop the texts",
    "please stop the reminders", "please stop these", "can you please stop", "could you stop texting me",
    "would you please stop sending these", "i want you to stop texting me", "i want to stop receiving texts",
    "i want to stop getting these messages", "I want to stop the texts", "i want the texts to stop",
    "i want these messages to stop", "stop the reminders", "stop reminders", "stop reminding me", "don't remind me anymore",
    "i don't need reminders", "i dont need these reminders anymore", "i don't need these texts any more", "not interested stop",
    "never text me again", "never contact me again", "do not text", "do not text this number", "dont send me texts",
    "don't send me any more texts", "do not send me any more messages", "dont send any more", "stop sending", "stop send",
    "stop msg", "stop msgs", "stop txt", "stop txts", "stop sms", "txt stop", "text stop", "reply stop", "send stop",
    "STOP to end", "stop to end texts", "i said stop", "I already said stop", "i told you to stop", "told you to stop texting",
    "STPO", "sotp", "stopp", "sstop", "sto p", "stop please stop", "please please stop", "please cancel", "cancel please",
    "please end", "end please", "quit please", "please quit", "remove", "remove please", "please remove", "delete me",
    "please delete me", "delete me from your system", "stop service", "stop subscription", "end subscription", "end service",
    "i wish to opt out", "i choose to opt out", "I opt out", "opting out", "opt out please", "please opt me out",
    "please opt this number out", "opt us out", "stop calling and texting", "do not call or text", "dont call or text me",
    "no contact", "no more", "no more please", "enough", "go away", "turn it off", "please turn off", "unenroll me",
    "unenroll", "disenroll me", "sign me off", "sign me out", "stop the program", "drop me from the program", "drop me",
    "withdraw me", "i quit the program", "i dont want to be in this program anymore", "cancel my enrollment", "deactivate",
    "deactivate me", "discontinue messages", "halt", "cease", "stop asap", "stop immediately", "stop today", "stop at once",
    "stop right now", "please make it stop", "quit sending me these", "quit it with the texts", "quit bugging me", "stop 🙏",
    "STOP 👎", "👎 stop", "arret", "ARRÊT", "td", "Stop, please.", "please, stop", "PLEASE STOP", "stop-all", "stop_all",
    "Stop Stop", "Stop messages", "stop these messages", "stop these now", "stop those", "stop them texts",
    "please stop the messages today",
    "cancel now", "end now", "cancel this", "end this please", "quit now", "quit this", "cancel these",
    "I do not consent to these texts", "I no longer consent", "I'd rather not get these messages",
    "I want to receive no more texts from you", "I wish to get no more messages", "You do not text me again!",
    "take my name off your list", "remove from your list", "I want to leave the program", "I dont want you to text me",
    "I don't want to be contacted anymore", "I prefer not to receive texts", "I would rather you didn't text me",
    "stop these annoying texts", "stop your constant daily messages", "can you please stop all of these stupid reminders",
    "no longer interested in these texts", "take me off the text list", "you must not contact me", "do not send me anything",
    "please don't send me anything else", "I revoke", "consent withdrawn", "not interested in your texts",
    "I would like for these texts to stop", "please stop with all the text messages",
    "stop sending me text messages every day", "stop texting my phone", "Please remove this number from your contact list",
    "remove my phone number from your list", "take my phone number off your list", "please take this number off",
    "I never want to get a text from you again", "do not ever contact this number again", "don't ever text me again",
    "please no more text messages", "no more automated texts", "I don't want any of these text messages anymore",
    "i do not want reminders", "I do not want your reminders", "i don't want to get these anymore",
    "I don't want this service", "stop the daily reminders", "cancel all future texts", "cancel my daily reminders",
    "stop my medication reminders", "please end these reminders now", "unsubscribe from all", "unsubscribe from this list",
    "no longer wish to be contacted", "stop harassing me", "quit harassing us", "stop calling me",
    "stop contacting my phone", "this is not bob dont text me anymore",
    "I told you not to text me", "told you not to contact me anymore", "knock it off", "get lost", "i dont want your texts",
    "dont want texts", "I dont wanna get texts", "i want off this list", "remove me please i dont want this",
    "take us off your list", "please stop sending any messages to this phone", "I want no more messages",
    "I want to be removed", "I want to be removed from this list", "stop writing to me", "stop writing me",
    "Stop sending messages to my mother", "I am opting out", "stop for good", "stop forever", "stop stop texting",
)
"""The texts shall end, and nothing else is said."""

OPT_OUTS_SPANISH = (
    "alto", "parar", "cancelar", "no más mensajes", "dejen de escribirme", "no mas", "basta", "ya basta", "pare", "paren",
    "para", "detener", "detente", "deténganse", "alto por favor", "por favor paren", "no más", "no más mensajes por favor",
    "no mas textos", "no mas recordatorios", "no me escriban", "no me escriban más", "ya no me escriban",
    "no me manden mensajes", "no me manden más mensajes", "no me envíen más mensajes", "no me envien nada mas",
    "no quiero recibir mensajes", "no quiero más mensajes", "ya no quiero recibir mensajes", "ya no quiero sus mensajes",
    "no deseo recibir más mensajes", "dejen de mandarme mensajes", "deje de enviarme mensajes", "dejen de molestar",
    "dejen de molestarme", "deja de escribirme", "deja de mandarme textos", "dejen de enviar mensajes",
    "paren de mandar mensajes", "pare de escribirme", "parar mensajes", "parar los mensajes", "cancelar mensajes",
    "cancelar los mensajes", "cancelar suscripción", "cancelar la suscripcion", "cancelar el servicio", "cancele los mensajes",
    "cancelen", "cancelen los mensajes", "cancelar por favor", "quiero cancelar", "quiero cancelar los mensajes",
    "quiero darme de baja", "darme de baja", "dar de baja", "deme de baja", "denme de baja", "baja", "borrar mi número",
    "borren mi numero", "borre mi numero de la lista", "quitar", "quítenme", "quítenme de la lista", "quiteme de su lista",
    "quitar mi numero de la lista", "sáquenme de la lista", "saquenme", "eliminar", "eliminar mi numero", "eliminenme",
    "elimíneme de la lista", "bórrenme", "borrenme de la lista", "desuscribir", "desuscribirme", "desuscribirse",
    "anular suscripcion", "anular", "terminar", "terminar mensajes", "terminen", "fin", "finalizar", "salir", "salirme",
    "renunciar", "retirar mi consentimiento", "retiro mi consentimiento", "revoco mi consentimiento", "revocar",
    "no autorizo mas mensajes", "no molestar", "no molesten", "no me molesten", "no me molesten mas", "no me contacten",
    "no me contacten más", "no vuelvan a escribirme", "no vuelvan a mandarme mensajes", "déjenme en paz", "dejeme en paz",
    "suficiente", "ya no más", "ya no mas mensajes", "no necesito más mensajes", "no necesito recordatorios",
    "no me recuerden más", "basta de mensajes", "alto a los mensajes", "alto mensajes", "detener mensajes",
    "detener los mensajes", "dejar de recibir mensajes", "quiero dejar de recibir mensajes", "como cancelo los mensajes",
    "cómo me doy de baja", "desactivar", "desactivar mensajes", "apagar recordatorios", "parenle", "párenle ya", "alto ya",
    "STOP por favor", "stop ya", "por favor no me escriban", "favor de no escribir", "no escriban", "no manden mas",
    "no mandar mas mensajes", "no enviar mensajes", "no mas sms", "no mensajes", "sin mensajes",
    "no quiero seguir recibiendo mensajes", "no quiero ningún mensaje", "quiero salir del programa", "bórrame",
    "quítame de la lista", "sácame de la lista", "elimíname de la lista", "anula", "desactiva",
    "no tienen mi consentimiento", "no me escribas mas", "no me mandes mas mensajes", "ya no me envíes mensajes",
    "deja de mandarme mensajes", "dame de baja", "no me texteen", "no me mande mensajes", "no me mande nada",
    "ya no quiero recibir estos mensajes", "no quiero recibir nada", "no quiero recibir mas", "no quiero que me escriban",
    "no quiero que me manden mensajes", "por favor dejen de escribirme", "dejen de mandarme recordatorios",
    "quiero que dejen de escribirme", "ya no me manden recordatorios", "quiten mi numero", "no me escriba mas por favor",
    "para de escribirme", "para los mensajes", "ya no deseo los mensajes", "no deseo sus mensajes", "retirenme de la lista",
    "eliminar de la lista", "quiero desactivar los mensajes", "cancele los recordatorios", "no mas mensajes de texto",
)
"""The same."""

NO_OPT_OUTS = (
    "i stopped taking it", "I stopped", "i stopped it", "stopped my pills", "stop the medicine", "i quit taking it",
    "i quit my meds", "should i stop", "can i stop taking it", "when can i stop", "doctor said stop",
    "my doctor told me to stop taking it", "i want to stop taking it", "i want to quit baclofen", "i cant stop shaking",
    "the pain stopped", "the spasms stopped", "it stopped working", "bleeding wont stop", "i ended up skipping it",
    "the end of the month", "weekend", "at the end of the day", "i took it at the end of lunch", "end of the bottle",
    "i will stop by the clinic", "stop by tomorrow", "ill stop by to pick up the message", "I got no text yesterday",
    "i got no texts today", "no text today", "no text came", "why no text", "why no texts today", "no texts since monday",
    "i get no more texts", "why are there no more texts", "there were no more reminders yesterday", "did you stop texting me",
    "why did you stop texting me", "have you stopped sending reminders", "why did the texts stop", "the texts stopped",
    "texts have stopped", "you never text me", "you dont text me anymore", "why dont you text me anymore",
    "i didnt get the text", "i never got your text", "you didn't send me a text", "dont stop texting me",
    "please dont stop the reminders", "never stop sending these", "I dont want the messages to stop",
    "i don't want the texts to stop", "I don't need a reminder, I took it", "i don't need the reminder today",
    "dont need a reminder i took it already", "what is the number at the end of the text", "at the end of your message",
    "not enough reminders", "i have enough pills", "quit smoking program", "i am in a quit smoking program",
    "cancel my appointment", "cancel that i took it", "remove the cap", "delete that last message", "i deleted your text",
    "sorry i deleted the message", "remove my last answer", "take it off", "i took my patch off", "took the day off",
    "take two off", "my phone was off", "turn off the light", "i was cut off", "call off", "day off", "i feel off",
    "im off today", "off to bed", "i'm off my meds", "came off it", "wrong, cancel that", "cancel 1", "undo",
    "ignore my last text", "ignore last message", "i opted for the morning dose", "end it", "cancel it", "revoked my license",
    "quit it", "cancel that", "cancel today", "not interested", "I'm not interested, thanks",
    "enough for today i took it", "thats enough, took it", "i had enough water", "no more pain", "no more pills",
    "no more tablets", "no more medicine", "no more doses", "no more problems", "no more spasms", "no more side effects",
    "no more questions", "stop asking me if i took two", "i will not stop", "i cannot stop", "dont quit", "quitting smoking",
    "stop light", "bus stop", "i was at the stop", "non stop headache", "nonstop", "stopped up nose", "i never stop",
    "stopping by later", "can I leave the message with the nurse", "how do i leave the message", "no more problems texting you",
    "I don't want to lose my number", "I told my son to leave me alone", "they go out and leave me alone", "can you get me off the phone",
    "when will they stop calling", "please leave the reminders on",
    "spasms dont bother me anymore", "the side effects do not bother me", "please dont send the refill to Walgreens",
    "dont send an ambulance", "Don't bother calling, I took it at 8", "i dont text while driving",
    "I never write back sorry", "do not contact my sister", "when will you take me off baclofen?",
    "can the doctor get me off this medicine", "my son will drop me off at the clinic", "drop me a line when it is ready",
    "I am starting to withdraw", "will I withdraw if I miss one?",
    "I don't want to keep bothering you but my legs are stiff", "i dont need a refill got your message",
    "i dont have enough tablets so im calling the pharmacy", "cancel my appointment and text me a new one",
    "my spasms stop me from writing", "they leave me alone all day", "can the doctor sign me off work",
    "dont send anyone, I'm on it", "my kids dont text me anymore", "I always lose my phone", "I dont want to opt out",
    "do not remove me from the list", "I opted out of surgery", "no more spasms thanks for the texts",
    "cancel my last message", "these pills do not bother me", "the voices never bother me", "it doesnt bother me",
    "my leg dont bother me much", "please dont bother my wife", "dont send the pills to my old address",
    "dont send me the refill yet", "do not send my prescription to cvs", "please dont send a nurse",
    "never send it to that pharmacy", "dont send anyone im on it", "dont send help", "dont call anyone",
    "I never text at work", "we dont text", "my kids never text me", "the pharmacy never contacts me",
    "please do not contact my daughter", "dont contact my employer", "dont write it on the bottle", "dont message my son",
    "dont remind me of that day", "dont text me at work", "dont text me after 9", "please dont text so early",
    "the nurse told me to get off this medicine", "can you get me off these pills", "when can i get off baclofen",
    "take me off the baclofen please", "my doctor will take me off it soon", "they took me off baclofen",
    "please take me off the waiting list", "take me off the schedule for tuesday", "dont take me off baclofen",
    "my wife drops me off", "can you drop me a text when ready", "drop me off at home", "the bus drops me off",
    "i will drop my number", "i lose my number sometimes", "leave me alone with my pain", "the pain wont leave me alone",
    "please dont leave me alone", "spasms never leave me alone", "my doctor signed me off", "sign me off sick",
    "can you sign me off for two weeks", "i dont want to keep calling", "I dont want to be writing so much",
    "i dont want to bother you with messages", "i dont want to miss your texts", "i dont want to lose the reminders",
    "i dont need a refill thanks for the reminder", "i dont need refills got text", "i dont like taking this, text me",
    "i dont want to take it, please message the doctor", "end of my shift text me then", "i quit work at 5 text me after",
    "i take enough for today thanks for the text", "i have enough tablets thanks for the message",
    "there is enough in the bottle got your text", "no more headaches since the program",
    "no more cramps thanks for reminding me", "no more pills so calling the pharmacy", "enough pills, calling tomorrow",
    "cancel my ride and message my son", "cancel the refill message me when ready", "cancel my therapy program",
    "cancel that appointment reminder me later", "cancel my pharmacy subscription", "stop the bleeding text",
    "my hand tremor stops me from writing", "shaking stops me writing", "spasms stop me from texting",
    "the stiffness stopped me texting", "i stopped calling the clinic", "i had to stop writing",
    "when should i stop sending my blood pressure", "should i stop calling", "the end of the program",
    "when does the program end", "i dont remember your text", "I didnt get enough texts",
    "remove me from the transplant list", "please remove my cast", "can you remove me from baclofen",
    "delete my last message", "i had an opt out form for the vaccine", "i opted out of physical therapy",
    "did i unsubscribe", "I did not unsubscribe", "i dont want to unsubscribe", "i never opted out",
    "please dont unsubscribe me", "cancel my authorization for my refill", "i do not consent to surgery",
    "I dont consent to the new dose",
)
"""The medicine, a complaint that no text came, a question, a wish for more: the texts go on."""

OPT_INS = (
    "start", "unstop", "subscribe", "opt in", "opt-in", "optin", "please opt me in", "opt me back in", "opt back in",
    "I want to opt in again",
    "opt this number back in", "subscribe me", "resubscribe", "sign me back up", "start texts again", "resume texts", "resume my reminders",
    "turn the texts back on", "text me again", "comenzar", "iniciar", "reanudar mensajes", "reanudar los recordatorios",
)
"""The texts shall go on."""

NO_OPT_INS = ("restart", "start again", "alta", "reanudar", "resume", "I did not opt in", "I never opted in", "tengo la presión alta")
"""The medicine, perhaps, or a pressure that is high, or nothing of the kind."""

NO_OPT_OUTS_SPANISH = (
    "no me mandaron el mensaje", "no me enviaron mensajes hoy", "no me mandan mensajes", "ya no me mandan mensajes",
    "no me llegan mensajes", "no recibo mensajes", "no recibí el mensaje", "no me llegó el mensaje", "no me molesta",
    "no me molestan", "no me escribieron", "no envié la respuesta", "no mandé nada", "no me molesta nada", "dejé de tomarla",
    "dejé la medicina", "ya no la tomo", "parar de tomar la medicina", "quiero parar el tratamiento", "no quiero tomarla más",
    "no quiero más pastillas", "no más pastillas", "no tengo más pastillas", "no más dolor", "baja presión", "presion baja",
    "me bajó la presión", "estoy de baja", "dar de baja la dosis", "la presión alta", "muy alto", "cancelaron mi cita",
    "cancelar mi cita", "quiero cancelar la cita", "para mañana", "para el dolor", "fin de semana", "al fin la tomé",
    "por fin la tomé", "salí tarde", "voy a salir", "se terminó", "terminé las pastillas", "ya terminé", "no más que una",
    "nada más", "una no más", "la tomé no más", "no más tengo una", "basta con una", "por qué no me mandan mensajes",
    "dejaron de mandarme mensajes", "dejaron de escribirme", "me quitaron el dolor", "quitar el dolor", "eliminar el dolor",
    "no mandes la ambulancia", "no molesta mucho", "le escribo luego", "no escribí antes",
    "me dio un susto", "perdon por no recordar", "que necesito para el programa", "no envien la receta a walgreens",
    "quitenme del baclofen", "deje de escribir porque me tiembla la mano", "termine el programa de terapia",
    "no me manden la receta todavia", "no me envien las pastillas", "no manden a nadie", "no manden una ambulancia",
    "no contacten a mi hermana", "no le escriban a mi hijo", "los espasmos no me molestan mas", "ya no me molesta la pierna",
    "no me moleste tomarla", "no me deja en paz el dolor", "los espasmos no me dejan en paz", "deje de escribir",
    "deje de recordar cosas", "dejo de molestarme la pierna", "cuando me van a quitar el baclofeno", "quiteme el dolor",
    "quitenme esta medicina", "saquenme de este dolor", "me pueden sacar de la medicina",
    "me van a dar de baja en el trabajo", "el medico me quiere dar de baja", "estoy de baja por enfermedad",
    "tengo la presion baja", "gracias por los mensajes", "gracias por el recordatorio",
    "mi numero para los mensajes es el mismo", "para el programa que necesito", "no quiero que me manden la receta ahi",
    "no quiero que llamen a mi hijo", "cancele el servicio de taxi", "cancelar el programa de ejercicios",
    "un sustituto de la medicina", "tuve un susto", "no quiero mas dolor", "no quiero olvidar los mensajes",
    "basta con un mensaje", "perdon por no escribir", "no puedo escribir", "no escribo bien", "salgo del hospital",
    "quiero salir del hospital", "como salgo de esta medicina", "bajame la dosis", "quita mi dolor",
)
"""The same."""
# fmt: on

SHAPES = ("{}", " {} ", "{}.", "{}!!!", "please {}", "{}, thanks", "'{}'", "{}\n", "hi {}")


@pytest.mark.parametrize("text", OPT_OUTS)
def test_any_reasonable_wording_ends_the_texts(text: str) -> None:
    """The law asks for any reasonable wording; each of these is only that, in any case and in either language's reading."""
    assert [parse(each, language="en").intents for each in (text, text.upper(), text.lower())] == [(OptOut(),)] * 3


@pytest.mark.parametrize("text", OPT_OUTS_SPANISH)
def test_any_reasonable_wording_in_spanish_ends_the_texts(text: str) -> None:
    """In Spanish too, with accents and without, whatever language the patient's texts are in."""
    assert [parse(each, language=language).intents for each in (text, text.upper()) for language in ("es", "en")] == [(OptOut(),)] * 4


@pytest.mark.parametrize("text", [*NO_OPT_OUTS, *NO_OPT_OUTS_SPANISH])
def test_what_only_sounds_like_it_ends_nothing(text: str) -> None:
    """The medicine that was stopped, a text that did not come, a question why: no texts end, in either language's reading."""
    assert [OptOut() in parse(text, language=language).intents for language in ("en", "es")] == [False, False]


@pytest.mark.parametrize("text", OPT_INS)
def test_texts_are_taken_up_again_in_any_reasonable_wording(text: str) -> None:
    """As they were ended."""
    assert [parse(each, language=language).intents for each in (text, text.upper()) for language in ("en", "es")] == [(OptIn(),)] * 4


@pytest.mark.parametrize("text", NO_OPT_INS)
def test_what_may_mean_the_medicine_takes_no_texts_up(text: str) -> None:
    """Not where texts go out anyhow."""
    assert OptIn() not in parse(text).intents


@pytest.mark.parametrize("text", ["did you stop texting me", "why no texts today", "stop right now", "stop at once", "you never text me"])
def test_words_about_texts_take_no_dose(text: str) -> None:
    """A "did", a "now" or an "at once" beside the end of texts says nothing of a dose."""
    assert not any(isinstance(intent, Taken) for intent in parse(text).intents)


def test_no_need_of_a_reminder_is_talk_beside_a_dose() -> None:
    """Whoever needs no reminder because they took it has said that they took it."""
    assert parse("I don't need a reminder, I took it").intents == (Taken(),)


def test_enough_wordings_are_looked_at() -> None:
    """Fewer would prove too little."""
    assert (len(OPT_OUTS) >= 240, len(OPT_OUTS_SPANISH) >= 130, len(NO_OPT_OUTS + NO_OPT_OUTS_SPANISH) >= 160) == (True, True, True)


# --- the carrier's own words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", sorted(CARRIERS_OUT))
def test_a_carriers_word_is_one_of_ours_in_any_polite_shape(word: str) -> None:
    """What the carrier takes as the end of texts we never read as anything else, and we take it in more shapes."""
    assert [parse(shape.format(each)).intents for shape in SHAPES for each in (word, word.lower(), word.title())] == [(OptOut(),)] * 27


@pytest.mark.parametrize("word", sorted(CARRIERS_OUT))
def test_the_carrier_ends_texts_on_the_bare_word_alone(word: str) -> None:
    """In any case and with blanks about it; with anything beside it the text only passes through."""
    asked = {shape: carrier_ended(shape.format(word.title()), LONG_CODE) for shape in SHAPES}

    assert {shape for shape, ended in asked.items() if ended} == {"{}", " {} ", "{}\n"}


@given(st.text(), st.sampled_from([LONG_CODE, TOLL_FREE, SHORT_CODE, SANDBOX]))
def test_what_the_carrier_ends_we_end_too(body: str, to_phone: str) -> None:
    """There is no text on which the carrier ends texts, or takes them up again, while we read something else."""
    intents = parse(body).intents

    assert (intents == (OptOut(),)) >= carrier_ended(body, to_phone)
    assert (intents == (OptIn(),) or body.strip().upper() == "YES") >= carrier_resumed(body, to_phone)


@pytest.mark.parametrize(
    ("to_phone", "ended", "resumed"),
    [
        (LONG_CODE, ["STOP", "stop "], ["START", "Yes", "UNSTOP"]),
        (TOLL_FREE, ["STOP", "stop "], ["START", "UNSTOP"]),
        (SHORT_CODE, [], []),
        (SANDBOX, [], []),
    ],
)
def test_who_answers_depends_on_the_number_written_to(to_phone: str, ended: list[str], resumed: list[str]) -> None:
    """Long codes and toll-free numbers have the carrier's handling, a short code and the sandbox have none, and we answer."""
    assert [body for body in ("STOP", "stop ", "stop please", "parar") if carrier_ended(body, to_phone)] == ended
    assert [body for body in ("START", "Yes", "yes please", "UNSTOP") if carrier_resumed(body, to_phone)] == resumed


@pytest.mark.parametrize("text", ["HELP", "help", "Help!", "INFO", "info please", "AYUDA"])
def test_help_is_help(text: str) -> None:
    """Help is never anything else, and ends nothing."""
    assert parse(text).intents == (HelpWanted(),)


# --- never one for the other -------------------------------------------------------------------------------------------------------

MEDICINE = ("taking it", "my medicine", "the pills", "baclofen", "taking my meds", "my tablets", "la medicina", "mis pastillas")
STOPS = ("i stopped {}", "I have stopped {}", "stop {}", "quit {}", "i quit {}", "i want to stop {}", "should i stop {}?", "deje {}")


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("medicine", MEDICINE)
def test_stopping_the_medicine_is_never_an_opt_out(stop: str, medicine: str) -> None:
    """Whoever stops the medicine needs the texts more than ever."""
    text = stop.format(medicine)
    intents = parse(text).intents

    assert OptOut() not in intents
    assert StoppedTaking() in intents or "deje" in text or "la " in text or "mis" in text


@pytest.mark.parametrize("text", [*OPT_OUTS, *OPT_OUTS_SPANISH])
def test_an_opt_out_is_never_the_medicine_stopped(text: str) -> None:
    """The end of texts is no clinical event: nothing is said of the medicine."""
    assert StoppedTaking() not in parse(text).intents


# --- evidence ----------------------------------------------------------------------------------------------------------------------


def test_the_words_have_a_version() -> None:
    """The evidence names the tables by what is in them: the name follows from their words, and fits its column."""
    assert re.fullmatch(r"words [0-9a-f]{16}", replies.VERSION)
    assert replies.version_of(replies.DECIDES) == replies.VERSION


@pytest.mark.parametrize("what", replies.DECIDES)
def test_a_change_of_any_word_changes_the_version(what: str) -> None:
    """Whatever decides how a text is read is in it, once."""
    assert replies.version_of({**replies.DECIDES, what: f"{replies.DECIDES[what]}|more"}) != replies.VERSION


def test_the_order_in_which_a_text_is_read_is_in_the_version() -> None:
    """What is read first leaves the rest to what comes after it."""
    rules = [name for name in replies.DECIDES if name.startswith("rule ")]
    turned = dict(zip(rules, (replies.DECIDES[name] for name in reversed(rules)), strict=True))

    assert replies.version_of({**replies.DECIDES, **turned}) != replies.VERSION


@pytest.mark.parametrize(
    "pattern", [opting_words.OPT_OUT, opting_words.NOT_OPT_OUT, opting_words.NO_NEED, request_words.OPT_IN, opting_words.STOP_LIKE]
)
def test_what_opts_out_or_in_is_in_the_version(pattern: re.Pattern[str]) -> None:
    """As it is matched."""
    assert pattern.pattern in replies.DECIDES.values()


@pytest.mark.parametrize(
    "table", [opting_words.WHOLE_OPT_OUT, opting_words.WHOLE_OPT_IN, opting_words.CLAUSE_OPT_OUT, opting_words.RESTARTS]
)
def test_every_table_is_in_the_version(table: frozenset[str]) -> None:
    """Each of its phrases."""
    assert any(words.endswith("|".join(sorted(table))) for words in replies.DECIDES.values())
