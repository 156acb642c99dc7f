"""The state of one browser tab."""

from dataclasses import dataclass, field

from demo.session.session import Session
from demo.ui.page_sync import PageSync


@dataclass
class Tab:
    """A tab's session, and what its page has received.

    Attributes:
        opened: Whether this server has opened the page. A page that an earlier server opened goes
            on with this one, without being loaded again.
        fields_shown: The number of the last action after which the direction's fields were set.
    """

    session: Session = field(default_factory=Session)
    page_sync: PageSync = field(default_factory=PageSync)
    opened: bool = False
    fields_shown: int = 0
