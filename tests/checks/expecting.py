"""What is expected of an answer: a text for the table, and a predicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.checks.reading import AA, AD, HEADER_OCTETS, QR, RA, TC, Answer, Z, rcode_name

ANSWER, AUTHORITY, ADDITIONAL = 0, 1, 2


class Expected(NamedTuple):
    """A claim about an answer; None is silence."""

    text: str
    holds: Callable[[Answer | None], bool]


def claim(text: str, holds: Callable[[Answer], bool]) -> Expected:
    """A claim that silence does not meet."""
    return Expected(text, lambda answer: answer is not None and holds(answer))


SILENCE = Expected("no answer", lambda answer: answer is None)
AUTHORITATIVE = claim("AA", lambda answer: bool(answer.flags & AA))
NOT_AUTHORITATIVE = claim("no AA", lambda answer: not answer.flags & AA)
TRUNCATED = claim("TC", lambda answer: bool(answer.flags & TC))
WHOLE = claim("no TC", lambda answer: not answer.flags & TC)
NO_RECORDS = claim("no records", lambda answer: not any(answer.section(number) for number in range(3)))
NO_QUESTION = claim("no question", lambda answer: answer.counts[0] == 0)
HAS_OPT = claim("OPT of version 0", lambda answer: answer.opt is not None and answer.opt.ttl >> 16 & 0xFF == 0)
NO_OPT = claim("no OPT", lambda answer: answer.opt is None)
DO_COPIED = claim("DO, no other EDNS flag", lambda answer: answer.opt is not None and answer.opt.ttl & 0xFFFF == 0x8000)
DO_CLEAR = claim("no EDNS flag", lambda answer: answer.opt is not None and answer.opt.ttl & 0xFFFF == 0)


def rcode(code: int) -> Expected:
    return claim(rcode_name(code), lambda answer: answer.rcode == code)


NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = map(rcode, range(6))
BADVERS = rcode(16)
# Where the RFC leaves the choice.
NOTIMP_OR_REFUSED = claim("NOTIMP or REFUSED", lambda answer: answer.rcode in (4, 5))
ANY_RCODE = claim("an answer, but SERVFAIL", lambda answer: answer.rcode != 2)


def records(section: int, *texts: str) -> Expected:
    """Exactly these, as `TYPE rdata`, in any order."""
    where = ("answer", "authority", "additional")[section]
    told = ", ".join(texts) or "nothing"
    return claim(
        f"{where}: {told}", lambda answer: sorted(record.text for record in answer.section(section)) == sorted(texts)
    )


def answers(*texts: str) -> Expected:
    return records(ANSWER, *texts)


def answer_count(count: int) -> Expected:
    return claim(f"{count} answers", lambda answer: len(answer.section(ANSWER)) == count)


SOME_ANSWER = claim("answers", lambda answer: bool(answer.section(ANSWER)))


def owners(*names: str) -> Expected:
    """The owners of the answer section, in order."""
    return claim(
        f"owned by {', '.join(names)}", lambda answer: [each.owner for each in answer.section(ANSWER)] == [*names]
    )


def ttl(section: int, seconds: int) -> Expected:
    return claim(f"TTL {seconds}", lambda answer: {each.ttl for each in answer.section(section)} == {seconds})


NEGATIVE_SOA = claim(
    "authority: one SOA",
    lambda answer: [each.text[:4] for each in answer.section(AUTHORITY)] == ["SOA "] and not answer.section(ANSWER),
)


def octets_at_most(limit: int) -> Expected:
    return claim(f"at most {limit} octets", lambda answer: len(answer.wire) <= limit)


def has_option(code: int, name: str, octets: int | None = None) -> Expected:
    told = name if octets is None else f"{name} of {octets} octets"

    def holds(answer: Answer) -> bool:
        content = answer.option(code)
        return content is not None and octets in (None, len(content))

    return claim(told, holds)


def option_is(code: int, name: str, content: bytes) -> Expected:
    return claim(f"{name} {content.hex()}", lambda answer: answer.option(code) == content)


def option_starts(code: int, name: str, content: bytes) -> Expected:
    return claim(f"{name} begins with {content.hex()}", lambda answer: (answer.option(code) or b"").startswith(content))


# To blocks of 468 octets, as RFC 8467 section 4.1 has it.
PADDED = claim("padding to 468 octets", lambda answer: answer.option(12) is not None and len(answer.wire) == 468)


def extended_error(code: int) -> Expected:
    """The INFO-CODE (RFC 8914 section 2)."""
    return claim(f"INFO-CODE {code}", lambda answer: (answer.option(15) or b"")[:2] == code.to_bytes(2, "big"))


def no_option(code: int, name: str) -> Expected:
    return claim(f"no {name}", lambda answer: answer.option(code) is None)


def question_is(octets: bytes) -> Expected:
    return claim("question as sent", lambda answer: answer.question == octets)


def faults_of_any(wire: bytes, answer: Answer, is_tcp: bool) -> list[str]:
    """What holds for every answer to whatever was sent, and does not for this one."""
    claims = {
        "the ID comes back": answer.wire[:2] == wire[:2],
        "QR is set": bool(answer.flags & QR),
        "opcode, RD and CD come back": (answer.wire[2] ^ wire[2]) & 0x79 == 0
        and (answer.wire[3] ^ wire[3]) & 0x10 == 0,
        "RA, Z and AD are clear": not answer.flags & (RA | Z | AD),
        "what is refused is not truncated": answer.rcode in (0, 3) or not answer.flags & TC,
        "a question comes back as it was sent": answer.question == wire[HEADER_OCTETS:][: len(answer.question)],
        "an OPT comes to one that was sent": answer.opt is None or b"\x00\x00\x29" in wire,
        "it is no longer than UDP allows": is_tcp or len(answer.wire) <= (1232 if answer.opt else 512),
    }
    return [text for text, holds in claims.items() if not holds]
