import pytest

from serve.middleware.error_body import make_error, normalize_error


def test_an_error_does_not_repeat_a_long_request() -> None:
    long = "k" * 1_000_000
    for body in (
        make_error(long, "invalid_request_error", param=long),
        normalize_error(400, {"error": {"message": long, "param": long}}, ["base"]),
        normalize_error(400, {"detail": long}, ["base"]),
    ):
        assert len(str(body)) < 5_000
        assert str(body["error"]["message"]).startswith("kkk")


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 2048 tokens. However, your prompt is long.",
        "max_tokens=5000 cannot be greater than max_model_len=2048. Please request fewer.",
    ],
)
def test_what_is_too_long_is_told_in_the_words_that_clients_know(message: str) -> None:
    error = normalize_error(400, {"error": {"message": message, "code": 400}}, ["base"])["error"]
    assert error["message"].startswith("This model's maximum context length is 2048 tokens.")
    assert error["code"] == "context_length_exceeded"
    assert error["type"] == "invalid_request_error"
