"""One document on its way through one run of the ingest."""

from dataclasses import dataclass

from documents.ingest.claims import Claim, Pulse
from documents.ingest.contents import Contents
from documents.ingest.progress import Progress
from documents.models import Document


@dataclass(slots=True)
class Run:
    """`outcome` is empty while the run goes on, then one of a few words for the log. A run that is not alone is
    one of a lot, whose others wait for it."""

    claim: Claim
    document: Document
    progress: Progress
    pulse: Pulse
    is_alone: bool = True
    may_have_twin: bool = True
    contents: Contents | None = None
    """What was read and is not stored yet: a small file's waits until the others of its lot are read."""
    fresh: list[tuple[int, str]] | None = None
    """The chunks that this run has made, with the texts to embed; None if they were there already."""
    outcome: str = ""

    def check(self) -> None:
        """Raise ClaimLost if the document is no longer this run's."""
        self.pulse.check(self.claim)
