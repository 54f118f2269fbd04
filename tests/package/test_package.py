"""Packages: what is in them, their bytes, what is refused. Wheels are made by hand but for the slow tests."""

import hashlib
import json
import re
import zipfile

import pytest

from segue.errors import ArtifactsError, PackageError
from segue_build.cli import main
from segue_build.package import builder, targets
from segue_build.package.builder import CONSTRAINTS, REQUIREMENTS, PackageOptions, build_package, size_table
from segue_build.package.targets import Target, running_platform
from tests.benchmarks.sizes import canonical, closure
from tests.support import wheelhouse

OTHER = "arm64" if running_platform()[1] == "x86_64" else "x86_64"


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of wheels, the only one that pip looks into."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return wheelhouse.stock(folder)


def options(shelf, out, artifacts=None, cloud="aws"):
    target = Target(cloud, running_platform()[0], OTHER if cloud == "aws" else "x86_64")
    return PackageOptions(target, artifacts, out, shelf / "requirements.txt")


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_package_holds_code_requirements_artifacts_and_byte_code(shelf, tmp_path, world_artifacts):
    made = build_package(options(shelf, tmp_path / "dist", world_artifacts))
    version = json.loads((made.folder / "artifacts" / "current.json").read_text())["version"]
    tag = f"cpython-{running_platform()[0].replace('.', '')}"
    assert {
        "main.py", f"__pycache__/main.{tag}.pyc", "segue/web/service.py", f"segue/web/__pycache__/service.{tag}.pyc",
        "segue/web/page/index.html", "flask/__init__.py", f"flask/__pycache__/__init__.{tag}.pyc",
        "artifacts/current.json", f"artifacts/versions/{version}/vectors.npy",
    } <= names(made.folder)  # fmt: skip
    with zipfile.ZipFile(made.archive) as archive:
        assert set(archive.namelist()) == names(made.folder)


def test_what_no_request_needs_is_left_out(shelf, tmp_path):
    found = names(build_package(options(shelf, tmp_path / "dist")).folder)
    assert {name for name in found if name.startswith(("numpy/", "pyarrow/")) and "__pycache__" not in name} == {
        "numpy/__init__.py", "pyarrow/__init__.py", "pyarrow/lib.so", "pyarrow/libarrow_python.so.2600",
    }  # fmt: skip
    assert not {name for name in found if name.startswith("functions_framework")}
    assert not {name for name in found if name.endswith(("RECORD", ".lock"))}


def test_a_library_that_a_kept_one_names_is_not_left_out(shelf, tmp_path):
    wheelhouse.wheel(shelf, "pyarrow", "26.0.1", {
        "pyarrow/lib.so": "\0libarrow_flight.so.2600\0", "pyarrow/libarrow_flight.so.2600": "f",
    })  # fmt: skip
    with pytest.raises(PackageError, match=r"libarrow_flight\.so\.2600 would be left out, but a library"):
        build_package(options(shelf, tmp_path / "dist"))


def test_equal_inputs_give_equal_bytes(shelf, tmp_path, world_artifacts):
    sums = {
        hashlib.sha256(
            build_package(options(shelf, tmp_path / name, world_artifacts)).archive.read_bytes()
        ).hexdigest()
        for name in ("one", "two")
    }
    assert len(sums) == 1


def test_a_zip_is_sorted_with_one_date(shelf, tmp_path):
    with zipfile.ZipFile(build_package(options(shelf, tmp_path / "dist")).archive) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.external_attr >> 16) for entry in entries} == {((1980, 1, 1, 0, 0, 0), 0o100644)}


def test_byte_code_is_used_whatever_the_date_of_its_source(shelf, tmp_path):
    compiled = list(build_package(options(shelf, tmp_path / "dist")).folder.rglob("*.pyc"))
    # https://docs.python.org/3/reference/import.html#pyc-invalidation: hash-based, not checked
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\1\0\0\0"}
    assert all(str(tmp_path).encode() not in path.read_bytes() for path in compiled)


def test_every_package_that_comes_along_is_pinned():
    """Those that are required here; wheels for other systems ask for no more."""
    named, along = pinned(REQUIREMENTS), pinned(CONSTRAINTS)
    assert named.isdisjoint(along)
    assert set(closure(named)) == named | along


def pinned(path):
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines)
    return {canonical(line) for line in lines}


def lock(shelf, digest=lambda content: hashlib.sha256(content).hexdigest()):
    """A lock of the wheels of a shelf."""
    wheels = sorted(shelf.glob("*.whl"))
    entries = [
        "{}=={} \\\n    --hash=sha256:{}\n".format(*wheel.name.split("-")[:2], digest(wheel.read_bytes()))
        for wheel in wheels
    ]
    (shelf / "requirements.lock").write_text("# made\n" + "".join(entries))


def test_wheels_are_those_that_the_lock_names(shelf, tmp_path):
    lock(shelf)
    assert "flask/__init__.py" in names(build_package(options(shelf, tmp_path / "dist")).folder)
    google = build_package(options(shelf, tmp_path / "dist", cloud="gcp")).folder
    assert (google / "requirements.txt").read_text() == (shelf / "requirements.lock").read_text()
    lock(shelf, lambda content: "0" * 64)
    with pytest.raises(
        PackageError, match=r"a wheel is not one that requirements\.lock names: THESE PACKAGES DO NOT"
    ):
        build_package(options(shelf, tmp_path / "dist"))
    (shelf / "requirements.lock").write_text("# empty\n")
    with pytest.raises(PackageError, match=r"requirements\.lock has no flask, numpy, pyarrow: make it anew"):
        build_package(options(shelf, tmp_path / "dist"))


@pytest.mark.parametrize("stem", ["requirements", "requirements-build"])
def test_a_lock_has_all_that_is_required_with_digests_and_names_no_place(stem):
    text = (REQUIREMENTS.parent / f"{stem}.lock").read_text(encoding="utf-8")
    entries = dict(
        re.findall(r"^([\w.-]+)==\S+ \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    )
    assert (
        re.sub(r"^#.*\n|^[\w.-]+==\S+ \\\n|^ +--hash=sha256:[0-9a-f]{64}(?: \\)?\n", "", text, flags=re.MULTILINE)
        == ""
    )
    files = [REQUIREMENTS, *([REQUIREMENTS.with_name("requirements-build.txt")] if stem != "requirements" else [])]
    required = {canonical(line) for path in files for line in path.read_text().splitlines() if "==" in line}
    assert set(closure(required)) == {canonical(name) for name in entries}


def test_locked_versions_are_the_pinned_ones():
    pins = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
    build = REQUIREMENTS.with_name("requirements-build.txt")
    pinned_versions = {
        canonical(name): v
        for path in (REQUIREMENTS, CONSTRAINTS, build)
        for name, v in pins.findall(path.read_text())
    }
    for stem in ("requirements", "requirements-build"):
        locked = {
            canonical(name): version for name, version in pins.findall(build.with_name(f"{stem}.lock").read_text())
        }
        assert {name: pinned_versions.get(name, version) for name, version in locked.items()} == locked


def test_a_package_for_google_lists_its_requirements_and_holds_none(shelf, tmp_path):
    made = build_package(options(shelf, tmp_path / "dist", cloud="gcp"))
    listed = (made.folder / "requirements.txt").read_text().splitlines()
    assert {"functions-framework==3.10.2", "numpy==2.4.6", "werkzeug==3.1.9"} <= set(listed)
    assert not (made.folder / "numpy").exists()
    assert (made.folder / "main.py").exists()


def test_a_package_over_the_limit_is_refused_naming_its_largest_parts(shelf, tmp_path, monkeypatch):
    monkeypatch.setitem(targets.SIZE_LIMITS, "zip", 1_000_000)
    with pytest.raises(PackageError, match=r"1 MB that aws takes; its largest parts: code \d MB, numpy 2 MB.*bucket"):
        build_package(options(shelf, tmp_path / "dist"))
    assert list((tmp_path / "dist").iterdir()) == []


def test_a_package_that_does_not_answer_is_refused(shelf, tmp_path):
    wanted = options(shelf, tmp_path / "dist")
    wanted = PackageOptions(Target.here("aws"), None, wanted.out, wanted.requirements)
    with pytest.raises(PackageError, match=r"the package does not answer: ModuleNotFoundError: No module named"):
        build_package(wanted)
    assert list((tmp_path / "dist").iterdir()) == []


def test_the_size_table_names_parts_and_limit(shelf, tmp_path):
    wanted = options(shelf, tmp_path / "dist")
    said = size_table(build_package(wanted), wanted.target)
    assert said[0].endswith(f"aws.zip: Python {running_platform()[0]}, {OTHER}; aws takes 262 MB unpacked")
    assert [line.split()[0] for line in said[1:]] == ["code", "numpy", "other", "unpacked", "zip", "tried:"]


def test_a_refused_package_leaves_the_last_one(shelf, tmp_path, world_artifacts):
    made = build_package(options(shelf, tmp_path / "dist"))
    before = names(made.folder)
    with pytest.raises(ArtifactsError, match=r"no artifacts in '.*/nowhere'"):
        build_package(options(shelf, tmp_path / "dist", tmp_path / "nowhere"))
    assert names(made.folder) == before


def test_requirements_without_wheels_are_told(shelf, tmp_path):
    (shelf / "requirements.txt").write_text("numpy==99.0\n")
    said = rf"no wheels for Python {running_platform()[0]} on {OTHER}: .*numpy==99\.0"
    with pytest.raises(PackageError, match=said):
        build_package(options(shelf, tmp_path / "dist"))


def test_a_missing_interpreter_is_told_with_the_one_that_is_there_if_the_platform_has_it():
    here = running_platform()[0]
    with pytest.raises(PackageError, match=rf"no Python 3\.99 .* with --python {here}$"):
        builder.find_interpreter("3.99", [here], {"PATH": ""})
    with pytest.raises(PackageError, match=r"install it so that `python3\.99` runs$"):
        builder.find_interpreter("3.99", ["3.99"], {"PATH": ""})


def test_an_interpreter_that_is_another_version_is_not_taken(tmp_path):
    (tmp_path / "python3.99").write_text("#!/bin/sh\necho 3.9\n")
    (tmp_path / "python3.99").chmod(0o755)
    with pytest.raises(PackageError, match=r"no Python 3\.99"):
        builder.find_interpreter("3.99", [], {"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gcp", "--arch", "arm64"], "Cloud Run functions run on x86_64 only"),
        (["aws", "--python", "3.11"], "--python 3.11: on aws expected 3.12, 3.13, 3.14\n"),
        (["aws", "--here", "--artifacts", "nowhere"], "no artifacts in 'nowhere'"),
    ],
)
def test_what_cannot_be_packaged_is_one_line(arguments, said, tmp_path, capsys):
    assert main(["package", *arguments, "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
