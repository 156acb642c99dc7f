from deployment.images import environment
from nothing_gpt.workspace import VARIABLE


def test_every_cache_is_on_the_volume() -> None:
    variables = environment()
    assert variables[VARIABLE] == "/volume"
    caches = [value for name, value in variables.items() if "CACHE" in name or name == "HF_HOME"]
    assert len(caches) == 5
    assert all(value.startswith("/volume/cache/") for value in caches)
