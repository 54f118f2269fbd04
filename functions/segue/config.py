"""Configuration: a mapping, read once; bad values fail the start and name the variable."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from segue.errors import ConfigError

BESIDE = Path(__file__).resolve().parent.parent / "artifacts"  # where a deployed package bundles them


@dataclass(frozen=True, slots=True)
class Config:
    """How the function was set up.

    artifacts : SEGUE_ARTIFACTS, a folder as ``fit --out`` makes it; default: beside the code, else ``artifacts``
    """

    artifacts: Path

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Config":
        """Read the ``SEGUE_*`` variables."""
        given = environ.get("SEGUE_ARTIFACTS", "")
        if "://" in given:
            raise ConfigError(f"SEGUE_ARTIFACTS: '{given}' is not a folder as `fit --out` makes it")
        if given:
            return cls(Path(given))
        return cls(BESIDE if BESIDE.is_dir() else Path("artifacts"))
