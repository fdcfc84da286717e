"""What a question speaks of, told from its words alone: the document itself, a part that any document has, or a thing.

"What is this paper about?" is near to nothing that a paper says, so neither vectors nor full text find its answer, and
how near the passages are says nothing of whether they hold it. Such a question has no word that names anything: each
is one of the language's own or one of those below. English; what is not understood counts as naming something. Pure.
"""

import re
from enum import StrEnum


class Subject(StrEnum):
    """What a question speaks of."""

    NAMED = "named"
    """Something in the world: the usual question."""
    WHOLE = "whole"
    """The document as a whole: what it is about. Its opening says so."""
    FRONT = "front"
    """Who wrote it, when, under which title: what stands on its first page."""
    PART = "part"
    """A part or a side that most documents have: its findings, its limits, its data."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OF_THE_LANGUAGE = _words(
    """
    a an the this that these those it its he she they them their there here i me my we us our you your is are
    was were be been being do does did done has have had can could would should will may might must shall don
    doesn didn isn aren what what's whats which who whom whose when where why how s re d ll ve t and or but so
    not no nor if then than as of in on at by for from to into with within without over under through all any
    each every some one two three four five few more most much many other another only also very just please
    tell give show say says said let get got make made want need know like go goes take takes sentence sentences
    word words paragraph bullet bullets list short shortly brief briefly quick quickly simple simply detail
    details general overall exactly really basically kind sort thing things something anything everything
    """
)
_DOCUMENT = _words(
    """
    document documents doc docs paper papers file files pdf pdfs text texts article articles book books report
    reports attachment attachments upload uploads work study studies letter essay manual page pages content
    contents attached uploaded author's authors' writer's
    """
)
_GIST = _words(
    """
    about summary summaries summarise summarize summarised summarized sum gist overview tldr tl dr abstract
    outline main key central core idea ideas topic topics subject subjects theme themes point points purpose
    goal goals aim aims objective objectives problem problems question questions issue issues address addresses
    addressed solve solves tackle tackles cover covers deal deals discuss discusses discussed describe describes
    explain explains explaining introduce introduces contain contains contribution contributions contribute
    thesis argument arguments argue argues message claim claims takeaway takeaways try tries trying motivation
    novelty new important essence read learn
    """
)
_FRONT = _words(
    """
    author authors writer writers wrote written publisher publish published publishes publication date dated
    year month title titled called name names affiliation affiliations university journal conference venue
    version
    """
)
_PART = _words(
    """
    limitation limitations limits weakness weaknesses strength strengths drawback drawbacks shortcoming
    shortcomings method methods methodology approach approaches technique techniques propose proposes proposed
    use uses used using data dataset datasets experiment experiments evaluate evaluates evaluated evaluation
    measure measures measured metric metrics result results finding findings find finds found show shows
    conclusion conclusions conclude concludes concluded recommend recommends recommendation recommendations
    suggest suggests suggestion suggestions assumption assumptions evidence future next step steps risk risks
    cost costs price prices deadline deadlines dates number numbers figure figures table tables section sections
    chapter chapters introduction reference references source sources definition definitions example examples
    advantage advantages disadvantage disadvantages benefit benefits challenge challenges related previous
    earlier
    """
)

_WORD = re.compile(r"\w+(?:['’]s)?")


def subject_of(question: str) -> Subject:
    """What the question speaks of; NAMED when in doubt."""
    words = {word.replace("’", "'") for word in _WORD.findall(question.lower())}
    telling = words - _OF_THE_LANGUAGE
    if not telling or not telling <= _DOCUMENT | _GIST | _FRONT | _PART:
        return Subject.NAMED
    if telling & _PART:
        return Subject.PART
    if telling & _FRONT:
        return Subject.FRONT
    # "What is in the file?" asks for all of it too; "the file" alone may be any.
    return Subject.WHOLE
