"""A server of one's own: the image's steps, compose.yaml and the systemd unit, as far as they run without Docker."""

import configparser
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from segue_build import ROOT
from segue_build.package.builder import PackageOptions, build_package
from segue_build.package.targets import UNPACK_PATHS, Target
from tests.support.serving import wait_for

CONTAINER = ROOT / "infra" / "container"
UNIT = ROOT / "infra" / "systemd" / "segue.service"
DOCKERFILES = [CONTAINER / "Dockerfile", ROOT / "infra" / "aws" / "Dockerfile"]
COMPOSE = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))


def stages():
    """The instructions of each stage, name or base -> [(keyword, the rest)]."""
    text = re.sub(r"\\\n\s*", "", (CONTAINER / "Dockerfile").read_text(encoding="utf-8"))
    found = {}
    for line in filter(None, text.splitlines()):
        keyword, _, rest = line.partition(" ")
        if keyword == "FROM":
            name = rest.partition(" AS ")[2] or rest
            found[name] = [("FROM", rest.partition(" AS ")[0])]
        elif not line.startswith("#"):
            found[name].append((keyword, rest))
    return found


SERVING = list(stages().values())[-1]


def environment():
    """The variables that the image sets."""
    return dict(word.split("=", 1) for keyword, rest in SERVING if keyword == "ENV" for word in shlex.split(rest))


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_hadolint_finds_nothing(dockerfile):
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint has no wheel for this machine")
    done = subprocess.run([hadolint, dockerfile], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_serves_as_nobody_from_the_python_that_it_was_built_with():
    instructions, settings = dict(SERVING), environment()
    base, built_from = instructions["FROM"], dict(stages()["tools"])["FROM"]
    assert (base, built_from) == (
        "gcr.io/distroless/python3-debian13:nonroot",
        "python:3.13-slim-trixie",
    )  # both 3.13
    assert instructions["USER"] == "65532"
    assert instructions["WORKDIR"] == settings["PYTHONPATH"] == UNPACK_PATHS["server"]
    assert settings["SEGUE_ARTIFACTS"] in COMPOSE["services"]["segue"]["volumes"][0]
    assert "HEALTHCHECK" in instructions


def test_what_the_image_copies_is_in_its_context():
    rules = (CONTAINER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    admitted = [rule[1:] for rule in rules if rule.startswith("!")]
    assert rules[1] == "*"
    wheel = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.findall(r'^"([^"]+)" = "segue_build/checkout', wheel, re.MULTILINE)
    for path in [*needed, "build", "README.md", "LICENSE", "requirements-build.txt", "pyproject.toml"]:
        assert any(Path(path.split("/")[0]).match(rule) for rule in admitted), path
        assert (ROOT / path).exists()


def test_compose_serves_read_only_behind_tls_and_refreshes_the_volume_that_it_serves_from():
    services = COMPOSE["services"]
    assert set(services) == {"segue", "refresh", "caddy"}
    for name in ("segue", "refresh"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        build = services[name]["build"]
        assert (CONTAINER / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).is_file()
        assert build.get("target", list(stages())[-1]) in stages()
    used = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert {name for name in used if not name.startswith("$")} == set(COMPOSE["volumes"])
    assert services["segue"]["volumes"] == ["artifacts:/artifacts:ro"]
    assert services["caddy"]["depends_on"] == {"segue": {"condition": "service_healthy"}}
    assert services["caddy"]["command"].endswith("--to segue:8080")


def test_the_unit_runs_what_the_image_runs():
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(re.sub(r"^Environment=(\w+)", r"Environment_\1=\1", UNIT.read_text("utf-8"), flags=re.MULTILINE))
    service = unit["Service"]
    entrypoint = next(rest for keyword, rest in SERVING if keyword == "ENTRYPOINT")
    assert shlex.split(service["ExecStart"]) == yaml.safe_load(entrypoint)
    assert service["WorkingDirectory"] == environment()["PYTHONPATH"]
    set_there = dict(word.split("=", 1) for name in service if name.startswith("Environment_")
                     for word in service[name].split())  # fmt: skip
    assert set(set_there) >= set(environment())
    assert int(service["TimeoutStopSec"]) > 30 < int(COMPOSE["services"]["segue"]["stop_grace_period"][:-1])
    analyze = shutil.which("systemd-analyze")
    if analyze:
        done = subprocess.run([analyze, "verify", UNIT], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_the_package_of_the_image_answers_is_healthy_stops_gracefully_and_leaves_room(tmp_path, world_artifacts):
    """The image's RUN ``segue package server``, its ENTRYPOINT, its HEALTHCHECK and SIGTERM, in a folder."""
    made = build_package(PackageOptions(Target.here("server"), None, tmp_path / "dist"))
    megabytes = sum(made.parts.values()) / 1e6
    assert megabytes < 250 - 60  # the base has less than 60
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    entrypoint, check = (yaml.safe_load(rest.partition("CMD ")[2] or rest) for keyword, rest in SERVING
                         if keyword in ("ENTRYPOINT", "HEALTHCHECK"))  # fmt: skip
    if "functions_framework" in check:
        entrypoint, check = check, entrypoint
    given = {"PYTHONPATH": str(made.folder), "SEGUE_ARTIFACTS": str(world_artifacts), "PORT": str(port)}
    environ = environment() | given | {"HOST": "127.0.0.1", "TMPDIR": str(tmp_path)}
    bare = [sys.executable, "-S", "-s"]  # no module of this environment
    server = subprocess.Popen([*bare, *entrypoint[1:]], cwd=made.folder, env=environ)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        assert subprocess.run([*bare, *check[1:]], env=environ, check=False).returncode == 0
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/recommend?song=Slow+Rain&limit=2") as answer:
            assert answer.status == 200
        workers = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert len(workers) == int(environment()["WORKERS"])
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert subprocess.run([*bare, *check[1:]], env=environ, capture_output=True, check=False).returncode == 1
    finally:
        server.kill()
        server.wait()
