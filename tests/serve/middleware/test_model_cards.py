"""The cards of `/v1/models` tell clients nothing of the machine that they come from."""

import json
from dataclasses import replace
from pathlib import Path

from nothing_gpt.adapter.manifest import BaseModel, write_manifest
from serve.middleware.model_cards import ModelCards
from tests.serve.conftest import MANIFEST


def test_no_path_of_the_host_is_shown(tmp_path: Path) -> None:
    corpus = replace(MANIFEST.show.corpus, source=str(tmp_path / "scripts"))
    base = BaseModel(str(tmp_path / "my-base"), "cafe")
    manifest = replace(MANIFEST, base=base, show=replace(MANIFEST.show, corpus=corpus))
    write_manifest(tmp_path / "pier", manifest)
    cards = ModelCards("my-base", {"pier": str(tmp_path / "pier")})
    engine = {"data": [{"id": "pier", "created": 1, "max_model_len": 9, "root": str(tmp_path)}]}
    listed = cards.make_list(engine)
    assert str(tmp_path) not in json.dumps(listed)
    about = listed["data"][0]["nothing_gpt"]
    assert about["base"] == listed["data"][0]["parent"] == "my-base"
    assert about["show"]["corpus"]["source"] == "scripts"
