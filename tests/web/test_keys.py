"""Keys and tokens: who is let in, and what is never told."""

import hashlib
import hmac
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue import auth
from segue.auth import TOKEN_SECONDS, ApiKeys
from segue.errors import ConfigError
from segue_build.cli import main

KEY, OTHER = "first-key-0123456789", "second-key-0123456789"


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


def of(**environ):
    return ApiKeys.from_environ(environ)


@pytest.fixture
def two():
    return of(SEGUE_API_KEYS=f"{digest(KEY)}, {digest(OTHER).upper()}", SEGUE_TOKEN_SECRET="s" * 32)


def test_each_key_is_admitted_and_no_other(two):
    assert [two.accepts(one) for one in (KEY, OTHER, KEY + "x", KEY[:-1], "", digest(KEY))] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


def test_without_keys_there_is_nothing_to_admit():
    assert not of()
    assert not of().accepts(KEY)


@given(st.text(max_size=600))
def test_nothing_but_a_key_is_admitted(text):
    assert not of(SEGUE_API_KEYS=digest(KEY)).accepts(text)


def test_every_digest_is_compared_whichever_matches(two, monkeypatch):
    """What takes the same time for a near miss, a miss and a hit does the same work for each."""
    compared = []
    monkeypatch.setattr(auth.hmac, "compare_digest", lambda *pair: compared.append(pair) or hmac_compare(*pair))
    for key in (KEY, OTHER, KEY[:-1] + "x", "?" * len(KEY)):
        compared.clear()
        two.accepts(key)
        assert len(compared) == 2


hmac_compare = hmac.compare_digest


def test_a_token_opens_for_an_hour(two, monkeypatch):
    token = two.issue_token(KEY)
    assert two.accepts(token)
    now = auth.time.time()
    monkeypatch.setattr(auth.time, "time", lambda: now + TOKEN_SECONDS - 2)
    assert two.accepts(token)
    monkeypatch.setattr(auth.time, "time", lambda: now + TOKEN_SECONDS + 1)
    assert not two.accepts(token)


def test_only_a_key_gets_a_token(two):
    assert two.issue_token(KEY + "x") is None
    assert two.issue_token(two.issue_token(KEY)) is None


def test_a_token_changed_anywhere_opens_nothing(two):
    token = two.issue_token(KEY)
    for place in range(len(token)):
        other = next(one for one in string.digits + string.ascii_letters if one != token[place])
        assert not two.accepts(token[:place] + other + token[place + 1 :]), place


def test_every_instance_takes_the_tokens_of_the_others(two):
    again = of(SEGUE_API_KEYS=f"{digest(OTHER)},{digest(KEY)}", SEGUE_TOKEN_SECRET="s" * 32)
    assert again.accepts(two.issue_token(KEY))
    assert not of(SEGUE_API_KEYS=digest(KEY), SEGUE_TOKEN_SECRET="t" * 32).accepts(two.issue_token(KEY))


def test_a_withdrawn_key_takes_its_tokens_with_it(two):
    left = of(SEGUE_API_KEYS=digest(OTHER), SEGUE_TOKEN_SECRET="s" * 32)
    assert left.accepts(two.issue_token(OTHER))
    assert not left.accepts(two.issue_token(KEY))


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SEGUE_API_KEYS": f"{digest(KEY)},{KEY}"}, "SEGUE_API_KEYS: entry 2 is no SHA-256"),
        ({"SEGUE_TOKEN_SECRET": "short-secret"}, "SEGUE_TOKEN_SECRET: it is too short"),
    ],
)
def test_a_bad_value_is_named_and_never_told(environ, said):
    with pytest.raises(ConfigError, match=said) as caught:
        ApiKeys.from_environ(environ)
    assert KEY not in str(caught.value)
    assert "short-secret" not in str(caught.value)


def test_the_command_makes_a_key_that_its_digest_admits(capsys):
    assert main(["key"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    made = ApiKeys.from_environ(dict(line.split("=", 1) for line in lines))
    assert made.accepts(made.issue_token(first.rpartition(" ")[2]))
