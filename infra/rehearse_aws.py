"""The rehearsal on AWS: deploy to a stand-in, fetch the deployed zip back, run it under AWS's own runtime client."""

import base64
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra import serverless_stack
from infra.harness import StepFailed, StepSkipped, expect, run_runtime_client
from infra.lambda_runtime import RuntimeAPI, function_url_event
from infra.serverless_stack import unexplained_wildcards
from segue_build import ROOT

STAGE = "rehearsal"
STACK = f"segue-{STAGE}"
# SnapStart needs aliases, which the stand-in does not have.
PARAMETERS = ("--param", "region=us-east-1", "--param", "snapstart=false")
FOLLOW_TIMEOUT = 60  # seconds until a running function follows a release


def check_template(folder: Path) -> None:
    """Compile and lint serverless.yml, and check that it has no unexplained wildcards."""
    require_osls()
    template = serverless_stack.compile_template(folder)
    linter = Path(sys.executable).with_name("cfn-lint")
    if not linter.exists():
        raise StepSkipped("cfn-lint is missing: requirements-dev.txt has it")
    command = [linter, folder / "cloudformation-template-update-stack.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expect("findings of cfn-lint", done.stdout + done.stderr, "")
    expect("unexplained wildcards", unexplained_wildcards(template), [])


def deploy_stack(endpoint: str, source: str, work: Path) -> dict[str, str]:
    """Fit, package and deploy a table by one command; returns logical id -> name of each resource."""
    places = ("--artifacts", str(work / "deployed"), "--out", str(work / "dist"))
    at_aws = {**serverless_stack.NO_CREDENTIALS, "AWS_ENDPOINT_URL": endpoint}
    run_segue("deploy", "aws", source, "--here", "--public", *places, "--stage", STAGE, *PARAMETERS, environ=at_aws)
    found = _boto_client("cloudformation", endpoint).describe_stack_resources(StackName=STACK)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found if "PhysicalResourceId" in one}


def fetch_deployed(endpoint: str, stack: Mapping[str, str], archive: Path, folder: Path) -> Path:
    """Unpack the zip in the deployment bucket, which must equal the packaged one."""
    bucket = stack["ServerlessDeploymentBucket"]
    store = _boto_client("s3", endpoint)
    (key,) = [found["Key"] for found in store.list_objects_v2(Bucket=bucket)["Contents"] if
              found["Key"].endswith(archive.name)]  # fmt: skip
    content = store.get_object(Bucket=bucket, Key=key)["Body"].read()
    expect("the deployed zip is the packaged one", content == archive.read_bytes(), True)
    deployed = folder / "deployed.zip"
    deployed.write_bytes(content)
    with zipfile.ZipFile(deployed) as whole:
        whole.extractall(folder / "task")
    return folder / "task"


def answer_events(task: Path, work: Path, environ: Mapping[str, str]) -> None:
    """Send the deployed function events of its URL, and check the answers and the log."""
    log = work / "function.log"
    with RuntimeAPI() as runtime, run_runtime_client(task, runtime.environ | dict(environ), work / "client", log):
        ask = event_client(runtime)
        expect("health", ask("GET", "/healthz"), (200, {"status": "alive"}))
        song = ask("GET", "/clusters/0", "limit=1")[1]["songs"][0]["id"]
        status, found = ask("POST", "/recommend", "", json.dumps({"song_id": song, "limit": 3}))
        expect("recommendations", (status, len(found["recommendations"])), (200, 3))
        expect("a record, by pyarrow", ask("GET", f"/songs/{song}")[1]["id"], song)
        expect("a search", ask("GET", "/search", "q=a")[0], 200)
        expect("an unknown song", ask("GET", "/songs/nope")[0], 404)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    expect("a line for each request", [line["status"] for line in lines], [200, 200, 200, 200, 200, 404])
    expect("metrics in them", all("_aws" in line for line in lines), True)


def publish_and_roll_back(
    endpoint: str, stack: Mapping[str, str], models: list[Path], task: Path, work: Path
) -> None:
    """Publish two models to the bucket and roll back; a running function must follow each time."""
    address = f"s3://{stack['Models']}/models"
    at_aws = {**serverless_stack.NO_CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1"}
    first, second = (json.loads((model / "current.json").read_text())["version"] for model in models)
    run_segue("publish", address, "--artifacts", str(models[0]), "--reason", "rehearsed", environ=at_aws)
    serving = {**at_aws, "SEGUE_ARTIFACTS": address, "SEGUE_REFRESH_SECONDS": "1", "SEGUE_CACHE": str(work / "cache")}
    with RuntimeAPI() as runtime:
        environ = runtime.environ | serving
        with run_runtime_client(task, environ, work / "client", work / "released.log"):
            ask = event_client(runtime)
            wait_for_version(ask, first)
            worse = ("--force", "--reason", "rehearsed")
            run_segue("publish", address, "--artifacts", str(models[1]), *worse, environ=at_aws)
            wait_for_version(ask, second)
            run_segue("rollback", address, *worse[1:], environ=at_aws)
            wait_for_version(ask, first)


def remove_stack(endpoint: str) -> None:
    """Remove the stack; only the bucket of models may stay."""
    serverless_stack.run_osls("remove", "--stage", STAGE, *PARAMETERS, environ={"AWS_ENDPOINT_URL": endpoint})
    stacks = _boto_client("cloudformation", endpoint).list_stacks()["StackSummaries"]
    left = [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"]
    expect("stacks that are left", left, [])


def wait_for_version(ask: Callable[..., tuple[int, Any]], version: str) -> None:
    """Wait until a function serves a version."""
    until = time.monotonic() + FOLLOW_TIMEOUT
    while (served := ask("GET", "/readyz")[1].get("version")) != version:
        if time.monotonic() > until:
            raise StepFailed(f"the function serves {served} after {FOLLOW_TIMEOUT} s, not {version}")
        time.sleep(0.5)


def event_client(runtime: RuntimeAPI) -> Callable[..., tuple[int, Any]]:
    """A function that sends an event and returns the status and the JSON of the answer."""

    def ask(*request: str) -> tuple[int, Any]:
        answer = runtime.invoke(function_url_event(*request))
        body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
        return answer["statusCode"], json.loads(body)

    return ask


def require_osls() -> None:
    """Raise StepSkipped if the deployment tool can't run here."""
    reason = serverless_stack.missing_tool()
    if reason:
        raise StepSkipped(reason)


def _boto_client(service: str, endpoint: str) -> Any:
    import boto3

    keys = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **keys)


def run_segue(*arguments: str, environ: Mapping[str, str]) -> None:
    """Run a command of ``segue``; raises StepFailed with what it printed on stderr if it fails."""
    command = [sys.executable, "-m", "segue_build", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StepFailed(f"segue {arguments[0]} {arguments[1]}: {done.stderr.strip()}")
