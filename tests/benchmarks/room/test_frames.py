import pytest

from benchmarks.room.frames import CHROMIUM, measure_all


def test_what_is_drawn_does_not_grow_with_the_scene() -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    short, long = measure_all((15, 200), written=3)
    assert min(short["frames"], long["frames"]) > 10
    assert long["mutations"] == pytest.approx(short["mutations"], abs=10)
