"""What the campaign refuses.

Refusal
├── DefinitionFaulty   422  the definition has faults; each is named
├── PublicationStopped 422  a review found what keeps it from being published
├── CampaignUnknown    404  no such campaign or version was published
├── DraftChanged       409  somebody saved the draft, or published, in the meantime
├── DraftTooLarge      413  a draft of this size is kept as files
├── ReasonMissing      422  whoever publishes says why
└── NoCampaign         503  nothing has been published yet
"""

from collections.abc import Sequence
from typing import ClassVar

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import Fault
from tidegate.offer.campaign.reviewing import Finding, Severity


class DefinitionFaulty(Refusal):
    """The definition has faults; ``faults`` holds every one that was found, in the order of the file."""

    code: ClassVar[str] = "definition-faulty"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The campaign definition has faults"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(
            f"The definition has {count}. Nothing was published; correct them and publish again.",
            faults=[str(fault) for fault in faults],
        )


_NAMED = 5
"""Findings in a refusal's sentence; its fields have more."""


class PublicationStopped(Refusal):
    """The definition is free of contradictions and may not be published: ``findings`` says by which law."""

    code: ClassVar[str] = "publication-stopped"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The campaign may not be published"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        blocking = sum(finding.severity is Severity.BLOCKING for finding in findings)
        super().__init__(
            f"{blocking} findings block it and {len(findings) - blocking} warnings are not waived. Nothing was "
            "published. Change what each finding names; a warning may also be waived by a named person with a reason. "
            + "; ".join(f"{each.law}: {each.what.en}" for each in self.findings[:_NAMED]),
            findings=[f"{each.severity.value} {each.law}: {each.what.en}" for each in self.findings[:50]],
        )


class CampaignUnknown(Refusal):
    """No such campaign, or no such version of it, has been published."""

    code: ClassVar[str] = "campaign-unknown"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "Campaign not known"


class DraftChanged(Refusal):
    """Another revision was saved, or another version published, after the text in hand was read."""

    code: ClassVar[str] = "draft-changed"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The draft has changed in the meantime"


class DraftTooLarge(Refusal):
    """The texts are larger than a draft may be."""

    code: ClassVar[str] = "draft-too-large"
    status: ClassVar[int] = 413
    title: ClassVar[str] = "Too large for a draft"


class ReasonMissing(Refusal):
    """A publication from the console states its reason."""

    code: ClassVar[str] = "reason-missing"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Reason missing"


class NoCampaign(Refusal):
    """Nothing has been published yet."""

    code: ClassVar[str] = "no-campaign"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "No campaign"
