"""Wheels made by hand, for tests that package without a network."""

import zipfile

PINNED = {"flask": "3.1.3", "functions-framework": "3.10.2", "numpy": "2.4.6", "pyarrow": "26.0.1"}


def wheel(folder, name, version, files):
    """Write the smallest wheel that pip takes; files : path -> text."""
    stem = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as out:
        out.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        out.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        out.writestr(f"{stem}.dist-info/RECORD", "")
        for path, text in files.items():
            out.writestr(path, text)


def stock(folder):
    """All that the tests' requirements name."""
    wheel(folder, "flask", PINNED["flask"], {"flask/__init__.py": "NAME = 'flask'\n"})
    wheel(folder, "functions-framework", PINNED["functions-framework"], {"functions_framework.py": ""})
    wheel(folder, "numpy", PINNED["numpy"], {
        "numpy/__init__.py": "", "numpy/tests/test_all.py": "", "numpy/__init__.pyi": "", "numpy/f2py/run.py": "",
        "numpy.libs/openblas.so": "blas" * 500_000,
    })  # fmt: skip
    wheel(folder, "pyarrow", PINNED["pyarrow"], {
        "pyarrow/__init__.py": "", "pyarrow/lib.so": "\0libarrow_python.so.2600\0", "pyarrow/_flight.so": "x",
        "pyarrow/libarrow_python.so": "p", "pyarrow/libarrow_python.so.2600": "p",
        "pyarrow/libarrow_python.so.2600.1.0": "p", "pyarrow/include/arrow.h": "",
    })  # fmt: skip
    text = "# pinned\n" + "".join(f"{name}=={version}\n" for name, version in PINNED.items())
    (folder / "requirements.txt").write_text(text, encoding="utf-8")
    return folder
