"""What pip, pipx and uv install: one version, requirements that agree with the pinned ones, files that are there.

``.ci/wheel`` builds and installs it.
"""

import json
import re
import tomllib

from packaging.requirements import Requirement

from segue import VERSION
from segue_build import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ONLY_DEPLOYED = {"apig-wsgi"}  # Lambda's handler: the package brings it


def pinned(*names):
    """The requirements of these files, name -> version."""
    lines = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)
    return dict(re.findall(r"^([\w-]+)==(\S+)$", lines, re.MULTILINE))


def test_a_wheel_requires_what_is_tested_and_takes_the_versions_that_are():
    requirements = {one.name: one for one in map(Requirement, PROJECT["project"]["dependencies"])}
    tested = pinned("requirements.txt", "requirements-build.txt")
    assert set(requirements) == set(tested) - ONLY_DEPLOYED
    assert [name for name in requirements if not requirements[name].specifier.contains(tested[name])] == []
    (spark,) = map(Requirement, PROJECT["project"]["optional-dependencies"]["spark"])
    assert spark.specifier.contains(pinned("requirements-spark.txt")[spark.name])


def test_there_is_one_version():
    document = json.loads((ROOT / "functions" / "segue" / "web" / "page" / "openapi.json").read_text("utf-8"))
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert document["info"]["version"] == VERSION
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE).group(1) == VERSION
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "functions/segue/__init__.py"


def test_what_a_wheel_takes_from_a_checkout_is_there():
    places = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert [source for source in places if not (ROOT / source).exists()] == []
    assert set(places.values()) == {f"segue_build/checkout/{source}" for source in places}
