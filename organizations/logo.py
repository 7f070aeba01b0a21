"""An organization's logo: whatever picture was uploaded, drawn anew as a small PNG of ours."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from organizations.models import Logo, Organization
from organizations.refusals import Refusal

LARGEST_UPLOAD = 5 * 1024 * 1024
MOST_PIXELS = 16_000_000  # a picture may unpack to far more than its file holds
BOX = (600, 200)
LARGEST = 200 * 1024
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
SVG = re.compile(rb"^\s*(?:<\?xml|<!--|<!DOCTYPE\s+svg|<svg)", re.IGNORECASE)


class LogoRefused(Refusal):
    code = "logo_refused"
    field = "logo"


class LogoTooLarge(LogoRefused):
    def __init__(self) -> None:
        megabytes = LARGEST_UPLOAD // 1024 // 1024
        super().__init__(
            f"The file is larger than {megabytes} MB. A logo needs at most {BOX[0]} by {BOX[1]}"
            " pixels: save it smaller."
        )


class LogoTooManyPixels(LogoRefused):
    def __init__(self) -> None:
        super().__init__(
            f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. A logo needs at"
            f" most {BOX[0]} by {BOX[1]}: save it smaller."
        )


class LogoIsDrawing(LogoRefused):
    def __init__(self) -> None:
        super().__init__(
            "This is an SVG drawing, which most mail programs do not show. Save it as PNG."
        )


class LogoNotReadable(LogoRefused):
    def __init__(self) -> None:
        super().__init__(
            "This file cannot be read as a picture. Choose a PNG, JPEG, GIF or WebP file."
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as it is kept: decoded and written anew, so that nothing else of the file is left."""

    png: bytes
    width: int
    height: int

    @property
    def size(self) -> str:
        return f"{self.width} by {self.height}"


def drawn(content: bytes) -> Drawn:
    """The picture in a file, no larger than the box."""
    if len(content) > LARGEST_UPLOAD:
        raise LogoTooLarge
    if SVG.match(content.removeprefix(b"\xef\xbb\xbf")):
        raise LogoIsDrawing
    try:
        picture = _decoded(content)
    except LogoRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise LogoTooManyPixels from error
    except Exception as error:  # a broken file makes the decoders raise what they like
        raise LogoNotReadable from error
    return Drawn(_png_of(picture), *picture.size)


def keep(organization: Organization, picture: Drawn) -> Logo:
    values = {"png": picture.png, "width": picture.width, "height": picture.height}
    logo, _ = Logo.objects.update_or_create(organization=organization, defaults=values)
    return logo


def data_url(logo: Logo) -> str:
    """For pages that show it without another request."""
    return f"data:image/png;base64,{base64.b64encode(bytes(logo.png)).decode()}"


def _decoded(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content), formats=FORMATS)
    if picture.width * picture.height > MOST_PIXELS:
        raise LogoTooManyPixels
    picture.draft("RGB", (BOX[0], BOX[0]))  # a photo need not be unpacked in full
    ImageOps.exif_transpose(picture, in_place=True)
    plain = picture.convert("RGBA")
    plain.thumbnail(BOX, Image.Resampling.LANCZOS)
    plain.info.clear()
    return plain


def _png_of(picture: Image.Image) -> bytes:
    whole = _written(picture)
    return whole if len(whole) <= LARGEST else _written(_with_few_colours(picture))


def _with_few_colours(picture: Image.Image) -> Image.Image:
    """A byte a pixel: always small enough for the box."""
    return picture.quantize(256, method=Image.Quantize.FASTOCTREE)


def _written(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
