"""Each parser alone, on whatever octets or text: a value, or the error that it promises; never another exception."""

from __future__ import annotations

import ipaddress
import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from greendns import name
from greendns.cookiefile import parse_secrets
from greendns.cookies import is_valid, make_cookie
from greendns.errors import ConfigError, ValueProblem
from greendns.geoip import find_files, open_database
from greendns.healthfiles import HealthFiles
from greendns.query import parse, parse_client_subnet
from greendns.siphash import Secret
from tests.checks.rows import COOKIE, ECS, NSID, UNKNOWN_OPTION, edns
from tests.databases import WORLD, write_world

SECRET = Secret(bytes(range(16)))
FAMILIES = {1: (4, ipaddress.IPv4Network), 2: (16, ipaddress.IPv6Network)}


def subnets() -> st.SearchStrategy[bytes]:
    """Client subnet options, nearly right."""
    return st.builds(
        lambda family, source, scope, address: bytes((0, family, source, scope)) + address,
        st.integers(0, 3),
        st.integers(0, 130),
        st.sampled_from([0, 0, 0, 1]),
        st.binary(max_size=17),
    )


def expected_subnet(option: bytes) -> tuple[int, int, bytes] | None:
    """Family, source prefix and address by the words of RFC 7871 section 6 and Python's ipaddress; None: malformed."""
    if len(option) < 4 or option[3]:
        return None
    family, source, sent = int.from_bytes(option[:2], "big"), option[2], option[4:]
    if family == 0:
        return (0, 0, b"") if not source and not sent else None
    if family not in FAMILIES or len(sent) != -(-source // 8):
        return None
    octets, network = FAMILIES[family]
    try:
        return family, source, network((sent.ljust(octets, b"\x00"), source)).network_address.packed
    except ValueError:  # too long a prefix, or bits beyond it
        return None


@given(st.binary(max_size=24) | subnets())
def test_a_client_subnet_is_read_as_the_rfc_has_it(option: bytes) -> None:
    """Or is malformed, by the same words."""
    subnet = parse_client_subnet(option)

    assert (subnet and (subnet.family, subnet.source_prefix, subnet.address)) == expected_subnet(option)
    assert subnet is None or subnet.option == option


@given(st.lists(st.tuples(st.sampled_from([NSID, ECS, COOKIE, UNKNOWN_OPTION]), st.binary(max_size=41)), max_size=70))
def test_options_are_read_each_by_itself(options: list[tuple[int, bytes]]) -> None:
    """FORMERR where one of them is malformed; what was asked for is known otherwise."""
    query = parse(edns(*options))
    subnets_sent = [content for code, content in options if code == ECS]
    cookies = [content for code, content in options if code == COOKIE]
    is_bad = any(len(content) != 8 and not 16 <= len(content) <= 40 for content in cookies)
    is_bad |= bool(subnets_sent) and expected_subnet(subnets_sent[0]) is None

    assert query is not None
    if query.verdict == 0:
        assert not is_bad
        assert query.wants_nsid == (NSID in [code for code, _ in options])
        assert query.cookie == (cookies[0] if cookies else b"")
        assert (query.subnet is None) == (not subnets_sent)
    else:
        assert query.verdict == 1
        assert is_bad


@given(
    st.binary(min_size=8, max_size=64),
    st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16),
    st.integers(0, 2**40),
)
def test_no_cookie_of_any_length_is_an_exception(cookie: bytes, address: bytes, seconds: int) -> None:
    """What is not ours is not valid; a good one can be made for whatever came, and begins as that did."""
    made = make_cookie(cookie, address, seconds, SECRET)

    assert not is_valid(cookie, address, seconds, (SECRET,))
    assert is_valid(made, address, seconds, (SECRET,))
    assert made[:8] == cookie[:8]


@given(st.text(max_size=80) | st.text(alphabet="a.\\019*[]:", max_size=300))
def test_any_text_is_a_name_that_can_be_written_or_a_problem(text: str) -> None:
    """What was read once is read alike from its own text."""
    try:
        wire = name.from_text(text, b"\x00")
    except ValueProblem:
        return
    assert len(wire) <= 255
    assert name.from_text(name.to_text(wire)) == wire


def databases() -> list[bytes]:
    """Small ones, whole."""
    with tempfile.TemporaryDirectory() as directory:
        write_world(Path(directory))
        return [path.read_bytes() for path in find_files(Path(directory)).values()]


WHOLE = databases()
ADDRESSES = [ipaddress.ip_network(network)[1].packed for network in WORLD] + [bytes(4), bytes(16), b"\xff" * 16]
# Where in a file, as a part of its length: the metadata stands at the end.
PLACES = st.floats(0, 1) | st.floats(0.9, 1)


@given(st.sampled_from(WHOLE), st.lists(st.tuples(PLACES, st.integers(0, 255)), min_size=1, max_size=8), st.booleans())
def test_a_damaged_database_is_refused_or_harmless(whole: bytes, changes: list[tuple[float, int]], cut: bool) -> None:
    """With octets changed, or cut: a ConfigError at load; else every address has a place, known or not."""
    octets = bytearray(whole)
    for place, octet in changes:
        octets[min(int(place * len(octets)), len(octets) - 1)] = octet
    with tempfile.TemporaryDirectory() as directory:
        write_world(Path(directory))
        kind, path = next(iter(find_files(Path(directory)).items()))
        path.write_bytes(octets[: int(changes[0][0] * len(octets))] if cut else octets)
        try:
            database = open_database(path, kind)
        except ConfigError:
            return
        for address in ADDRESSES:
            place, prefix = database.find(address)
            assert 0 <= prefix <= 128
            assert place is not None


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )
    .map(json.dumps)
    .map(str.encode)
)
def test_any_status_file_says_something_or_nothing(octets: bytes) -> None:
    """States are numbers; what is none says nothing."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "sites.json").write_bytes(octets)
        states = HealthFiles(Path(directory)).read()

    assert states is not None
    assert all(isinstance(state, int) for state in states.values())


HEXADECIMAL = st.text(alphabet="0123456789abcdefABCDEF", min_size=32, max_size=33)


@given(st.binary(max_size=80) | st.lists(HEXADECIMAL, max_size=3).map("\n".join).map(str.encode))
def test_any_secret_file_has_one_or_two_secrets_or_an_error(octets: bytes) -> None:
    """Each of 16 octets; the error tells nothing of what the file holds."""
    try:
        secrets = parse_secrets(octets, "secret")
    except ConfigError:
        return
    assert len(secrets) in (1, 2)
    assert {len(secret) for secret in secrets} == {16}
