r"""SVCB and HTTPS: presentation text <-> rdata (RFC 9460), which dnslib leaves unsorted and unchecked. Pure.

One entry per SvcParamKey tells how its value is read and shown. Showing is strict, so that a value
given as raw octets (`key3="\001\187"`) is checked by showing it.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from . import name
from .charstring import contents, one_string, quoted, unescape, word_integer, word_name
from .cursor import Cursor
from .errors import ValueProblem

PORT_MAX = 0xFFFF
PRIORITY_MAX = 0xFFFF
MANDATORY, ALPN, NO_DEFAULT_ALPN = 0, 1, 2
# 65535 is reserved as the "Invalid key" (RFC 9460 section 14.3.2).
KEY_MAX = 65534

# RFC 9460 section 2.1, with the value optional and quoted as a whole if at all.
_PARAM = re.compile(r'([a-z0-9-]{1,63})(?:=([^"]+|"(?:.*)"))?', re.DOTALL)
_NUMBERED = re.compile(r"key(0|[1-9][0-9]{0,4})")
# RFC 9461 section 5: the URI template must have a "dns" variable; section 5.1: it is relative.
_DOHPATH = re.compile(r"/.*\{[^{}]*\bdns\b[^{}]*\}.*", re.DOTALL)


@dataclass(frozen=True)
class _Param:
    """How the value of one key is read from what stands behind `=`, and shown; both raise ValueProblem."""

    key: int
    read: Callable[[str], bytes]
    show: Callable[[bytes], str]


def from_words(words: list[str], origin: bytes) -> bytes:
    """The rdata of `SvcPriority TargetName SvcParams`; a target without a final dot is below `origin`."""
    if len(words) < 2:
        raise ValueProblem("must be a priority, a target and parameters")
    priority = word_integer(words[0], "priority", PRIORITY_MAX)
    target = word_name(words[1], origin)
    params = _read_params(words[2:])
    _check_params(priority, params)
    return struct.pack("!H", priority) + target + b"".join([_encode_param(key, params[key]) for key in sorted(params)])


def _read_params(words: list[str]) -> dict[int, bytes]:
    params: dict[int, bytes] = {}
    for word in words:
        key, value = _read_param(word)
        if key in params:
            raise ValueProblem(f"{_key_text(key)} must be given once")
        params[key] = value
    return params


def _read_param(word: str) -> tuple[int, bytes]:
    match = _PARAM.fullmatch(word)
    if match is None:
        raise ValueProblem('a parameter must be key, key=value or key="value"')
    key_text: str = match[1]
    key = _read_key(key_text)
    text = contents(match[2]) if match[2] else ""
    if _NUMBERED.fullmatch(key_text):
        value = unescape(text)
        _show_value(key, value)
        return key, value
    return key, _PARAMS[key].read(text)


def _read_key(text: str) -> int:
    if text in _KEYS:
        return _KEYS[text]
    numbered = _NUMBERED.fullmatch(text)
    if numbered is None or int(numbered[1]) > KEY_MAX:
        raise ValueProblem(f"{text} is not a known parameter, nor key0 to key{KEY_MAX}")
    return int(numbered[1])


def _check_params(priority: int, params: dict[int, bytes]) -> None:
    """What the parameters of one record owe to each other (RFC 9460 sections 2.4.2, 7.1.1 and 8)."""
    if priority == 0 and params:
        raise ValueProblem("priority 0 (AliasMode) must have no parameters")
    if NO_DEFAULT_ALPN in params and ALPN not in params:
        raise ValueProblem("no-default-alpn must come with alpn")
    for key in _integers(params.get(MANDATORY, b"")):
        if key not in params:
            raise ValueProblem(f"{_key_text(key)} is mandatory and must be present")


def _encode_param(key: int, value: bytes) -> bytes:
    if len(value) > 0xFFFF:
        raise ValueProblem(f"{_key_text(key)} must have at most 65535 octets")
    return struct.pack("!HH", key, len(value)) + value


def to_text(rdata: bytes) -> str:
    """Presentation text of the rdata; ValueProblem if it is not what a reader of RFC 9460 would take."""
    cursor = Cursor(rdata)
    priority = cursor.integer(2)
    target = cursor.name()
    params: dict[int, bytes] = {}
    while cursor.remaining():
        key = cursor.integer(2)
        if key > KEY_MAX or (params and key <= max(params)):
            raise ValueProblem("keys must be in ascending order, each once")
        params[key] = cursor.take(cursor.integer(2))
    _check_params(priority, params)
    return " ".join([str(priority), name.to_text(target), *[_param_text(*param) for param in params.items()]])


def _param_text(key: int, value: bytes) -> str:
    shown = _show_value(key, value)
    return f"{_key_text(key)}={shown}" if shown else _key_text(key)


def _show_value(key: int, value: bytes) -> str:
    if key in _PARAMS:
        return _PARAMS[key].show(value)
    return quoted(value) if value else ""


def _key_text(key: int) -> str:
    return _NAMES.get(key) or f"key{key}"


# mandatory (RFC 9460 section 8)


def _read_mandatory(text: str) -> bytes:
    keys = sorted([_read_key(item) for item in text.split(",")])
    value = struct.pack(f"!{len(keys)}H", *keys)
    _show_mandatory(value)
    return value


def _show_mandatory(value: bytes) -> str:
    keys = _integers(value)
    if not keys or MANDATORY in keys or keys != sorted(set(keys)):
        raise ValueProblem("mandatory must list other keys, each once")
    return ",".join([_key_text(key) for key in keys])


def _integers(value: bytes) -> list[int]:
    if len(value) % 2:
        raise ValueProblem("mandatory must be integers of two octets")
    return list(struct.unpack(f"!{len(value) // 2}H", value))


# alpn (RFC 9460 section 7.1.1 and appendix A.1)


def _read_alpn(text: str) -> bytes:
    value = b"".join([one_string(item) for item in _split_list(unescape(text))])
    _show_alpn(value)
    return value


def _split_list(octets: bytes) -> list[bytes]:
    r"""Split at commas; in this second level of escapes `\,` and `\\` are the only ones."""
    if re.fullmatch(rb"(?:[^\\]|\\[\\,])*", octets, re.DOTALL) is None:
        raise ValueProblem("in a list a backslash must escape a comma or a backslash")
    items = [bytearray()]
    for piece in re.findall(rb"\\?.", octets, re.DOTALL):
        if piece == b",":
            items.append(bytearray())
        else:
            items[-1] += piece[-1:]
    return [bytes(item) for item in items]


def _show_alpn(value: bytes) -> str:
    cursor = Cursor(value)
    items = []
    while cursor.remaining():
        items.append(cursor.string())
    if not items or b"" in items:
        raise ValueProblem("alpn must list protocols, none of them empty")
    return quoted(b",".join([re.sub(rb"([\\,])", rb"\\\1", item) for item in items]))


# no-default-alpn (RFC 9460 section 7.1.1), ohttp (RFC 9540 section 4)


def _read_nothing(text: str) -> bytes:
    _show_nothing(text.encode())
    return b""


def _show_nothing(value: bytes) -> str:
    if value:
        raise ValueProblem("no-default-alpn and ohttp must have no value")
    return ""


# port, ipv4hint, ipv6hint (RFC 9460 sections 7.2 and 7.3)


def _read_port(text: str) -> bytes:
    return struct.pack("!H", word_integer(text, "port", PORT_MAX))


def _show_port(value: bytes) -> str:
    if len(value) != 2:
        raise ValueProblem("port must have two octets")
    return str(int.from_bytes(value, "big"))


def _read_ipv4hint(text: str) -> bytes:
    try:
        return b"".join([ipaddress.IPv4Address(item).packed for item in text.split(",")])
    except ValueError:
        raise ValueProblem("ipv4hint must be a list of IPv4 addresses") from None


def _show_ipv4hint(value: bytes) -> str:
    if not value or len(value) % 4:
        raise ValueProblem("ipv4hint must be addresses of 4 octets")
    return ",".join([str(ipaddress.IPv4Address(value[at : at + 4])) for at in range(0, len(value), 4)])


def _read_ipv6hint(text: str) -> bytes:
    try:
        # A zone index (fe80::1%eth0) has a meaning on one host only; ipaddress takes it.
        return b"".join([ipaddress.IPv6Address(item.replace("%", "x")).packed for item in text.split(",")])
    except ValueError:
        raise ValueProblem("ipv6hint must be a list of IPv6 addresses") from None


def _show_ipv6hint(value: bytes) -> str:
    if not value or len(value) % 16:
        raise ValueProblem("ipv6hint must be addresses of 16 octets")
    return ",".join([str(ipaddress.IPv6Address(value[at : at + 16])) for at in range(0, len(value), 16)])


# ech (RFC 9848), dohpath (RFC 9461)


def _read_ech(text: str) -> bytes:
    try:
        value = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueProblem("ech must be base64") from None
    _show_ech(value)
    return value


def _show_ech(value: bytes) -> str:
    # An ECHConfigList: its own length in two octets, then at least one ECHConfig with a header of four.
    if len(value) < 6 or int.from_bytes(value[:2], "big") != len(value) - 2:
        raise ValueProblem("ech must be an ECHConfigList of the length that it tells")
    return base64.b64encode(value).decode()


def _read_dohpath(text: str) -> bytes:
    value = unescape(text)
    _show_dohpath(value)
    return value


def _show_dohpath(value: bytes) -> str:
    if _DOHPATH.fullmatch(value.decode("utf-8", "replace")) is None:
        raise ValueProblem("dohpath must be a template such as /dns-query{?dns}")
    return quoted(value)


_PARAMS: dict[int, _Param] = {
    param.key: param
    for param in (
        _Param(MANDATORY, _read_mandatory, _show_mandatory),
        _Param(ALPN, _read_alpn, _show_alpn),
        _Param(NO_DEFAULT_ALPN, _read_nothing, _show_nothing),
        _Param(3, _read_port, _show_port),
        _Param(4, _read_ipv4hint, _show_ipv4hint),
        _Param(5, _read_ech, _show_ech),
        _Param(6, _read_ipv6hint, _show_ipv6hint),
        _Param(7, _read_dohpath, _show_dohpath),
        _Param(8, _read_nothing, _show_nothing),
    )
}
_NAMES = {
    MANDATORY: "mandatory",
    ALPN: "alpn",
    NO_DEFAULT_ALPN: "no-default-alpn",
    3: "port",
    4: "ipv4hint",
    5: "ech",
    6: "ipv6hint",
    7: "dohpath",
    8: "ohttp",
}
_KEYS = {text: key for key, text in _NAMES.items()}
