"""Who may ask what of the API: every operation has its row here, and one without a row answers nobody."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reminders.web.access import Access

API = "/api/v1"

_CARE = (
    ("GET", "/alerts"),
    ("GET", "/alerts/{alert}"),
    ("POST", "/alerts/{alert}/acknowledge"),
    ("POST", "/alerts/{alert}/give-back"),
    ("POST", "/alerts/{alert}/resolve"),
    ("GET", "/doses/{dose}"),
    ("POST", "/doses/{dose}/correct"),
    ("GET", "/exports/adherence"),
    ("GET", "/exports/doses"),
    ("POST", "/imports"),
    ("GET", "/patients"),
    ("POST", "/patients"),
    ("POST", "/patients/search"),
    ("GET", "/patients/{patient}"),
    ("PATCH", "/patients/{patient}"),
    ("POST", "/patients/{patient}/hand-back"),
    ("POST", "/patients/{patient}/take-over"),
    ("POST", "/patients/{patient}/texts"),
    ("GET", "/patients/{patient}/check-ins"),
    ("GET", "/patients/{patient}/plans"),
    ("POST", "/patients/{patient}/plans/look"),
    ("GET", "/patients/{patient}/texts"),
    ("GET", "/plans/{plan}"),
    ("POST", "/plans/{plan}/acts/acknowledge"),
    ("POST", "/plans/{plan}/acts/add-medicine"),
    ("POST", "/plans/{plan}/acts/move-zone"),
    ("POST", "/plans/{plan}/acts/mute"),
    ("POST", "/plans/{plan}/acts/remove-medicine"),
    ("POST", "/plans/{plan}/acts/stay"),
    ("POST", "/plans/{plan}/acts/unmute"),
    ("GET", "/plans/{plan}/adherence"),
    ("GET", "/plans/{plan}/doses"),
    ("POST", "/plans/{plan}/edit/preview"),
    ("GET", "/plans/{plan}/events"),
    ("GET", "/plans/{plan}/slots"),
    ("GET", "/plans/{plan}/supply"),
    ("POST", "/plans/{plan}/supply"),
    ("GET", "/plans/{plan}/table"),
    ("GET", "/queues"),
    ("GET", "/queues/{queue}"),
)
_PRESCRIBE = (
    ("POST", "/patients/{patient}/plans"),
    ("POST", "/plans/{plan}/acts/advance"),
    ("POST", "/plans/{plan}/acts/restart"),
    ("POST", "/plans/{plan}/acts/resume"),
    ("POST", "/plans/{plan}/acts/slow-down"),
    ("POST", "/plans/{plan}/acts/step-back"),
    ("POST", "/plans/{plan}/acts/stop"),
    ("POST", "/plans/{plan}/acts/suspend"),
    ("POST", "/plans/{plan}/edit"),
)
_ADMINISTER = (
    ("GET", "/staff"),
    ("POST", "/staff"),
    ("POST", "/staff/{member}/end"),
)
_ANY_KEY = (
    ("GET", "/clinic"),
    ("GET", "/drugs"),
    ("GET", "/drugs/{drug}"),
    ("GET", "/me"),
    ("POST", "/plans/build"),  # these three look at a document, and at nobody's data
    ("POST", "/plans/check"),
    ("POST", "/plans/table"),
)

API_ROUTES: Mapping[tuple[str, str], Access] = MappingProxyType(
    {
        (method, API + path): access
        for access, rows in (
            (Access.API_ANYBODY, (("GET", "/openapi.json"),)),
            (Access.API_KEY, _ANY_KEY),
            (Access.API_CARE, _CARE),
            (Access.API_PRESCRIBE, _PRESCRIBE),
            (Access.API_ADMINISTER, _ADMINISTER),
        )
        for method, path in rows
    }
)
"""What programs ask with keys. They have no cookies, and are asked nothing about pages."""
