"""Signed, expiring links by which an alert is acknowledged. They carry references and roles, no person."""

from __future__ import annotations

import base64
import hmac

from itsdangerous import BadSignature, URLSafeTimedSerializer
from pydantic import BaseModel, ConfigDict

from mash.states.errors import NotFound

VALID_SECONDS = 14 * 24 * 3600
"""How long a link works, wall time: longer than any ladder takes."""


class AlertLink(BaseModel):
    """What a link stands for: the alert on a referral's clock, told to a role."""

    model_config = ConfigDict(frozen=True)

    reference: str
    hub: str
    clock: str
    role: str
    notice: int
    """The notice that it came with: it says who was told."""


def sign(token_key: str, link: AlertLink) -> str:
    """The token of a link."""
    return str(URLSafeTimedSerializer(token_key, salt="alert").dumps(list(link.model_dump().values())))


def read(token_key: str, token: str) -> AlertLink:
    """The link behind a token. Raises NotFound for a forged, damaged or expired one."""
    try:
        values = URLSafeTimedSerializer(token_key, salt="alert").loads(token, max_age=VALID_SECONDS)
        return AlertLink(**dict(zip(AlertLink.model_fields, values, strict=True)))
    except (BadSignature, ValueError, TypeError):
        raise NotFound("this link is not valid, or has expired: open the case itself, which says what is late") from None


def status_code(token_key: str, reference: str) -> str:
    """The code that, with the reference, lets a referrer see what has become of a referral: 80 bits, to be typed. It is reckoned
    from the reference and kept nowhere."""
    digest = hmac.digest(token_key.encode(), f"status:{reference}".encode(), "sha256")
    text = base64.b32encode(digest[:10]).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def is_status_code(token_key: str, reference: str, code: str) -> bool:
    """Whether this is the code of a referral; however it is spaced and in capitals or not."""
    plain = "".join(code.upper().split()).replace("-", "")
    return hmac.compare_digest(plain.encode(), status_code(token_key, reference).replace("-", "").encode())
