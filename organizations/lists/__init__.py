"""Lists of rows on pages: search, filters, sorting, paging and CSV, all kept in the address.

    class NetworkList(Listing[Network]):
        template = "organizations/_network_list.html"  # extends lists/_list.html, block `rows`
        columns = (Column("name", "Name", sort=("name",)), Column("devices", "Devices"))
        export = {"Name": lambda row: row.name}
        default_sort = "name"

    listing = NetworkList(request.GET, Network.objects.visible_to(request.membership))
    if listing.wants_csv:
        return listing.csv_response("networks", zone=organization.zone)
    return render_listing(request, listing, "organizations/network_list.html")

The page links css/lists.css and includes lists/_filters.html and `listing.template`. Without
JavaScript it is a form and links; with htmx only the list is exchanged.
"""

from organizations.lists.columns import Column, Header
from organizations.lists.counting import Total, capped_count
from organizations.lists.export import csv_response
from organizations.lists.filters import FilterField, search_field
from organizations.lists.keyset import Cursor, Page, iter_chunks, read_page, rows_after
from organizations.lists.listing import Listing, render_listing, wants_only_list
from organizations.lists.memory import RowListing
from organizations.lists.segments import Segments

__all__ = [
    "Column",
    "Cursor",
    "FilterField",
    "Header",
    "Listing",
    "Page",
    "RowListing",
    "Segments",
    "Total",
    "capped_count",
    "csv_response",
    "iter_chunks",
    "read_page",
    "render_listing",
    "rows_after",
    "search_field",
    "wants_only_list",
]
