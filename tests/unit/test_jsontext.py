"""JSON is read as Go reads it, and what is wrong with it is told where it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.errors import ConfigError, Problem, ValueProblem
from greendns.fields import read_integer
from greendns.jsontext import Keys, LazyObject, parse_json, parse_json_lazily

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def problem_of(octets: bytes) -> Problem:
    """The one problem of a file."""
    with pytest.raises(ConfigError) as caught:
        parse_json(octets, "zone.json")
    (problem,) = caught.value.problems
    return problem


@given(DOCUMENTS)
def test_what_json_writes_is_read(document: Any) -> None:
    """The same values come back."""
    assert parse_json(json.dumps(document).encode(), "zone.json") == document


@given(
    st.binary(max_size=200) | st.text(alphabet='{}[]":,\\ \n0123456789eE.-+truefalsnINy', max_size=60).map(str.encode)
)
def test_any_octets_are_read_or_refused_with_their_place(octets: bytes) -> None:
    """Nothing but ConfigError, and a line and column that are there."""
    try:
        parse_json(octets, "zone.json")
    except ConfigError as error:
        (problem,) = error.problems
        _, line, _, column = problem.place.split()
        assert 1 <= int(line) <= octets.decode("utf-8", "replace").count("\n") + 1
        assert int(column) >= 1


def test_an_error_tells_line_column_and_the_line() -> None:
    """The comma that is missing stands before the second key."""
    problem = problem_of(b'{\n  "ttl": 300\n  "data": {}\n}\n')

    assert problem.place == "line 3 column 3"
    assert problem.found == '"data": {}'
    assert str(problem).startswith("zone.json: line 3 column 3: must be JSON")


def test_an_error_at_the_end_says_so() -> None:
    """A file that was cut has no line to show."""
    assert problem_of(b'{"data": {\n').found == "the end of the file"
    assert problem_of(b"").place == "line 1 column 1"


def test_a_long_line_is_cut_around_the_error() -> None:
    """A zone on one line of a megabyte does not fill the log."""
    problem = problem_of(b'{"a": "' + b"x" * 10_000 + b'" "b": 1, "c": "' + b"y" * 10_000 + b'"}')

    assert '"b": 1' in problem.found
    assert len(problem.found) <= 100


@pytest.mark.parametrize(
    "text", ['{"ttl": NaN}', '{"ttl": Infinity}', '{"ttl": -Infinity}', '{"ttl": 1,}', "[1,]", '{"ttl": 1} // no']
)
def test_G049_what_go_does_not_accept(text: str) -> None:
    """No NaN, no Infinity, no trailing comma; a comment only after the first value, where nothing is read."""
    if text.endswith("no"):
        assert parse_json(text.encode(), "zone.json") == {"ttl": 1}
    else:
        assert problem_of(text.encode()).expected.startswith(("must be JSON", "not a number"))


def test_G049_a_comment_is_no_json() -> None:
    """Inside a value."""
    assert problem_of(b'{"ttl": 1 /* seconds */}').place == "line 1 column 11"


def test_a_constant_is_found_where_it_stands() -> None:
    """And not where a text happens to spell it."""
    problem = problem_of(b'{"NaN": "NaN \\" NaN",\n "ttl": NaN}')

    assert problem.place == "line 2 column 9"


def test_G049_octets_that_are_no_utf8_become_replacement_characters() -> None:
    """One U+FFFD for each, as in Go."""
    assert parse_json(b'{"a\xff": "\xfe\xfe"}', "zone.json") == {"a�": "��"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'["a\uDFFFb"]', ["a\ufffdb"]),
        (r'{"\udead": {"x": "\uD83D"}}', {"\ufffd": {"x": "\ufffd"}}),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\ud83d\ud83d\ude00\ude00"', "\ufffd\U0001f600\ufffd"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\\\ud800"', "\\\ufffd"),
        (r'"\ud800\n"', "\ufffd\n"),
    ],
)
def test_G049_half_of_a_character_becomes_the_replacement_character(text: str, expected: object) -> None:
    """A surrogate that is alone, in values and keys; a pair of them is one character."""
    assert parse_json(text.encode(), "zone.json") == expected


def test_G049_keys_that_become_equal_are_repeated() -> None:
    """The last of them wins (G048)."""
    document = parse_json(rb'{"\ud800": 1, "\udfff": 2}', "zone.json")

    assert document == {"\ufffd": 2}
    assert isinstance(document, Keys)
    assert document.repeated == ("\ufffd",)


def test_an_error_behind_half_of_a_character_keeps_its_place() -> None:
    """The replacement has as many characters."""
    assert problem_of(b'{"a": "\\ud800", b}').place == "line 1 column 17"


def test_G047_text_after_the_first_value_is_ignored() -> None:
    """Whatever it is."""
    assert parse_json(b' {"ttl": 1} } rubbish [', "zone.json") == {"ttl": 1}


def test_G048_the_last_of_equal_keys_wins_and_is_told() -> None:
    """At every level; an object without any is an ordinary one."""
    document = parse_json(b'{"a": 1, "b": {"c": 1, "c": 2, "c": 3}, "a": 2}', "zone.json")

    assert document == {"a": 2, "b": {"c": 3}}
    assert isinstance(document, Keys)
    assert document.repeated == ("a",)
    inner = document["b"]
    assert isinstance(inner, Keys)
    assert inner.repeated == ("c", "c")


def test_deep_nesting_is_refused() -> None:
    """Rather than ending the process."""
    assert "nested" in problem_of(b"[" * 200_000).expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (300, 300), (2.9, 2), (-0.9, 0), (1e3, 1000), ("2", 2), ("+7", 7), ("-0", 0), ("007", 7), (1000, 1000)],
)
def test_G042_numbers_and_decimal_strings_are_integers(value: object, expected: int) -> None:
    """Numbers are truncated toward zero."""
    assert read_integer(value, "ttl", 0, 1000) == expected


@pytest.mark.parametrize(
    "value",
    [True, False, None, [], {}, "abc", " 2", "2 ", "", "2.5", "0x10", "1e3", "٣", 1001, -1, "1001", 10**40, 1e300],
)
def test_G042_anything_else_is_refused(value: object) -> None:
    """Also what is out of bounds."""
    with pytest.raises(ValueProblem, match=r"ttl must be (an integer >= 0|at most 1000), found "):
        read_integer(value, "ttl", 0, 1000)


def test_a_refused_integer_is_shown_as_the_file_has_it() -> None:
    """A text with its quotes."""
    with pytest.raises(ValueProblem) as caught:
        read_integer("10x", "max_hosts", 0, 100)

    assert str(caught.value) == 'max_hosts must be an integer >= 0, found "10x"'


def test_a_number_of_thousands_of_digits_is_only_a_large_number() -> None:
    """Python would refuse to read it; Go would say that it does not fit."""
    document = parse_json(b'{"ttl": ' + b"9" * 10_000 + b"}", "zone.json")

    assert isinstance(document, dict)
    with pytest.raises(ValueProblem):
        read_integer(document["ttl"], "ttl", 0, 2**31)


@pytest.mark.parametrize("digits", ["9" * count for count in range(305, 316)] + ["-" + "9" * 309, "-" + "9" * 310])
def test_a_number_of_more_than_310_characters_is_infinite(digits: str) -> None:
    """Wherever in the text it stands, and whatever else does."""
    expected = int(digits) if len(digits) <= 310 else float(digits)

    for before in range(62):
        text = f'["{"x" * before}", {digits}, 5, 1.5]'
        for parse in (parse_json, lambda octets, file: parse_json_lazily(octets, file, "data")):
            assert parse(text.encode(), "zone.json") == ["x" * before, expected, 5, 1.5]


# -- an object whose members are read when they are asked for


def repeated_keys(value: object) -> object:
    """A value with the repeated keys of its objects, which do not count when two are compared."""
    if isinstance(value, dict):
        members = {key: repeated_keys(member) for key, member in value.items()}
        return (members, value.repeated if isinstance(value, Keys) else ())
    return [repeated_keys(member) for member in value] if isinstance(value, list) else value


def read_lazily(octets: bytes) -> object:
    """What parse_json makes of the octets, with the members of `data` read one by one; a problem as text."""
    try:
        document = parse_json_lazily(octets, "zone.json", "data")
    except ConfigError as error:
        return str(error)
    if not isinstance(document, dict) or not isinstance(document.get("data"), LazyObject):
        return repeated_keys(document)
    lazy = document["data"]
    data = Keys(lazy.items())
    data.repeated = lazy.repeated
    document["data"] = data
    return repeated_keys(document)


def read_at_once(octets: bytes) -> object:
    try:
        return repeated_keys(parse_json(octets, "zone.json"))
    except ConfigError as error:
        return str(error)


# Written by hand so that keys repeat and white space is everywhere that it may be.
SPACE = st.text(alphabet=" \t\r\n", max_size=2)
KEYS = st.sampled_from(["data", "data", "a", "b", "\\ud800", "\\u0061"])
SCALARS = st.sampled_from(
    [
        "1",
        "-0.5",
        "1e400",
        "9" * 400,
        "true",
        "null",
        '"x"',
        '"\\ud800"',
        "[]",
        "{}",
        "NaN",
        "-Infinity",
        "01",
        "tru",
        "",
    ]
)


def spaced(*tokens: Any) -> Any:
    return st.tuples(*[each for token in tokens for each in (SPACE, token)], SPACE).map("".join)


def object_texts(values: Any) -> Any:
    """Objects of JSON, nearly all of them well-formed."""
    member = spaced(KEYS.map('"{}"'.format), st.sampled_from([":"] * 30 + ["", "::"]), values)
    comma = st.sampled_from([","] * 30 + ["", ",,"])
    ending = st.sampled_from(["}"] * 30 + ["", ",}", "]"])
    return st.builds(
        lambda members, comma, ending: "{" + comma.join(members) + ending, st.lists(member, max_size=4), comma, ending
    )


TEXTS = spaced(object_texts(object_texts(SCALARS | object_texts(SCALARS)) | SCALARS))


@given(TEXTS, st.sampled_from([b"", b"}", b" rubbish", b"\xff"]))
def test_an_object_read_lazily_is_the_same(text: str, rest: bytes) -> None:
    """Its values, its repeated keys, and what is wrong and where."""
    octets = text.encode() + rest

    assert read_lazily(octets) == read_at_once(octets)


@given(st.fixed_dictionaries({"data": st.dictionaries(st.text(), DOCUMENTS, max_size=4)}), st.data())
def test_a_damaged_object_is_refused_lazily_with_the_same_words(document: Any, data: st.DataObject) -> None:
    """Wherever it is cut, or an octet is put in."""
    octets = json.dumps(document, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "replace")
    at = data.draw(st.integers(0, len(octets)))
    damaged = octets[:at] + data.draw(st.sampled_from([b"", b"x", b'"', b"}", b",", b"\xff", b"\n"])) + octets[at:]

    for each in (octets, damaged, octets[:at]):
        assert read_lazily(each) == read_at_once(each)


def test_G048_the_last_of_equal_members_is_the_one_that_is_read() -> None:
    """In the place of the first, as in any object; of two objects the last counts."""
    document = parse_json_lazily(b'{"data": 1, "data": {"a": 1, "b": 2, "a": 3}}', "zone.json", "data")

    assert isinstance(document, Keys)
    assert document.repeated == ("data",)
    data = document["data"]
    assert isinstance(data, LazyObject)
    assert list(data.items()) == [("a", 3), ("b", 2)]
    assert data.repeated == ("a",)


def test_what_is_no_object_is_read_at_once() -> None:
    """Also where `data` is deeper."""
    assert parse_json_lazily(b"[1]", "zone.json", "data") == [1]
    assert parse_json_lazily(b'{"data": [{"a": 1}], "x": {"data": {"a": 1}}}', "zone.json", "data") == {
        "data": [{"a": 1}],
        "x": {"data": {"a": 1}},
    }


@pytest.mark.parametrize("depth", [*range(700, 1100, 7), 200_000])
def test_deep_nesting_is_refused_lazily(depth: int) -> None:
    """Where the text is looked through, or later, where a member is read with less of the stack left."""
    assert problem_of_depth(10) is None
    assert problem_of_depth(200_000) == problem_of_depth(depth) or problem_of_depth(depth) is None


def problem_of_depth(depth: int) -> Problem | None:
    """What is told of lists in lists, some calls below the one that looks through the text."""
    try:
        document = parse_json_lazily(b'{"data": {"a": ' + b"[" * depth + b"]" * depth + b"}}", "zone.json", "data")
        assert isinstance(document, dict)
        read_deeper(document["data"], 20)
    except ConfigError as error:
        return error.problems[0]
    return None


def read_deeper(lazy: LazyObject, calls: int) -> None:
    """Read all members, from so many calls below."""
    if calls:
        read_deeper(lazy, calls - 1)
    else:
        assert [key for key, _ in lazy.items()] == ["a"]
