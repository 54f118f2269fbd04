"""The stack of serverless.yml: osls run without credentials, and the wildcards in the compiled template."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.harness import StepFailed
from segue_build import ROOT

OSLS = ROOT / "node_modules" / ".bin" / "osls"
NO_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_SESSION_TOKEN": ""}
# (resource, action) -> why it may have a wildcard
EXPLAINED_WILDCARDS = {
    ("ServerlessDeploymentBucketPolicy", "s3:*"): "denies unencrypted requests, to everybody",
    ("ModelsPolicy", "s3:*"): "denies unencrypted requests, to everybody",
    ("Role", "s3:GetObject"): "the versions below models/, whose names are digests",
    ("RecommendLambdaPermissionFnUrl", "lambda:InvokeFunctionUrl"): "a public address; SEGUE_API_KEYS closes it",
    ("RecommendLambdaPermissionFn", "lambda:InvokeFunction"): "the same, through the URL only",
}


def missing_tool() -> str | None:
    """Why osls can't run here; None if it can."""
    if not shutil.which("node"):
        return "Node is missing: install Node 20 or newer"
    if not OSLS.exists():
        return "osls is missing: run `npm ci`"
    return None


def run_osls(*arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """Run a command and return its output; raises StepFailed with the output if it fails."""
    quiet = {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off"}
    whole = {**os.environ, **NO_CREDENTIALS, **quiet, **(environ or {})}
    done = subprocess.run([OSLS, *arguments], cwd=ROOT, env=whole, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"osls {' '.join(arguments)} fails: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def compile_template(folder: Path, *arguments: str) -> dict[str, Any]:
    """The CloudFormation template of serverless.yml; no package is needed."""
    placeholder = folder / "package.zip"
    placeholder.write_bytes(b"PK\5\6" + bytes(18))
    parameters = ("--param", f"zip={placeholder}", "--param", "public=true")
    run_osls("package", "--package", str(folder), *parameters, *arguments)
    compiled: dict[str, Any] = json.loads((folder / "cloudformation-template-update-stack.json").read_text())
    return compiled


def unexplained_wildcards(template: Mapping[str, Any]) -> list[str]:
    """Every wildcard of an action, a resource or a principal that EXPLAINED_WILDCARDS does not list."""
    return [
        f"{name}: {action} on {statement.get('Resource', 'its function')}"
        for name, statement in _statements(template["Resources"])
        if _has_wildcard(statement)
        for action in _as_list(statement.get("Action"))
        if (name, action) not in EXPLAINED_WILDCARDS
    ]


def _statements(resources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Permission":
            yield name, properties
        for document in _documents(properties):
            for statement in document["Statement"]:
                yield name, statement


def _documents(value: Any) -> Iterator[Mapping[str, Any]]:
    """Everything below a value that looks like a policy document."""
    if isinstance(value, dict):
        if isinstance(value.get("Statement"), list):
            yield value
        for inner in value.values():
            yield from _documents(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _documents(inner)


def _has_wildcard(statement: Mapping[str, Any]) -> bool:
    # A condition may name a prefix with a star; what is allowed, on what and to whom may not.
    texts = [text for field in ("Action", "Resource", "Principal") for text in _texts(statement.get(field))]
    return "NotAction" in statement or "NotResource" in statement or any("*" in text for text in texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
