"""The editor of a campaign: its draft as text, examined as one types, saved revision by revision, published."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter, QueryParameter

from tidegate.app.console.costing import PAST_ORDERS, past_cost
from tidegate.app.console.drafting import Examined, examine
from tidegate.app.console.example import CART_LINES, ExampleBuyer, ExampleCart, Known, first_cart, named_in
from tidegate.app.console.findings import grouped
from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.words import refusal_words
from tidegate.app.pages.answer import PRIVATE, see_other
from tidegate.app.pages.language import Language
from tidegate.app.publication import PublicationDesk
from tidegate.app.storefront.wording import Spoken, spoken
from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.api import (
    Campaign,
    CampaignFiles,
    Draft,
    Review,
    RevisionSummary,
    Severity,
    Waiver,
    fault_words,
    first_draft,
    write_definition,
)
from tidegate.offer.campaign.contracts import CampaignId, CampaignVersion, Fault, Words
from tidegate.offer.campaign.errors import (
    CampaignUnknown,
    DefinitionFaulty,
    DraftChanged,
    PublicationStopped,
    ReasonMissing,
)
from tidegate.offer.law.api import CampaignLaw
from tidegate.sale.ordering.api import Ordering
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires
from tidegate.watch.rehearsal.api import CostReport, promised_name, promised_words

BODY_BYTES_MAX = 8_000_000
"""A draft of the largest size, percent-encoded."""
REASON_LENGTH_MAX = 500

_MAY_PUBLISH = {"staff": requires(Permission.CAMPAIGN_PUBLISH)}
Id = Annotated[str, PathParameter(pattern="^[a-z][a-z0-9-]{0,39}$", max_length=40)]
Number = Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1)]
_Word = Annotated[str, msgspec.Meta(max_length=64)]
_Words = Annotated[str, msgspec.Meta(max_length=1_000)]


class DraftForm(msgspec.Struct, frozen=True):
    """The editor's form. `after` is the revision that the text began from, `against` the version it was compared to."""

    campaign: str = ""
    goods: str = ""
    offers: str = ""
    after: int = 0
    based_on: int = 0
    against: int = 0
    reason: Annotated[str, msgspec.Meta(max_length=5_000)] = ""
    sku: list[str] = []
    quantity: list[str] = []
    coupon: Annotated[str, msgspec.Meta(max_length=64)] = ""
    known: Known = Known.GUEST
    tier: _Word = ""
    segments: _Words = ""
    points: _Word = ""
    held: _Words = ""
    moment: _Word = ""
    waive_law: list[str] | str = []
    waive_reason: list[str] | str = []
    """One alone comes as a text."""

    @property
    def reasons(self) -> dict[str, str]:
        """Why the warnings of a law are let pass, by law; those without a reason are not."""
        laws, reasons = ([each] if isinstance(each, str) else each for each in (self.waive_law, self.waive_reason))
        pairs = zip(laws, reasons, strict=False)
        return {law: reason.strip() for law, reason in pairs if reason.strip()}

    @property
    def files(self) -> CampaignFiles:
        """The texts; a browser sends line ends as CR LF."""
        return CampaignFiles(
            campaign=self.campaign.replace("\r\n", "\n"),
            goods=self.goods.replace("\r\n", "\n"),
            offers=self.offers.replace("\r\n", "\n"),
        )

    @property
    def cart(self) -> ExampleCart:
        """The example cart."""
        return ExampleCart(tuple(zip(self.sku, self.quantity, strict=False))[:CART_LINES], self.coupon)

    @property
    def buyer(self) -> ExampleBuyer:
        """Its buyer, and the moment."""
        return ExampleBuyer(
            known=self.known,
            tier=self.tier,
            segments=self.segments,
            points=self.points,
            held=self.held,
            moment=self.moment,
        )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a campaign: its last published version, its last draft, and what was saved before."""

    current: CampaignVersion | None
    draft: Draft | None
    revisions: list[RevisionSummary]


class FaultView(msgspec.Struct, frozen=True):
    """One fault for the script that marks its line."""

    file: str
    line: int
    message: str


class CheckAnswer(msgspec.Struct, frozen=True):
    """What the script shows: faults by line, and the page's part that shows all results."""

    faults: list[FaultView]
    html: str


class Editor:
    """What the handlers share: one request's desk, campaign and person."""

    def __init__(
        self, desk: Desk, db: Database, campaign: Campaign, law: CampaignLaw, clock: Clock, ordering: Ordering
    ) -> None:
        self._desk, self._db, self._campaign, self._law, self._clock = desk, db, campaign, law, clock
        self._ordering = ordering

    async def standing(self, tx: Tx, campaign_id: CampaignId) -> Standing:
        """Return what is stored of a campaign."""
        try:
            current = await self._campaign.version(tx, campaign_id)
        except CampaignUnknown:
            current = None
        drafts = self._campaign.drafts
        return Standing(
            current=current,
            draft=await drafts.draft(tx, campaign_id),
            revisions=await drafts.revisions(tx, campaign_id),
        )

    async def examined(self, campaign_id: CampaignId, form: DraftForm, current: CampaignVersion | None) -> Examined:
        """Examine a text in a thread: the process goes on serving shoppers meanwhile."""
        example, zone = (form.cart, form.buyer), self._desk.pages.zone
        return await asyncio.to_thread(examine, campaign_id, form.files, current, example, self._clock.now(), zone)

    async def reviewed(self, examined: Examined, *, search: bool) -> Review | None:
        """Return what the law says of a text without faults; with `search` the lowest prices are searched, too."""
        if examined.definition is None:
            return None
        async with self._db.read() as tx:
            return await self._law.review(tx, examined.definition, search=search)

    async def costed(self, examined: Examined) -> CostReport | None:
        """Return what a text without faults would cost on the shop's own latest orders, reckoned in a thread."""
        if examined.definition is None:
            return None
        return await past_cost(self._db, self._ordering, examined.definition)

    def text(self, campaign_id: CampaignId, standing: Standing, draft: Draft | None) -> DraftForm:
        """Return the form to begin with: the draft, else what is published, else the template."""
        draft = draft or standing.draft
        current = standing.current
        zone = self._desk.pages.zone
        if draft is not None:
            files, based_on = draft.files, draft.based_on
        elif current is not None:
            files, based_on = write_definition(current.definition, zone=zone), current.version
        else:
            files, based_on = first_draft(campaign_id), 0
        cart = first_cart(current.definition if current else None)
        return DraftForm(
            campaign=files.campaign,
            goods=files.goods,
            offers=files.offers,
            after=standing.draft.revision if standing.draft else 0,
            based_on=based_on,
            against=current.version if current else 0,
            sku=[sku for sku, _ in cart.lines],
            quantity=[quantity for _, quantity in cart.lines],
        )

    def words(self, request: PageRequest, refusal: Refusal) -> tuple[str, str]:
        """Return a refusal's title and sentence in the reader's language."""
        return refusal_words(self._desk.pages.messages(language(request)), refusal)

    async def show(
        self,
        request: PageRequest,
        staff: Staff,
        campaign_id: CampaignId,
        form: DraftForm,
        status: int = 200,
        *,
        search: bool = False,
        **said: Any,
    ) -> Response[bytes]:
        """Return the page with this text in it; nothing of it is lost, whatever was refused."""
        async with self._db.read() as tx:
            standing = await self.standing(tx, campaign_id)
        examined = await self.examined(campaign_id, form, standing.current)
        review = await self.reviewed(examined, search=search)
        cost = await self.costed(examined) if search else None
        shown = form.files
        return await self._desk.show(
            request,
            staff,
            "campaign",
            "editor.html",
            status=status,
            campaign_id=campaign_id,
            standing=standing,
            form=form,
            files=shown,
            cart=_padded(form.cart.lines),
            named=named_in(examined.definition or (standing.current.definition if standing.current else None)),
            warned=_warned(review),
            **_results(examined, review, standing, self._desk, request, cost),
            **{"refused": None, "changed": False, "done": "", "opened": None, **said},
        )


def _results(
    examined: Examined,
    review: Review | None,
    standing: Standing,
    desk: Desk,
    request: PageRequest,
    cost: CostReport | None = None,
) -> dict[str, Any]:
    """Return what the results' template needs; why a cart has no price is said as the shop says it."""
    messages = desk.pages.messages(language(request))

    def say(said: Spoken) -> str:
        return messages.gettext(said.title)

    return {
        "examined": examined,
        "review": review,
        "cost": cost,
        "cost_orders": PAST_ORDERS,
        "promised_name": promised_name,
        "promised_words": promised_words,
        "findings": grouped(review.findings) if review else [],
        "current": standing.current,
        "say": say,
        "why": lambda refusal: say(spoken(refusal)),
        "told": partial(_told, spoken_in=language(request)),
    }


def _warned(review: Review | None) -> dict[str, Words]:
    """The articles whose warnings somebody may let pass, by law."""
    findings = review.findings if review else ()
    return {each.law: each.article for each in findings if each.severity is Severity.WARNING}


def _padded(lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*lines, *([("", "1")] * CART_LINES)][:CART_LINES]


def _told(fault: Fault, spoken_in: Language) -> str:
    """A fault without its file and line: the key, and what is wrong, in the reader's language."""
    key = str(fault).partition(": ")[2].removesuffix(fault.message)
    words = fault_words(fault.message)
    return key + (words.zh if spoken_in is Language.ZH else words.en)


def open_editor(
    *, desk: Desk, db: Database, campaign: Campaign, law: CampaignLaw, clock: Clock, ordering: Ordering
) -> Editor:
    """Dependency `editor`."""
    return Editor(desk, db, campaign, law, clock, ordering)


@get("/console/campaigns/{campaign_id:str}/edit", include_in_schema=False, dependencies=_MAY_PUBLISH)
async def edit(
    *,
    request: PageRequest,
    editor: Editor,
    staff: Staff,
    db: Database,
    campaign: Campaign,
    campaign_id: Id,
    revision: Number = None,
    done: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Response[bytes]:
    """Show the editor with the draft, or with an earlier revision of it."""
    of = CampaignId(campaign_id)
    async with db.read() as tx:
        standing = await editor.standing(tx, of)
        earlier = await campaign.drafts.draft(tx, of, revision) if revision else None
    form = editor.text(of, standing, earlier)
    return await editor.show(request, staff, of, form, opened=earlier, done=done)


@post(
    "/console/campaigns/{campaign_id:str}/edit/check",
    include_in_schema=False,
    status_code=200,
    dependencies=_MAY_PUBLISH,
    request_max_body_size=BODY_BYTES_MAX,
)
async def check(
    *,
    request: PageRequest,
    editor: Editor,
    desk: Desk,
    db: Database,
    campaign_id: Id,
    staff: Staff,  # noqa: ARG001  asked for its permission
    data: DraftForm,
) -> Response[bytes]:
    """Answer the script, as JSON: the faults of a text by line, and all results as a part of the page."""
    of = CampaignId(campaign_id)
    async with db.read() as tx:
        standing = await editor.standing(tx, of)
    examined = await editor.examined(of, data, standing.current)
    review = await editor.reviewed(examined, search=False)
    results = _results(examined, review, standing, desk, request)
    html = desk.pages.html("console/editor_results.html", language(request), **results)
    reader = language(request)
    faults = [FaultView(fault.file, fault.line, _told(fault, reader)) for fault in examined.faults]
    answer = CheckAnswer(faults, html.body.decode())
    headers = {"Cache-Control": PRIVATE}
    return Response(msgspec.json.encode(answer), media_type="application/json", headers=headers)


_FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
_WRITES: dict[str, Any] = {
    "include_in_schema": False,
    "status_code": 200,
    "dependencies": _MAY_PUBLISH,
    "request_max_body_size": BODY_BYTES_MAX,
}


@post("/console/campaigns/{campaign_id:str}/edit", **_WRITES)
async def examine_text(
    *,
    request: PageRequest,
    editor: Editor,
    staff: Staff,
    campaign_id: Id,
    data: Annotated[DraftForm, _FORM],
) -> Response[bytes]:
    """Show the text again with its faults, differences and price, as the script does while one types, and with the
    lowest prices that can be reached and what it would cost on past orders.
    """
    return await editor.show(request, staff, CampaignId(campaign_id), data, search=True)


@post("/console/campaigns/{campaign_id:str}/edit/save", **_WRITES)
async def save(
    *,
    request: PageRequest,
    editor: Editor,
    staff: Staff,
    db: Database,
    campaign: Campaign,
    campaign_id: Id,
    data: Annotated[DraftForm, _FORM],
) -> Response[bytes]:
    """Save the text as the next revision; if somebody saved meanwhile, show both and overwrite nothing."""
    of = CampaignId(campaign_id)
    try:
        async with db.transaction() as tx:
            await campaign.drafts.save(tx, of, data.files, after=data.after, based_on=data.based_on, by=staff.name)
    except Refusal as refusal:
        return await _refused(editor, request, staff, of, data, refusal)
    return see_other(f"/console/campaigns/{of}/edit?done=saved")


@post("/console/campaigns/{campaign_id:str}/edit/publish", **_WRITES)
async def publish(
    *,
    request: PageRequest,
    editor: Editor,
    staff: Staff,
    db: Database,
    campaign: Campaign,
    publication: PublicationDesk,
    campaign_id: Id,
    data: Annotated[DraftForm, _FORM],
) -> Response[bytes]:
    """Publish the text and keep it as a revision, in one transaction; refused, it changes nothing."""
    of = CampaignId(campaign_id)
    try:
        reason = _reason(data.reason)
        async with db.transaction() as tx:
            await campaign.hold_publishing(tx)
            standing = await editor.standing(tx, of)
            _nobody_published(standing, data)
            examined = await editor.examined(of, data, standing.current)
            if examined.definition is None:
                raise DefinitionFaulty(examined.faults)
            waivers = [Waiver(law=law, by=staff.name, reason=why) for law, why in data.reasons.items()]
            version = await publication.publish_within(tx, examined.definition, staff.name, waivers, reason=reason)
            await campaign.drafts.save(tx, of, data.files, after=data.after, based_on=version.version, by=staff.name)
    except Refusal as refusal:
        return await _refused(editor, request, staff, of, data, refusal)
    return see_other(f"/console/campaigns/{of}/edit?done=published")


@post("/console/campaigns/{campaign_id:str}/edit/renew", **_WRITES)
async def renew(
    *,
    request: PageRequest,
    editor: Editor,
    desk: Desk,
    staff: Staff,
    db: Database,
    campaign: Campaign,
    campaign_id: Id,
    data: Annotated[DraftForm, _FORM],
) -> Response[bytes]:
    """Begin anew from what is published, as the next revision; what was written stays among the revisions."""
    of = CampaignId(campaign_id)
    try:
        async with db.transaction() as tx:
            current = await campaign.version(tx, of)
            kept = await campaign.drafts.save(
                tx, of, data.files, after=data.after, based_on=data.based_on, by=staff.name
            )
            files = write_definition(current.definition, zone=desk.pages.zone)
            await campaign.drafts.save(tx, of, files, after=kept.revision, based_on=current.version, by=staff.name)
    except Refusal as refusal:
        return await _refused(editor, request, staff, of, data, refusal)
    return see_other(f"/console/campaigns/{of}/edit?done=renewed")


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise ReasonMissing("Say why this is published. Nothing was published.")
    if len(reason) > REASON_LENGTH_MAX:
        raise ReasonMissing(f"A reason has at most {REASON_LENGTH_MAX} characters. Nothing was published; shorten it.")
    return reason


def _nobody_published(standing: Standing, data: DraftForm) -> None:
    number = standing.current.version if standing.current else 0
    if number != data.against:
        by = standing.current.published_by if standing.current else ""
        raise DraftChanged(
            f"{by} published version {number} after you compared with version {data.against}. Nothing was published; "
            "look at what differs from it, then publish again.",
            version=number,
        )


async def _refused(
    editor: Editor, request: PageRequest, staff: Staff, campaign_id: CampaignId, data: DraftForm, refusal: Refusal
) -> Response[bytes]:
    """Show the text again with the reason; after a change by somebody else, the form can go on from theirs."""
    return await editor.show(
        request,
        staff,
        campaign_id,
        data,
        status=refusal.status,
        search=isinstance(refusal, PublicationStopped),
        refused=editor.words(request, refusal),
        changed=isinstance(refusal, DraftChanged),
    )


routes = [edit, check, examine_text, save, publish, renew]
