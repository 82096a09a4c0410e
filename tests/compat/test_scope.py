"""The scope of EDNS Client Subnet answers (RFC 7871 section 7.2.1): for whom else an answer holds.

Per name: of the levels that any variant of this name has in the zone, the longest prefix that the databases needed.
What the databases needed is asked of maxminddb here, not of our own reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import maxminddb
import pytest

from tests.databases import WORLD, WORLD_ASNS, Record, asn, city, write_asn, write_city, write_country
from tests.serving import Server, serving

# City, Country and ASN have networks of different lengths around the same addresses.
CITY: dict[str, Record] = {**WORLD, "127.0.0.0/8": city("SE", at=(59.3, 18.1))}
COUNTRY: dict[str, Record] = {
    **CITY,
    "192.0.2.0/26": city("DK", registered="SE"),
    "198.19.0.0/24": city("NO"),
    "2001:db8:1:8000::/50": city("SE", registered="NO"),
}
ASNS: dict[str, Record] = {**WORLD_ASNS, "203.0.113.0/28": asn(64502), "127.0.0.0/8": asn(64503)}

# Clients: of a country that has a variant of its own, and of one that has none.
DANE = "192.0.2.0/24"
AMERICAN = "203.0.113.0/26"
BRAZILIAN = "198.18.0.0/20"
NOBODY = "198.18.200.0/24"  # in no database of places

ADDRESS = {"a": [["192.0.2.1"]]}
NEAR = {"closest": True, "max_hosts": 1, "a": [["192.0.2.1"], ["203.0.113.1"]]}
ZONES: dict[str, object] = {
    "all.example.com": {
        "targeting": "ip asn region regiongroup country continent @",
        "data": {
            "": ADDRESS,
            "plain": ADDRESS,
            "country": ADDRESS,
            "country.us": ADDRESS,
            "continent": ADDRESS,
            "continent.asia": {"txt": "another type"},
            "region": ADDRESS,
            "region.us-ny": ADDRESS,
            "group": ADDRESS,
            "group.ru-tfd": ADDRESS,
            "asn": ADDRESS,
            "asn.as64501": ADDRESS,
            "both": ADDRESS,
            "both.us": ADDRESS,
            "both.as64501": ADDRESS,
            "network": ADDRESS,
            "network.[198.51.100.0]": ADDRESS,
            "host": ADDRESS,
            "host.[198.51.100.7]": ADDRESS,
            "network6": ADDRESS,
            "network6.[2001:db8:9::]": ADDRESS,
            "host6": ADDRESS,
            "host6.[2001:db8:9::7]": ADDRESS,
            "onlyus.us": ADDRESS,
            "near": NEAR,
            "toplain": {"alias": "plain"},
            "toasn": {"alias": "asn"},
            "totoasn": {"alias": "toasn"},
            "toasn-for-us": ADDRESS,
            "toasn-for-us.us": {"alias": "asn"},
            "tonear": {"alias": "near"},
            "tohost": {"alias": "host"},
            "*.wild": ADDRESS,
            "*.wild.as64501": ADDRESS,
            "c-plain": {"cname": "plain"},
            "c-asn": {"cname": "asn"},
            "c-country": {"cname": "www.country.example.com."},
            "c-both": {"cname": "c-asn"},
            "c-both.us": {"cname": "plain"},
            "c-away": {"cname": "www.example.net."},
            "c-away.us": {"cname": "www.example.net."},
            "c-nodata": {"cname": "nodata"},
            "nodata": {"txt": "no address"},
            "nodata.us": {"txt": "no address"},
            "c-nxdomain": {"cname": "onlyus"},
            "dele": {"ns": ["ns.dele.all.example.com."]},
            "ns.dele": {"a": [["192.0.2.53"]]},
            "ns.dele.us": {"a": [["192.0.2.54"]]},
            "ns.dele.se": {"a": [["192.0.2.55"]]},
            "geodele": {"ns": ["ns1.example.net."]},
            "geodele.us": {"ns": ["ns2.example.net."]},
            "geodele.se": {"ns": ["ns3.example.net."]},
        },
    },
    "country.example.com": {
        "data": {
            "": {"mx": [{"mx": "mail.example.net."}]},
            "us": ADDRESS,
            "www": ADDRESS,
            "www.us": {"a": [["192.0.2.2"]]},
            "www.se": {"a": [["192.0.2.3"]]},
            "plain": ADDRESS,
            "c-asn": {"cname": "asn.all.example.com."},
            "long.name": ADDRESS,
            "other.name.us": ADDRESS,
        }
    },
    "everybody.example.com": {
        "targeting": "@",
        "data": {"www": ADDRESS, "www.us": ADDRESS, "near": NEAR, "enough": {**NEAR, "max_hosts": 2}},
    },
    "nobody.example.com": {
        "targeting": "country",
        "data": {"www": ADDRESS, "www.us": ADDRESS, "only.us": ADDRESS},
    },
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the databases, and of the server."""
    place = tmp_path_factory.mktemp("scope")
    write_city(place / "GeoLite2-City.mmdb", CITY)
    write_country(place / "GeoLite2-Country.mmdb", COUNTRY)
    write_asn(place / "GeoLite2-ASN.mmdb", ASNS)
    return place


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[Server]:
    """One server for all questions."""
    with serving(directory, ZONES) as running:
        yield running


@pytest.fixture(scope="module")
def databases(directory: Path) -> dict[str, maxminddb.Reader]:
    """The databases as maxminddb reads them."""
    return {kind: maxminddb.open_database(directory / f"GeoLite2-{kind}.mmdb") for kind in ("City", "Country", "ASN")}


Databases = dict[str, maxminddb.Reader]


def prefix(database: maxminddb.Reader, subnet: str) -> int:
    """How many bits maxminddb needed for an answer, found or not."""
    return database.get_with_prefix_len(subnet.partition("/")[0])[1]


def option(answer: dns.message.Message) -> dns.edns.ECSOption | None:
    """The client subnet option of an answer."""
    options = [each for each in answer.options if isinstance(each, dns.edns.ECSOption)]
    return options[0] if options else None


def scope(server: Server, name: str, subnet: str, rrtype: str = "A") -> int:
    """The scope of the answer to a client."""
    told = option(server.ask(f"{name}.example.com", rrtype, subnet=subnet))
    assert told is not None
    return int(told.scopelen)


# -- what the option says beside the scope


@pytest.mark.parametrize("subnet", ["192.0.2.0/24", "192.0.2.128/25", "192.0.0.0/17", "2001:db8:1::/48", "0.0.0.0/0"])
def test_the_subnet_is_echoed(server: Server, subnet: str) -> None:
    """Family, source prefix and address as they were sent (RFC 7871 section 7.2.1)."""
    told = option(server.ask("www.country.example.com", subnet=subnet))

    assert told is not None
    assert f"{told.address}/{told.srclen}" == subnet


def test_without_a_subnet_there_is_no_option(server: Server) -> None:
    """Who does not ask is not told (RFC 7871 section 7.2.2)."""
    answer = server.ask("www.country.example.com")

    assert answer.edns == 0
    assert option(answer) is None


# -- levels


CLIENTS = (DANE, AMERICAN, BRAZILIAN, NOBODY, "198.51.100.0/24", "2001:db8:1::/48", "2001:db8:f::/48")


@pytest.mark.parametrize("subnet", CLIENTS)
@pytest.mark.parametrize("name", ["country", "continent", "region", "group", "near"])
def test_a_level_of_places_needs_the_database_of_places(
    server: Server, databases: Databases, name: str, subnet: str
) -> None:
    """For all clients alike, those without a variant of their own included: a zone with regions asks City (G098)."""
    assert scope(server, f"{name}.all", subnet) == prefix(databases["City"], subnet)


@pytest.mark.parametrize("subnet", CLIENTS)
def test_asn_needs_the_database_of_networks(server: Server, databases: Databases, subnet: str) -> None:
    """Also for an address that it has not."""
    assert scope(server, "asn.all", subnet) == prefix(databases["ASN"], subnet)


@pytest.mark.parametrize("subnet", CLIENTS)
def test_of_two_levels_the_longest_prefix_counts(server: Server, databases: Databases, subnet: str) -> None:
    """Country by one database, AS by the other."""
    longest = max(prefix(databases["City"], subnet), prefix(databases["ASN"], subnet))

    assert scope(server, "both.all", subnet) == longest


@pytest.mark.parametrize("subnet", [DANE, AMERICAN, BRAZILIAN, "2001:db8:1::/48", "2001:db8:1:8000::/56"])
def test_a_zone_of_countries_asks_the_country_database(server: Server, databases: Databases, subnet: str) -> None:
    """Its networks are other ones than those of the City database."""
    assert scope(server, "www.country", subnet) == prefix(databases["Country"], subnet)


def test_an_address_target_needs_the_bits_that_it_has(server: Server) -> None:
    """A network 24, a host 32; for a client of the other family nothing is looked at."""
    assert scope(server, "network.all", DANE) == 24
    assert scope(server, "host.all", DANE) == 32
    assert scope(server, "host.all", "198.51.100.7/32") == 32
    assert scope(server, "network.all", "2001:db8:1::/48") == 0


def test_an_ipv6_address_target_needs_the_bits_that_it_has(server: Server) -> None:
    """A network 48, a host 128."""
    assert scope(server, "network6.all", "2001:db8:1::/48") == 48
    assert scope(server, "host6.all", "2001:db8:1::/48") == 128
    assert scope(server, "network6.all", DANE) == 0


@pytest.mark.parametrize("subnet", CLIENTS)
@pytest.mark.parametrize("name", ["plain.all", "all", "plain.country", "long.name.country"])
def test_a_name_without_variants_is_for_everybody(server: Server, name: str, subnet: str) -> None:
    """Whatever other names of its zone have."""
    assert scope(server, name, subnet) == 0


def test_the_scope_may_be_longer_than_the_source_prefix(server: Server) -> None:
    """Then the resolver may ask again with more bits (RFC 7871 section 7.2.1)."""
    assert scope(server, "www.country", "192.0.0.0/16") == scope(server, "www.country", "192.0.0.0/24")
    assert scope(server, "www.country", "203.0.113.0/24") == 26
    assert scope(server, "host.all", "198.51.0.0/16") == 32


# -- any type, any answer


@pytest.mark.parametrize("rrtype", ["A", "TXT", "AAAA", "MX", "ANY"])
def test_the_scope_is_of_the_name_not_of_the_type(server: Server, databases: Databases, rrtype: str) -> None:
    """A variant with a TXT counts for A too, and for NODATA."""
    assert scope(server, "continent.all", DANE, rrtype) == prefix(databases["City"], DANE)


def test_nodata_has_the_scope_of_the_name(server: Server, databases: Databases) -> None:
    """Somebody else might have got an answer."""
    answer = server.ask("www.country.example.com", "MX", subnet=DANE)

    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert scope(server, "www.country", DANE, "MX") == prefix(databases["Country"], DANE)


def test_nxdomain_has_the_scope_of_a_name_that_others_see(server: Server, databases: Databases) -> None:
    """It exists in the US (G116), or elsewhere only for nobody (G102)."""
    assert server.ask("onlyus.all.example.com", subnet=DANE).rcode() == dns.rcode.NXDOMAIN
    assert scope(server, "onlyus.all", DANE) == prefix(databases["City"], DANE)
    assert scope(server, "onlyus.all", AMERICAN) == prefix(databases["City"], AMERICAN)
    assert server.ask("only.nobody.example.com", subnet=DANE).rcode() == dns.rcode.NXDOMAIN
    assert scope(server, "only.nobody", DANE) == prefix(databases["Country"], DANE)


def test_nxdomain_of_a_name_that_nobody_sees_is_for_everybody(server: Server) -> None:
    """There is no such name for anybody."""
    assert server.ask("missing.all.example.com", subnet=DANE).rcode() == dns.rcode.NXDOMAIN
    assert scope(server, "missing.all", DANE) == 0


def test_the_apex_has_the_scope_of_its_variants(server: Server, databases: Databases) -> None:
    """`us` is the apex for the US, and for its SOA too."""
    assert scope(server, "country", DANE) == prefix(databases["Country"], DANE)
    assert scope(server, "country", DANE, "SOA") == prefix(databases["Country"], DANE)


def test_a_wildcard_gives_its_names_its_scope(server: Server, databases: Databases) -> None:
    """The variant of the wildcard is a variant of every name that it covers."""
    assert scope(server, "some.name.wild.all", AMERICAN) == prefix(databases["ASN"], AMERICAN)


def test_outside_our_zones_the_scope_is_0(server: Server) -> None:
    """REFUSED depends on no client."""
    told = option(server.ask("www.example.org", subnet=DANE))

    assert told is not None
    assert told.scopelen == 0


@pytest.mark.parametrize("name", ["dele.all", "www.dele.all", "www.geodele.all"])
@pytest.mark.parametrize("subnet", [DANE, AMERICAN])
def test_a_referral_is_for_everybody(server: Server, name: str, subnet: str) -> None:
    """RFC 7871 section 7.4: a delegation has scope 0."""
    assert scope(server, name, subnet) == 0


@pytest.mark.parametrize("subnet", [DANE, AMERICAN, None])
def test_a_referral_is_made_for_the_resolver(server: Server, subnet: str | None) -> None:
    """RFC 7871 section 7.4: it is the resolver, here in Sweden, that goes to those name servers."""
    glued = server.ask("www.dele.all.example.com", subnet=subnet)
    varied = server.ask("www.geodele.all.example.com", subnet=subnet)

    assert [rdata.to_text() for rdata in glued.additional[0]] == ["192.0.2.55"]
    assert [rdata.to_text() for rdata in varied.authority[0]] == ["ns3.example.net."]


# -- who decided


def test_the_socket_decided_so_the_scope_is_0(server: Server) -> None:
    """A subnet that is in no country leaves it to the socket, which is in Sweden (G101)."""
    assert server.values("www.country.example.com", subnet=NOBODY) == ["192.0.2.3"]
    assert scope(server, "www.country", NOBODY) == 0


@pytest.mark.parametrize(
    "subnet",
    [
        "10.1.2.0/24",
        "172.16.0.0/24",
        "172.31.255.0/24",
        "192.168.1.0/24",
        "127.0.0.0/24",
        "169.254.1.0/24",
        "224.0.0.0/24",
        "255.255.255.255/32",
        "0.0.0.0/0",
        "0.0.0.0/24",
        "fc00::/48",
        "fdff::/48",
        "fe80::/64",
        "ff02::/48",
        "::/0",
        "::/128",
        "::1/128",
    ],
)
@pytest.mark.parametrize("name", ["www.country", "country.all", "host.all", "asn.all", "near.everybody"])
def test_an_address_that_tells_nothing_has_scope_0(server: Server, name: str, subnet: str) -> None:
    """Private, loopback, link-local, multicast, unspecified, or no bits at all: the socket decides (G200)."""
    assert scope(server, name, subnet) == 0


@pytest.mark.parametrize("subnet", ["10.1.2.0/24", "0.0.0.0/0", "fc00::/48", "::/0"])
def test_an_address_that_tells_nothing_leaves_it_to_the_socket(server: Server, subnet: str) -> None:
    """The question comes from Sweden."""
    assert server.values("www.country.example.com", subnet=subnet) == ["192.0.2.3"]


def test_neighbours_of_private_networks_tell_where_they_are(server: Server, databases: Databases) -> None:
    """172.15 and 172.32 are no private addresses; the AS database has not got them, which it knows by some bits."""
    for subnet in ("172.15.0.0/24", "172.32.0.0/24", "11.0.0.0/24", "192.167.0.0/24", "223.255.255.0/24"):
        assert scope(server, "asn.all", subnet) == prefix(databases["ASN"], subnet) > 0


@pytest.mark.parametrize("name", ["www.country", "plain.all", "host.all", "near.everybody"])
def test_family_0_is_answered_by_the_socket(server: Server, name: str) -> None:
    """Family, source and scope prefix 0 come back as they were sent, without an address."""
    query = dns.message.make_query(f"{name}.example.com", "A", use_edns=0)
    query.use_edns(0, options=[dns.edns.GenericOption(dns.edns.OptionType.ECS, bytes(4))])

    answered = server.exchange(query.to_wire())

    assert answered is not None
    # The option ends the message: code 8, 4 octets, all of them zero.
    assert answered.endswith(b"\x00\x08\x00\x04\x00\x00\x00\x00")
    assert answered[3] & 15 == dns.rcode.NOERROR


def test_a_zone_for_everybody_has_scope_0(server: Server) -> None:
    """`www.us` is no variant where nobody is in the US."""
    assert scope(server, "www.everybody", DANE) == 0
    assert scope(server, "www.everybody", AMERICAN) == 0


# -- closest, aliases, chains


@pytest.mark.parametrize("subnet", [DANE, AMERICAN, BRAZILIAN, "2001:db8:1::/48"])
def test_closest_needs_the_city_database(server: Server, databases: Databases, subnet: str) -> None:
    """Also in a zone that targets only everybody."""
    assert scope(server, "near.everybody", subnet) == prefix(databases["City"], subnet)


def test_closest_with_nothing_to_choose_is_for_everybody(server: Server) -> None:
    """All records are answered to all (G160)."""
    assert scope(server, "enough.everybody", DANE) == 0


@pytest.mark.parametrize(
    ("alias", "target"), [("toasn", "asn"), ("totoasn", "asn"), ("tonear", "near"), ("tohost", "host")]
)
@pytest.mark.parametrize("subnet", [DANE, AMERICAN, BRAZILIAN])
def test_an_alias_has_the_scope_of_its_target(server: Server, alias: str, target: str, subnet: str) -> None:
    """Through aliases of aliases too."""
    assert scope(server, f"{alias}.all", subnet) == scope(server, f"{target}.all", subnet) > 0


def test_an_alias_to_a_plain_name_is_for_everybody(server: Server) -> None:
    """Neither has a variant."""
    assert scope(server, "toplain.all", DANE) == 0


def test_an_alias_in_a_variant_adds_its_targets_levels(server: Server, databases: Databases) -> None:
    """Country by the name's own variant, AS by the alias's target."""
    longest = max(prefix(databases["City"], AMERICAN), prefix(databases["ASN"], AMERICAN))

    assert scope(server, "toasn-for-us.all", AMERICAN) == longest


def test_a_chain_of_plain_names_is_for_everybody(server: Server) -> None:
    """A CNAME and its target, both without variants."""
    assert scope(server, "c-plain.all", DANE) == 0


def test_a_chain_has_the_longest_scope_on_it(server: Server, databases: Databases) -> None:
    """Wherever on the chain it is, in whatever zone."""
    for subnet in (DANE, AMERICAN, BRAZILIAN):
        by_city = prefix(databases["City"], subnet)
        by_country = prefix(databases["Country"], subnet)
        by_asn = prefix(databases["ASN"], subnet)
        assert scope(server, "c-asn.all", subnet) == by_asn
        assert scope(server, "c-country.all", subnet) == by_country
        assert scope(server, "c-asn.country", subnet) == by_asn
        # The US go to a plain name, the others to the one with AS variants.
        assert scope(server, "c-both.all", subnet) == (by_city if subnet == AMERICAN else max(by_city, by_asn))


def test_a_chain_out_of_our_zones_keeps_its_scope(server: Server, databases: Databases) -> None:
    """What we said of the first name depends on the client."""
    assert scope(server, "c-away.all", DANE) == prefix(databases["City"], DANE)


def test_a_chain_to_nodata_or_nxdomain_has_the_scope_of_its_end(server: Server, databases: Databases) -> None:
    """The name at the end is there, or says more, for somebody else."""
    for name, rcode in (("c-nodata", dns.rcode.NOERROR), ("c-nxdomain", dns.rcode.NXDOMAIN)):
        assert server.ask(f"{name}.all.example.com", subnet=DANE).rcode() == rcode
        assert scope(server, f"{name}.all", DANE) == prefix(databases["City"], DANE)


def test_a_chain_for_which_the_socket_decided_once_keeps_the_rest(server: Server, databases: Databases) -> None:
    """In no country, so the socket decides for one zone; in an AS, or in none, so the subnet does for the other."""
    assert scope(server, "c-country.all", NOBODY) == 0
    assert scope(server, "c-asn.country", NOBODY) == prefix(databases["ASN"], NOBODY)


def test_clients_within_one_scope_have_one_answer(server: Server) -> None:
    """The promise of the scope: what is cached for it holds for each address in it."""
    subnets = [f"203.0.113.{last}/32" for last in range(0, 256, 8)] + [
        f"192.0.2.{last}/32" for last in range(0, 256, 8)
    ]
    known: dict[str, list[str]] = {}
    for subnet in subnets:
        told = option(server.ask("www.country.example.com", subnet=subnet))
        values = server.values("www.country.example.com", subnet=subnet)
        assert told is not None
        octets = [int(octet) for octet in subnet.partition("/")[0].split(".")]
        bits = "".join(f"{octet:08b}" for octet in octets)[: told.scopelen]
        assert known.setdefault(bits, values) == values
    assert len(known) > 2


# -- fewer databases


def test_the_scope_is_of_the_database_that_stood_in(directory: Path, databases: Databases, tmp_path: Path) -> None:
    """With a City database alone its networks count for countries too (G098)."""
    (tmp_path / "GeoLite2-City.mmdb").write_bytes((directory / "GeoLite2-City.mmdb").read_bytes())
    with serving(tmp_path, ZONES) as server:
        assert scope(server, "www.country", DANE) == prefix(databases["City"], DANE)
        assert scope(server, "asn.all", DANE) == 0


def test_without_databases_only_addresses_have_a_scope(tmp_path: Path) -> None:
    """Nothing else was needed, since nothing is known."""
    with serving(tmp_path, ZONES) as server:
        for name in ("www.country", "country.all", "asn.all", "near.everybody", "onlyus.all"):
            assert scope(server, name, DANE) == 0
        assert scope(server, "host.all", DANE) == 32
