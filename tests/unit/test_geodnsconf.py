"""greendns.geodnsconf: geodns.conf is read as geodns reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import geodnsconf
from greendns.errors import ConfigError, ValueProblem
from greendns.geodnsconf import parse, parse_duration


def user_of(line: str) -> object:
    """The HTTP user that one line below [http] sets."""
    return parse(f"[http]\n{line}\n", "geodns.conf").settings["http.user"]


def problems_in(text: str) -> list[tuple[str, str]]:
    """Place and expectation of every problem in a file."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "geodns.conf")
    return [(one.place, one.expected) for one in caught.value.problems]


def test_G020_dns_switches() -> None:
    """Both switches are read; what the file leaves out is not set."""
    read = parse("[dns]\npublicdebugqueries = true\n", "geodns.conf")

    assert read.settings == {"dns.public_debug_queries": True}


def test_G020_names_fold_case() -> None:
    """Section and key names are read in any case."""
    read = parse("[DNS]\nPublicDebugQueries = TRUE\nDETAILEDMETRICS=no\n", "geodns.conf")

    assert read.settings == {"dns.public_debug_queries": True, "dns.detailed_metrics": False}


@pytest.mark.parametrize(
    ("line", "expected"),
    [(f"detailedmetrics = {word}", True) for word in ("true", "yes", "on", "1", "Yes", "ON")]
    + [(f"detailedmetrics = {word}", False) for word in ("false", "no", "off", "0", "False")]
    + [("detailedmetrics", True), ("detailedmetrics ; told", True), ('detailedmetrics = "true"', True)],
)
def test_G020_words_for_a_switch(line: str, expected: bool) -> None:
    """gcfg knows four words for true and four for false; a name alone is true."""
    assert parse(f"[dns]\n{line}", "geodns.conf").settings == {"dns.detailed_metrics": expected}


def test_G021_geoip_directory() -> None:
    """The directory is taken as it stands."""
    assert parse("[geoip]\ndirectory=/var/geo/", "geodns.conf").settings == {"geoip.directory": "/var/geo/"}


def test_G022_http_user_and_password() -> None:
    """Both are read; an empty user stays empty."""
    read = parse("[http]\nuser =\npassword = p;w\n", "geodns.conf")

    assert read.settings == {"http.user": "", "http.password": "p"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", 100, 0)),
        ("[querylog]\npath = log/queries.log\nmaxsize = 10\nkeep = 2\n", ("log/queries.log", 10, 2)),
        ("[querylog]\nmaxsize = 0\nkeep = 0\n", ("", 100, 0)),
        ("[querylog]\nmaxsize = -1\nkeep = -1\n", ("", 100, 0)),
        ("[querylog]\nmaxsize = 0x10\nkeep = 010\n", ("", 16, 10)),
    ],
)
def test_G023_querylog(text: str, expected: tuple[str, int, int]) -> None:
    """Without a size it is 100 MB; keep 0 keeps all."""
    read = parse(text, "geodns.conf").querylog

    assert expected == (read.path, read.max_megabytes, read.backups)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", 1_000_000, 1.0)),
        ("[avrolog]\npath = log/\nmaxsize = 50000\nmaxtime = 5m\n", ("log/", 50_000, 300.0)),
        ("[avrolog]\nmaxsize = 49999\nmaxtime = 999ms\n", ("", 1_000_000, 1.0)),
        ("[avrolog]\nmaxtime = soon\n", ("", 1_000_000, 1.0)),
        ("[avrolog]\nmaxtime = -1h\n", ("", 1_000_000, 1.0)),
        ("[avrolog]\nmaxtime = 1h1.5s\n", ("", 1_000_000, 3601.5)),
    ],
)
def test_G024_avrolog(text: str, expected: tuple[str, int, float]) -> None:
    """A size below 50000 counts as 1000000, a time that is short or no duration as a second."""
    read = parse(text, "geodns.conf").avrolog

    assert expected == (read.path, read.max_octets, read.max_seconds)


def test_G025_health_and_monitors() -> None:
    """The sections that drive little or nothing are read all the same."""
    read = parse(
        "[health]\ndirectory = h/\n[nodeping]\ntoken = t\n"
        "[pingdom]\nusername = a\npassword = b\naccountemail = c\nappkey = d\nstatemap = e\n",
        "geodns.conf",
    )

    assert (read.settings["health.directory"], read.nodeping_token) == ("h/", "t")
    assert geodnsconf.PingdomSettings("a", "b", "c", "d", "e") == read.pingdom


def test_what_has_no_effect_yet_is_noticed() -> None:
    """Each value that GreenDNS reads and does not act on is one notice; an empty one is none."""
    read = parse("[querylog]\npath = q\nkeep = 1\n[avrolog]\npath =\n[pingdom]\nappkey = k\n", "g.conf")

    assert [str(one) for one in read.notices] == [
        "g.conf: querylog.path: is read, but this log is not written yet",
        "g.conf: pingdom.appkey: is read, but has no effect, in geodns neither",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("user = plain", "plain"),
        ("user=plain", "plain"),
        ("\tuser \t=  two words \t", "two words"),
        ("user = a ; comment", "a"),
        ("user = a#comment", "a"),
        ("user = a = b", "a = b"),
        ('user = "a ; b # c"  # comment', "a ; b # c"),
        ('user = " kept "', " kept "),
        ('user = one" ; "two', "one ; two"),
        (r'user = "a\"b\\c\nd\te"', 'a"b\\c\nd\te'),
        ('user = ""', ""),
        ("user =", ""),
        ("user = one \\\n two", "one  two"),
        ("user = one\\\r\ntwo\r", "onetwo"),
        ("user = größer", "größer"),
        ("user = first\nuser = last", "last"),
        ("user = [x]", "[x]"),
    ],
)
def test_values_are_read_as_gcfg_reads_them(line: str, expected: str) -> None:
    """Quotes, escapes, comments, blanks and continued lines."""
    assert expected == user_of(line)


@pytest.mark.parametrize("text", ["", "\n\n", "; told\n# told", "[dns]", "[ dns ] ; told\n\n", "[dns]\r\n"])
def test_a_file_may_say_nothing(text: str) -> None:
    """Blank lines, comments and bare sections set nothing."""
    assert parse(text, "geodns.conf").settings == {}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[nosuch]\n", "line 1: nosuch"),
        ("[dns]\n\nnosuch = 1\n", "line 3: dns.nosuch"),
        ("[dns]\npublic-debug-queries\n", "line 2: dns.public-debug-queries"),
        ('[dns "sub"]\n', 'line 1: dns "sub"'),
        ("user = x\n", "line 1: user"),
        ("[dns]\ndetailedmetrics = maybe\n", "line 2: dns.detailedmetrics"),
        ("[dns]\ndetailedmetrics =\n", "line 2: dns.detailedmetrics"),
        ("[http]\nuser\n", "line 2: http.user"),
        ("[querylog]\nmaxsize = 1.5\n", "line 2: querylog.maxsize"),
        ("[querylog]\nmaxsize = ten\n", "line 2: querylog.maxsize"),
        ("[querylog]\nmaxsize\n", "line 2: querylog.maxsize"),
        ("[querylog]\nkeep = 9223372036854775808\n", "line 2: querylog.keep"),
        (f"[querylog]\nkeep = {'9' * 5000}\n", "line 2: querylog.keep"),
        ("[dns\n", "line 1"),
        ("[]\n", "line 1"),
        ("[dns] detailedmetrics = true\n", "line 1"),
        ('[http]\nuser = "open\n', "line 2"),
        ('[http]\nuser = "a\\qb"\n', "line 2"),
        ("[http]\nuser = a\\b\n", "line 2"),
        ("[http]\nuser: a\n", "line 2"),
        ("[http]\nuser_name = a\n", "line 2"),
        ("[http]\n= a\n", "line 2"),
        ("[http]\nuser = a\0b\n", "line 2"),
    ],
)
def test_G004_what_geodns_refuses_is_an_error(text: str, place: str) -> None:
    """Unknown names, wrong values and wrong syntax make the file unusable, each told with its line."""
    assert [place] == [where for where, _ in problems_in(text)]


@pytest.mark.parametrize(
    "line", [f"user = {' ' * 50_000}\0", f"[http{' ' * 50_000}", f"{' ' * 50_000}?", 'user = "' + '\\"' * 50_000]
)
def test_a_long_wrong_line_is_given_up_soon(line: str) -> None:
    """The time is linear in a line's length; were it quadratic, this would take minutes."""
    assert [place for place, _ in problems_in(f"[http]\n{line}\n")] == ["line 2"]


def test_every_problem_is_told_at_once() -> None:
    """Reading goes on after a problem."""
    text = "[nosuch]\na = 1\n[dns]\nnosuch\n???\n[querylog]\nkeep = x\n"

    assert [place for place, _ in problems_in(text)] == [
        "line 1: nosuch",
        "line 2: nosuch.a",
        "line 4: dns.nosuch",
        "line 5",
        "line 7: querylog.keep",
    ]


def test_a_broken_line_does_not_show_its_value() -> None:
    """What stands behind the "=" may be a password."""
    with pytest.raises(ConfigError) as caught:
        parse('[http]\npassword = "hidden\n', "geodns.conf")

    assert "hidden" not in str(caught.value)


@given(st.text(alphabet='[]="\\;# \n\r\tad1-httpuser', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises anything but a ConfigError."""
    try:
        told = set(parse(text, "geodns.conf").settings)
    except ConfigError as error:
        told = {one.file for one in error.problems}

    assert told <= {"http.user", "geodns.conf"}


@given(st.text(st.characters(exclude_characters="\r\0", codec="utf-8")))
def test_a_quoted_value_comes_back(text: str) -> None:
    """What is quoted and escaped is read as it was."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    assert text == user_of(f'user = "{escaped}"')


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("0", 0.0),
        ("-2s", -2.0),
        ("250ms", 0.25),
        ("2us", 2e-6),
        ("2µs", 2e-6),
        ("+3s", 3.0),
    ],
)
def test_durations_are_go_s(text: str, seconds: float) -> None:
    """Amounts with units, added up."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "1", "s", ".s", "1 s", "1d", "1s2", "--1s", "-"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A number needs a unit, and a unit a number."""
    with pytest.raises(ValueProblem):
        parse_duration(text)


def test_read_takes_a_file(tmp_path: Path) -> None:
    """A file is read with or without a byte order mark, and named in its notices."""
    path = tmp_path / "geodns.conf"
    path.write_bytes(b"\xef\xbb\xbf[querylog]\r\npath = q\r\n")

    read = geodnsconf.read(path)

    assert read.querylog.path == "q"
    assert [one.file for one in read.notices] == [str(path)]
