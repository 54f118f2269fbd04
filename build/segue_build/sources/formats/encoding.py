"""In which encoding a text is written: UTF-8 if it can be, UTF-16 by mark or zero bytes, else a guess by language."""

import codecs
import itertools
import re
import unicodedata
import warnings
from collections.abc import Iterator

import chardet

from segue_build.sources.formats.content import Content
from segue.errors import SourceError

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WESTERN = "windows-1252"
LATIN = (WESTERN, "windows-1250", "windows-1254", "macroman")
OTHERS = (
    "windows-1251", "windows-1253", "windows-1255", "windows-1256", "koi8-r", "cp932", "gb18030", "big5", "cp949",
)  # fmt: skip
FEW = 10  # words from which nothing can be guessed but that Western letters are the most usual
SAMPLE = 1 << 18  # bytes of lines with letters beyond ASCII that a guess is made from
NAMES = {"utf-8-sig": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_ASCII = bytes(range(128))
SAVE = "save the table as UTF-8"


def encoding_of(content: Content) -> str:
    """The codec that all of a text can be decoded with.

    Raises
    ------
    SourceError
        there is none, or none that can be told from others; the message names the line.

    """
    head = content.head()
    marked = next((codec for mark, codec in MARKS.items() if head.startswith(mark)), None) or _by_zeros(head)
    codec = marked or "utf-8"
    line, invalid, plain = _first_invalid(content, codec)
    if line is None:
        return codec
    if marked or not plain:
        raise SourceError(
            f"{content.name}, line {line}: byte 0x{invalid:02x} is not {label(codec)}, though what is before it is;"
            f" {SAVE}"
        )
    return _older(content, line, invalid)


def label(codec: str) -> str:
    """A codec's name for people."""
    return NAMES.get(codec, codec.upper() if codec.startswith("utf") else codec)


def decoded(content: Content, codec: str) -> Iterator[str]:
    """The text, a block at a time, in an encoding that fits it."""
    decoder = codecs.getincrementaldecoder(codec)()
    for block in content.blocks():
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _by_zeros(head: bytes) -> str | None:
    """UTF-16 without a mark: of two bytes of an ASCII letter one is zero, and headers have such letters."""
    start = head[:64]
    evens, odds = start[::2].count(0), start[1::2].count(0)
    if max(evens, odds) * 3 < len(start):
        return None
    return "utf-16-be" if evens > odds else "utf-16-le"


def _first_invalid(content: Content, codec: str) -> tuple[int | None, int, bool]:
    """Line and value of the first byte that can't be decoded, no line if all can; whether all before it is ASCII."""
    decoder = codecs.getincrementaldecoder(codec)()
    line, plain = 1, True
    for block in itertools.chain(content.blocks(), [b""]):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            return line + before.count(b"\n"), error.object[error.start], plain and before.isascii()
        line += text.count("\n")
        plain = plain and text.isascii()
    return None, 0, plain


def _older(content: Content, line: int, invalid: int) -> str:
    """What was usual before UTF-8: guessed from the lines that are not ASCII, and then proven on all of the text."""
    sample = _sample(content)
    guess = _guess(sample)
    if guess is None or not _is_text(sample.decode(guess, "ignore")) or _first_invalid(content, guess)[0] is not None:
        raise SourceError(
            f"{content.name}, line {line}: byte 0x{invalid:02x} is not UTF-8, and no other encoding fits; {SAVE}"
        )
    return guess


def _guess(sample: bytes) -> str | None:
    """Words of Latin letters are mostly ASCII, those of other alphabets are not."""
    words = _WORD.findall(sample)
    letters = b"".join(words)
    if 2 * len(letters.translate(None, _ASCII)) > len(letters):
        return _detected(sample, OTHERS)
    if len(words) < FEW:
        return WESTERN
    return _detected(sample, LATIN)


def _detected(sample: bytes, names: tuple[str, ...]) -> str | None:
    with warnings.catch_warnings(action="ignore"):  # that there is none of these is the answer then
        return chardet.detect(sample, max_bytes=SAMPLE, include_encodings=names)["encoding"]


def _is_text(text: str) -> bool:
    """Whether most of what is not ASCII is letters and punctuation: in a wrong encoding much is signs and boxes."""
    kinds = [unicodedata.category(character)[0] for character in text if not character.isascii()]
    return 2 * sum(kind in "LMP" for kind in kinds) > len(kinds)


def _sample(content: Content) -> bytes:
    found, size = [], 0
    for line in _lines(content):
        if not line.isascii():
            found.append(line)
            size += len(line)
        if size >= SAMPLE:
            break
    return b"\n".join(found)


def _lines(content: Content) -> Iterator[bytes]:
    """Pieces of the text, none of them longer than a block: lines but for those that a block cuts."""
    for block in content.blocks():
        yield from block.splitlines()
