from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from reminders.messaging.twilio import SignatureCheck
from reminders.settings import Secret, TwilioSettings
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.fake_twilio.webhooks import Pairs, inbound_form, json_signature_of, signature_of

URL = "https://doseline.example/sms/inbound"
FORM = inbound_form(account_sid=ACCOUNT, sid="SM1", from_phone="+12025550111", to_phone=OUR_NUMBER, body="1")
OLD_TOKEN = "0" * 32
JSON = '{"Body": "1"}'
JSON_URL = f"{URL}?bodySHA256={hashlib.sha256(JSON.encode()).hexdigest()}"


def check(*, previous: str | None = None) -> SignatureCheck:
    """Return the check of the stand-in's account."""
    return SignatureCheck(
        TwilioSettings(
            account_sid=ACCOUNT,
            auth_token=Secret(TOKEN),
            auth_token_previous=Secret(previous) if previous else None,
            sender=OUR_NUMBER,
            messaging_service_sid=None,
            api_base_url=None,
        )
    )


def test_twilios_own_example_is_signed() -> None:
    """The example in Twilio's documentation of webhook security is accepted."""
    settings = TwilioSettings(
        account_sid=ACCOUNT,
        auth_token=Secret("12345"),
        auth_token_previous=None,
        sender=OUR_NUMBER,
        messaging_service_sid=None,
        api_base_url=None,
    )
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]

    assert SignatureCheck(settings)("https://mycompany.com/myapp.php?foo=1&bar=2", form, signature="RSOYDt4T1cUTdK1PDd93/VVr8B8=")


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(FORM, id="a text"),
        pytest.param([*FORM, ("Added", "by Twilio without notice")], id="a parameter nobody knows"),
        pytest.param([*FORM, ("Media", "a"), ("Media", "b"), ("Media", "a")], id="a parameter given three times"),
        pytest.param([*FORM, ("ToZip", ""), ("Blank", "")], id="blanks"),
        pytest.param([("Body", "¿sí? 💊"), ("From", "+12025550111")], id="other letters"),
    ],
)
def test_a_true_signature_holds(form: Pairs) -> None:
    """All that was received is validated over, with repeats and blanks."""
    assert check()(URL, form, signature=signature_of(TOKEN, URL, form))


@pytest.mark.parametrize(
    ("url", "form"),
    [
        (URL, [*FORM[:-1], ("ApiVersion", "2011-04-01")]),
        (URL, [*FORM, ("Added", "later")]),
        (URL, FORM[1:]),
        (URL + "?a=b", FORM),
        ("https://attacker.example/sms/inbound", FORM),
        ("http://doseline.example/sms/inbound", FORM),
    ],
    ids=["value", "more", "less", "query", "host", "scheme"],
)
def test_a_changed_request_is_not_signed(url: str, form: Pairs) -> None:
    """Any change to the address or to the form breaks the signature."""
    assert not check()(url, form, signature=signature_of(TOKEN, URL, FORM))


@pytest.mark.parametrize("signature", ["", "x", "é", "\x00", "=" * 28, "A" * 10_000])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    """Whatever stands in the header, the answer is no and never an error."""
    assert not check()(URL, FORM, signature=signature)


def test_two_tokens_hold_while_they_are_rotated() -> None:
    """During a rotation both tokens are good."""
    rotating = check(previous=OLD_TOKEN)

    assert [rotating(URL, FORM, signature=signature_of(token, URL, FORM)) for token in (TOKEN, OLD_TOKEN, "1" * 32)] == [True, True, False]


def test_the_old_token_ends_with_the_rotation() -> None:
    """With one token set, the old one is worth nothing."""
    assert not check()(URL, FORM, signature=signature_of(OLD_TOKEN, URL, FORM))


def test_a_json_body_needs_its_hash() -> None:
    """A JSON body whose hash is not in the address would be signed by the address alone: any body would pass."""
    assert not check()(URL, JSON, signature=json_signature_of(TOKEN, URL))


@pytest.mark.parametrize(("body", "signed"), [(JSON, True), ('{"Body": "2"}', False), ("", False)])
def test_a_json_body_is_held_against_its_hash(body: str, *, signed: bool) -> None:
    """The hash in the signed address is the hash of the body, or the request is refused."""
    assert check()(JSON_URL, body, signature=json_signature_of(TOKEN, JSON_URL)) is signed


def test_an_empty_hash_is_no_hash() -> None:
    """An empty bodySHA256, which makes the SDK fail, is refused."""
    url = f"{URL}?bodySHA256="

    assert not check()(url, JSON, signature=json_signature_of(TOKEN, url))


def test_an_address_that_is_none_is_refused() -> None:
    """An address that cannot be taken apart is refused, not an error."""
    assert not check()("https://[doseline/sms/inbound", FORM, signature="x")


@pytest.mark.parametrize(("algorithm", "signed"), [("HMAC_SHA256", True), ("hmac_sha256", True), ("HMAC_MD5", False), ("none", False)])
def test_the_algorithm_named_is_the_one_used(algorithm: str, *, signed: bool) -> None:
    """Twilio may name SHA-256; an algorithm nobody knows is refused."""
    text = URL + "".join(name + value for name, value in sorted(set(FORM)))
    signature = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha256).digest()).decode()

    assert check()(URL, FORM, signature=signature, signature_settings=f"key=webhooks_sharedkey_1,algorithm={algorithm}") is signed
