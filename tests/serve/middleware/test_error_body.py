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
