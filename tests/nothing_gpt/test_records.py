from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.errors import UserError
from nothing_gpt.records import decode, encode


@dataclass(frozen=True)
class Wheel:
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("a wheel has no negative size")


class Seat(TypedDict):
    row: int


@dataclass(frozen=True)
class Bus:
    number: str
    fuel: Literal["gas", "current"] = "gas"
    speed: float = 30.0
    late: bool = False
    driver: str | None = None
    spare: Wheel | None = None
    wheels: tuple[Wheel, ...] = ()
    fares: dict[str, int] = field(default_factory=dict)
    stops: str | tuple[str, ...] = ()
    seats: tuple[Seat, ...] | None = None


wheels = st.builds(Wheel, st.integers(0, 99))


@given(
    st.builds(
        Bus,
        number=st.text(),
        fuel=st.sampled_from(["gas", "current"]),
        speed=st.floats(allow_nan=False),
        late=st.booleans(),
        driver=st.none() | st.text(),
        spare=st.none() | wheels,
        wheels=st.lists(wheels).map(tuple),
        fares=st.dictionaries(st.text(), st.integers()),
        stops=st.text() | st.lists(st.text()).map(tuple),
        seats=st.none() | st.lists(st.builds(Seat, row=st.integers())).map(tuple),
    )
)
def test_decode_reads_what_encode_wrote(bus: Bus) -> None:
    assert decode(Bus, encode(bus), "bus.json") == bus


def test_an_integer_will_do_for_a_float() -> None:
    assert decode(Bus, {"number": "12", "speed": 40}, "bus.toml").speed == 40.0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"number": "12", "colour": "red"}, r"bus\.toml: unknown key 'colour'; allowed.*number"),
        ({}, r"bus\.toml: missing key 'number'"),
        ({"number": 12}, r"'number' must be a str, found 12"),
        ({"number": "12", "late": 1}, r"'late' must be a bool"),
        ({"number": "12", "fares": {"child": True}}, r"'fares\.child' must be a int"),
        ({"number": "12", "speed": "fast"}, r"'speed' must be a float"),
        ({"number": "12", "speed": True}, r"'speed' must be a float"),
        ({"number": "12", "fuel": "steam"}, r"'fuel' is 'steam'; allowed: gas, current"),
        ({"number": "12", "wheels": [{"size": 1}, {}]}, r"wheels\[1\]: missing key 'size'"),
        ({"number": "12", "wheels": "four"}, r"'wheels' must be a"),
        ({"number": "12", "spare": {"size": -1}}, r"spare: a wheel has no negative size"),
        ({"number": "12", "seats": [{"row": "A"}]}, r"seats\[0\]: 'row' must be a int"),
        ({"number": "12", "seats": [{"seat": 1}]}, r"seats\[0\]: expected the keys row"),
        ({"number": "12", "seats": ["1A"]}, r"seats\[0\]: expected the keys row, found '1A'"),
        (["number"], r"bus\.toml: expected a table"),
    ],
)
def test_mistakes_name_the_file_and_the_key(data: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        decode(Bus, data, "bus.toml")
