"""Pictures for tests that upload one."""

from io import BytesIO
from typing import Any

from PIL import Image


def picture(
    width: int, height: int, *, kind: str = "PNG", mode: str = "RGB", **options: Any
) -> bytes:
    """Of one colour, in any format that Pillow writes."""
    buffer = BytesIO()
    Image.new(mode, (width, height), 90).save(buffer, format=kind, **options)
    return buffer.getvalue()


def noise(width: int, height: int) -> bytes:
    """What no format makes small."""
    buffer = BytesIO()
    bands = [Image.effect_noise((width, height), 90) for _ in range(3)]
    Image.merge("RGB", bands).save(buffer, format="PNG")
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))
