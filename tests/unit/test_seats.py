"""When the next process is due after one died."""

from __future__ import annotations

from greendns.seats import PAUSE_SECONDS_MAX, WELL_SECONDS, Seat


def test_an_empty_seat_is_due_until_it_is_taken() -> None:
    """And again from the moment when its process dies."""
    seat = Seat(0)
    assert seat.is_due(now=0.0)
    seat.take(77, now=10.0)
    assert not seat.is_due(now=1000.0)

    assert seat.bury(now=1000.0) == 0.0
    assert (seat.pid, seat.is_due(now=1000.0)) == (0, True)


def test_pauses_grow_for_one_that_dies_early_again_and_again() -> None:
    """At once, then doubled up to a limit."""
    seat = Seat(0)
    pauses = []
    for _ in range(12):
        seat.take(77, now=10.0)
        pauses.append(seat.bury(now=10.0 + WELL_SECONDS / 2))

    assert pauses[:5] == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_SECONDS_MAX
    assert not seat.is_due(now=10.0 + WELL_SECONDS / 2 + PAUSE_SECONDS_MAX / 2)
    assert seat.is_due(now=10.0 + WELL_SECONDS / 2 + PAUSE_SECONDS_MAX)


def test_one_that_was_well_ends_the_pauses() -> None:
    """Its successor, and the one after that, come at once."""
    seat = Seat(0)
    for lived in (0.1, 0.1, 0.1):
        seat.take(77, now=0.0)
        seat.bury(now=lived)
    seat.take(77, now=0.0)

    assert seat.bury(now=WELL_SECONDS) == 0.0
    seat.take(77, now=0.0)
    assert seat.bury(now=0.1) == 0.0
