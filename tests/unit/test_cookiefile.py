"""A file of cookie secrets is taken whole or not at all, and what it says is never told."""

from __future__ import annotations

from pathlib import Path

import pytest

from greendns.config import load as load_config
from greendns.cookiefile import LoadedSecrets, load_secrets, parse_secrets
from greendns.errors import ConfigError
from greendns.generations import Start, Succession
from greendns.loaded import Generation
from greendns.loader import load, watched_paths
from greendns.regularfile import UNREAD
from greendns.snapshot import ServerOptions

FIRST = "00112233445566778899aabbccddeeff"
SECOND = "FFEEDDCCBBAA99887766554433221100"
RANDOM = (b"r" * 16,)


@pytest.mark.parametrize("text", [FIRST, f"{FIRST}\n", f"{FIRST}\r\n", f"{FIRST} \n\n"])
def test_one_line_is_one_secret(text: str) -> None:
    """Whatever ends it."""
    assert parse_secrets(text.encode(), "file") == (bytes.fromhex(FIRST),)


def test_two_lines_are_two_secrets_in_their_order() -> None:
    """The first makes cookies; digits may be of either case."""
    assert parse_secrets(f"{FIRST}\n{SECOND}\n".encode(), "file") == (bytes.fromhex(FIRST), bytes.fromhex(SECOND))


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "file: must have 1 to 2 lines, found 0"),
        (f"{FIRST}\n{FIRST}\n{SECOND}".encode(), "file: must have 1 to 2 lines, found 3"),
        (FIRST[:-1].encode(), "file: line 1: must be 32 hexadecimal digits"),
        (f"{FIRST}\n{SECOND}0".encode(), "file: line 2: must be 32 hexadecimal digits"),
        (f"{FIRST}\n\n{SECOND}".encode(), "file: line 2: must be 32 hexadecimal digits"),
        (b"\xff" * 32, "file: line 1: must be 32 hexadecimal digits"),
        (b"+0" * 16, "file: line 1: must be 32 hexadecimal digits"),
    ],
)
def test_what_is_no_file_of_secrets_is_told_without_them(octets: bytes, told: str) -> None:
    """Where it is and what it must be."""
    with pytest.raises(ConfigError) as caught:
        parse_secrets(octets, "file")

    assert told in map(str, caught.value.problems)
    assert not any(one.found.strip("0123456789") for one in caught.value.problems)


def in_force(path: Path, before: LoadedSecrets | None = None) -> LoadedSecrets:
    """What a file comes to behind `before`."""
    return load_secrets(path, before, before.secrets if before else RANDOM)


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    """It is the same object."""
    path = tmp_path / "secrets"
    path.write_text(FIRST)
    before = in_force(path)

    assert in_force(path, before) is before


def test_a_broken_file_leaves_what_is_in_force(tmp_path: Path) -> None:
    """And so does one that is gone; one that is mended is taken."""
    path = tmp_path / "secrets"
    path.write_text(FIRST)
    before = in_force(path)
    path.write_text("broken")
    broken = in_force(path, before)
    path.unlink()
    gone = in_force(path, broken)
    path.write_text(SECOND)

    assert broken.secrets == gone.secrets == (bytes.fromhex(FIRST),)
    assert broken.errors
    assert gone.errors
    assert gone.fingerprint == UNREAD
    assert in_force(path, gone) == LoadedSecrets(path, in_force(path).fingerprint, (bytes.fromhex(SECOND),))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A configuration with a file of secrets beside it."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "secrets").write_text(FIRST)
    (tmp_path / "greendns.toml").write_text('[cookies]\nsecret_file = "secrets"\nrequired = true\n')
    return tmp_path


def loaded(place: Path, previous: Generation | None = None) -> Generation:
    """What is loaded of a configuration."""
    return load(load_config(place), ServerOptions(cookie_secrets=RANDOM), previous)


def test_the_secrets_of_a_generation_are_those_of_its_file(place: Path) -> None:
    """A relative path begins at the configuration's directory; the file is watched."""
    assert loaded(place).snapshot.options.cookie_secrets == (bytes.fromhex(FIRST),)
    assert place / "secrets" in watched_paths(load_config(place))


def test_a_broken_file_of_secrets_is_an_error_of_the_generation(place: Path) -> None:
    """Told, while the secrets stay; read again if it could not be read at all."""
    before = loaded(place)
    (place / "secrets").unlink()
    after = loaded(place, before)

    assert after.snapshot.options.cookie_secrets == (bytes.fromhex(FIRST),)
    assert [one.file for one in after.errors()] == [str(place / "secrets")]
    assert after.unread() == {place / "secrets"}


def test_without_a_file_the_secret_is_that_of_the_start(place: Path) -> None:
    """Also after there was one."""
    before = loaded(place)
    (place / "greendns.toml").write_text("")

    assert loaded(place, before).snapshot.options.cookie_secrets == RANDOM


def test_a_file_that_is_being_written_is_left_alone(place: Path) -> None:
    """The secrets stay, and nothing is told."""
    before = loaded(place)
    (place / "secrets").write_text("half")
    after = load(load_config(place), ServerOptions(), before, frozenset([place / "secrets"]))

    assert after.secrets is before.secrets
    assert after.errors() == ()


def test_a_server_does_not_start_with_a_broken_file_of_secrets(place: Path) -> None:
    """It would give cookies that no other server of its fleet takes."""
    (place / "secrets").write_text("broken")

    with pytest.raises(ConfigError) as caught:
        Succession(Start(place, {}), ServerOptions()).first(load_config(place))
    assert "secrets" in str(caught.value)
