"""Names go from text to wire and back unharmed, and what is no name is refused."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import name
from greendns.errors import ValueProblem

ORIGIN = name.from_text("example.com.")

LABELS = st.binary(min_size=1, max_size=63)
NAMES = st.lists(LABELS, max_size=6).filter(lambda labels: sum(len(label) + 1 for label in labels) < 255)


def wire_of(labels: list[bytes]) -> bytes:
    """Labels in wire form, by dnspython."""
    return dns.name.Name([*labels, b""]).to_wire() or b""


@given(NAMES)
def test_any_octets_survive_text_and_back(labels: list[bytes]) -> None:
    """wire -> text -> wire is the same name."""
    wire = wire_of(labels)

    assert name.from_text(name.to_text(wire)) == wire


@given(NAMES)
def test_relative_names_survive_text_and_back(labels: list[bytes]) -> None:
    """The same for a name below an origin."""
    relative = wire_of(labels)[:-1]

    assert name.relative_from_text(name.relative_text(relative)) == relative


@given(NAMES)
def test_text_is_what_dnspython_reads(labels: list[bytes]) -> None:
    """Another reader sees the same labels in our text."""
    assert dns.name.from_text(name.to_text(wire_of(labels))).labels == (*labels, b"")


@given(NAMES)
def test_dnspythons_text_is_read(labels: list[bytes]) -> None:
    """We see the same labels in another writer's text."""
    assert name.from_text(dns.name.Name([*labels, b""]).to_text()) == wire_of(labels)


@given(NAMES)
def test_labels_are_taken_apart_as_they_were_joined(labels: list[bytes]) -> None:
    """from_labels and to_labels are each other's reverse, with and without the root."""
    relative = name.from_labels(labels)

    assert name.to_labels(relative) == labels
    assert name.to_labels(relative + name.ROOT) == labels


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    """Never another exception, never more than 255 octets."""
    try:
        wire = name.from_text(text)
    except ValueProblem:
        return
    assert len(wire) <= 255
    assert max([len(label) for label in name.to_labels(wire)], default=0) <= 63


@pytest.mark.parametrize("text", ["a..b", "..", ".a", "a\\", "a\\256b", "x" * 64, ".".join(["x" * 49] * 6)])
def test_what_is_no_name_is_refused(text: str) -> None:
    """Empty and long labels, long names, and escapes that stand for nothing."""
    with pytest.raises(ValueProblem):
        name.from_text(text)


def test_the_longest_name_is_read() -> None:
    """255 octets in wire form, and not one more."""
    longest = ".".join(["x" * 63, "x" * 63, "x" * 63, "x" * 61])

    assert len(name.from_text(longest)) == 255
    with pytest.raises(ValueProblem, match="at most 255 octets"):
        name.from_text("x" + longest[63:] + "." + "x" * 63)


@pytest.mark.parametrize("text", ["", "."])
def test_the_root_is_one_octet(text: str) -> None:
    """It has no labels."""
    assert name.from_text(text) == b"\x00"


def test_a_name_without_final_dot_is_below_the_origin() -> None:
    """With one it stands alone, and an escaped dot is none."""
    assert name.from_text("www", ORIGIN) == b"\x03www" + ORIGIN
    assert name.from_text("www.", ORIGIN) == b"\x03www\x00"
    assert name.from_text(r"www\.", ORIGIN) == b"\x04www." + ORIGIN
    assert name.from_text(r"www\\.", ORIGIN) == b"\x04www\\\x00"


def test_escapes_are_octets() -> None:
    r"""`\DDD` is an octet in decimal, `\X` the character X (RFC 1035 section 5.1)."""
    assert name.from_text(r"a\.b\046c\\\"\200") == b'\x08a.b.c\\"\xc8\x00'


def test_octets_of_a_file_name_that_are_no_utf8_stay() -> None:
    """As Python has them in text (PEP 383)."""
    assert name.from_text(b"\xc4\xff.example".decode("utf-8", "surrogateescape")) == b"\x02\xc4\xff\x07example\x00"


def test_a_parent_has_one_label_less() -> None:
    """Up to the empty name, which is its own parent."""
    assert name.parent(b"\x03www\x02us") == b"\x02us"
    assert name.parent(b"\x02us") == b""
    assert name.parent(b"") == b""


@given(NAMES, NAMES)
def test_what_is_joined_to_an_ancestor_is_below_it(labels: list[bytes], ancestor: list[bytes]) -> None:
    """Every name is below each of its own endings."""
    if sum(len(label) + 1 for label in labels + ancestor) < 255:
        assert name.is_subdomain(wire_of(labels + ancestor), wire_of(ancestor))


@pytest.mark.parametrize(
    ("text", "ancestor", "expected"),
    [
        ("example.com.", "example.com.", True),
        ("www.example.com.", "com.", True),
        ("www.example.com.", ".", True),
        ("badexample.com.", "example.com.", False),
        (r"bad\007example.com.", "example.com.", False),
        ("com.", "example.com.", False),
        ("example.net.", "example.com.", False),
    ],
)
def test_a_subdomain_ends_at_a_label(text: str, ancestor: str, expected: bool) -> None:
    r"""Octets that happen to look alike are not enough: `\007` is also the length of a label."""
    assert name.is_subdomain(name.from_text(text), name.from_text(ancestor)) is expected
