import pytest

from nothing_gpt.line import Line
from nothing_gpt.prompt import Direction, build_completion, build_messages, parts_of
from nothing_gpt.show import Character, Corpus, FormatName, PromptText, Show

CAST = (Character("ANN", voice="kind"), Character("BOB", voice="loud"), Character("MR. COLE"))
SHOW = Show(
    name="pier",
    title="The Pier",
    cast=CAST,
    prompt=PromptText(format="script", system="From {title}.\n\n{cast}"),
    corpus=Corpus(kind="fountain", source="scripts", licence="CC0-1.0"),
)
SYSTEM = "From The Pier.\n\n- ANN: kind\n- BOB: loud"
CONTEXT = [Line("BOB", "Rain."), Line("MR. COLE", "Again.")]
FULL = Direction("A boat is late.", "EXT. PIER - DAY", ("WIFE", "BOB", "ANN", "BOY"))


def test_a_script_prompt_never_varies() -> None:
    plain = build_messages(SHOW, "script", CONTEXT)
    assert plain == [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "[BOB] Rain.\n[MR. COLE] Again."},
    ]
    assert build_messages(SHOW, "script", CONTEXT, FULL) == plain
    assert parts_of("script") == ()


def test_a_directed_prompt_says_what_it_is_given() -> None:
    system, user = build_messages(SHOW, "directed", CONTEXT, FULL)
    assert system["content"] == (
        f"{SYSTEM}\n\nPremise: A boat is late.\nSetting: EXT. PIER - DAY\n"
        "Present: ANN, BOB, BOY, WIFE"
    )
    assert user["content"] == "[BOB] Rain.\n[MR. COLE] Again."
    assert parts_of("directed") == ("premise", "setting", "present")


@pytest.mark.parametrize(
    ("direction", "told"),
    [
        (Direction(), ""),
        (Direction(setting="THE PIER"), "\n\nSetting: THE PIER"),
        (Direction(premise="A\nPresent: BOB"), "\n\nPremise: A Present: BOB"),
        (Direction(present=("BOB",), premise=" "), "\n\nPresent: BOB"),
    ],
)
def test_what_is_not_given_is_not_mentioned(direction: Direction, told: str) -> None:
    assert build_messages(SHOW, "directed", [], direction)[0]["content"] == SYSTEM + told


@pytest.mark.parametrize("format_name", ["script", "directed"])
def test_a_scene_may_begin_from_nothing(format_name: FormatName) -> None:
    assert build_messages(SHOW, format_name, [])[1] == {"role": "user", "content": ""}


def test_the_completion_is_the_lines() -> None:
    assert build_completion(CONTEXT) == [
        {"role": "assistant", "content": "[BOB] Rain.\n[MR. COLE] Again."}
    ]


def test_a_single_turn_is_one_speech_for_another() -> None:
    system, user = build_messages(SHOW, "single-turn", CONTEXT, speaker="ANN")
    assert system["content"].startswith("You are ANN in The Pier: kind.\n")
    assert user == {"role": "user", "content": "Again."}
    assert build_completion([Line("ANN", "I know.")], "single-turn") == [
        {"role": "assistant", "content": "I know."}
    ]
    guest = build_messages(SHOW, "single-turn", CONTEXT, FULL, speaker="MR. COLE")[0]
    assert guest["content"].startswith("You are MR. COLE in The Pier.\n")


def test_in_a_chat_with_one_character_its_own_speeches_are_the_assistants() -> None:
    speeches = ["ANN: One.", "BOB: Two.", "ANN: Three.", "MR. COLE: Four.", "BOB: Five."]
    context = [Line(*speech.split(": ")) for speech in speeches]
    _, *chat = build_messages(SHOW, "per-character", context, speaker="ANN")
    assert chat == [
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "[BOB] Two."},
        {"role": "assistant", "content": "Three."},
        {"role": "user", "content": "[MR. COLE] Four.\n[BOB] Five."},
    ]


@pytest.mark.parametrize("format_name", ["single-turn", "per-character"])
def test_one_character_must_be_named(format_name: FormatName) -> None:
    with pytest.raises(ValueError, match="say which"):
        build_messages(SHOW, format_name, CONTEXT)
    assert parts_of(format_name) == ()
