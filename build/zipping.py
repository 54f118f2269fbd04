"""Zip files of equal bytes for equal files: sorted, with one date and one mode."""

import zipfile
from pathlib import Path

DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can hold
MODE = 0o100644 << 16  # a plain file that everybody may read


def write(folder: Path, archive: Path) -> None:
    """Pack every file below a folder."""
    aside = archive.with_name(f".{archive.name}")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for path in sorted(files(folder), key=lambda path: path.relative_to(folder).as_posix()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), DATE)
            entry.create_system, entry.external_attr, entry.compress_type = 3, MODE, zipfile.ZIP_DEFLATED
            out.writestr(entry, path.read_bytes())
    aside.replace(archive)


def files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]
