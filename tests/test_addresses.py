"""Addresses: what their texts say, the round trip of all of them, the laws of their sums, and what is refused."""

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hooke.addresses import Address, Edge, Place, Sum, parse, places, weighted
from hooke.errors import AddressError

# beartype, which checks every call under pytest, looks at random items of containers: also inside strategies.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

A, B, C = Place("a", 3), Place("b", 7), Place("c")

_WORD = "abcXYZ0123456789_"
_layers = st.one_of(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.]{0,8}(~[0-9]{1,2})?(\[[A-Za-z0-9_.]{1,4}\])?", fullmatch=True),
    st.sampled_from(
        ["input", "logits", "0", "1e5", "2", "a-b", "a->b", "`", "``", "a`", " a", "a b", "1e", "-", "~1", "[0]"]
    ),
    st.text(min_size=1, max_size=8),
)
_indices = st.integers(0, 10**18 - 1)
_positions = st.one_of(
    st.none(),
    st.lists(_indices, min_size=1, max_size=3).map(tuple),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True),
)
_channels = st.one_of(
    st.none(), _indices, st.text(max_size=8), st.sampled_from(['"', "\\", "a,b", 'say "hi", \\', "7"])
)
_components = st.tuples(st.text(_WORD, min_size=1, max_size=6), _indices)
_places = st.one_of(
    st.builds(Place, _layers, _channels, _positions),
    st.builds(Place, _layers, st.none(), _positions, _components),
)
_weights = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 0.1, 1e16, 1e15, 1e-7, -1e-310, 1.7976931348623157e308]),
    st.floats(allow_nan=False, allow_infinity=False),
)
# Quarters: their sums and products are exact, so that the laws hold to the bit.
_exact = st.integers(-64, 64).map(lambda quarters: quarters / 4)
_named = st.sampled_from([A, B, C, Place("a", 3, (1, 2)), Place("a", "cat")])


def _sums(weights: st.SearchStrategy[float], of: st.SearchStrategy[Place]) -> st.SearchStrategy[Place | Sum]:
    def legal(terms: list[tuple[float, Place]]) -> Place | Sum:
        try:
            return weighted(terms)
        except AddressError:  # the largest floats add up to infinity
            assume(False)
            raise

    return st.lists(st.tuples(weights, of), min_size=1, max_size=4).map(legal)


_linear = _sums(_exact, _named)
_addresses = st.one_of(_places, _sums(_weights, _places), st.builds(Edge, _sums(_weights, _places), _places))


def _value(address: Place | Sum) -> float:
    """What an address comes to where every place has a number of its own."""
    numbers = {A: 2.0, B: -3.0, C: 0.5, Place("a", 3, (1, 2)): 8.0, Place("a", "cat"): 1.25}
    terms = address.terms if isinstance(address, Sum) else ((1.0, address),)
    return sum(weight * numbers[place] for weight, place in terms)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("blocks.4.1.bn2.act", Place("blocks.4.1.bn2.act")),
        ("blocks.4.1.bn2.act:312", Place("blocks.4.1.bn2.act", 312)),
        ("blocks.4.1.bn2.act:312@5,7", Place("blocks.4.1.bn2.act", 312, (5, 7))),
        ("blocks.4.1.bn2.act@5,7", Place("blocks.4.1.bn2.act", None, (5, 7))),
        ("block:7@12", Place("block", 7, (12,))),
        ("block:7@cls", Place("block", 7, "cls")),
        ("input", Place("input")),
        ("logits:281", Place("logits", 281)),
        ('logits:"tabby"', Place("logits", "tabby")),
        ('logits:"crane"', Place("logits", "crane")),
        ('logits:"tabby, tabby cat"', Place("logits", "tabby, tabby cat")),
        (r'logits:"a \"great\" auk"', Place("logits", 'a "great" auk')),
        ('logits:"7"', Place("logits", "7")),
        ('logits:"crème brûlée"', Place("logits", "crème brûlée")),
        ('logits:"a - b -> c"@3', Place("logits", "a - b -> c", (3,))),
        ("layer#3fa9.2", Place("layer", component=("3fa9", 2))),
        ("layer#curves.2@5,7", Place("layer", None, (5, 7), ("curves", 2))),
        ("relu~2:4", Place("relu~2", 4)),
        ("encoder[0]", Place("encoder[0]")),
        ("encoder~1[0.out]:3", Place("encoder~1[0.out]", 3)),
        ("0", Place("0")),
        ("2*1:5", Sum(((2.0, Place("1", 5)),))),
        ("`my-layer`:3", Place("my-layer", 3)),
        ("`a``b`", Place("a`b")),
        ("2*a:3 - 0.5*b:7", Sum(((2.0, A), (-0.5, B)))),
        ("-a:3", Sum(((-1.0, A),))),
        ("-a:3 + b:7", Sum(((-1.0, A), (1.0, B)))),
        ("1e-05*a:3", Sum(((1e-5, A),))),
        ("a:3 -> b:7", Edge(A, B)),
        ("a:3 - b:7 -> c", Edge(A - B, C)),
        ("a:3 -> -c", Edge(A, -C)),
    ],
)
def test_a_text_means_its_address_and_is_how_it_prints(text: str, address: Address) -> None:
    assert parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  a:3  ", "a:3"),
        ("a:3->b:7", "a:3 -> b:7"),
        ("2 * a:3-.5*b:7", "2*a:3 - 0.5*b:7"),
        ("2.0*a:3", "2*a:3"),
        ("1*a:3", "a:3"),
        ("b:7 + a:3", "a:3 + b:7"),
        ("a:3 + a:3", "2*a:3"),
        ("2*a:3 - a:3", "a:3"),
        ("a:3 - a:3", "0*a:3"),
        ("a:007", "a:7"),
        ("`plain`:1", "plain:1"),
        ('logits:"\\u00e8"', 'logits:"è"'),
        ("`a-b` - c", "`a-b` - c"),
        ("1e-5*a", "1e-05*a"),
        ("1e - 5*a", "1e - 5*a"),
        ("a-b", "a - b"),
    ],
)
def test_other_spellings_have_one_canonical_form(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@given(_addresses)
@example(Edge(Sum(((-1.0, Place("-")),)), Place("->", ">")))
@example(Sum(((1.0, Place("1e")), (-5.0, Place("a")))))
def test_every_address_survives_its_text(address: Address) -> None:
    assert parse(str(address)) == address
    assert hash(parse(str(address))) == hash(address)
    assert str(parse(str(address))) == str(address)


@given(st.text(max_size=20) | st.text('ab01.:@#,-+>*"`~[] e\\', max_size=20))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = parse(text)
    except AddressError:
        return
    assert parse(str(address)) == address


@given(_linear, _linear, _linear)
def test_sums_are_commutative_and_associative(x: Place | Sum, y: Place | Sum, z: Place | Sum) -> None:
    assert x + y == y + x
    assert hash(x + y) == hash(y + x)
    assert (x + y) + z == x + (y + z)


@given(_linear, _linear, _exact, _exact)
def test_scaling_distributes(x: Place | Sum, y: Place | Sum, s: float, t: float) -> None:
    assert s * (x + y) == s * x + s * y
    assert (s + t) * x == s * x + t * x
    assert s * (t * x) == (s * t) * x
    assert s * x == x * s
    assert 1 * x == x
    assert x + x == 2 * x


@given(_linear, _linear)
def test_minus_is_plus_the_negative(x: Place | Sum, y: Place | Sum) -> None:
    assert x - y == x + -1 * y == -(y - x)
    negative = -x
    assert -negative == x


@given(_linear, _linear, _exact)
def test_the_algebra_is_that_of_numbers(x: Place | Sum, y: Place | Sum, s: float) -> None:
    assert _value(x + y) == _value(x) + _value(y)
    assert _value(x - y) == _value(x) - _value(y)
    assert _value(s * x) == s * _value(x)
    assert _value(-x) == -_value(x)


def test_operators_make_new_values() -> None:
    total = A + B
    before = str(total)
    results = (total + C, total - C, -total, 3 * total, A - B)
    assert str(total) == before
    assert (str(A), str(B)) == ("a:3", "b:7")
    assert [str(result) for result in results] == [
        "a:3 + b:7 + c", "a:3 + b:7 - c", "-a:3 - b:7", "3*a:3 + 3*b:7", "a:3 - b:7",
    ]  # fmt: skip


def test_a_term_that_cancels_stays_so_that_every_address_names_a_place() -> None:
    assert str(A - A) == "0*a:3"
    assert places(A - A) == (A,)
    assert math.copysign(1, (-1 * (A - A)).terms[0][0]) == 1  # type: ignore[union-attr]


def test_whole_weights_print_without_a_point_and_others_by_their_shortest_text() -> None:
    assert str(0.1 * A + 3.0 * B) == "0.1*a:3 + 3*b:7"
    assert str(1e16 * A) == "1e+16*a:3"
    assert parse("1e+16*a:3") == 1e16 * A


def test_places_are_listed_once_in_the_order_of_the_text() -> None:
    assert places(A) == (A,)
    assert places(parse("b:7 - 2*a:3")) == (A, B)
    assert places(parse("a:3 + b:7 -> c")) == (A, B, C)
    assert places(Edge(A, A)) == (A,)


def test_addresses_are_frozen_and_work_as_keys() -> None:
    assert {parse("a:3"): 1, parse("a:3 + b:7"): 2}[B + A] == 2
    for address in (A, A + B, Edge(A, B)):
        with pytest.raises(AttributeError):
            address.layer = "z"  # type: ignore[union-attr, misc]


def test_a_truth_value_as_an_index_becomes_a_number() -> None:
    place = Place("a", True, (False, True))
    assert str(place) == "a:1@0,1"
    assert type(place.channel) is int


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("", 0, "name of a layer"),
        ("   ", 3, "name of a layer"),
        (":3", 0, "name of a layer"),
        ("a:", 2, "expected a number"),
        ("a:-1", 2, "expected a number"),
        ("logits:tabby", 7, "double quotes"),
        ('logits:"tabby', 7, "quoted as in JSON"),
        ("a@", 2, "position"),
        ("a@1,", 3, "end"),
        ("a@1,x", 3, "end"),
        ("a#3fa9", 2, "HASH.INDEX"),
        ("a#3fa9.1:2", 9, "not both"),
        ("a b", 2, "end"),
        ("a:3 - ", 6, "name of a layer"),
        ("a:3 - - b", 6, "name of a layer"),
        ("a:3 ->", 6, "name of a layer"),
        ("a -> b -> c", 7, "end"),
        ("2*2*a", 3, "end"),
        ("a*2", 1, "end"),
        ("1e999*a", 0, "finite"),
        ("a + 1e999*b", 4, "finite"),
        ("`a", 0, "backquote"),
        ("``", 0, "backquote"),
        ("a:" + "9" * 19, 2, "expected a number"),
        ("a:3@1@2", 5, "end"),
        ("läyer", 1, "end"),
    ],
)
def test_a_malformed_text_is_refused_at_its_position(text: str, at: int, reason: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse(text)
    assert caught.value.request == f"address {text!r}"
    assert f"at position {at}," in caught.value.reason
    assert reason in caught.value.reason
    assert "blocks.4.1.bn2.act:312@5,7" in caught.value.next_step


@pytest.mark.parametrize(
    "make",
    [
        lambda: Place(""),
        lambda: Place("a", -1),
        lambda: Place("a", 10**18),
        lambda: Place("a", 3, ()),
        lambda: Place("a", 3, (-1,)),
        lambda: Place("a", 3, "5,7"),
        lambda: Place("a", 3, "two words"),
        lambda: Place("a", 3, None, ("3fa9", 2)),
        lambda: Place("a", None, None, ("3f-9", 2)),
        lambda: Place("a", None, None, ("3fa9", -2)),
        lambda: Sum(()),
        lambda: Sum(((1.0, A),)),
        lambda: Sum(((0.5, A), (0.5, A))),
        lambda: Sum(((math.nan, A),)),
        lambda: math.inf * A,
        lambda: weighted([]),
    ],
)
def test_a_value_that_no_text_could_spell_cannot_be_made(make: Callable[[], object]) -> None:
    with pytest.raises(AddressError):
        make()


def test_what_is_no_sum_cannot_be_added_or_scaled() -> None:
    for make in (lambda: A + Edge(A, B), lambda: A - 1, lambda: "2" * A, lambda: A * B):  # type: ignore[operator]
        with pytest.raises(TypeError):
            make()
