"""The description of the API at /docs, in a real browser: it says everything, and every example runs."""

import json

import pytest
import requests
from playwright.sync_api import expect

from tests.support.browser import in_a_browser, visit, visits
from tests.support.openapi import DOCUMENT

__all__ = ["visit", "visits"]  # fixtures
pytestmark = in_a_browser

OPERATIONS = [operation for item in DOCUMENT["paths"].values() for operation in item.values()]


@pytest.fixture
def docs(demo_service, visit):
    page = visit(f"{demo_service}/docs", permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator("article").last).to_be_attached()
    return page


def test_it_shows_every_path_parameter_status_and_shape(docs):
    shown = set(docs.locator("#operations code").all_text_contents())
    assert set(DOCUMENT["paths"]) <= shown
    assert {parameter["name"] for one in OPERATIONS for parameter in one.get("parameters", [])} <= shown
    assert {status for operation in OPERATIONS for status in operation["responses"]} <= shown
    assert {name for name, schema in DOCUMENT["components"]["schemas"].items() if "properties" in schema} <= shown


def test_it_opens_with_what_the_api_does_in_five_short_paragraphs(docs):
    paragraphs = DOCUMENT["info"]["description"].replace("`", "").split("\n\n")
    expect(docs.locator("#about p:not(.lead)")).to_have_text(paragraphs)
    assert len(paragraphs) == 5
    assert all(len(paragraph) < 300 for paragraph in paragraphs)


def test_every_link_of_the_contents_leads_to_an_article(docs):
    links = docs.locator("#contents a").evaluate_all("links => links.map(link => link.getAttribute('href').slice(1))")
    articles = docs.locator("article").evaluate_all("articles => articles.map(article => article.id)")
    assert links == articles
    assert {operation["operationId"] for operation in OPERATIONS} <= set(links)


def test_an_address_with_a_slash_or_a_part_leads_there(demo_service, visit):
    page = visit(f"{demo_service}/docs/#search")
    expect(page.locator("article#search")).to_be_in_viewport()
    expect(page).to_have_url(f"{demo_service}/docs#search")


def test_every_example_runs_and_shows_its_answer(docs):
    trials = docs.locator(".trial")
    wanted = sum(len(examples(operation)) for operation in OPERATIONS)
    expect(trials).to_have_count(wanted)
    for trial in trials.all():
        trial.get_by_role("button", name="Try it").click()
    for trial in trials.all():
        expect(trial.locator(".status")).to_contain_text("200")


def examples(operation):
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", [None])


def test_an_example_may_be_changed_and_an_answer_that_is_none_is_shown_too(docs):
    trial = docs.locator("#recommend .trial").first
    trial.locator("textarea").fill('{"song": "Anchor", "limit": 1000}')
    trial.get_by_role("button", name="Try it").click()
    expect(trial.locator(".status")).to_contain_text("400")
    expect(trial.locator("pre")).to_contain_text("expected a whole number 1..100")
    trial.locator("textarea").fill("{")
    trial.get_by_role("button", name="Try it").click()
    expect(trial.get_by_role("alert")).to_contain_text("The body is not JSON")


def test_what_is_copied_as_python_gets_the_answer_that_is_shown(docs, demo_service):
    trial = docs.locator("#recommend .trial").nth(2)
    trial.get_by_role("button", name="Copy as Python").click()
    expect(trial.get_by_role("button", name="Copied")).to_be_visible()
    told = {}
    exec(docs.evaluate("navigator.clipboard.readText()").replace("print(", "shown = ("), told)  # noqa: S102 # it must run
    trial.get_by_role("button", name="Try it").click()
    expect(trial.locator("pre")).to_be_visible()
    assert json.loads(trial.locator("pre").inner_text()) == told["shown"]
    assert told["answer"].request.url == f"{demo_service}/recommend"


def test_what_is_copied_as_curl_names_this_service(docs, demo_service):
    trial = docs.locator("#readyz .trial")
    trial.get_by_role("button", name="Copy as curl").click()
    expect(trial.get_by_role("button", name="Copied")).to_be_visible()
    assert docs.evaluate("navigator.clipboard.readText()") == f"curl '{demo_service}/readyz'"
    assert requests.get(f"{demo_service}/readyz", timeout=60).ok
