"""Logos: whatever picture comes in, a small PNG of ours goes out."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from organizations.logo import LARGEST, LARGEST_UPLOAD, LogoRefused, drawn
from tests.pictures import noise, opened, picture

NOT_READABLE = "This file cannot be read as a picture. Choose a PNG, JPEG, GIF or WebP file."
TOO_MANY = (
    "The picture has more than 16 million pixels. A logo needs at most 600 by 200: save it smaller."
)
SVG = "This is an SVG drawing, which most mail programs do not show. Save it as PNG."


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that would unpack to a picture of this size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b""))


def chunk(name: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((600, 200), (600, 200)),
        ((20, 10), (20, 10)),
        ((1, 1), (1, 1)),
        ((1200, 400), (600, 200)),
        ((400, 400), (200, 200)),
        ((3000, 10), (600, 2)),
        ((4000, 1), (600, 1)),
        ((1, 4000), (1, 200)),
    ],
)
def test_it_is_scaled_into_the_box_and_never_up(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    logo = drawn(picture(*size))

    image = opened(logo.png)
    assert (image.format, image.size, (logo.width, logo.height)) == ("PNG", kept, kept)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "1"),
        ("PNG", "L"),
        ("PNG", "LA"),
        ("PNG", "P"),
        ("PNG", "RGBA"),
        ("PNG", "I;16"),
        ("JPEG", "L"),
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
        ("WEBP", "RGBA"),
    ],
)
def test_every_kind_of_picture_becomes_a_png(kind: str, mode: str) -> None:
    if mode in ("LA", "RGBA"):
        content = _translucent(kind, mode)
    else:
        content = picture(900, 100, kind=kind, mode=mode)

    image = opened(drawn(content).png)

    assert (image.format, image.size) == ("PNG", (600, 67))


def test_what_is_clear_stays_clear() -> None:
    logo = drawn(_translucent("PNG", "RGBA"))

    assert opened(logo.png).convert("RGBA").getpixel((5, 5))[3] == 128


def test_nothing_but_the_picture_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif[0x0112] = 6  # lies on its side
    content = picture(100, 50, kind="JPEG", exif=exif, comment=b"secret") + b"<script>"

    logo = drawn(content)

    image = opened(logo.png)
    assert (image.size, image.info, dict(image.getexif())) == ((50, 100), {}, {})
    assert [text for text in (b"home", b"secret", b"script") if text in logo.png] == []


def test_a_picture_that_cannot_be_made_small_gets_fewer_colours() -> None:
    logo = drawn(noise(600, 200))

    assert (len(logo.png) <= LARGEST, opened(logo.png).size) == (True, (600, 200))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", NOT_READABLE),
        (b"hello", NOT_READABLE),
        (b"%PDF-1.7 and so on", NOT_READABLE),
        (picture(50, 50)[:60], NOT_READABLE),
        (picture(50, 50, kind="BMP"), NOT_READABLE),
        (picture(50, 50, kind="TIFF"), NOT_READABLE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", SVG),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><svg/>", SVG),
        (
            b"\x89PNG" + b"\0" * LARGEST_UPLOAD,
            "The file is larger than 5 MB. A logo needs at most 600 by 200 pixels: save it smaller.",
        ),
        (png_that_claims(5000, 5000), TOO_MANY),
        (png_that_claims(12_000, 12_000), TOO_MANY),
        (png_that_claims(60_000, 60_000), TOO_MANY),
        (png_that_claims(100, 100), NOT_READABLE),
    ],
    ids=[
        *("empty", "text", "pdf", "cut off", "bmp", "tiff", "svg", "svg with a head", "large"),
        *("many pixels", "more", "a bomb", "no pixels"),
    ],
)
def test_what_is_no_logo_is_refused_in_words(content: bytes, error: str) -> None:
    with pytest.raises(LogoRefused) as refusal:
        drawn(content)

    assert str(refusal.value) == error


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_broken_file_is_a_picture_or_refused_and_never_an_error(kind: str) -> None:
    whole = picture(40, 30, kind=kind)
    dice = random.Random(kind)

    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(dice.randint(1, 6)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        try:
            logo = drawn(bytes(broken))
        except LogoRefused:
            continue
        assert opened(logo.png).size == (logo.width, logo.height)


def _translucent(kind: str, mode: str) -> bytes:
    buffer = BytesIO()
    Image.new("RGBA", (900, 100), (200, 30, 30, 128)).convert(mode).save(
        buffer, format=kind, lossless=True
    )
    return buffer.getvalue()
