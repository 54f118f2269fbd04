"""What surrounds the function: the template that serverless.yml compiles to, as AWS would read it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import hcl2
import pytest

from infra import serverless_stack
from infra.harness import StepFailed
from infra.serverless_stack import unexplained_wildcards

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compile_template(tmp_path_factory):
    """Compiles serverless.yml with parameters."""
    reason = serverless_stack.missing_tool()
    if reason:
        pytest.skip(reason)
    return lambda *arguments: serverless_stack.compile_template(tmp_path_factory.mktemp("template"), *arguments)


@pytest.fixture(scope="module")
def template(compile_template):
    return compile_template()


def of_type(template, kind):
    return {name: entry["Properties"] for name, entry in template["Resources"].items() if entry["Type"] == kind}


def test_the_function_is_small_guarded_and_starts_from_a_snapshot(template):
    (function,) = of_type(template, "AWS::Lambda::Function").values()
    assert (function["Runtime"], function["Architectures"], function["Handler"]) == (
        "python3.13", ["arm64"], "main.lambda_handler",
    )  # fmt: skip
    assert (function["ReservedConcurrentExecutions"], function["Timeout"], function["MemorySize"]) == (20, 10, 1024)
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert function["Environment"]["Variables"]["SEGUE_PRELOAD"] == "1"


def test_the_address_leads_to_the_published_version(template):
    (url,) = of_type(template, "AWS::Lambda::Url").values()
    assert url["TargetFunctionArn"]["Fn::Join"][1][1] == "snapstart"
    (alias,) = of_type(template, "AWS::Lambda::Alias").values()
    assert template["Resources"][alias["FunctionVersion"]["Fn::GetAtt"][0]]["Type"] == "AWS::Lambda::Version"


def test_the_bucket_is_private_versioned_encrypted_and_has_a_lifecycle(template):
    bucket = template["Resources"]["Models"]
    assert bucket["DeletionPolicy"] == "Retain"
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in properties
    assert properties["LifecycleConfiguration"]["Rules"][0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_the_role_reads_one_prefix_and_writes_one_log(template):
    (role,) = of_type(template, "AWS::IAM::Role").values()
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert {(statement["Sid"], json.dumps(statement["Resource"])) for statement in statements} == {
        ("WriteOwnLog", '{"Fn::GetAtt": ["RecommendLogGroup", "Arn"]}'),
        ("ReadModels", '{"Fn::Join": ["", [{"Fn::GetAtt": ["Models", "Arn"]}, "/models/*"]]}'),
        ("TellMissingFromForbidden", '{"Fn::GetAtt": ["Models", "Arn"]}'),
    }


def test_no_wildcard_is_unexplained(template):
    assert unexplained_wildcards(template) == []


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::models"},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": {"Fn::Join": ["", ["arn:aws:s3:::", "*"]]}},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}},
        {"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": "arn:aws:s3:::models"},
    ],
)
def test_a_wildcard_that_nobody_explained_is_found(statement):
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": [statement]}}}
    assert len(unexplained_wildcards({"Resources": {"Other": policy}})) == 1


def test_alarms_tell_of_errors_faults_throttles_and_duration(template):
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert {alarm["MetricName"] for alarm in alarms} == {"Errors", "faults", "Throttles", "Duration", "bytes"}
    assert all(re.search(r"docs/runbook\.md, [a-z ]+$", alarm["AlarmDescription"]) for alarm in alarms)


def test_the_dashboard_is_json_of_the_metrics_that_are_written(template):
    (dashboard,) = of_type(template, "AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    assert len(widgets) == 5


def test_outputs_lead_to_the_function_the_models_and_the_dashboard(template):
    assert {"RecommendLambdaFunctionUrl", "ModelsAddress", "DashboardUrl"} <= set(template["Outputs"])


def test_cfn_lint_finds_nothing(template, tmp_path):
    (tmp_path / "template.json").write_text(json.dumps(template), encoding="utf-8")
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, tmp_path / "template.json"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_models_can_come_from_the_bucket_and_stages_differ(compile_template):
    template = compile_template("--stage", "prod", "--param", "artifacts=bucket", "--param", "snapstart=false",
                                "--param", "tmp=4096", "--param", "cache=3500")  # fmt: skip
    (function,) = of_type(template, "AWS::Lambda::Function").values()
    variables = function["Environment"]["Variables"]
    assert variables["SEGUE_ARTIFACTS"] == {"Fn::Join": ["", ["s3://", {"Ref": "Models"}, "/models"]]}
    assert (variables["SEGUE_PRELOAD"], variables["SEGUE_CACHE_MB"], function["EphemeralStorage"]) == (
        "", "3500", {"Size": 4096},
    )  # fmt: skip
    assert (function["ReservedConcurrentExecutions"], function["FunctionName"]) == (50, "segue-prod")
    assert "SnapStart" not in function


def test_the_image_holds_the_packaged_folder():
    dockerfile = (ROOT / "infra" / "aws" / "Dockerfile").read_text(encoding="utf-8")
    assert "COPY dist/aws/ ${LAMBDA_TASK_ROOT}/" in dockerfile
    assert 'CMD ["main.lambda_handler"]' in dockerfile


@pytest.fixture(scope="module")
def google():
    with (ROOT / "infra" / "google" / "main.tf").open(encoding="utf-8") as file:
        return hcl2.load(file)


def resource(google, kind):
    """The one resource of a kind, by Terraform's name of the kind."""
    (found,) = [entry for entry in map(unquoted, google["resource"]) if kind in entry]
    (body,) = found[kind].values()
    return body


def unquoted(value):
    """The parser keeps quotes around names and texts."""
    if isinstance(value, dict):
        return {key.strip('"'): unquoted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unquoted(inner) for inner in value]
    return value.strip('"') if isinstance(value, str) else value


def test_googles_service_runs_the_same_handler_between_two_numbers_of_instances(google):
    service = resource(google, "google_cloud_run_v2_service")
    assert service["build_config"][0]["function_target"] == "recommend"
    (template,) = service["template"]
    assert set(template["scaling"][0]) - {"__is_block__"} == {"min_instance_count", "max_instance_count"}
    assert template["containers"][0]["resources"][0]["startup_cpu_boost"] is True


def test_googles_account_reads_one_prefix(google):
    (grant,) = [entry for entry in google["resource"] if "iam_member" in str(entry) and "objectViewer" in str(entry)]
    assert "objects/models/" in str(grant)
    assert resource(google, "google_storage_bucket")["public_access_prevention"] == "enforced"


def test_google_has_an_alarm_on_bytes_too(google):
    condition = resource(google, "google_monitoring_alert_policy")["conditions"][0]["condition_threshold"][0]
    assert "run.googleapis.com/container/network/sent_bytes_count" in condition["filter"]
    assert condition["threshold_value"] == "${var.alarm_bytes}"


def test_aws_deploys_with_a_key_unless_somebody_says_public(compile_template, monkeypatch):
    for value in ("", None):
        monkeypatch.delenv("SEGUE_API_KEYS", raising=False)
        if value is not None:
            monkeypatch.setenv("SEGUE_API_KEYS", value)
        with pytest.raises(StepFailed, match=r"SEGUE_API_KEYS is empty: make a key with `segue key`"):
            compile_template("--param", "public=false")
    monkeypatch.setenv("SEGUE_API_KEYS", "0" * 64)
    (function,) = of_type(compile_template("--param", "public=false"), "AWS::Lambda::Function").values()
    assert function["Environment"]["Variables"]["SEGUE_API_KEYS"] == "0" * 64


def test_google_deploys_with_a_key_unless_somebody_says_public(google):
    (guard,) = resource(google, "google_cloud_run_v2_service")["lifecycle"][0]["precondition"]
    assert guard["condition"] == '${var.open || !var.public || var.api_keys != ""}'
