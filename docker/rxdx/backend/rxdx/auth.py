"""Passwords and tokens, with the standard library alone."""

import base64
import hashlib
import hmac
import json
import secrets
import time

LIFETIME = 8 * 3600
# About 16 MiB and a twentieth of a second each.
COST = {"n": 2**14, "r": 8, "p": 1}


def hash_password(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${hashlib.scrypt(password.encode(), salt=salt, **COST).hex()}"


def is_password(password: str, stored: str) -> bool:
    _, salt, digest = stored.split("$")
    found = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **COST).hex()
    return hmac.compare_digest(found, digest)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sign(key: bytes, text: str) -> str:
    return _encode(hmac.digest(key, text.encode(), "sha256"))


HEADER = _encode(b'{"alg":"HS256","typ":"JWT"}')


def make_token(key: bytes, user: int, now: float | None = None) -> str:
    """A JWT."""
    expires = int(time.time() if now is None else now) + LIFETIME
    text = f"{HEADER}.{_encode(json.dumps({'sub': str(user), 'exp': expires}).encode())}"
    return f"{text}.{_sign(key, text)}"


def user_of(key: bytes, token: str, now: float | None = None) -> int | None:
    """Whose token it is, if it is one of ours and has not ended."""
    header, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    if header != HEADER or not hmac.compare_digest(_sign(key, f"{header}.{payload}").encode(), signature.encode()):
        return None
    claims = json.loads(_decode(payload))
    return int(claims["sub"]) if claims["exp"] > (time.time() if now is None else now) else None
