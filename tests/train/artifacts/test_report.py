from nothing_gpt.adapter.manifest import BaseModel, Manifest
from nothing_gpt.show import Character, Corpus, PromptText, Show
from train.artifacts.report import UsedExamples, render_report
from train.estimate.machine import Machine

SHOW = Show(
    name="pier",
    title="The Pier",
    cast=(Character("ANN", voice="kind"),),
    prompt=PromptText("script", "A scene."),
    corpus=Corpus("scripts", "CC0-1.0"),
)
MANIFEST = Manifest(
    show=SHOW,
    format="script",
    base=BaseModel("meta-llama/Llama-3.2-3B-Instruct", "cafe"),
    rank=32,
    config={"rank": 32, "learning_rate": 3e-5},
    metrics={
        "eval_loss": 2.1,
        "base_eval_loss": 2.9,
        "last_eval_loss": 2.3,
        "steps": 100.0,
        "adapter_step": 50.0,
        "all_eval_loss": 2.2,
        "all_eval_seconds": 70.4,
    },
    git_revision="abcdef0",
    inputs="4567",
    versions={"torch": "2.13.0"},
    preset="phase4",
    checkpoint="best",
)
ENTRIES = [
    {"step": 0, "eval_loss": 2.9, "eval_runtime": 40.0},
    *(
        entry
        for step, loss, held_out in ((50, 2.0, 2.1), (100, 1.2, 2.3))
        for entry in (
            {
                "step": step,
                "loss": loss,
                "tokens": 1000 * step,
                "tokens_per_second": 2000.0 + step,
                "memory_gib": 12.5,
                "seconds": 36.0 * step,
            },
            {"step": step, "eval_loss": held_out, "eval_runtime": 40.0},
            {"step": step, "scenes": [], "scene_seconds": 6.0},
        )
    ),
]
DATA = {
    "examples": {"train": 9007, "validation": 1021},
    "source": "kaggle:a/b",
    "inputs": "89ab",
}


def test_the_page_tells_what_was_done_on_what_and_what_it_cost() -> None:
    used = UsedExamples(1600, 1021)
    machine = Machine("NVIDIA L4", 1, gpu=True)
    page = render_report("pier-phase4", MANIFEST, ENTRIES, DATA, used, machine)
    assert page.startswith("# Adapter pier-phase4\n\nHeld-out loss **2.100** at step 50 of 100;")
    for text in (
        "the last one, with 2.300, lies in `last/`",
        "**Warning:** training loss 1.200 far below the held-out 2.300 at step 100",
        "| machine | 1 x NVIDIA L4 |",
        "| time, evaluations included | 3,646 s |",
        "| of it evaluations | 120 s, 3.3% |",
        "| of it sample scenes | 12 s, 0.3% |",
        "| then all held-out examples | 70 s |",
        "| tokens seen, without padding | 100,000 |",
        "| cost | $0.81 at the list price |",
        "| training examples | 1,600 of 9,007 |",
        "| held-out examples | 1,021 |",
        "| fingerprint of the data | `89ab` |",
        "| learning_rate | 3e-05 |",
        "| git revision | `abcdef0` |",
        "| torch | 2.13.0 |",
    ):
        assert text in page


def test_a_cost_that_nobody_knows_is_not_guessed() -> None:
    machine = Machine("x86_64", 2, gpu=False)
    page = render_report("pier-phase4", MANIFEST, ENTRIES, DATA, UsedExamples(9007, 1021), machine)
    assert "| cost | no price is known |" in page
