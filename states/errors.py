"""One tree of refusals. Each carries facts, in codes and numbers, and never a person's data."""

from __future__ import annotations


class Refusal(Exception):
    """A command that may not be carried out. Nothing has changed; `facts` say why and what to do."""

    title = "This cannot be done"

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts


class ImpossibleMove(Refusal):
    """The referral's stage does not allow the command: says the stage and what is possible in it."""

    title = "Not possible at this stage"

    def __init__(self, stage: str, command: str, possible: tuple[str, ...], why: str = "") -> None:
        reason = why or f"'{command}' is not possible while the referral is at '{stage}'"
        super().__init__(
            f"{reason}. Possible now: {', '.join(possible) or 'nothing'}", stage=stage, command=command, possible=list(possible)
        )


class NotYours(Refusal):
    """The actor's role or agency may not do this."""

    title = "Not yours to do"


class NotInProfile(Refusal):
    """A rating, agency or service that the hub's profile does not have."""

    title = "Not in this hub's profile"


class ReasonNeeded(Refusal):
    """The act must be explained in words, because it will be asked about."""

    title = "A reason is needed"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs a reason in words: give it as 'words'", needs=["words"])


class QuorumNotMet(Refusal):
    """A strategy discussion without social care, police and health (Working Together, strategy discussion)."""

    title = "Quorum not met"


class Incomplete(Refusal):
    """The command lacks something that its content makes necessary."""

    title = "Something is missing"


class NothingToActOn(Refusal):
    """A contact with neither a concern nor anything to identify somebody by."""

    title = "Neither a concern nor anything to identify somebody by"


class VersionConflict(Refusal):
    """Somebody was quicker: the referral is no longer the one the caller had seen."""

    title = "The referral has changed since you saw it"


class NotFound(Refusal):
    """No such referral, alert or profile for this caller."""

    title = "Not found"


class Owed(Exception):
    """A part of the product was forgotten. Nothing starts; says the file, and what is owed there."""

    def __init__(self, owed: list[str]) -> None:
        super().__init__("\n".join(owed))
        self.owed = owed
