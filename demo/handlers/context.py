"""The context of all handlers: the server, the shows, the layout, and how an edit is done."""

from collections.abc import Callable, Mapping
from random import Random

import gradio as gr

from demo.generation.client import ModelClient
from demo.generation.summary import StatusMessage
from demo.handlers.throttle import Throttle
from demo.session.rate_limit import RateLimiter
from demo.session.session import Session
from demo.session.show_quotations import ShowQuotations
from demo.ui.forms import DirectionInput, FieldValues, SceneForm, read_scene_form
from demo.ui.layout import Layout
from demo.ui.page_action import PageAction, read_action
from demo.ui.tab import Tab
from demo.ui.view import Updates, View
from nothing_gpt.errors import UserError
from nothing_gpt.records import decode
from nothing_gpt.show import Show


class AppContext:
    """What the handlers share. Gradio runs them in one event loop.

    Args:
        preferred_model: The model to begin with; empty for the server's first adapter.
    """

    def __init__(
        self,
        client: ModelClient,
        shows: Mapping[str, Show],
        preferred_model: str,
        layout: Layout,
        rate_limiter: RateLimiter,
    ) -> None:
        self.client = client
        self.preferred_model = preferred_model
        self.rate_limiter = rate_limiter
        self.layout = layout
        self.view = View(layout, ShowQuotations().contains)
        self.throttle = Throttle()
        self.random = Random()  # noqa: S311 - for surprises and seeds
        self.shows = shows

    def read_tab(self, values: FieldValues) -> Tab:
        """Get the tab that an event comes from."""
        tab: Tab = values[self.layout.tab]
        return tab

    def read_form(self, values: FieldValues) -> SceneForm:
        """Read the fields of the scene."""
        models = self.read_tab(values).session.models
        return read_scene_form(values, self.layout, models, self.shows)

    def admit(self, event: gr.EventData, values: FieldValues) -> PageAction | None:
        """Read an action of the page; None if it is not to be done now (`PageSync.admit`)."""
        action = read_action(event)
        admitted = self.read_tab(values).page_sync.admit(action.run, action.number)
        return action if admitted else None

    def save_direction(self, session: Session, form: SceneForm, action: PageAction) -> None:
        """Save the direction that an action brings along, if it does.

        Raises:
            UserError: a guest's name is not valid.
        """
        fields = action.fields.get("direction")
        if fields is not None:
            given = decode(DirectionInput, fields, "the page")
            session.set_direction(form.read_direction(given, session.history.scene.direction))

    def edit(
        self,
        event: gr.EventData,
        values: FieldValues,
        change: Callable[[SceneForm, PageAction], None],
        *,
        show_direction: bool = False,
    ) -> Updates:
        """Save the direction, make a change, and show the result.

        Args:
            show_direction: Whether the change can replace the direction, so that its fields must
                be updated.
        """
        tab, form = self.read_tab(values), self.read_form(values)
        session = tab.session
        action = self.admit(event, values)
        if action is None:
            return self.view.show_scene(tab, form)
        try:
            self.save_direction(session, form, action)
            change(form, action)
        except UserError as error:
            session.status = StatusMessage.problem(error)
            return self.view.show_scene(tab, form, refused=True)
        except Exception:
            tab.page_sync.refused += 1
            raise
        return {
            **self.show_fields(tab, form, action, show_direction=show_direction),
            **self.view.show_scene(tab, form),
        }

    def show_fields(
        self, tab: Tab, form: SceneForm, action: PageAction, *, show_direction: bool
    ) -> Updates:
        """Set the direction's fields, if an action has changed them.

        They are also set if the action brings what was in them before they were set last: the
        newer words are then only here, and no longer in the fields.
        """
        overwritten = "direction" in action.fields and action.seen < tab.fields_shown
        if not (show_direction or overwritten):
            return {}
        tab.fields_shown = action.number
        return self.view.show_direction(tab.session, form)
