"""Who may ask: API keys, of which the service knows only digests, and tokens that it signs for an hour.

A key has the entropy of a random number, so a plain SHA-256 keeps it: there is no dictionary to try.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping

from segue.errors import ConfigError

LIFETIME = 3600  # seconds that a token holds
LONGEST = 512  # characters of a key or token that are looked at
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_TOKEN = re.compile(r"segue\.([0-9]{1,12})\.([0-9a-f]{16})\.([\w-]{43})")


class Keys:
    """The keys that open the service; without any, everybody may ask.

    digests : SHA-256 of each key
    secret : signs tokens; by default it follows from the digests, which must then be kept as secret
    """

    def __init__(self, digests: tuple[bytes, ...] = (), secret: bytes = b""):
        self._digests = digests
        self._secret = secret or hashlib.sha256(b"segue tokens" + b"".join(sorted(digests))).digest()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Keys":
        """Read SEGUE_API_KEYS, digests with commas between, and SEGUE_TOKEN_SECRET. Their values are never shown."""
        given = [entry.strip() for entry in environ.get("SEGUE_API_KEYS", "").split(",") if entry.strip()]
        for place, entry in enumerate(given, 1):
            if not _DIGEST.fullmatch(entry):
                raise ConfigError(
                    f"SEGUE_API_KEYS: entry {place} is no SHA-256 in hexadecimal, 64 of 0-9a-f: `segue key`"
                    " makes a key and its digest"
                )
        secret = environ.get("SEGUE_TOKEN_SECRET", "")
        if secret and len(secret) < 32:
            raise ConfigError("SEGUE_TOKEN_SECRET: it is too short to sign with; 32 random characters are the least")
        return cls(tuple(map(bytes.fromhex, given)), secret.encode())

    def __bool__(self) -> bool:
        return bool(self._digests)

    def admit(self, presented: str) -> bool:
        """Whether a key, or a token that still holds, was presented."""
        if not 0 < len(presented) <= LONGEST:
            return False
        token = _TOKEN.fullmatch(presented)
        return self._signed(*token.groups()) if token else self._known(presented) is not None

    def issue(self, key: str) -> str | None:
        """A token for the holder of a key; None for anybody else."""
        digest = self._known(key[:LONGEST])
        if digest is None:
            return None
        until, holder = str(int(time.time()) + LIFETIME), digest.hex()[:16]
        return f"segue.{until}.{holder}.{self._signature(until, holder)}"

    def _known(self, key: str) -> bytes | None:
        """The digest of a key that is known. All are compared, each in constant time, whichever it is."""
        digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
        same = [hmac.compare_digest(digest, known) for known in self._digests]
        return digest if any(same) else None

    def _signed(self, until: str, holder: str, signature: str) -> bool:
        """Whether a token is ours, holds, and its key has not been withdrawn."""
        ours = hmac.compare_digest(signature, self._signature(until, holder))
        return ours and int(until) > time.time() and any(known.hex()[:16] == holder for known in self._digests)

    def _signature(self, until: str, holder: str) -> str:
        digest = hmac.digest(self._secret, f"{until}.{holder}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
