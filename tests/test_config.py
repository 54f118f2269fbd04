"""The environment: read once, and refused by the name of the variable."""

from pathlib import Path

import pytest

from segue.config import Config
from segue.errors import ConfigError


def test_the_environment_says_what_is_served_and_how():
    said = {
        "SEGUE_ARTIFACTS": "s3://bucket/prefix",
        "SEGUE_REFRESH_SECONDS": "2.5",
        "SEGUE_CACHE": "/cache",
        "SEGUE_CACHE_MB": "40",
        "SEGUE_MAPPED_MB": "300",
    }
    assert Config.from_environ(said) == Config("s3://bucket/prefix", 2.5, Path("/cache"), 40_000_000, 300_000_000)
    assert Config.from_environ({"SEGUE_ARTIFACTS": "here"}) == Config(Path("here"), 60, None, 1_000_000_000, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEGUE_ARTIFACTS", "ftp://nowhere"), ("SEGUE_ARTIFACTS", "s3://"), ("SEGUE_REFRESH_SECONDS", "-1"),
        ("SEGUE_REFRESH_SECONDS", "often"), ("SEGUE_REFRESH_SECONDS", "86401"), ("SEGUE_CACHE_MB", "0"),
        ("SEGUE_CACHE_MB", "nan"), ("SEGUE_MAPPED_MB", "0"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_refused_by_its_variable(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: '{value}' is not a "):
        Config.from_environ({name: value})
