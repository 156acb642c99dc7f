from deployment.facts import ENDPOINT


def test_the_room_looks_up_the_class_that_serve_has() -> None:
    from serve import modal_app

    assert hasattr(modal_app, ENDPOINT)
