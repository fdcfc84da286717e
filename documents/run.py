"""One document on its way through one run of the ingest."""

from dataclasses import dataclass

from documents.claims import Claim, Pulse
from documents.models import Document
from documents.progress import Progress


@dataclass(slots=True)
class Run:
    """`outcome` is empty while the run goes on, then one of a few words for the log."""

    claim: Claim
    document: Document
    progress: Progress
    pulse: Pulse
    outcome: str = ""

    def check(self) -> None:
        """Raise ClaimLost if the document is no longer this run's."""
        self.pulse.check(self.claim)
