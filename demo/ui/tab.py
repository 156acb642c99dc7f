"""What belongs to one browser tab: the session, and what its page was told."""

from dataclasses import dataclass, field

from demo.session.session import Session
from demo.ui.page_sync import PageSync


@dataclass
class Tab:
    """One tab, for as long as it is open."""

    session: Session = field(default_factory=Session)
    sheet: PageSync = field(default_factory=PageSync)
