"""Lists: paging by values, totals, sorting, filters in the address, CSV."""

import csv
import io
from datetime import UTC, datetime
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import django_filters
import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from organizations.lists import (
    Column,
    Cursor,
    Listing,
    Total,
    capped_count,
    iter_chunks,
    read_page,
)
from organizations.lists.export import cell
from organizations.models import Device
from tests.factories import DeviceFactory, NetworkFactory

ORDERINGS = [("pk",), ("-pk",), ("name", "pk"), ("-name", "pk"), ("platform", "-name", "pk")]


class DeviceFilter(django_filters.FilterSet):
    platform = django_filters.ChoiceFilter(
        label="Platform", choices=[("iOS", "iOS"), ("macOS", "macOS")]
    )


class DeviceList(Listing[Device]):
    columns = (
        Column("name", "Name", sort=("name",)),
        Column("age", "Age", sort=("pk",), numeric=True),
        Column("note", "Note"),
    )
    export = {"Name": lambda row: row.name, "Platform": lambda row: row.platform}
    filterset = DeviceFilter
    default_sort = "name"
    noun = ("device", "devices")


@pytest.fixture
def devices(organization):
    """Names repeat, so that only the tie-break keeps the order."""
    network = NetworkFactory(organization=organization)
    return [
        DeviceFactory(
            organization=organization,
            network=network,
            name=f"iPad {number % 4}",
            platform="macOS" if number % 3 else "iOS",
        )
        for number in range(11)
    ]


def listing(query="", **options):
    return DeviceList(QueryDict(query), Device.objects.all(), **options)


def pages_forward(queryset, ordering, size):
    page = read_page(queryset, ordering, size=size)
    yield page
    while page.next:
        page = read_page(queryset, ordering, size=size, cursor=page.next)
        yield page


# --- Paging -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.parametrize("size", [1, 3, 11, 50])
def test_pages_forward_show_every_row_once_in_order(devices, ordering, size):
    expected = list(Device.objects.order_by(*ordering))

    pages = list(pages_forward(Device.objects.all(), ordering, size))

    assert [row for page in pages for row in page.rows] == expected
    assert [page.start for page in pages] == list(range(0, 11, size))


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_pages_backward_are_the_pages_forward(devices, ordering):
    forward = list(pages_forward(Device.objects.all(), ordering, 4))

    page, backward = forward[-1], [forward[-1]]
    while page.previous:
        page = read_page(Device.objects.all(), ordering, size=4, cursor=page.previous)
        backward.insert(0, page)

    assert [(p.rows, p.start) for p in backward] == [(p.rows, p.start) for p in forward]


def test_going_back_to_a_beginning_that_has_shrunk_shows_a_whole_first_page(devices):
    second = list(pages_forward(Device.objects.all(), ("pk",), 4))[1]
    devices[1].delete()

    page = read_page(Device.objects.all(), ("pk",), size=4, cursor=second.previous)

    assert (page.start, page.rows) == (0, list(Device.objects.order_by("pk")[:4]))


def test_going_on_to_rows_that_have_gone_shows_the_first_page(devices):
    first = read_page(Device.objects.all(), ("pk",), size=8)
    Device.objects.filter(pk__gt=first.rows[-1].pk).delete()

    page = read_page(Device.objects.all(), ("pk",), size=8, cursor=first.next)

    assert (page.start, page.rows) == (0, devices[:8])


def test_a_row_that_is_inserted_before_moves_nothing(devices):
    network = devices[0].network
    first = read_page(Device.objects.all(), ("name", "pk"), size=4)
    expected = list(Device.objects.order_by("name", "pk")[4:8])
    DeviceFactory(organization=network.organization, network=network, name="A first one")

    page = read_page(Device.objects.all(), ("name", "pk"), size=4, cursor=first.next)

    assert page.rows == expected


@pytest.mark.parametrize("page_number", [0, 1])
def test_a_page_is_one_query(devices, django_assert_num_queries, page_number):
    cursor = [None, read_page(Device.objects.all(), ("pk",), size=4).next][page_number]

    with django_assert_num_queries(1):
        page = read_page(Device.objects.all(), ("pk",), size=4, cursor=cursor)

    assert len(page.rows) == 4


def test_times_keep_their_microseconds_in_a_cursor():
    at = datetime(2026, 11, 22, 14, 2, 11, 123456, tzinfo=UTC)

    text = Cursor((at, 7), position=50).encode(("at", "pk"))

    assert Cursor.decode(text, ("at", "pk")) == Cursor((str(at), 7), position=50)


@given(st.text())
def test_a_cursor_that_we_did_not_make_is_none(text):
    assert Cursor.decode(text, ("name", "pk")) is None


def test_a_cursor_counts_only_for_its_own_order():
    text = Cursor(("a", 1)).encode(("name", "pk"))

    assert Cursor.decode(text, ("-name", "pk")) is None


def test_an_order_by_something_null_is_refused_loudly(devices):
    Device.objects.update(serial_number=None)

    with pytest.raises(ValueError, match="must never be null"):
        read_page(Device.objects.all(), ("serial_number", "pk"), size=4)


def test_chunks_are_all_rows(devices, django_assert_num_queries):
    with django_assert_num_queries(3):
        chunks = list(iter_chunks(Device.objects.all(), ("name", "pk"), size=4))

    assert [len(chunk) for chunk in chunks] == [4, 4, 3]
    assert [row for chunk in chunks for row in chunk] == list(Device.objects.order_by("name", "pk"))


# --- Totals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cap", "words"), [(10, "10+"), (11, "11"), (12, "11")])
def test_counting_stops_at_the_cap(devices, cap, words):
    assert str(capped_count(Device.objects.all(), cap=cap)) == words


def test_large_totals_are_readable():
    assert str(Total(10_000, is_capped=True)) == "10,000+"


def test_the_number_of_rows_in_words(devices):
    found = [
        listing().counted,
        listing("platform=iOS").counted,
        DeviceList(QueryDict(), Device.objects.none()).counted,
        DeviceList(QueryDict(), Device.objects.filter(pk=devices[0].pk)).counted,
    ]

    assert found == ["11 devices", "4 devices", "No device", "1 device"]


def test_a_known_total_spares_the_count(organization, django_assert_num_queries):
    network = NetworkFactory(organization=organization)
    DeviceFactory.create_batch(26, organization=organization, network=network)
    shown = listing("size=25", known_total=Total(26))

    with django_assert_num_queries(1):
        words = shown.counted

    assert words == "1 to 25 of 26 devices"


# --- The address ------------------------------------------------------------------------------------


def test_headers_turn_the_order_around_and_start_from_the_first_page():
    shown = listing("sort=-name&platform=iOS&after=x&page=2")

    assert [(h.column.name, h.direction, h.url) for h in shown.headers] == [
        ("name", "descending", "?sort=name&platform=iOS&page=2"),
        ("age", "", "?sort=-age&platform=iOS&page=2"),
        ("note", "", ""),
    ]


@pytest.mark.parametrize("query", ["sort=password", "sort=note", "sort=--name", "sort=", ""])
def test_an_unknown_order_is_the_usual_one(query):
    assert listing(query).ordering == ("name", "pk")


def test_an_order_by_the_tie_break_itself_names_it_once():
    assert listing("sort=-age").ordering == ("-pk",)


@pytest.mark.parametrize(
    ("query", "size"), [("size=25", 25), ("size=250", 250), ("size=7", 50), ("size=x", 50)]
)
def test_the_size_of_a_page_is_one_of_four(query, size):
    assert listing(query).size == size


def test_resetting_the_filters_keeps_the_rest_of_the_address():
    shown = listing("platform=iOS&sort=-name&account=7&after=x")

    assert parse_qs(shown.reset_url.removeprefix("?")) == {"sort": ["-name"], "account": ["7"]}


def test_the_filter_form_carries_the_parameters_of_its_page():
    shown = listing("platform=iOS&sort=-name&account=7&after=x")

    assert (shown.kept, shown.order_kept) == ([("account", "7")], [("sort", "-name")])


def test_filters_narrow_the_rows_and_show_what_they_are_set_to(devices):
    shown = listing("platform=iOS")

    assert {row.platform for row in shown.rows} == {"iOS"}
    assert shown.filter_fields[0].value == "iOS"
    assert shown.is_filtered


def test_a_filter_that_makes_no_sense_is_left_out_and_said(devices):
    shown = listing("platform=Newton")

    assert len(shown.rows) == 11
    assert shown.problems == [
        "Platform: Select a valid choice. Newton is not one of the available choices."
        " This filter was left out."
    ]


# --- CSV --------------------------------------------------------------------------------------------


def rows_of(response):
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_csv_has_all_rows_that_match_and_not_only_the_page(organization):
    network = NetworkFactory(organization=organization)
    DeviceFactory.create_batch(30, organization=organization, network=network, platform="iOS")
    DeviceFactory(organization=organization, network=network, platform="macOS")

    response = listing("platform=iOS&size=25&format=csv").csv_response("devices", zone=UTC)

    names = Device.objects.filter(platform="iOS").order_by("name", "pk")
    assert rows_of(response) == [["Name", "Platform"], *([d.name, "iOS"] for d in names)]
    assert response["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("5-1", "5-1"),
        (-5, -5),
        (True, "Y"),
        (None, None),
        (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), "2026-11-23 00:30:00+01:00"),
    ],
)
def test_cells_are_never_formulas(value, written):
    assert cell(value, ZoneInfo("Europe/Vienna")) == written
