"""Pictures of the store: a gradient with a white sign on it, drawn as PNG for any adamId.

Signs are unions (+) and cut-outs (-) of simple forms in a unit square; each form says how far a point
is outside of it, which gives smooth edges at any size.
"""

import struct
import zlib
from collections.abc import Callable
from functools import cache
from math import hypot

from vpp_accounts.apple.fake.ids import digest

LARGEST = 256

_GLYPHS = {
    "bars": "+box .26 .52 .37 .74 .03 +box .445 .36 .555 .74 .03 +box .63 .24 .74 .74 .03",
    "book": "+box .22 .28 .48 .72 .04 +box .52 .28 .78 .72 .04 -line .29 .40 .41 .40 .018 "
    "-line .29 .49 .41 .49 .018 -line .59 .40 .71 .40 .018 -line .59 .49 .71 .49 .018",
    "camera": "+box .22 .34 .78 .70 .07 +box .38 .27 .62 .42 .05 -disc .5 .52 .13 +disc .5 .52 .075",
    "check": "+line .27 .52 .43 .68 .055 +line .43 .68 .73 .35 .055",
    "clock": "+disc .5 .5 .28 -line .5 .5 .5 .33 .028 -line .5 .5 .62 .57 .028",
    "code": "+line .36 .35 .22 .50 .042 +line .22 .50 .36 .65 .042 +line .64 .35 .78 .50 .042 "
    "+line .78 .50 .64 .65 .042 +line .55 .29 .45 .71 .034",
    "flask": "+box .42 .22 .58 .48 .02 +box .38 .22 .62 .28 .03 +disc .5 .60 .19 -disc .44 .62 .035 "
    "-disc .55 .57 .028 -disc .53 .68 .022",
    "globe": "+disc .5 .5 .28 -ring .22 .5 .28 .012 -ring .78 .5 .28 .012 -line .22 .5 .78 .5 .012 -line .5 .22 .5 .78 .012",
    "grid": "+box .24 .24 .47 .47 .05 +box .53 .24 .76 .47 .05 +box .24 .53 .47 .76 .05 +box .53 .53 .76 .76 .05",
    "leaf": "+line .43 .57 .60 .40 .15 +line .25 .75 .42 .58 .028 -line .37 .63 .64 .36 .016",
    "lock": "+ring .5 .42 .14 .04 +box .29 .44 .71 .74 .05 -disc .5 .57 .045 -line .5 .58 .5 .65 .022",
    "mail": "+box .2 .31 .8 .69 .05 -line .24 .36 .5 .55 .022 -line .76 .36 .5 .55 .022",
    "note": "+disc .35 .68 .09 +disc .65 .62 .09 +line .42 .34 .42 .68 .026 +line .72 .28 .72 .62 .026 "
    "+line .42 .33 .72 .27 .04",
    "orbit": "+disc .5 .5 .13 +ring .5 .5 .26 .018 +disc .69 .32 .055",
    "pencil": "+line .66 .30 .36 .60 .075 +line .36 .62 .27 .73 .03 -line .61 .27 .71 .37 .014",
    "people": "+disc .40 .38 .10 +box .24 .52 .56 .74 .10 +disc .66 .41 .075 +box .60 .54 .78 .72 .07",
    "pie": "+disc .5 .5 .28 -line .5 .5 .5 .2 .022 -line .5 .5 .76 .63 .022",
    "pin": "+disc .5 .41 .18 +line .5 .5 .5 .73 .055 -disc .5 .41 .075",
    "play": "+disc .5 .5 .29 -line .44 .40 .44 .60 .03 -line .44 .40 .60 .50 .03 -line .44 .60 .60 .50 .03 "
    "-disc .48 .5 .065",
    "plus": "+line .5 .28 .5 .72 .055 +line .28 .5 .72 .5 .055",
    "screen": "+box .2 .28 .8 .64 .05 +line .38 .73 .62 .73 .03 -box .25 .33 .75 .59 .02 +box .40 .40 .60 .52 .03",
    "speech": "+box .22 .27 .78 .62 .10 +line .36 .60 .32 .72 .04 -disc .38 .445 .035 -disc .5 .445 .035 "
    "-disc .62 .445 .035",
    "star": "+line .5 .24 .5 .76 .05 +line .27 .37 .73 .63 .05 +line .27 .63 .73 .37 .05",
    "sun": "+disc .5 .5 .14 +line .5 .22 .5 .28 .026 +line .5 .72 .5 .78 .026 +line .22 .5 .28 .5 .026 "
    "+line .72 .5 .78 .5 .026 +line .30 .30 .345 .345 .026 +line .655 .655 .70 .70 .026 "
    "+line .30 .70 .345 .655 .026 +line .655 .345 .70 .30 .026",
}

# Top and bottom of the gradients.
_COLOURS = (
    (0x5AC8FA, 0x0A6CD6),
    (0x7DDC7A, 0x1E8E3E),
    (0xFFB347, 0xF05A28),
    (0xFF7B8A, 0xD81F5C),
    (0xB388FF, 0x5E35B1),
    (0x4DD0C4, 0x00796B),
    (0xFFD54F, 0xF09300),
    (0x8C9EFF, 0x303F9F),
    (0xF48FB1, 0xAD1478),
    (0x90A4AE, 0x37474F),
)

Distance = Callable[[float, float], float]


@cache
def png(adam_id: str, glyph: str, size: int) -> bytes:
    """A square picture of that many pixels; the same title always looks the same."""
    size = max(16, min(size, LARGEST))
    top, bottom = _COLOURS[digest("icon", adam_id)[0] % len(_COLOURS)]
    signs = _forms(_GLYPHS.get(glyph, _GLYPHS["star"]))
    rows = (_row(y, size, _mix(top, bottom, y / (size - 1)), signs) for y in range(size))
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _row(y: int, size: int, colour: tuple[int, ...], signs: list[tuple[bool, Distance]]) -> bytes:
    row = bytearray(bytes(colour) * size)
    height = (y + 0.5) / size
    # No sign reaches into the outer fifth.
    for x in range(size // 6, size - size // 6):
        cover = _cover((x + 0.5) / size, height, size, signs)
        if cover > 0:
            row[3 * x : 3 * x + 3] = bytes(round(c + (255 - c) * cover) for c in colour)
    return bytes(row)


def _cover(x: float, y: float, size: int, signs: list[tuple[bool, Distance]]) -> float:
    """How much of the pixel is white, 0 to 1."""
    cover = 0.0
    for adds, distance in signs:
        inside = min(1.0, max(0.0, 0.5 - distance(x, y) * size))
        cover = max(cover, inside) if adds else min(cover, 1 - inside)
    return cover


@cache
def _forms(sign: str) -> list[tuple[bool, Distance]]:
    words = sign.replace("+", "\n+").replace("-", "\n-").split("\n")
    return [_form(word.split()) for word in words if word]


def _form(words: list[str]) -> tuple[bool, Distance]:
    name, numbers = words[0], [float(word) for word in words[1:]]
    return name[0] == "+", _FORMS[name[1:]](*numbers)


def _disc(cx: float, cy: float, radius: float) -> Distance:
    return lambda x, y: hypot(x - cx, y - cy) - radius


def _ring(cx: float, cy: float, radius: float, width: float) -> Distance:
    return lambda x, y: abs(hypot(x - cx, y - cy) - radius) - width


def _box(left: float, top: float, right: float, bottom: float, radius: float) -> Distance:
    cx, cy = (left + right) / 2, (top + bottom) / 2
    half_width, half_height = (right - left) / 2 - radius, (bottom - top) / 2 - radius

    def distance(x: float, y: float) -> float:
        dx, dy = abs(x - cx) - half_width, abs(y - cy) - half_height
        return hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - radius

    return distance


def _line(x0: float, y0: float, x1: float, y1: float, width: float) -> Distance:
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy

    def distance(x: float, y: float) -> float:
        along = max(0.0, min(1.0, ((x - x0) * dx + (y - y0) * dy) / square))
        return hypot(x - x0 - along * dx, y - y0 - along * dy) - width

    return distance


_FORMS: dict[str, Callable[..., Distance]] = {
    "disc": _disc,
    "ring": _ring,
    "box": _box,
    "line": _line,
}


def _mix(top: int, bottom: int, share: float) -> tuple[int, ...]:
    pairs = zip(top.to_bytes(3), bottom.to_bytes(3), strict=True)
    return tuple(round(a + (b - a) * share) for a, b in pairs)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
