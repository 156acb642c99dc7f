from demo.generation.speed import SpeedMeter, describe_speed
from demo.generation.stream import StreamChunk


def test_a_handful_of_tokens_in_a_piece_is_not_one() -> None:
    clock = SpeedMeter(0.0)
    clock.tick(1.0, StreamChunk("[DO"))
    for i in range(10):
        clock.tick(1.1 + i / 10, StreamChunk("T] It is ringing again, my dear fellow. "))
    assert 80 <= clock.speed.tokens <= 120
    assert describe_speed(clock.speed) == "about 100 tokens/s"


def test_what_the_server_tells_counts() -> None:
    clock = SpeedMeter(0.0)
    clock.tick(1.0, StreamChunk("A", tokens=1))
    clock.tick(2.0, StreamChunk("B" * 100, tokens=8))
    assert describe_speed(clock.speed) == "7 tokens/s"
