"""``segue deploy``: what it would run, what it runs, what it prints. The tools that reach a cloud are stand-ins."""

import os

import pytest

from segue_build import ROOT
from segue_build.cli import main
from segue_build.package import package_commands
from tests.support import world

GOOGLE = ["run", "cloudbuild", "artifactregistry", "storage", "iam", "monitoring"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with a table, where a person is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEGUE_ARTIFACTS", raising=False)
    world.write(tmp_path / "songs.csv")
    return tmp_path


@pytest.fixture
def tools(folder, monkeypatch):
    """Stand-ins for what reaches a cloud: each notes how it was called and prints an address."""
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    for tool in ("npm", "osls", "gcloud", "terraform"):
        (folder / tool).write_text(
            f'#!/bin/sh\necho {tool} "$@" >>{folder}/calls\necho "{tool}: https://abc.lambda-url.eu-west-1.on.aws/ or'
            ' https://segue-abc-ew.a.run.app"\n[ ! -e broken ]\n'
        )
        (folder / tool).chmod(0o755)
    monkeypatch.setenv("SEGUE_API_KEYS", "0" * 64)
    monkeypatch.setattr(package_commands, "_osls", lambda: folder / "osls")
    monkeypatch.setattr(package_commands, "_workspace", lambda **_: folder)
    monkeypatch.setattr(package_commands, "package", lambda *_: ["packaged"])
    return lambda: (folder / "calls").read_text().splitlines()


def test_a_dry_run_prints_every_command_and_runs_none(folder, capsys, monkeypatch):
    monkeypatch.setattr(package_commands, "_osls", lambda: folder / "osls")
    assert main(["deploy", "aws", "songs.csv", "--dry-run", "--stage", "prod", "--param", "memory=2048"]) == 0
    params = f"--param zip={folder}/dist/aws.zip --param python=python3.13 --param arch=arm64 --param memory=2048"
    printed, told = capsys.readouterr()
    assert told == ""
    assert printed.splitlines() == [
        "segue fit --source songs.csv --out artifacts",
        "segue package aws --out dist --artifacts artifacts",
        f"cd {ROOT}",
        "npm ci --no-audit --no-fund",
        f"{folder}/osls deploy --stage prod {params}",
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["songs.csv"]


def test_a_table_is_fitted_packaged_and_deployed_on_aws_and_the_address_printed(folder, tools, capsys):
    assert main(["deploy", "aws", "songs.csv", "--param", "memory=2048"]) == 0
    printed, told = capsys.readouterr()
    assert (folder / "artifacts" / "current.json").exists()
    assert printed.splitlines()[-1] == "https://segue-abc-ew.a.run.app"
    assert "packaged\n" in told
    given = f"--param zip={folder}/dist/aws.zip --param python=python3.13 --param arch=arm64 --param memory=2048"
    assert tools() == [f"osls deploy {given}"]


def test_a_table_is_fitted_packaged_and_deployed_on_google_and_the_address_printed(folder, tools, capsys):
    options = ["--project", "music", "--python", "3.12", "--param", "memory=2Gi"]
    assert main(["deploy", "google", "songs.csv", *options]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "https://segue-abc-ew.a.run.app"
    variables = f"-var project=music -var package={folder}/dist/gcp.zip -var python=python312 -var memory=2Gi"
    assert tools() == [
        f"gcloud services enable --project music {' '.join(f'{name}.googleapis.com' for name in GOOGLE)}",
        "terraform -chdir=infra/google init -input=false",
        f"terraform -chdir=infra/google apply -input=false -auto-approve {variables}",
    ]


def test_a_step_that_fails_ends_the_deployment_in_one_line(folder, tools, capsys):
    (folder / "broken").touch()
    assert main(["deploy", "google", "--project", "music"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "error: gcloud services ended with 1, see above"
    assert len(tools()) == 1


@pytest.mark.parametrize(("cloud", "param"), [("aws", "--param public=true"), ("google", "-var open=true")])
def test_a_service_is_open_to_all_only_if_somebody_says_so(tools, folder, monkeypatch, capsys, cloud, param):
    monkeypatch.setenv("SEGUE_API_KEYS", "")
    assert main(["deploy", cloud, "--project", "music"]) == 1
    assert capsys.readouterr().err == (
        "error: SEGUE_API_KEYS is empty: make a key with 'segue key' and export its digest, or say --public\n"
    )
    assert not (folder / "calls").exists()
    assert main(["deploy", cloud, "--project", "music", "--public"]) == 0
    assert tools()[-1].endswith(param)


def test_code_alone_is_deployed_to_read_a_bucket(tools, capsys):
    assert main(["deploy", "google", "--project", "music", "--no-artifacts"]) == 0
    assert tools()[-1].endswith("-var python=python313 -var artifacts=bucket")
    assert main(["deploy", "aws", "songs.csv", "--no-artifacts"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: --no-artifacts deploys code alone: leave out songs.csv, and 'segue publish' it to the bucket"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["aws", "songs.csv"], "npm is missing: install Node 20 or newer"),
        (["google", "--project", "music"], "gcloud is missing: install the Google Cloud CLI, then `gcloud auth"),
        (["google"], "deploy google needs --project ID, the project that pays"),
        (["aws", "--python", "3.11"], "--python 3.11: on aws expected 3.12, 3.13, 3.14"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_done(folder, monkeypatch, capsys, arguments, told):
    monkeypatch.setenv("PATH", "")
    assert main(["deploy", *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"error: {told}")
    assert sorted(path.name for path in folder.iterdir()) == ["songs.csv"]
