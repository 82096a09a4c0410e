"""LOC: where something is, as text <-> rdata (RFC 1876). Pure.

In whole milliseconds of arc and whole centimetres, never in floating point, which loses one here and there.
"""

from __future__ import annotations

import re
import struct

from .cursor import Cursor
from .errors import ValueProblem

_ANGLE = (
    r"(?P<{0}_d>[0-9]{{1,3}})(?: (?P<{0}_m>[0-9]{{1,2}})(?: (?P<{0}_s>[0-9]{{1,2}})(?:\.(?P<{0}_f>[0-9]{{1,3}}))?)?)?"
)
_METRES = r"(?P<{0}_d>[0-9]{{1,8}})(?:\.(?P<{0}_f>[0-9]{{1,2}}))?m?"
_LOCATION = re.compile(
    rf"{_ANGLE.format('lat')} (?P<ns>[NS]) {_ANGLE.format('lon')} (?P<ew>[EW])"
    rf" (?P<below>-?){_METRES.format('alt')}"
    rf"(?: {_METRES.format('size')}(?: {_METRES.format('horiz')}(?: {_METRES.format('vert')})?)?)?",
    re.IGNORECASE,
)

DEGREE_MILLISECONDS = 3_600_000
EQUATOR = 2**31  # the value of latitude 0 and of longitude 0
SEA_LEVEL_CENTIMETRES = 10_000_000  # altitude counts from 100,000 m below the spheroid
ALTITUDE_MAX = 2**32 - 1
PRECISION_MAX_CENTIMETRES = 9_000_000_000  # one digit and a power of ten up to 9
# The defaults of RFC 1876 section 3: 1 m, 10,000 m, 10 m.
DEFAULT_CENTIMETRES = {"size": 100, "horiz": 1_000_000, "vert": 1_000}


def from_words(words: list[str]) -> bytes:
    """The rdata of `52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m`; all after the altitude may be absent."""
    match = _LOCATION.fullmatch(" ".join(words))
    if match is None:
        raise ValueProblem("must be like 52 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m")
    precisions = [_precision(_centimetres(match, field, default)) for field, default in DEFAULT_CENTIMETRES.items()]
    latitude = _angle(match, "lat", 90, match["ns"] in "Ss")
    longitude = _angle(match, "lon", 180, match["ew"] in "Ww")
    return struct.pack("!BBBBIII", 0, *precisions, latitude, longitude, _altitude(match))


def _angle(match: re.Match[str], field: str, maximum: int, is_negative: bool) -> int:
    """Thousandths of a second of arc from the equator or the prime meridian, which are 2**31."""
    degrees, minutes, seconds = (int(match[f"{field}_{part}"] or 0) for part in "dms")
    thousandths = int((match[f"{field}_f"] or "").ljust(3, "0"))
    distance = degrees * DEGREE_MILLISECONDS + minutes * 60_000 + seconds * 1_000 + thousandths
    if minutes > 59 or seconds > 59 or distance > maximum * DEGREE_MILLISECONDS:
        raise ValueProblem(f"an angle must be at most {maximum} degrees, its minutes and seconds below 60")
    return EQUATOR - distance if is_negative else EQUATOR + distance


def _centimetres(match: re.Match[str], field: str, default: int) -> int:
    if match[f"{field}_d"] is None:
        return default
    return int(match[f"{field}_d"]) * 100 + int((match[f"{field}_f"] or "").ljust(2, "0"))


def _altitude(match: re.Match[str]) -> int:
    distance = _centimetres(match, "alt", 0)
    altitude = SEA_LEVEL_CENTIMETRES + (-distance if match["below"] else distance)
    if not 0 <= altitude <= ALTITUDE_MAX:
        raise ValueProblem("altitude must be from -100000.00m to 42849672.95m")
    return altitude


def _precision(centimetres: int) -> int:
    """One octet: a digit, a power of ten (RFC 1876 section 2). Smaller digits are cut off, as BIND does."""
    if centimetres > PRECISION_MAX_CENTIMETRES:
        raise ValueProblem("size and precision must be at most 90000000.00m")
    digits = str(centimetres)
    return int(digits[0]) << 4 | len(digits) - 1


def to_text(rdata: bytes) -> str:
    """All fields of the rdata; ValueProblem if they are not those of version 0."""
    cursor = Cursor(rdata)
    if cursor.integer(1) != 0:
        raise ValueProblem("the version of LOC must be 0")
    precisions = [_precision_text(cursor.integer(1)) for _ in DEFAULT_CENTIMETRES]
    latitude = _angle_text(cursor.integer(4), 90, "NS")
    longitude = _angle_text(cursor.integer(4), 180, "EW")
    altitude = _metres_text(cursor.integer(4) - SEA_LEVEL_CENTIMETRES)
    cursor.finish()
    return " ".join([latitude, longitude, altitude, *precisions])


def _angle_text(angle: int, maximum: int, hemispheres: str) -> str:
    distance = abs(angle - EQUATOR)
    if distance > maximum * DEGREE_MILLISECONDS:
        raise ValueProblem(f"an angle must be at most {maximum} degrees")
    minutes, milliseconds = divmod(distance, 60_000)
    seconds, thousandths = divmod(milliseconds, 1_000)
    return f"{minutes // 60} {minutes % 60} {seconds}.{thousandths:03d} {hemispheres[angle < EQUATOR]}"


def _precision_text(octet: int) -> str:
    digit, power = octet >> 4, octet & 0x0F
    if digit > 9 or power > 9 or (digit == 0 and power > 0):
        raise ValueProblem("size and precision must be a digit and a power of ten up to 9")
    return _metres_text(digit * 10**power)


def _metres_text(centimetres: int) -> str:
    metres, hundredths = divmod(abs(centimetres), 100)
    return f"{'-' if centimetres < 0 else ''}{metres}.{hundredths:02d}m"
