"""The ways to read datagrams that there are in this build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import greendns
from greendns import datagrams

IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {"python": datagrams.Datagrams}
if "_datagrams" in greendns.is_compiled():
    from greendns._datagrams import Datagrams

    IMPLEMENTATIONS["compiled"] = Datagrams
