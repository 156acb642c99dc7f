"""What the page is sent."""

import gradio as gr

from demo.generation.models import ModelChoice
from demo.ui.forms import SceneForm
from demo.ui.layout import STAGE_DIRECTION, build_layout
from demo.ui.tab import Tab
from demo.ui.view import View
from nothing_gpt.show import load_show

SHOW = load_show("unclaimed")


def test_the_page_is_sent_the_speakers_when_they_change() -> None:
    with gr.Blocks():
        layout = build_layout({SHOW.name: SHOW}, SHOW.name, "", [], "")
    view, tab = View(layout, lambda _show, _text: False), Tab()
    form = SceneForm(ModelChoice("base", "", SHOW, "directed", has_own_show=False))
    who, fields = layout.composer.speaker, set(layout.generation.names)
    assert view.show_scene(tab, form)[who]["choices"] == [*SHOW.names, STAGE_DIRECTION]
    assert not {who, *fields} & view.show_scene(tab, form).keys()
    tab.session.write(SHOW, "RUTH", "Is anybody in?")
    sent = view.show_scene(tab, form)
    assert sent[who]["choices"] == [*SHOW.names, "RUTH", STAGE_DIRECTION]
    assert all("RUTH" in sent[field]["choices"] for field in fields)
