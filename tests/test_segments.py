"""Rows of several tables as one list: order, pages, ends and counts."""

import pytest
from django.db.models import F, Q, Value

from organizations.lists import Cursor, Segments, capped_count, iter_chunks, read_page
from organizations.models import Device, Owner
from tests.factories import DeviceFactory, NetworkFactory, OwnerFactory

ORDERINGS = [("place", "name", "row"), ("place", "-name", "row"), ("-place", "name", "row")]


@pytest.fixture
def both(organization):
    """Seven devices, whose names repeat, and after them four owners."""
    network = NetworkFactory(organization=organization)
    for number in range(7):
        DeviceFactory(organization=organization, network=network, name=f"iPad {number % 3}")
    for number in range(4):
        OwnerFactory(organization=organization, name=f"Owner {number}")
    parts = (Device.objects.all(), Owner.objects.all())
    return Segments(
        tuple(
            part.annotate(place=Value(place), row=F("pk")).values("place", "name", "row")
            for place, part in enumerate(parts)
        )
    )


def in_order(rows, ordering):
    """What the database should do, done in Python: the last term first."""
    found = list(rows)
    for term in reversed(ordering):
        name = term.removeprefix("-")
        found.sort(key=lambda row, name=name: row[name], reverse=term.startswith("-"))
    return found


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.parametrize("size", [1, 3, 7, 11, 20])
def test_pages_forward_and_back_show_every_row_once(both, ordering, size):
    pages = [read_page(both, ordering, size=size)]
    while pages[-1].next:
        pages.append(read_page(both, ordering, size=size, cursor=pages[-1].next))
    before = read_page(both, ordering, size=size, cursor=pages[-1].previous)

    assert [row for page in pages for row in page.rows] == in_order(both, ordering)
    if len(pages) > 2:
        assert before.rows == pages[-2].rows
        assert isinstance(pages[-1].previous, Cursor)


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_chunks_go_through_all_of_them(both, ordering):
    chunks = list(iter_chunks(both, ordering, size=3))

    assert [row for chunk in chunks for row in chunk] == in_order(both, ordering)


@pytest.mark.parametrize(("cap", "expected"), [(5, "5+"), (9, "9+"), (10, "10+"), (11, "11")])
def test_counting_stops_at_the_cap(both, cap, expected):
    assert str(capped_count(both, "row", cap=cap)) == expected


def test_a_condition_holds_in_every_table(both):
    found = both.filter(Q(name__endswith="1"))

    assert [row["name"] for row in found] == ["iPad 1", "iPad 1", "Owner 1"]
    assert found.count() == 3


def test_the_next_table_is_read_only_where_the_first_has_ended(both, django_assert_num_queries):
    with django_assert_num_queries(1):
        list(both[:7])
    with django_assert_num_queries(2):
        list(both[:8])


def test_rare_rows_are_the_same_rows(both):
    ordering = ORDERINGS[0]

    assert list(both.rare().order_by(*ordering)[:9]) == in_order(both, ordering)[:9]
