"""The bytes of a table, unpacked as they are read and as often as need be, and bounded while they are."""

import contextlib
import io
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from segue.errors import SourceError

BLOCK = 1 << 20  # bytes read at a time
BELIEVED = 100 * 10**6  # bytes that a packed file may unpack to however small it is
RATIO = 200  # times its own size that a larger one may: tables whose songs have ids of their own stay below 20
DAMAGE = (EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)  # what unpackers raise


Opener = Callable[[contextlib.ExitStack], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Content:
    """A file, or what is packed in it.

    name : for messages
    opened : opens it anew, at its first byte
    size : of the file on disk, bytes
    packing : how it is packed, outermost first, as in ``("zip", "gzip")``
    path : of the file where it is not packed
    """

    name: str
    opened: Callable[[], IO[bytes]]
    size: int
    packing: tuple[str, ...] = ()
    path: Path | None = None

    def head(self, size: int = 4096) -> bytes:
        """The first bytes."""
        with self.opened() as file:
            return file.read(size)

    def blocks(self) -> Iterator[bytes]:
        """All bytes, a block at a time."""
        with self.opened() as file:
            while block := file.read(BLOCK):
                yield block

    @contextlib.contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A file that can be read at any place: itself, or what is packed in it, for as long as it is looked at."""
        if self.path:
            yield self.path
            return
        with tempfile.NamedTemporaryFile(prefix="segue-") as file:
            with self.opened() as packed:
                shutil.copyfileobj(packed, file, BLOCK)
            file.flush()
            yield Path(file.name)

    def form(self, name: str) -> str:
        """How it is written, for people: ``"CSV in gzip"``."""
        return " in ".join([name, *reversed(self.packing)])


def content_of(path: Path) -> Content:
    """The content of a file."""
    return Content(path.name, lambda: path.open("rb"), path.stat().st_size, path=path)


def unpacked(packed: Content, packing: str, unpack: Opener, name: str | None = None) -> Content:
    """What is packed in a content; ``unpack`` opens it, with all that is to be closed with it, and is guarded."""

    def opened() -> IO[bytes]:
        return io.BufferedReader(Guarded(unpack, packed.name, packing, packed.size), BLOCK)

    return Content(name or packed.name, opened, packed.size, (*packed.packing, packing))


class Guarded(io.RawIOBase):
    """Bytes on their way out of a packed file: what is damaged, or grows beyond belief, is a SourceError."""

    def __init__(self, unpack: Opener, name: str, packing: str, size: int):
        self._name, self._packing = name, packing
        self._left = max(BELIEVED, RATIO * size)
        with contextlib.ExitStack() as stack:
            with damage(name, packing):
                self._file = unpack(stack)
            self._opened = stack.pop_all()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what BufferedReader gives
        """Fill the buffer with what comes next."""
        with damage(self._name, self._packing):
            block = self._file.read(len(buffer))
        self._left -= len(block)
        if self._left < 0:
            raise SourceError(
                f"{self._name}: unpacks to more than {RATIO} times its size, as no table of tracks does (a"
                " decompression bomb?); if it is one, unpack it yourself and give what comes out"
            )
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the packed file, too."""
        if not self.closed and hasattr(self, "_opened"):
            self._opened.close()
        super().close()


@contextlib.contextmanager
def damage(name: str, packing: str) -> Iterator[None]:
    """What goes wrong while something is unpacked, as a SourceError."""
    try:
        yield
    except DAMAGE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(
            f"{name}: the {packing} file is damaged or cut off ({why}); pack it again, or download it again"
        ) from error
