"""The notebook is stored as it was written, and runs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "build" / "explore.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)


def test_the_notebook_is_stored_without_outputs_and_traces_of_a_machine(notebook):
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        assert (cell.outputs, cell.execution_count, cell.metadata) == ([], None, {})
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert re.search(r"/(home|Users|tmp|root|work)/|[A-Z]:\\", NOTEBOOK.read_text(encoding="utf-8")) is None


def test_the_notebook_runs_on_the_demo_catalogue(notebook, demo_artifacts, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_ARTIFACTS", str(demo_artifacts))
    of_the_kernel = "ignore::DeprecationWarning:tornado.ioloop"  # under Python 3.12.0 to 3.13.1
    monkeypatch.setenv("PYTHONWARNINGS", f"error,{of_the_kernel}")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": NOTEBOOK.parent}})
    shown = client.execute().cells
    streams = [output for cell in shown for output in cell.get("outputs", ()) if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}
    assert "because of" in streams[0].text
    assert sum("image/png" in output.get("data", {}) for cell in shown for output in cell.get("outputs", ())) == 5
