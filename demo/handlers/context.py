"""The context of all handlers: the server, the shows, the layout, and how an edit is done."""

from collections.abc import Callable, Mapping
from random import Random

from demo.generation.client import ModelClient
from demo.generation.summary import StatusMessage
from demo.handlers.throttle import Throttle
from demo.session.rate_limit import RateLimiter
from demo.ui.forms import FieldValues, SceneForm, read_scene_form
from demo.ui.layout import Layout
from demo.ui.tab import Tab
from demo.ui.view import Updates, View
from nothing_gpt.errors import UserError
from nothing_gpt.quotation import Quotations, read_quotations
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace


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
        self.view = View(layout, self._is_quoted)
        self.throttle = Throttle()
        self.random = Random()  # noqa: S311 - for surprises and seeds
        self._shows = shows
        self._quotations: dict[str, Quotations] = {}

    def read_tab(self, values: FieldValues) -> Tab:
        """Get the tab that an event comes from."""
        tab: Tab = values[self.layout.tab]
        return tab

    def read_form(self, values: FieldValues) -> SceneForm:
        """Read the fields of the scene."""
        models = self.read_tab(values).session.models
        return read_scene_form(values, self.layout, models, self._shows)

    def edit(
        self,
        values: FieldValues,
        change: Callable[[SceneForm], None],
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
        try:
            session.set_direction(form.read_direction(session.history.scene.direction))
            change(form)
        except UserError as error:
            session.status = StatusMessage.problem(error)
            return self.view.show_scene(tab, form, refused=True)
        direction = self.view.show_direction(session, form) if show_direction else {}
        return {**direction, **self.view.show_scene(tab, form)}

    def _is_quoted(self, show: Show, text: str) -> bool:
        """Tell whether a text is in the scripts that the show's models were trained on."""
        if show.name not in self._quotations:
            self._quotations[show.name] = read_quotations(Workspace.default().data(show.name))
        return self._quotations[show.name].contains(text)
