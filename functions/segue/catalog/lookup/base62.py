"""Numbers of 64 bits in letters and digits, as Spotify writes ids: two of them make one."""

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
HALF = 11  # characters that hold 64 bits: 62**11 > 2**64


def encoded(number: int) -> str:
    """A 64-bit number in eleven characters."""
    digits = ""
    for _ in range(HALF):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def first_half(identity: str) -> int | None:
    """The number that the first half of an id stands for; None for what is no id."""
    if len(identity) != 2 * HALF or not (identity.isascii() and identity.isalnum()):
        return None
    number = 0
    for character in identity[:HALF]:
        number = number * len(ALPHABET) + ALPHABET.index(character)
    return number if number < 2**64 else None
