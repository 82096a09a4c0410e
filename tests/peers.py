"""Which dnspython checks us: 2.9 and newer are right where we compare octet for octet."""

from __future__ import annotations

import dns.version
import pytest

IS_STRICT = (dns.version.MAJOR, dns.version.MINOR) >= (2, 9)

compares_with_dnspython = pytest.mark.skipif(
    not IS_STRICT,
    reason="dnspython before 2.9, as on Python 3.10, writes \\200 as two octets and takes digests of any length",
)
