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
