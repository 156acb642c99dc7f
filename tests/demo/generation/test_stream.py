from demo.generation.stream import SpeedMeter, StreamChunk
from demo.generation.summary import describe_speed


def test_a_handful_of_tokens_in_a_piece_is_not_one() -> None:
    meter = SpeedMeter(0.0)
    meter.add_chunk(1.0, StreamChunk("[DO"))
    for i in range(10):
        meter.add_chunk(1.1 + i / 10, StreamChunk("T] It is ringing again, my dear fellow. "))
    assert 80 <= meter.speed.tokens <= 120
    assert describe_speed(meter.speed) == "about 100 tokens/s"


def test_what_the_server_tells_counts() -> None:
    meter = SpeedMeter(0.0)
    meter.add_chunk(1.0, StreamChunk("A", tokens=1))
    meter.add_chunk(2.0, StreamChunk("B" * 100, tokens=8))
    assert describe_speed(meter.speed) == "7 tokens/s"
