"""Who is one caller: by their address, however it is written; and how much a network gets."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mash.api.limits import WIDER, ByPlace, place_of

IPV4 = st.ip_addresses(v=4)


@given(IPV4)
def test_an_ipv4_caller_is_the_same_one_however_their_address_is_written(address: ipaddress.IPv4Address) -> None:
    written = (f"::ffff:{address}", f"::ffff:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}", f"64:ff9b::{address}")
    assert {place_of(each) for each in (*written, str(address))} == {place_of(str(address))}


@given(st.sets(IPV4, min_size=2, max_size=20))
def test_ipv4_callers_are_told_apart_though_they_come_by_ipv6(addresses: set[ipaddress.IPv4Address]) -> None:
    assert len({place_of(f"::ffff:{each}") for each in addresses}) == len(addresses)


@given(st.ip_addresses(v=6, network="2000::/3"), st.integers(0, 2**64 - 1), st.integers(0, 255))
def test_an_ipv6_caller_is_their_network_and_has_a_wider_one(address: ipaddress.IPv6Address, host: int, subnet: int) -> None:
    inside = ipaddress.IPv6Address((int(address) >> 64 << 64) | host)
    beside = ipaddress.IPv6Address((int(address) >> 72 << 72) | subnet << 64 | host)
    assert place_of(str(inside)) == place_of(str(address))
    assert place_of(str(beside)).wide == place_of(str(address)).wide


@pytest.mark.parametrize("address", ["", "unknown", "fe80::1%eth0", "/run/mash.sock", "1.2.3"])
def test_what_is_no_address_is_some_caller_all_the_same(address: str) -> None:
    assert isinstance(place_of(address).near, str)


@given(st.lists(st.integers(0, 255), min_size=300, max_size=400))
def test_one_subscriber_with_all_their_networks_gets_no_more_than_the_wider_limit(networks: list[int]) -> None:
    limit, got = ByPlace(20), 0
    for number, network in enumerate(networks):
        place = place_of(f"2001:db8:0:{network:x}::{number:x}")
        if not limit.wait(place, 0.0):
            limit.take(place, 0.0)
            got += 1
    assert got <= 20 * WIDER


def test_what_was_counted_and_was_right_is_given_back() -> None:
    limit, place = ByPlace(3), place_of("2001:db8::1")
    for _ in range(50):
        assert not limit.wait(place, 0.0)
        limit.take(place, 0.0)
        limit.give_back(place)
    for _ in range(3):
        limit.take(place, 0.0)
    assert limit.wait(place, 0.0)
