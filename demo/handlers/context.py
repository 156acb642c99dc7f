"""What all handlers of the room share: its server, its shows, and how an action is done."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from demo.generation.client import ModelClient
from demo.handlers.throttle import Throttle
from demo.session.rate_limit import RateLimiter
from demo.session.session import StatusMessage
from demo.ui.layout import Layout
from demo.ui.scene_form import SceneForm, read_scene_form
from demo.ui.tab import Tab
from demo.ui.view import Updates, View
from nothing_gpt.errors import UserError
from nothing_gpt.quotation import Quotations, read_quotations
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace


class AppContext:
    """The room as its handlers see it. Gradio runs them in one event loop."""

    def __init__(
        self,
        endpoint: ModelClient,
        shows: Mapping[str, Show],
        wanted: str,
        parts: Layout,
        meter: RateLimiter | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.shows = shows
        self.wanted = wanted
        self.meter = meter
        self.parts = parts
        self.draw = View(parts, self.quoted)
        self.pace = Throttle()
        self._quotations: dict[str, Quotations] = {}
        self.random = Random()  # noqa: S311 - for surprises and the seeds of takes

    def quoted(self, show: Show, text: str) -> bool:
        """Tell whether words stand in the scripts that the show's models were trained on."""
        if show.name not in self._quotations:
            self._quotations[show.name] = read_quotations(Workspace.default().data(show.name))
        return self._quotations[show.name].contains(text)

    def desk(self, visit: Tab, fields: Sequence[Any]) -> SceneForm:
        """Read the fields that every action reads, or the model and the show alone."""
        direction = fields[2:] or ("", "", [], "")
        return read_scene_form(visit.session.models, self.shows, *fields[:2], *direction)

    def act(
        self,
        visit: Tab,
        fields: Any,
        change: Callable[[SceneForm], None],
        *,
        redirect: bool = False,
    ) -> Updates:
        """Take the direction over, make a change, and show what came of it.

        After a redirecting change the fields of the direction show the scene's own.
        """
        desk, session = self.desk(visit, fields), visit.session
        try:
            session.direct(desk.direct(session.history.scene.direction))
            change(desk)
        except UserError as error:
            session.note = StatusMessage.problem(error)
            return self.draw.view(visit, desk, refused=True)
        directed = self.draw.direction(session, desk) if redirect else {}
        return {**directed, **self.draw.view(visit, desk)}
