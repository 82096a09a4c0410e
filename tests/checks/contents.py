"""Rows about what a zone holds: wildcards, empty names, chains, cuts, negative answers; and about the server itself."""

from __future__ import annotations

from tests.checks.checkzone import DS, NEGATIVE_TTL, TTL
from tests.checks.expecting import (
    ADDITIONAL,
    ANSWER,
    AUTHORITATIVE,
    AUTHORITY,
    NEGATIVE_SOA,
    NO_RECORDS,
    NOERROR,
    NOT_AUTHORITATIVE,
    NXDOMAIN,
    REFUSED,
    SOME_ANSWER,
    WHOLE,
    answer_count,
    answers,
    has_option,
    owners,
    records,
    ttl,
)
from tests.checks.rows import ADDRESS, NSID, Row, edns, query

_NODATA = (NOERROR, AUTHORITATIVE, NEGATIVE_SOA)
_DENIED = (NXDOMAIN, AUTHORITATIVE, NEGATIVE_SOA)
_CUT_NS = ("NS ns.cut.example.com.", "NS ns.example.org.")
_REFERRAL = (
    NOERROR,
    NOT_AUTHORITATIVE,
    answers(),
    records(AUTHORITY, *_CUT_NS),
    records(ADDITIONAL, "A 192.0.2.54"),
)
_WWW, _ALIAS, _ALIAS2 = "www.example.com.", "alias.example.com.", "alias2.example.com."

ANSWERS = [
    Row("an address", "1034 4.3.2", query("www"), (NOERROR, AUTHORITATIVE, answers(ADDRESS), ttl(ANSWER, TTL))),
    Row("the SOA", "1034 4.3.2", query("", "SOA"), (NOERROR, AUTHORITATIVE, answer_count(1), owners("example.com."))),
    Row(
        "the name servers",
        "1034 4.3.2",
        query("", "NS"),
        (NOERROR, answers("NS ns1.example.com.", "NS ns2.example.net.")),
    ),
    Row("type ANY", "8482 4", query("www", "ANY"), (NOERROR, AUTHORITATIVE, SOME_ANSWER)),
    Row("type ANY at the apex", "8482 4", edns(text="", qtype="ANY"), (NOERROR, AUTHORITATIVE, SOME_ANSWER)),
    Row("a type unknown to us", "3597 3", query("unknown", 65280), (NOERROR, answers("TYPE65280 \\# 2 abcd"))),
    Row("text of 1,000 octets over TCP", "7766 5", query("text", "TXT"), (NOERROR, WHOLE, answer_count(1)), ("TCP",)),
]

NEGATIVE = [
    Row("a name that does not exist", "2308 2.1", query("nothing"), (*_DENIED, ttl(AUTHORITY, NEGATIVE_TTL))),
    Row("a name below one that does not exist", "8020 2", query("a.b.nothing"), _DENIED),
    Row("a name below one that exists", "2308 2.1", query("below.www"), _DENIED),
    Row("a type that is not there", "2308 2.2", query("www", "MX"), (*_NODATA, ttl(AUTHORITY, NEGATIVE_TTL))),
    Row("an empty non-terminal", "8020 2, 4592 2.2.2", query("empty"), _NODATA),
    Row("an empty non-terminal, type ANY", "8020 2", query("empty", "ANY"), _NODATA),
    Row("DS at the apex, whose parent is elsewhere", "4035 3.1.4.1", query("", "DS"), _NODATA),
]

WILDCARDS = [
    Row(
        "a name that a wildcard covers",
        "4592 3.3.1",
        query("x.wild", "TXT"),
        (NOERROR, AUTHORITATIVE, answers('TXT "wild"'), owners("x.wild.example.com.")),
    ),
    Row("a name two labels below", "4592 3.3.1", query("y.x.wild", "TXT"), (NOERROR, answers('TXT "wild"'))),
    Row("a covered name, another type", "4592 3.3.1", query("x.wild", "A"), _NODATA),
    Row("a name that exists beside the wildcard", "4592 3.3.1", query("here.wild", "TXT"), _NODATA),
    Row("a name below one that exists beside it", "4592 3.3.1", query("x.here.wild", "TXT"), _DENIED),
    Row("the name above the wildcard", "4592 2.2.2", query("wild", "TXT"), _NODATA),
    Row("a name outside", "4592 3.3.1", query("x.www", "TXT"), _DENIED),
]

CHAINS = [
    Row(
        "a CNAME to a CNAME to an address",
        "1034 3.6.2",
        query("alias"),
        (NOERROR, AUTHORITATIVE, owners(_ALIAS, _ALIAS2, _WWW), answers(f"CNAME {_ALIAS2}", f"CNAME {_WWW}", ADDRESS)),
    ),
    Row("the CNAME itself", "1034 3.6.2", query("alias", "CNAME"), (NOERROR, answers(f"CNAME {_ALIAS2}"))),
    Row(
        "a CNAME whose target lacks the type", "2308 2.2.1", query("alias2", "MX"), (NOERROR, answers(f"CNAME {_WWW}"))
    ),
    Row(
        "a CNAME to a name that does not exist",
        "6604 3, 2308 2.1",
        query("dangling"),
        (NXDOMAIN, answers("CNAME nowhere.example.com.")),
    ),
    Row(
        "a CNAME out of our zones",
        "1034 4.3.2",
        query("out"),
        (NOERROR, AUTHORITATIVE, answers("CNAME www.example.org.")),
    ),
    Row(
        "a CNAME loop",
        "1034 3.6.2",
        query("loop1"),
        (NOERROR, answers("CNAME loop2.example.com.", "CNAME loop1.example.com.")),
    ),
]

CUTS = [
    Row("the name of a cut", "1034 4.3.2", query("cut"), _REFERRAL),
    Row("a name below a cut", "1034 4.3.2", query("www.cut"), _REFERRAL),
    Row("the NS of a cut", "1034 4.3.2", query("cut", "NS"), _REFERRAL),
    Row("the address of a name server below the cut", "1034 4.2.1", query("ns.cut"), _REFERRAL),
    Row("DS at a cut", "4035 3.1.4.1", query("cut", "DS"), (NOERROR, AUTHORITATIVE, answers(f"DS {DS}"))),
    Row("DS below a cut", "4035 3.1.4.1", query("www.cut", "DS"), _REFERRAL),
]


def _chaos(text: str, qtype: str = "TXT") -> bytes:
    return query(text, qtype, qclass=3)


OURSELVES = [
    Row("id.server TXT CH", "4892 2", _chaos("id.server."), (NOERROR, answers('TXT "testid"'))),
    Row("hostname.bind TXT CH", "4892 2", _chaos("hostname.bind."), (NOERROR, answers('TXT "testid"'))),
    Row("version.bind TXT CH", "4892 2", _chaos("version.bind."), (NOERROR, answer_count(1))),
    Row("version.server TXT CH", "4892 2", _chaos("version.server."), (NOERROR, answer_count(1))),
    Row("id.server A CH", "4892 2", _chaos("id.server.", "A"), (REFUSED, NO_RECORDS)),
    Row("authors.bind TXT CH", "4892 2", _chaos("authors.bind."), (REFUSED, NO_RECORDS)),
    Row("id.server TXT IN", "4892 2", query("id.server.", "TXT"), (REFUSED, NO_RECORDS)),
    Row(
        "NSID where all is refused",
        "5001 2.3",
        edns((NSID, b""), text="www.example.org."),
        (REFUSED, has_option(NSID, "NSID")),
    ),
]

ROWS = {
    "Answers": ANSWERS,
    "Negative answers": NEGATIVE,
    "Wildcards": WILDCARDS,
    "CNAME": CHAINS,
    "Delegations": CUTS,
    "What the server says of itself": OURSELVES,
}
