"""greendns.goflags: geodns's command line is read as Go reads it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import config, settings
from greendns.goflags import FlagsError, GeodnsFlags, parse_flags, usage


def refusal(*argv: str) -> FlagsError:
    """The FlagsError that arguments raise."""
    with pytest.raises(FlagsError) as caught:
        parse_flags(list(argv))
    return caught.value


def test_G001_flags_and_defaults() -> None:
    """Every flag of geodns with its default, and no other."""
    flags = parse_flags([])

    assert {one.name: getattr(flags, one.name) for one in fields(GeodnsFlags)} == {
        "config": "./dns/",
        "configfile": "geodns.conf",
        "checkconfig": False,
        "identifier": "",
        "interface": "*",
        "port": "53",
        "http": ":8053",
        "log": False,
        "cpus": 0,
        "logfile": "",
        "version": False,
        "cpuprofile": "",
        "memprofile": "",
    }


@pytest.mark.parametrize("argv", [["-port", "5353"], ["--port", "5353"], ["-port=5353"], ["--port=5353"]])
def test_G002_four_ways_to_write_a_value(argv: list[str]) -> None:
    """One dash or two, `=` or the next argument."""
    assert parse_flags(argv).port == "5353"


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("-log", True), ("--log", True)]
    + [(f"-log={word}", True) for word in ("1", "t", "T", "TRUE", "true", "True")]
    + [(f"-log={word}", False) for word in ("0", "f", "F", "FALSE", "false", "False")],
)
def test_G002_switches(argument: str, expected: bool) -> None:
    """A switch is given alone, or with Go's words for true and false."""
    assert expected is parse_flags([argument]).log


def test_G002_a_switch_takes_no_next_argument() -> None:
    """`-log false` sets the switch; "false" is the first argument that is no flag, and ends the flags."""
    flags = parse_flags(["-log", "false", "-port", "1"])

    assert (flags.log, flags.port) == (True, "53")


@pytest.mark.parametrize("end", ["--", "zones", "-", ""])
def test_G002_flags_end(end: str) -> None:
    """Two dashes, or what is no flag, end the flags."""
    assert parse_flags(["-log", end, "-nosuch"]).log


def test_G002_a_value_may_look_like_a_flag() -> None:
    """The argument after a flag is its value, whatever it looks like."""
    assert parse_flags(["-identifier", "-log"]).identifier == "-log"


@pytest.mark.parametrize(("argument", "expected"), [("-http=", ""), ("-http=a=b", "a=b")])
def test_G002_what_follows_the_first_equals_sign_is_the_value(argument: str, expected: str) -> None:
    """It may be empty, or have an equals sign in it."""
    assert expected == parse_flags([argument]).http


def test_G002_the_last_one_counts() -> None:
    """A flag given twice has its last value."""
    assert parse_flags(["-port", "1", "-port", "2"]).port == "2"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-nosuch"], "flag provided but not defined: -nosuch"),
        (["--nosuch=1"], "flag provided but not defined: -nosuch"),
        (["-Port", "1"], "flag provided but not defined: -Port"),
        (["-port"], "flag needs an argument: -port"),
        (["---port"], "bad flag syntax: ---port"),
        (["-=1"], "bad flag syntax: -=1"),
        (["--=1"], "bad flag syntax: --=1"),
        (["-log=maybe"], 'invalid boolean value "maybe" for -log: parse error'),
        (["-log="], 'invalid boolean value "" for -log: parse error'),
        (["-cpus", "two"], 'invalid value "two" for flag -cpus: parse error'),
        (["-cpus="], 'invalid value "" for flag -cpus: parse error'),
        (["-cpus", " 2"], 'invalid value " 2" for flag -cpus: parse error'),
        (["-cpus", "9223372036854775808"], 'invalid value "9223372036854775808" for flag -cpus: value out of range'),
    ],
)
def test_G002_wrong_flags_end_with_status_2(argv: list[str], message: str) -> None:
    """Go's message and the usage are told, and the exit status is 2."""
    refused = refusal(*argv)

    assert (refused.text, refused.status) == (f"{message}\n{usage()}", 2)


def test_thousands_of_digits_are_out_of_range() -> None:
    """A number that Python would not convert is refused like any large one."""
    assert "value out of range" in refusal("-cpus", "9" * 5000).text


@pytest.mark.parametrize("argument", ["-h", "--h", "-help", "--help", "-help=1"])
def test_G002_help_is_no_error(argument: str) -> None:
    """The usage alone is told, and the exit status is 0."""
    asked = refusal(argument)

    assert (asked.text, asked.status) == (usage(), 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4", 4), ("+4", 4), ("-1", -1), ("0", 0), ("0x1F", 31), ("017", 15), ("0o17", 15), ("1_0", 10)],
)
def test_G002_integers_are_go_s(text: str, expected: int) -> None:
    """Decimal, hexadecimal and octal, with underscores."""
    assert expected == parse_flags([f"-cpus={text}"]).cpus


@given(st.lists(st.text(alphabet="-=hlogpcusinfe 01x", max_size=8), max_size=4))
def test_any_arguments_are_read_or_refused(argv: list[str]) -> None:
    """Nothing but a FlagsError is raised."""
    try:
        status = 0 if parse_flags(argv) else 1
    except FlagsError as error:
        status = error.status

    assert status in (0, 2)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], "dns/geodns.conf"),
        (["-config", "/etc/dns"], "/etc/dns/geodns.conf"),
        (["-config", "/etc/dns", "-configfile", "other.conf"], "/etc/dns/other.conf"),
        (["-config", "/etc/dns", "-configfile", "/var/other.conf"], "/var/other.conf"),
        (["-config", ""], "geodns.conf"),
    ],
)
def test_G003_where_the_configuration_file_is(argv: list[str], expected: str) -> None:
    """An absolute -configfile is taken as it is, a relative one begins at -config."""
    assert Path(expected) == parse_flags(argv).config_path


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ("*", ("*:5353",)),
        ("", ("*:5353",)),
        ("192.0.2.1", ("192.0.2.1:5353",)),
        ("192.0.2.1:53", ("192.0.2.1:53",)),
        ("192.0.2.1:", ("192.0.2.1:5353",)),
        (":53", ("*:53",)),
        ("::1", ("[::1]:5353",)),
        ("[::1]", ("[::1]:5353",)),
        ("[::1]:", ("[::1]:5353",)),
        ("[2001:db8::1]:53", ("[2001:db8::1]:53",)),
        ("127.0.0.1,::1,192.0.2.1:53", ("127.0.0.1:5353", "[::1]:5353", "192.0.2.1:53")),
        ("127.0.0.1,127.0.0.1:5353", ("127.0.0.1:5353",)),
    ],
)
def test_G007_listen_addresses(interface: str, expected: tuple[str, ...]) -> None:
    """-port is for addresses without a port; brackets are put where they are missing; each address once."""
    listen = parse_flags(["-interface", interface, "-port", "5353"]).listen

    assert expected == listen
    assert all(settings.parse_listen(one) for one in listen)


def test_the_flags_override_the_settings(tmp_path: Path) -> None:
    """What geodns would do with its flags is in the Config."""
    (tmp_path / "geodns.conf").write_text("[http]\nuser = u\n")
    flags = parse_flags(
        ["-config", str(tmp_path), "-interface", "127.0.0.1", "-port", "0", "-http", "", "-identifier", "a,g", "-log"]
    )

    read = config.load(flags.config_path, flags.overrides)

    assert (read.server.listen, read.server.identifier, read.server.log_level) == (("127.0.0.1:0",), "a,g", "debug")
    assert (read.http.address, read.http.user, read.zones.directory) == (None, "u", tmp_path)


def test_without_log_the_level_is_left_alone() -> None:
    """The default of -log says nothing about the log level; the HTTP server is geodns's."""
    overrides = parse_flags([]).overrides

    assert "server.log_level" not in overrides
    assert overrides["http.listen"] == ":8053"


def test_usage_is_go_s() -> None:
    """Flags by name; the type after the name, the default after the meaning, unless it is empty."""
    lines = usage("geodns").splitlines()

    assert lines[0] == "Usage of geodns:"
    assert [line.split()[0][1:] for line in lines[1::2]] == sorted(one.name for one in fields(GeodnsFlags))
    assert lines[1] == "  -checkconfig"
    assert lines[3:5] == ["  -config string", '    \tthe directory of zone files (default "./dns/")']
    assert "  -cpus int" in lines
