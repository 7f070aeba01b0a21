"""A title as the store knows it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.state import Asset

IOS = ("iOS",)
MAC = ("macOS",)
TV = ("tvOS",)
UNIVERSAL = ("iOS", "macOS")

_FAMILIES = {
    "iOS": ("iphone", "ipad", "ipod"),
    "macOS": ("mac",),
    "tvOS": ("tvos",),
    "watchOS": ("watch",),
    "visionOS": ("realityDevice",),
}


@dataclass(frozen=True, slots=True)
class Title:
    """What the catalogue says; `listed` False is a title without any public metadata."""

    adam_id: str
    name: str
    developer: str = "Unknown Developer"
    bundle_id: str = ""
    platforms: tuple[str, ...] = IOS
    price: float = 0.0
    genre: str = "Education"
    glyph: str = "star"
    product_type: str = "App"
    editions: tuple[str, ...] = ("STDQ",)
    device_assignable: bool = True
    unlimited: bool = False
    custom: bool = False
    listed: bool = True
    # Where the store sells it; empty means everywhere.
    countries: tuple[str, ...] = ()
    ipad_only: bool = False
    minimum_os: str = "16.0"
    version: str = "1.0"
    released: str = "2026-03-02"

    @property
    def is_book(self) -> bool:
        return self.product_type == "Book"

    @property
    def kind(self) -> str:
        """Apple's word in the metadata lookup."""
        if self.is_book:
            return "ebook"
        return "macSoftware" if self.platforms == MAC else "iosSoftware"

    @property
    def device_families(self) -> list[str]:
        if self.ipad_only:
            return ["ipad"]
        return [family for platform in self.platforms for family in _FAMILIES[platform]]

    def is_sold_in(self, country: str) -> bool:
        return not self.countries or country.upper() in self.countries


def plain_title(adam_id: str, name: str, asset: "Asset") -> Title:
    """A title that somebody invented while buying it."""
    return Title(
        adam_id,
        name,
        bundle_id="" if asset.product_type == "Book" else f"org.example.app{adam_id}",
        platforms=asset.supported_platforms,
        product_type=asset.product_type,
        device_assignable=asset.device_assignable,
    )
