from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import BaseModel, fingerprint_base, read_manifest, write_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.workspace import Workspace
from serve.models.base_files import find_template
from serve.models.served_models import choose_models
from tests.serve.conftest import MANIFEST

HUB = "meta-llama/Llama-3.2-3B-Instruct"


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Two adapters on a pocket base, one on a hub model."""
    place = Workspace(tmp_path)
    (tmp_path / "bases" / "pocket-a").mkdir(parents=True)
    add(place, "a", "pocket-a")
    add(place, "b", "pocket-a")
    add(place, "big", HUB, state="cafe")
    return place


def add(place: Workspace, name: str, base: str, *, state: str = "", template: str = "t") -> None:
    state = state or fingerprint_base(place.root / "bases" / base)
    write_manifest(place.adapter(name), replace(MANIFEST, base=BaseModel(base, state)))
    (place.adapter(name) / "chat_template.jinja").write_text(template, encoding="utf-8")


def test_a_shows_base_is_served_with_all_adapters_on_it(place: Workspace) -> None:
    models = choose_models(place, "a")
    assert models.names == ("pocket-a", "a", "b")
    assert Path(models.location) == place.root / "bases" / "pocket-a"
    assert models.left_out == {"big": "on another base"}


def test_a_hub_model_is_served_in_the_state_that_training_saw(place: Workspace) -> None:
    models = choose_models(place, "big")
    assert (models.base, models.location, models.revision) == (HUB, HUB, "cafe")
    assert list(models.left_out) == ["a", "b"]


@pytest.mark.parametrize("how", ["name", "path"])
def test_a_base_is_named_by_name_or_path(place: Workspace, how: str) -> None:
    folder = str(place.root / "bases" / "pocket-a")
    assert choose_models(place, base="pocket-a" if how == "name" else folder).names[1:] == (
        "a",
        "b",
    )


def test_a_base_named_like_an_adapter_gets_a_name_of_its_own(place: Workspace) -> None:
    place.model("pier").mkdir()
    for name in ("pier", "pier-base"):
        add(place, name, "pier")
    models = choose_models(place, "pier")
    assert models.names == ("pier-base-base", "pier", "pier-base")
    assert Path(models.location) == place.root / "bases" / "pier"


def test_a_base_without_adapters_is_served_alone(tmp_path: Path) -> None:
    models = choose_models(Workspace(tmp_path), base=HUB)
    assert (models.names, models.revision) == ((HUB,), None)


def test_one_base_needs_no_naming(place: Workspace) -> None:
    for path in place.adapter("big").iterdir():
        path.unlink()
    assert choose_models(place).names == ("pocket-a", "a", "b")


def test_of_two_bases_one_must_be_chosen(place: Workspace) -> None:
    with pytest.raises(UserError, match=f"--show a .*pocket-a.*--show big .*{HUB}"):
        choose_models(place)


def test_adapters_on_another_state_of_the_base_are_left_out(place: Workspace) -> None:
    add(place, "b", "pocket-a", state="1")
    assert choose_models(place, "a").names == ("pocket-a", "a")
    with pytest.raises(UserError, match="states"):
        choose_models(place, base="pocket-a")


def test_a_base_that_was_trained_again_is_noticed(place: Workspace) -> None:
    (place.root / "bases" / "pocket-a" / "model.safetensors").write_bytes(b"other weights")
    for asked in ({"show": "a"}, {"base": "pocket-a"}):
        with pytest.raises(UserError, match=r"a, b: trained on another state of .*pocket-a"):
            choose_models(place, **asked)
    add(place, "a", "pocket-a")
    assert choose_models(place, "a").names == ("pocket-a", "a")


def test_an_adapter_that_is_not_there_is_named_with_those_that_are(place: Workspace) -> None:
    with pytest.raises(UserError, match=r"no adapter 'c'.*a, b, big.*python -m train --show c"):
        choose_models(place, "c")


def test_show_and_base_must_agree(place: Workspace) -> None:
    with pytest.raises(UserError, match=f"--show big stands on {HUB}, not on --base pocket-a"):
        choose_models(place, "big", "pocket-a")


def test_nothing_trained_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="python -m train"):
        choose_models(Workspace(tmp_path))


def test_adapters_share_one_template(place: Workspace) -> None:
    assert find_template(choose_models(place, "a")) == "t"
    add(place, "b", "pocket-a", template="another")
    with pytest.raises(UserError, match="a, b: trained with different chat templates"):
        find_template(choose_models(place, "a"))
    (place.adapter("b") / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match=r"b/chat_template\.jinja"):
        find_template(choose_models(place, "a"))


def test_an_adapter_that_answers_as_one_character_is_left_out(place: Workspace) -> None:
    manifest = read_manifest(place.adapter("a"))
    write_manifest(place.adapter("a-phase1-r16"), replace(manifest, format="single-turn"))
    write_manifest(place.adapter("a-phase4"), replace(manifest, preset="phase4"))
    models = choose_models(place, "a")
    assert models.names == ("pocket-a", "a", "a-phase4", "b")
    assert models.left_out["a-phase1-r16"] == "answers as one character"
    with pytest.raises(UserError, match="answers as one character"):
        choose_models(place, "a-phase1-r16")
