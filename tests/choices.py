"""A choice by weight by itself, for tests of how it is drawn from."""

from __future__ import annotations

from collections.abc import Sequence

from greendns.image import Image
from greendns.picker import Draw, encode_choice, pick, weights_of


class Choice:
    """Some weights, packed, and nothing else in the cells."""

    def __init__(self, weights: Sequence[int]) -> None:
        self.image = Image(encode_choice(weights))

    def pick(self, count: int, draw: Draw) -> list[int]:
        """Up to `count` indexes, in the order drawn."""
        return pick(self.image, 0, count, draw)

    def weights(self) -> tuple[int, ...]:
        """What it was made of."""
        return weights_of(self.image, 0)
