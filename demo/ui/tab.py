"""The state of one browser tab."""

from dataclasses import dataclass, field

from demo.session.session import Session
from demo.ui.page_sync import PageSync


@dataclass
class Tab:
    """A tab's session, and what its page has received."""

    session: Session = field(default_factory=Session)
    page_sync: PageSync = field(default_factory=PageSync)
