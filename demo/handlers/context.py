"""What all handlers of the room share: its server, its shows, and how an action is done."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from demo.generation.client import Endpoint
from demo.handlers.throttle import Pace
from demo.session.rate_limit import Meter
from demo.session.session import Note
from demo.ui.layout import Layout
from demo.ui.scene_form import Desk, read_desk
from demo.ui.tab import Visit
from demo.ui.view import Drawing, Update
from nothing_gpt.errors import UserError
from nothing_gpt.quotation import Quotations, read_quotations
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace


class Floor:
    """The room as its handlers see it. Gradio runs them in one event loop."""

    def __init__(
        self,
        endpoint: Endpoint,
        shows: Mapping[str, Show],
        wanted: str,
        parts: Layout,
        meter: Meter | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.shows = shows
        self.wanted = wanted
        self.meter = meter
        self.parts = parts
        self.draw = Drawing(parts, self.quoted)
        self.pace = Pace()
        self._quotations: dict[str, Quotations] = {}
        self.random = Random()  # noqa: S311 - for surprises and the seeds of takes

    def quoted(self, show: Show, text: str) -> bool:
        """Tell whether words stand in the scripts that the show's models were trained on."""
        if show.name not in self._quotations:
            self._quotations[show.name] = read_quotations(Workspace.default().data(show.name))
        return self._quotations[show.name].holds(text)

    def desk(self, visit: Visit, fields: Sequence[Any]) -> Desk:
        """Read the fields that every action reads, or the model and the show alone."""
        direction = fields[2:] or ("", "", [], "")
        return read_desk(visit.session.models, self.shows, *fields[:2], *direction)

    def act(
        self,
        visit: Visit,
        fields: Any,
        change: Callable[[Desk], None],
        *,
        redirect: bool = False,
    ) -> Update:
        """Take the direction over, make a change, and show what came of it.

        After a redirecting change the fields of the direction show the scene's own.
        """
        desk, session = self.desk(visit, fields), visit.session
        try:
            session.direct(desk.direct(session.history.scene.direction))
            change(desk)
        except UserError as error:
            session.note = Note.problem(error)
            return self.draw.view(visit, desk, refused=True)
        directed = self.draw.direction(session, desk) if redirect else {}
        return {**directed, **self.draw.view(visit, desk)}
