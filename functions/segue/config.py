"""Configuration: a mapping, read once; bad values fail the start and name the variable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from segue.errors import ConfigError

BESIDE = Path(__file__).resolve().parent.parent / "artifacts"  # where a deployed package bundles them


@dataclass(frozen=True, slots=True)
class Config:
    """How the function was set up.

    artifacts : SEGUE_ARTIFACTS, a folder as ``fit --out`` makes it; default: beside the code, else ``artifacts``
    public_url : SEGUE_PUBLIC_URL, where callers reach the service; default: as each request came
    """

    artifacts: Path
    public_url: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Config":
        """Read the ``SEGUE_*`` variables."""
        given = environ.get("SEGUE_ARTIFACTS", "")
        if "://" in given:
            raise ConfigError(f"SEGUE_ARTIFACTS: '{given}' is not a folder as `fit --out` makes it")
        default = BESIDE if BESIDE.is_dir() else Path("artifacts")
        return cls(Path(given) if given else default, _public_url(environ))


def _public_url(environ: Mapping[str, str]) -> str | None:
    given = environ.get("SEGUE_PUBLIC_URL", "").rstrip("/")
    if given and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", given):
        raise ConfigError(f"SEGUE_PUBLIC_URL: '{given}' is not an address such as https://songs.example.org/api")
    return given or None
