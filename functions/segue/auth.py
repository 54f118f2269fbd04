"""API keys, of which the service knows only digests, and access tokens, which are valid for an hour.

Keys are random numbers, so a plain SHA-256 protects them: there is no dictionary to try.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping

from werkzeug.datastructures import Headers

from segue.errors import ConfigError

TOKEN_SECONDS = 3600  # seconds that a token is valid
MAX_LENGTH = 512  # characters of a key or token
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_TOKEN = re.compile(r"segue\.([0-9]{1,12})\.([0-9a-f]{16})\.([\w-]{43})")


def presented_key(headers: Headers) -> str:
    """The key or token in the headers of a request; empty if there is none.

    Browsers, which ask for a name and a password (RFC 7617), show a key as either of them.
    """
    kind, _, credentials = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        name, password = _basic_credentials(credentials)
        return password or name
    return credentials.strip() if kind.lower() == "bearer" else headers.get("X-Api-Key", "")


def _basic_credentials(encoded: str) -> tuple[str, str]:
    """Name and password, both empty where they can't be read."""
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password


class ApiKeys:
    """The keys that open the service; if there are none, it is open to everybody.

    digests : SHA-256 of each key
    secret : signs tokens; derived from the digests by default, which must then be kept secret as well
    """

    def __init__(self, digests: tuple[bytes, ...] = (), secret: bytes = b""):
        self._digests = digests
        self._secret = secret or hashlib.sha256(b"segue tokens" + b"".join(sorted(digests))).digest()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ApiKeys":
        """Read SEGUE_API_KEYS, digests separated by commas, and SEGUE_TOKEN_SECRET. Errors never show values."""
        entries = [entry.strip() for entry in environ.get("SEGUE_API_KEYS", "").split(",") if entry.strip()]
        for number, entry in enumerate(entries, 1):
            if not _DIGEST.fullmatch(entry):
                raise ConfigError(
                    f"SEGUE_API_KEYS: entry {number} is no SHA-256 in hexadecimal, 64 of 0-9a-f: `segue key`"
                    " makes a key and its digest"
                )
        secret = environ.get("SEGUE_TOKEN_SECRET", "")
        if secret and len(secret) < 32:
            raise ConfigError("SEGUE_TOKEN_SECRET: it is too short to sign with; 32 random characters are the least")
        return cls(tuple(map(bytes.fromhex, entries)), secret.encode())

    def __bool__(self) -> bool:
        return bool(self._digests)

    def accepts(self, presented: str) -> bool:
        """Whether this is a known key or a valid token."""
        if not 0 < len(presented) <= MAX_LENGTH:
            return False
        token = _TOKEN.fullmatch(presented)
        return self._is_valid_token(*token.groups()) if token else self._matching_digest(presented) is not None

    def issue_token(self, key: str) -> str | None:
        """A token for the holder of a key; None if the key is not known."""
        digest = self._matching_digest(key[:MAX_LENGTH])
        if digest is None:
            return None
        expires, holder = str(int(time.time()) + TOKEN_SECONDS), digest.hex()[:16]
        return f"segue.{expires}.{holder}.{self._signature(expires, holder)}"

    def _matching_digest(self, key: str) -> bytes | None:
        """The digest of a key, None if it is not known. It is compared with all digests, each in constant time."""
        digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return digest if any(matches) else None

    def _is_valid_token(self, expires: str, holder: str, signature: str) -> bool:
        """Whether a token has our signature, has not expired, and its key has not been revoked."""
        is_signed = hmac.compare_digest(signature, self._signature(expires, holder))
        return is_signed and int(expires) > time.time() and any(known.hex()[:16] == holder for known in self._digests)

    def _signature(self, expires: str, holder: str) -> str:
        digest = hmac.digest(self._secret, f"{expires}.{holder}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
