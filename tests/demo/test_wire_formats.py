"""Files that an earlier version of the room wrote, which later ones must open.

`data/` has one scene in three forms: the exported JSON, the record in the browser's storage, and
the fragment of a share link.
"""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

from demo.formats import export_scene, import_scene
from demo.scene.history import History
from demo.scene.history_log import HistoryLog, read_history_log
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.prompt import Direction
from nothing_gpt.records import decode, encode

DATA = Path(__file__).parent / "data"
RETAKE = Provenance("unclaimed", 134255583, "pocket-unclaimed")
SCENE = Scene(
    (
        Entry(
            "One telephone. It rang all the way from the hospital, and I never answered once.",
            "JUNE",
        ),
        Entry("It is ringing now.", "DOT"),
        Entry("Let me. Hello? Yes, he is. He is standing right here, going pale.", "FELIX"),
        Entry("With respect, nobody has that number. We do not have that number.", "MR. PIKE"),
        Entry("<b>ما هذا</b> \U0001f9f3", "AUNT RUTH"),
        Entry("It is for you.", "DOT"),
        Entry("She puts the suitcase down."),
        Entry("Tea first.", "JUNE", RETAKE),
        Entry("Always tea. Twice.", "FELIX", RETAKE, edited=True),
    ),
    Direction(
        "A telephone is handed in, and every call is for Mr. Pike.",
        "INT. OFFICE - LATE",
        ("JUNE", "DOT", "FELIX", "MR. PIKE", "AUNT RUTH"),
    ),
)


def read(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def read_log(data: object) -> History:
    return read_history_log(decode(HistoryLog, data, "the kept scene"))


def without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    return [without_nulls(item) for item in data] if isinstance(data, list) else data


def test_an_exported_scene_opens_and_is_written_as_it_was() -> None:
    text = read("exported-scene.json")
    assert import_scene("json", text) == SCENE
    assert export_scene(SCENE, "json", "Unclaimed") == text


def test_a_scene_from_the_browsers_storage_opens_with_its_whole_history() -> None:
    kept = json.loads(read("kept-scene.json"))["journal"]
    history = read_log(kept)
    assert history.scene == SCENE
    assert len(history.versions) == 11
    assert history.redo().scene == Scene(SCENE.entries[1:], SCENE.direction)
    first_take = history.undo().undo().undo().scene
    assert first_take.last_take == Provenance("unclaimed", 1958453629, "pocket-unclaimed")
    assert len(first_take.entries) == 15

    written = json.loads(json.dumps(encode(HistoryLog(history.versions, history.at))))
    assert written == without_nulls(kept)


def test_a_share_link_opens_without_the_history() -> None:
    name, _, code = read("share-link.txt").strip().partition("=")
    padded = code + "=" * (-len(code) % 4)
    data = json.loads(zlib.decompress(base64.urlsafe_b64decode(padded), wbits=-zlib.MAX_WBITS))
    history = read_log(data)
    assert name == "#scene"
    assert history.scene == SCENE
    assert not history.can_undo
