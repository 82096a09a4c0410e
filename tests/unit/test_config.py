"""greendns.config: files and overrides become a Config, or a ConfigError that names every problem."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import toml
from hypothesis import given
from hypothesis import strategies as st

from greendns import config
from greendns import settings as declared
from greendns.config import find_file, load
from greendns.errors import ConfigError, Problem, ValueProblem
from greendns.sample import sample_toml, settings_help
from greendns.settingkinds import parse_listen
from greendns.settinglist import SETTING_OF, SETTINGS, Setting, changed_restart_settings
from greendns.settings import Config, ServerSettings

SHIPPED_SAMPLE = Path(__file__).parents[2] / "conf" / "greendns.toml"


def write(directory: Path, text: str, name: str = "greendns.toml") -> Path:
    """A file of that name and text."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(run: Callable[[], object]) -> tuple[Problem, ...]:
    """The problems of the ConfigError that `run` raises."""
    with pytest.raises(ConfigError) as caught:
        run()
    return caught.value.problems


def problems_in(directory: Path, text: str) -> list[tuple[str, str]]:
    """Place and value of every problem in a greendns.toml of that text."""
    path = write(directory, text)
    return [(one.place, one.found) for one in problems_of(lambda: load(path))]


class TestListen:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("*:53", ("*", 53)),
            (":8053", ("*", 8053)),
            ("192.0.2.1:53", ("192.0.2.1", 53)),
            ("[::1]:53", ("::1", 53)),
            ("[2001:DB8:0::1]:5353", ("2001:db8::1", 5353)),
            ("[fe80::1%lo]:53", ("fe80::1%lo", 53)),
            ("localhost:8053", ("127.0.0.1", 8053)),
            ("127.0.0.1:0", ("127.0.0.1", 0)),
            ("*:65535", ("*", 65535)),
        ],
    )
    def test_an_address_and_a_port_are_told_apart(self, text: str, expected: tuple[str, int]) -> None:
        """Brackets go, "" becomes "*", and IPv6 is written as RFC 5952 says."""
        assert expected == parse_listen(text)

    @pytest.mark.parametrize(
        "text",
        ["", "53", "*", "*:", "*:65536", "*:99999999999", "*:-1", "*:x", "*: 53", "*:٥٣", "::1:53", "[::1]", "[::1]53"],
    )
    def test_what_is_no_address_is_refused(self, text: str) -> None:
        """A wrong address or port is a ValueProblem that shows what was found."""
        with pytest.raises(ValueProblem) as caught:
            parse_listen(text)

        assert caught.value.found

    @given(st.text())
    def test_any_text_is_an_address_or_a_problem(self, text: str) -> None:
        """No text makes anything but a pair with a host, or a ValueProblem."""
        try:
            host, port = parse_listen(text)
        except ValueProblem:
            return
        assert host
        assert 0 <= port <= 65535


class TestIdentifier:
    @pytest.mark.parametrize(
        ("identifier", "expected"),
        [("", ("", ())), ("a", ("a", ())), ("a,g1", ("a", ("g1",))), ("a, g1,g2 ", ("a", ("g1", "g2")))],
    )
    def test_G005_identifier_and_groups(self, identifier: str, expected: tuple[str, tuple[str, ...]]) -> None:
        """The first item is the server's ID, the rest are its groups."""
        assert declared.ServerSettings(identifier=identifier).identity == expected

    def test_an_identifier_may_be_as_long_as_a_txt_string(self, tmp_path: Path) -> None:
        """255 characters, all of them printable."""
        path = write(tmp_path, f'[server]\nidentifier = "{"x y" * 85}"\n')

        assert load(path).server.identifier == "x y" * 85


class TestSample:
    def test_the_shipped_sample_is_what_the_settings_tell(self) -> None:
        """conf/greendns.toml is the output of sample_toml()."""
        assert sample_toml() == SHIPPED_SAMPLE.read_text(encoding="utf-8")

    def test_reading_the_sample_gives_the_defaults(self, tmp_path: Path) -> None:
        """Every setting of the sample has its default; the zone directory begins at the file's."""
        path = write(tmp_path, sample_toml())

        expected = Config(zones=declared.ZonesSettings(tmp_path / "zones"), source=path)

        assert expected == load(path)

    @pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
    def test_the_sample_tells_what_a_reload_takes(self, setting: Setting) -> None:
        """The comment above a setting ends with what it takes to change it."""
        section = sample_toml().split(f"[{setting.section}]\n")[1].split("\n[")[0]
        comment = section.split(f"\n{setting.key} = ")[0].split("\n\n")[-1].replace("\n# ", " ")
        expected = "A reload takes it." if setting.reloadable else "Only a restart takes it."

        assert comment.endswith(expected)

    def test_the_help_tells_every_setting(self) -> None:
        """settings_help() has one line "section.key = default" for each setting."""
        lines = settings_help().splitlines()

        assert [f"{one.name} = {one.default_toml}" for one in SETTINGS] == [
            line for line in lines if line and line[0] != " "
        ]

    def test_the_sample_tells_how_many_processes_there_are(self) -> None:
        """As many as there are cores, and what the numbers mean."""
        assert 'or "auto": one per core. 0: one process does everything' in SETTING_OF["server.workers"].text

    def test_auto_is_a_worker_for_each_core_that_may_be_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At least one, and no more than there may be."""
        assert ServerSettings().worker_count == len(os.sched_getaffinity(0))
        assert ServerSettings(workers=0).worker_count == 0
        monkeypatch.setattr("os.sched_getaffinity", lambda pid: range(1000))
        assert ServerSettings().worker_count == 256
        monkeypatch.delattr("os.sched_getaffinity")
        assert ServerSettings().worker_count == os.cpu_count()

    def test_every_setting_is_reached_by_its_name(self) -> None:
        """config.section.key is the default of every setting."""
        assert [one.default for one in SETTINGS] == [one.of(Config()) for one in SETTINGS]


class TestFinding:
    def test_a_file_is_itself(self, tmp_path: Path) -> None:
        """A file's path is returned, whatever its name."""
        path = write(tmp_path, "", "other.conf")

        assert path == find_file(path)

    @pytest.mark.parametrize("name", config.FILE_NAMES)
    def test_a_directory_is_searched_for_each_name(self, tmp_path: Path, name: str) -> None:
        """A directory's one configuration file is found."""
        path = write(tmp_path, "", name)

        assert path == find_file(tmp_path)

    def test_a_directory_without_any_has_none(self, tmp_path: Path) -> None:
        """No configuration file is no error."""
        assert find_file(tmp_path) is None

    def test_two_files_are_one_too_many(self, tmp_path: Path) -> None:
        """Two configuration files in one directory are an error that names them."""
        write(tmp_path, "", "greendns.toml")
        write(tmp_path, "", "geodns.conf")

        (problem,) = problems_of(lambda: find_file(tmp_path))

        assert problem.found == "greendns.toml and geodns.conf"

    def test_a_missing_place_is_an_error(self, tmp_path: Path) -> None:
        """What doesn't exist is a ConfigError that names it."""
        (problem,) = problems_of(lambda: load(tmp_path / "nowhere"))

        assert problem.file == str(tmp_path / "nowhere")

    def test_a_dangling_link_is_not_passed_over(self, tmp_path: Path) -> None:
        """A configuration file that leads nowhere is an error, not a directory without one."""
        (tmp_path / "greendns.toml").symlink_to(tmp_path / "nowhere")

        (problem,) = problems_of(lambda: load(tmp_path))

        assert problem.file == str(tmp_path / "greendns.toml")

    def test_a_directory_in_place_of_the_file_is_an_error(self, tmp_path: Path) -> None:
        """A directory called greendns.toml can't be read."""
        (tmp_path / "greendns.toml").mkdir()

        (problem,) = problems_of(lambda: load(tmp_path))

        assert "must be readable" in problem.expected


class TestToml:
    def test_settings_are_read(self, tmp_path: Path) -> None:
        """Each value of the file is in the Config, what is left out has its default."""
        path = write(
            tmp_path,
            '[server]\nlisten = ["127.0.0.1:0", "[::1]:0"]\nlog_level = "debug"\n'
            '[http]\nlisten = "off"\nuser = "u"\n[tcp]\nidle_seconds = 3\n',
        )

        read = load(path)

        assert read.server.addresses == (("127.0.0.1", 0), ("::1", 0))
        assert (read.server.log_level, read.server.workers) == ("debug", "auto")
        assert (read.http.address, read.http.user) == (None, "u")
        assert repr(read.tcp.idle_seconds) == "3.0"
        assert (read.source, read.zone_format) == (path, "json")

    @pytest.mark.parametrize(
        ("text", "place", "found"),
        [
            ("[dns]\nudp_payload_octets = 511", "dns.udp_payload_octets", "511"),
            ("[dns]\nudp_payload_octets = 4097", "dns.udp_payload_octets", "4097"),
            ("[dns]\nudp_payload_octets = true", "dns.udp_payload_octets", "true"),
            ("[dns]\nudp_payload_octets = 1232.0", "dns.udp_payload_octets", "1232.0"),
            ("[dns]\ndetailed_metrics = 1", "dns.detailed_metrics", "1"),
            ('[dns]\npublic_debug_queries = "no"', "dns.public_debug_queries", '"no"'),
            ("[server]\nworkers = -1", "server.workers", "-1"),
            ('[server]\nworkers = "all"', "server.workers", '"all"'),
            ("[server]\nworkers = 257", "server.workers", "257"),
            ('[server]\nlog_level = "loud"', "server.log_level", '"loud"'),
            ('[server]\nlisten = "*:53"', "server.listen", '"*:53"'),
            ("[server]\nlisten = []", "server.listen", "[]"),
            ("[server]\nlisten = [53]", "server.listen", "[53]"),
            ('[server]\nlisten = ["*:53", "::1:53"]', "server.listen", '"::1:53"'),
            ("[server]\nidentifier = 1", "server.identifier", "1"),
            ('[server]\nidentifier = "é"', "server.identifier", '"é"'),
            ('[server]\nidentifier = "a\\tb"', "server.identifier", '"a\\tb"'),
            (f'[server]\nidentifier = "{"x" * 256}"', "server.identifier", f'"{"x" * 60}..."'),
            ('[zones]\ndirectory = ""', "zones.directory", '""'),
            ('[zones]\ndirectory = "a\\u0000b"', "zones.directory", '"a\\u0000b"'),
            ("[geoip]\ndirectory = 1", "geoip.directory", "1"),
            ('[http]\nlisten = ""', "http.listen", '""'),
            ("[http]\nlisten = 8053", "http.listen", "8053"),
            ("[tcp]\nidle_seconds = 0", "tcp.idle_seconds", "0"),
            ("[tcp]\nidle_seconds = -1.5", "tcp.idle_seconds", "-1.5"),
            ("[tcp]\nidle_seconds = inf", "tcp.idle_seconds", "inf"),
            ("[tcp]\nidle_seconds = nan", "tcp.idle_seconds", "nan"),
            ("[tcp]\nmessage_seconds = true", "tcp.message_seconds", "true"),
            ("[tcp]\nmax_connections = 0", "tcp.max_connections", "0"),
            ("[tcp]\nmax_connections = 1000001", "tcp.max_connections", "1000001"),
            ("[tcp]\nmax_connections = 1979-05-27T07:32:00Z", "tcp.max_connections", '"1979-05-27 07:32:00+00:00"'),
            ("server = 1", "server", "1"),
            ("[[server]]\nworkers = 1", "server", '[{"workers": 1}]'),
        ],
    )
    def test_a_wrong_value_is_told_with_its_place(self, tmp_path: Path, text: str, place: str, found: str) -> None:
        """A wrong type or range is one problem: the setting, and the value as JSON."""
        assert [(place, found)] == problems_in(tmp_path, text)

    def test_every_problem_is_told_at_once(self, tmp_path: Path) -> None:
        """Unknown sections and keys, types and ranges come together, in the file's order."""
        text = '[server]\nworkers = "2"\nnosuch = 1\n[nosuch]\na = 1\n[dns]\nudp_payload_octets = 1\n'

        places = [place for place, _ in problems_in(tmp_path, text)]

        assert places == ["server.workers", "server.nosuch", "nosuch", "dns.udp_payload_octets"]

    def test_a_problem_reads_as_a_sentence(self, tmp_path: Path) -> None:
        """File, place, expectation and value, in this order."""
        path = write(tmp_path, "[dns]\nudp_payload_octets = 100\n")

        (problem,) = problems_of(lambda: load(path))

        assert str(problem) == f"{path}: dns.udp_payload_octets: must be an integer from 512 to 4096, found 100"

    def test_a_password_is_not_shown(self, tmp_path: Path) -> None:
        """A password of a wrong type is told without its value."""
        problems = problems_in(tmp_path, "[http]\npassword = 12345")

        assert problems == [("http.password", "")]

    @pytest.mark.parametrize(
        "text",
        [
            '[http]\npassword = hidden\n"x"',
            '[http]\npassword = "hidden"\n[http]\n',
            'http = {password = "hidden"}\n[http]\n',
        ],
    )
    def test_a_syntax_error_shows_no_values(self, tmp_path: Path, text: str) -> None:
        """toml repeats what it read in some messages; ours don't."""
        path = write(tmp_path, text)

        assert "hidden" not in "".join(map(str, problems_of(lambda: load(path))))

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("[server]\nworkers =\n", 2),
            ("[server]\nworkers = 1\nworkers = 2\n", 3),
            ("[server\n", 1),
            ('\n\n[http]\nuser = "x\n', 4),
            ('[server]\nlisten = ["*:53", "[::1]:53"', 2),
            ("# [\n[server]\nlisten = [\n", 3),
        ],
    )
    def test_a_syntax_error_is_told_with_its_line(self, tmp_path: Path, text: str, line: int) -> None:
        """What is no TOML is one problem at its line."""
        assert [(f"line {line}", "")] == problems_in(tmp_path, text)

    def test_brackets_in_texts_and_comments_need_no_closing(self, tmp_path: Path) -> None:
        """Only brackets of the syntax are counted."""
        path = write(tmp_path, '[http]\nuser = "[{" # [\npassword = \'{[\'\n[zones]\ndirectory = """[\n"""\n')

        read = load(path).http

        assert (read.user, read.password) == ("[{", "{[")

    @given(st.text(alphabet="ab[]{}=\",.'\\#\n 1-_:", max_size=40))
    def test_no_input_escapes_as_another_error(self, text: str) -> None:
        """Whatever toml raises becomes a ConfigError."""
        try:
            parsed = config._parse_toml(text, "greendns.toml")
        except ConfigError as error:
            parsed = {one.place: one.expected for one in error.problems}

        assert all(isinstance(name, str) for name in parsed)

    def test_an_odd_failure_of_the_reader_is_a_config_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An IndexError inside toml is told as a problem of the file."""
        path = write(tmp_path, "a = 1")

        def fail(text: str) -> None:
            raise IndexError(text)

        monkeypatch.setattr(toml, "loads", fail)

        (problem,) = problems_of(lambda: load(path))

        assert problem.expected == "must be TOML: IndexError"

    def test_a_file_must_be_utf8(self, tmp_path: Path) -> None:
        """Octets that are no UTF-8 are told with their line."""
        path = tmp_path / "greendns.toml"
        path.write_bytes(b"[http]\nuser = '\xff'\n")

        (problem,) = problems_of(lambda: load(path))

        assert (problem.place, problem.expected) == ("line 2", "must be UTF-8")

    def test_a_byte_order_mark_is_passed_over(self, tmp_path: Path) -> None:
        """An editor's mark at the file's beginning is no part of it."""
        path = write(tmp_path, "\ufeff[server]\nworkers = 2\n")

        assert load(path).server.workers == 2

    def test_a_password_without_a_user_is_noticed(self, tmp_path: Path) -> None:
        """It is accepted, but has no effect."""
        path = write(tmp_path, '[http]\npassword = "x"\n')

        assert [one.place for one in load(path).notices] == ["http.password"]


class TestDirectories:
    def test_toml_directories_begin_at_the_file(self, tmp_path: Path) -> None:
        """Relative paths of greendns.toml begin at its directory, absolute ones stay."""
        path = write(tmp_path, '[zones]\ndirectory = "../z"\n[health]\ndirectory = "/var/health"\n')

        read = load(path)

        assert (tmp_path / "../z", Path("/var/health")) == (read.zones.directory, read.health.directory)

    def test_an_override_begins_at_the_working_directory(self, tmp_path: Path) -> None:
        """A relative zone directory of the command line is taken as it is."""
        path = write(tmp_path, '[zones]\ndirectory = "z"\n')

        assert Path("here") == load(path, {"zones.directory": "here"}).zones.directory

    @pytest.mark.parametrize("name", ["geodns.conf", "pgeodns.conf"])
    def test_zones_stand_beside_the_older_files(self, tmp_path: Path, name: str) -> None:
        """With geodns.conf or pgeodns.conf the zone directory is that of the file."""
        (tmp_path / "zones").mkdir()
        write(tmp_path, "", name)

        assert tmp_path == load(tmp_path).zones.directory

    def test_a_bare_directory_holds_the_zones(self, tmp_path: Path) -> None:
        """Without a configuration file and "zones", zones are in the directory itself."""
        read = load(tmp_path)

        assert (tmp_path, None) == (read.zones.directory, read.source)

    def test_a_bare_directory_with_zones_has_them_below(self, tmp_path: Path) -> None:
        """Without a configuration file, "zones" below the directory is taken."""
        (tmp_path / "zones").mkdir()

        assert tmp_path / "zones" == load(tmp_path).zones.directory

    def test_G021_the_first_usual_directory_is_taken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a setting, the first directory that exists is used; none may exist."""
        usual = [str(tmp_path / name) for name in ("a", "b", "c")]
        monkeypatch.setattr(declared, "GEOIP_DIRECTORIES", usual)
        geoip = load(tmp_path).geoip

        assert geoip.find() is None

        (tmp_path / "b").mkdir()
        (tmp_path / "c").mkdir()

        assert tmp_path / "b" == geoip.find()

    def test_a_directory_that_is_set_is_taken(self, tmp_path: Path) -> None:
        """A directory in the file wins over the usual ones, also an empty one."""
        (tmp_path / "geo").mkdir()
        path = write(tmp_path, '[geoip]\ndirectory = "geo"\n')

        assert tmp_path / "geo" == load(path).geoip.find()

    @pytest.mark.parametrize("is_told", [False, True])
    def test_a_directory_of_databases_that_is_not_there_is_an_error(self, tmp_path: Path, is_told: bool) -> None:
        """In the file or on the command line; a file is no directory either."""
        path = write(tmp_path, '[geoip]\ndirectory = "greendns.toml"\n')
        overrides = {"geoip.directory": str(tmp_path / "nowhere")} if is_told else {}

        (problem,) = problems_of(lambda: load(path, overrides))

        assert (problem.file, problem.place) == ("command line" if is_told else str(path), "geoip.directory")
        assert problem.expected == "must be a directory"

    @pytest.mark.parametrize("directory", ["nowhere", "x" * 5000])
    def test_a_health_directory_that_is_not_there_is_noticed(self, tmp_path: Path, directory: str) -> None:
        """It may come later; a path too long for the system never does."""
        path = write(tmp_path, f'[health]\ndirectory = "{directory}"\n')

        assert [one.place for one in load(path).notices] == ["health.directory"]

    def test_G021_usual_directories(self) -> None:
        """They are geodns's, in its order."""
        assert declared.GEOIP_DIRECTORIES == (
            "/usr/share/GeoIP/",
            "/usr/share/local/GeoIP/",
            "/usr/local/share/GeoIP/",
            "/opt/local/share/GeoIP/",
            "/opt/homebrew/var/GeoIP",
        )


class TestOlderFiles:
    def test_geodns_conf_sets_our_settings(self, tmp_path: Path) -> None:
        """What geodns.conf says of our settings is in the Config, the rest in the notices."""
        path = write(
            tmp_path,
            f"[dns]\npublicdebugqueries\ndetailedmetrics = true\n[geoip]\ndirectory={tmp_path}\n"
            "[http]\nuser=u\npassword=p\n[querylog]\npath = queries.log\n",
            "geodns.conf",
        )

        read = load(tmp_path)

        assert (read.dns.public_debug_queries, read.dns.detailed_metrics) == (True, True)
        assert (read.geoip.directory, read.http.user, read.http.password) == (tmp_path, "u", "p")
        assert [(one.file, one.place) for one in read.notices] == [(str(path), "querylog.path")]
        assert (read.source, read.zone_format) == (path, "json")

    def test_a_file_of_another_name_is_geodns_s(self, tmp_path: Path) -> None:
        """geodns's -configfile may have any name."""
        path = write(tmp_path, "[http]\nuser = u\n", "dns.ini")

        assert load(path).http.user == "u"

    def test_pgeodns_conf_names_its_own_zones(self, tmp_path: Path) -> None:
        """Its text is not read here; the zone format tells who reads it."""
        path = write(tmp_path, "base example.com example.json\n", "pgeodns.conf")

        read = load(tmp_path)

        assert (read.source, read.zone_format) == (path, "pgeodns")

    def test_G004_an_unparsable_file_is_an_error(self, tmp_path: Path) -> None:
        """A geodns.conf with a section that nobody knows can't be used."""
        write(tmp_path, "[nosuch]\n", "geodns.conf")

        (problem,) = problems_of(lambda: load(tmp_path))

        assert problem.place == "line 1: nosuch"

    def test_G004_a_missing_file_is_an_error(self, tmp_path: Path) -> None:
        """A configuration file that was named must be there."""
        (problem,) = problems_of(lambda: load(tmp_path / "geodns.conf"))

        assert problem.file == str(tmp_path / "geodns.conf")


class TestOverrides:
    def test_an_override_wins_over_the_file(self, tmp_path: Path) -> None:
        """What the command line says counts; the file's other values stay."""
        path = write(tmp_path, "[server]\nworkers = 2\n[dns]\ndetailed_metrics = true\n")

        read = load(path, {"server.workers": 3, "server.listen": ("127.0.0.1:0",)})

        assert (read.server.workers, read.server.listen, read.dns.detailed_metrics) == (3, ("127.0.0.1:0",), True)

    def test_wrong_overrides_are_told_together(self, tmp_path: Path) -> None:
        """An override goes through the same checks, and is told as the command line's."""
        problems = problems_of(lambda: load(tmp_path, {"server.listen": ["x"], "server.nosuch": 1}))

        assert [(one.file, one.place) for one in problems] == [
            ("command line", "server.listen"),
            ("command line", "server.nosuch"),
        ]

    def test_a_broken_file_is_not_saved_by_an_override(self, tmp_path: Path) -> None:
        """A file's problem is told although the value would not be used."""
        path = write(tmp_path, "[server]\nworkers = -1\n")

        (problem,) = problems_of(lambda: load(path, {"server.workers": 1}))

        assert problem.place == "server.workers"


class TestChanges:
    def test_only_what_a_reload_cannot_take_is_named(self) -> None:
        """Of two changes, the one that needs a restart is returned."""
        old = Config()
        new = replace(old, server=replace(old.server, workers_max=2, log_level="debug"))

        assert changed_restart_settings(old, new) == ["server.workers_max"]

    def test_equal_settings_have_no_changes(self) -> None:
        """Where only the notices differ, nothing needs a restart."""
        assert changed_restart_settings(Config(), Config(notices=(Problem("a", "b", "c"),))) == []

    def test_the_reloadable_settings(self) -> None:
        """Exactly these are taken by a reload."""
        assert [one.name for one in SETTINGS if one.reloadable] == [
            "server.workers",
            "server.heartbeat_seconds",
            "server.log_level",
            "http.user",
            "http.password",
            "dns.public_debug_queries",
            "dns.detailed_metrics",
            "dns.udp_payload_octets",
            "dns.any",
            "dns.stale_error",
            "chaos.version",
            "chaos.identity",
            "chaos.hostname",
            "access.queries",
            "access.debug",
            "access.http",
            "cookies.secret_file",
            "cookies.required",
            "tcp.first_seconds",
            "tcp.idle_seconds",
            "tcp.message_seconds",
            "tcp.max_connections",
            "tcp.max_connections_per_address",
            "rate_limit.mode",
            "rate_limit.answers_per_second",
            "rate_limit.nodata_per_second",
            "rate_limit.nxdomain_per_second",
            "rate_limit.referrals_per_second",
            "rate_limit.errors_per_second",
            "rate_limit.window_seconds",
            "rate_limit.slip",
            "rate_limit.ipv4_prefix",
            "rate_limit.ipv6_prefix",
            "rate_limit.exempt",
        ]
