"""What JSON::relaxed allows is taken, and what it does not is told with its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.errors import ConfigError
from greendns.relaxedjson import blank_out, parse_relaxed

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_strict_json_passes_the_cleaner_unchanged(value: object) -> None:
    """Whatever the strings hold."""
    text = json.dumps(value, ensure_ascii=False, indent=1)

    assert text == blank_out(text)


@given(json_values)
def test_every_trailing_comma_and_comment_is_taken(value: object) -> None:
    """A comma before each closing bracket of a filled list or object, and a comment after each line."""
    lines = json.dumps(value, indent=1).split("\n")
    following = [line.strip()[:1] for line in lines[1:]] + [""]
    relaxed = [
        line + ("," if after in "]}" and after else "") + ' # ,]"' for line, after in zip(lines, following, strict=True)
    ]

    assert value == parse_relaxed("\n".join(relaxed).encode(), "e.json")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# c\n[1,,]", "e.json: line 2 column 4: must be JSON: Expecting value, found [1,,]"),
        ('{"a": [,]} # c', 'e.json: line 1 column 8: must be JSON: Expecting value, found {"a": [,]} # c'),
        ("", "e.json: line 1 column 1: must be JSON: Expecting value, found the end of the file"),
        ("{} {}", "e.json: line 1 column 4: must be JSON: Extra data, found {} {}"),
        (b'{\n "a": "\xff"}', "e.json: line 2 column 8: must be UTF-8 text"),
        ('{"a": NaN}', "e.json: must be JSON, which has finite numbers only, found NaN"),
        ('{"a": 1e999}', "e.json: must be JSON, which has finite numbers only, found 1e999"),
        ("[" * 100_000, "e.json: must be JSON that is not nested so deep"),
    ],
)
def test_what_is_no_relaxed_json_is_told_with_its_place(text: str | bytes, problem: str) -> None:
    """Line and column where there are some, and the line as it stands in the file, comments included."""
    with pytest.raises(ConfigError) as caught:
        parse_relaxed(text if isinstance(text, bytes) else text.encode(), "e.json")

    assert [problem] == [str(each) for each in caught.value.problems]


def test_a_number_of_thousands_of_digits_is_told() -> None:
    """Python refuses to read it: that is one problem too."""
    with pytest.raises(ConfigError, match=r"e\.json: must be JSON: "):
        parse_relaxed(b"[" + b"9" * 5000 + b"]", "e.json")


def test_half_of_a_character_becomes_the_replacement_character() -> None:
    """As in zone files (G049): no text has what UTF-8 cannot write."""
    assert parse_relaxed(rb'{"\ud800": ["\ud83d\ude00"],} # c', "e.json") == {"\ufffd": ["\U0001f600"]}
