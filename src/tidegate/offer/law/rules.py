"""Decisions of the law: which articles hold for a campaign, what its checks find, which waivers can be taken. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice

from tidegate.offer.campaign.api import Finding, ReachedPrice, Review, Severity, Waiver
from tidegate.offer.campaign.contracts import CampaignDefinition, PhaseName
from tidegate.offer.law.acts import laws_for
from tidegate.offer.law.checks import CHECKS
from tidegate.offer.law.contracts import Case, Found, Law, PresaleTerms, PrizeTerms
from tidegate.offer.law.errors import WaiverFaulty

FINDINGS_PER_ARTICLE_MAX = 200
LOWEST_KEPT_MAX = 200
REASON_MAX = 2_000

_ORDER = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.NOTICE: 2}


def laws_of_campaign(definition: CampaignDefinition) -> list[Law]:
    """The articles in force on some day of the sale, where the campaign's currency is paid."""
    first, last = sale_days(definition)
    return laws_for(definition.currency, first, last)


def sale_days(definition: CampaignDefinition) -> tuple[date, date]:
    """The first and the last day of the sale, in UTC."""
    burst = definition.phase(PhaseName.BURST)
    return burst.starts_at.date(), burst.ends_at.date()


def days_asked(laws: Iterable[Law]) -> set[int]:
    """How many days before the sale the checks want to know prices of."""
    return {law.article.figures["days"] for law in laws if CHECKS[law.article.check].reads_history}


def presales_of(definition: CampaignDefinition) -> tuple[PresaleTerms, ...]:
    """The presales of a definition as the law judges them: by what a unit costs in all, deposit and balance."""
    return tuple(
        PresaleTerms(sku=each.sku, price=each.in_all, deposit=each.deposit, path=("presale", place, "deposit"))
        for place, each in enumerate(definition.presales)
    )


def prizes_of(definition: CampaignDefinition) -> tuple[PrizeTerms, ...]:
    """The prizes of a definition's draws as the law judges them: by what one of them is worth."""
    return tuple(
        PrizeTerms(name=prize.name, value=prize.value, path=("draw", place, "prize", number, "value"))
        for place, draw in enumerate(definition.draws)
        for number, prize in enumerate(draw.prizes)
    )


def findings(case: Case, laws: Sequence[Law]) -> tuple[Finding, ...]:
    """Everything that these articles find in the case, what blocks first; at most so many of one article."""
    found = [
        _finding(law, each)
        for law in laws
        for each in islice(CHECKS[law.article.check].judge(case, law.article), FINDINGS_PER_ARTICLE_MAX)
    ]
    return tuple(sorted(found, key=lambda each: _ORDER[each.severity]))


def _finding(law: Law, found: Found) -> Finding:
    # A check may find something less grave than its article, never graver.
    severity = max(found.severity or law.article.severity, law.article.severity, key=_ORDER.__getitem__)
    url = f" {law.article.url}" if law.article.url else ""
    return Finding(
        law=law.article.id,
        severity=severity,
        article=law.name,
        reference=f"{law.reference}{url}",
        path=found.path,
        what=found.what,
        mend=found.mend,
    )


def review_of(case: Case, laws: Sequence[Law]) -> Review:
    """The review of a case; of the lowest prices the worst are kept."""
    lowest: tuple[ReachedPrice, ...] = case.lowest[:LOWEST_KEPT_MAX]
    return Review(findings=findings(case, laws), lowest=lowest, reviewed_at=case.at)


def require_waivers(waivers: Sequence[Waiver], review: Review) -> None:
    """Each waiver names a person, a reason, and an article whose warnings were found. Raises WaiverFaulty."""
    warned = {finding.law for finding in review.findings if finding.severity is Severity.WARNING}
    given: set[str] = set()
    for waiver in waivers:
        if not waiver.by.strip() or not waiver.reason.strip() or len(waiver.reason) > REASON_MAX:
            raise WaiverFaulty(
                f"The waiver of {waiver.law} needs the name of a person and a reason of at most {REASON_MAX} "
                "characters. Nothing was published."
            )
        if waiver.law not in warned or waiver.law in given:
            raise WaiverFaulty(
                f"There is no warning of {waiver.law} to waive, or it is waived twice. Nothing was published; "
                f"warnings found: {', '.join(sorted(warned)) or 'none'}."
            )
        given.add(waiver.law)
