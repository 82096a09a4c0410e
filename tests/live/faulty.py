"""GreenDNS with a fault of ours in it: GREENDNS_PURE=1 python tests/live/faulty.py STAGE FAULT ARGUMENTS...

In the stage named whatever is asked about the label `broken` raises, waits for a minute, or computes for ever.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import gevent

from greendns import answer, answering, chaos, cli, counters, onename, query, responder, response, zone, zonedb

BROKEN = b"\x06broken"
# Every stage that a packet goes through, in its order, and where it is looked up when it is called.
STAGES: dict[str, tuple[Any, str]] = {
    "read": (answering, "read"),
    "question": (query, "_read_question"),
    "options": (answering.Answering, "_begin_options"),
    "match": (zonedb.ZoneDB, "match"),
    "locate": (onename, "locate_client"),
    "cut": (zone.Zone, "find_cut"),
    "find": (zone.Zone, "find"),
    "first": (onename, "find_first"),
    "choose": (onename, "choose"),
    "add": (response.Response, "add"),
    "encode": (answer, "encode_answer"),
    "debug": (chaos, "country_rrset"),
    "count": (counters.Counters, "count"),
}


def fail() -> None:
    """Be a fault that nobody has thought of."""
    raise RuntimeError("broken on purpose")


def spin() -> None:
    """Never end, and never switch greenlets."""
    while True:
        pass


FAULTS: dict[str, Callable[[], None]] = {"raise": fail, "wait": lambda: gevent.sleep(60), "spin": spin}


def break_stage(stage: str, fault: Callable[[], None]) -> None:
    """Have a stage meet the fault wherever the packet in the making asks about BROKEN."""
    asked = b""
    answer_with = responder.answer_with

    def note(made: Any, wire: bytes, *rest: Any) -> bytes | None:
        nonlocal asked
        asked = wire
        return answer_with(made, wire, *rest)

    place, name = STAGES[stage]
    work = getattr(place, name)

    def break_or_work(*arguments: Any) -> Any:
        if BROKEN in asked:
            fault()
        return work(*arguments)

    responder.answer_with = note
    setattr(place, name, break_or_work)


if __name__ == "__main__":
    break_stage(sys.argv[1], FAULTS[sys.argv[2]])
    sys.argv[1:3] = []
    sys.exit(cli.main())
