"""Words chosen outside of templates: those of the live page's script, which fills `%(name)s`, and of refusals."""

from tidegate.app.pages.language import Messages
from tidegate.base.errors import Refusal

Said = dict[str, dict[str, str]]

INVARIANTS = (
    "identity: a code opens one session",
    "identity: addresses and sessions within limits",
    "identity: sealed phones open",
    "identity: the records of looks and of changes only grow",
    "published campaigns unchanged",
    "campaign versions without gaps",
    "goods-complete",
    "goods-revision",
    "search-index",
    "counters within their caps",
    "offers within list price",
    "stock: free + held + sold + missing = loaded for each SKU, none negative, and holds agree",
    "payment: an intent's state agrees with its attempts",
    "payment: money that arrived is in the ledger exactly once, and only that",
    "payment: confirmed refunds are in the ledger exactly once, and only those",
    "payment: refunds stay within what was captured, and surplus money goes back whole",
    "payment: what intents count as refunded is what was confirmed",
    "ordering: lines and shipping add up to the total of each order",
    "ordering: placed orders have exactly their units held",
    "ordering: paid orders have exactly their units sold",
    "ordering: unpaid orders end within a minute of their time",
    "ordering: each paid order has one captured payment of its total",
    "payment: a deposit is applied or forfeited once, and only one that was captured",
    "presale: reservations have exactly their units held",
    "presale: each captured deposit belongs to one reservation",
    "presale: each completed reservation has one captured balance",
    "presale: completed reservations are orders, and only those",
    "presale: forfeited deposits are booked as such, once each",
    "presale: unpaid reservations end within a minute of their time",
    "groups: seats agree with counts; a filled group has all its seats confirmed, any other none",
    "groups: confirmed seats were paid, and those of failed groups are refunded",
    "groups: each ends within a minute of its time",
    "draws: seed, root and winners are those that anybody computes again",
    "draws: prizes are claimed in time, and forfeited only where they were not",
    "ordering: what orders count as refunded is what was confirmed, and payment has the same refunds",
    "protection: each grant is one refund of its order, and each such refund one grant",
    "repricing: orders priced again by the rules that they name come to the same cent",
    "shortfall: what acts say is missing is what stock counts as missing",
    "shortfall: each refund for it is one line, and each refunded line one such refund",
    "shortfall: what comes later was told to its buyer with a day",
    "shortfall: what is short is settled within a minute, and nothing of it waits for a person",
    "monitor: minutes equal the sum of their seconds",
)
"""The names of checks that the catalogue translates; another one reads as its module wrote it."""


def marked(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


def live_words(messages: Messages) -> Said:
    """Return all words of the live page, by group and key."""
    return {
        "state": _states(messages),
        "figure": _figures(messages),
        "action": _actions(messages),
        "route": _routes(messages),
        "role": _roles(messages),
        "refusal": _refusals(messages),
        "news": _news(messages),
        "chart": _charts(messages),
        "say": _sayings(messages),
        "invariant": {name: messages.gettext(name) for name in INVARIANTS},
    }


def _states(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {"good": _("Good"), "watch": _("Watch"), "act": _("Act"), "silent": _("Quiet"), "info": _("Note")}


def _figures(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {
        "orders": _("Orders a second"),
        "gmv": _("GMV placed"),
        "payment_success": _("Payment success"),
        "p99": _("Answers, p99"),
        "awaiting": _("Awaiting payment"),
    }


def _actions(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {
        "behind-pace": _("Behind the pace of the goal"),
        "look-at-channels": _("Look at the channels: one of them fails"),
        "look-at-slow-routes": _("Look at the slow routes below"),
    }


def _routes(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {
        "page": _("Shop pages"),
        "order": _("Ordering"),
        "stock": _("Stock"),
        "search": _("Search"),
        "pay": _("Paying"),
        "payment": _("Paying"),
        "api": _("Other API"),
        "asset": _("Page files"),
        "media": _("Pictures"),
        "console": _("Console"),
        "health": _("Health checks"),
    }


def _roles(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {
        "web": _("Web"),
        "worker": _("Worker"),
        "postgres": _("PostgreSQL"),
        "valkey": _("Valkey"),
        "channel": _("Sandbox channels"),
        "supervisor": _("Supervisor"),
    }


def _refusals(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {
        "sold-out": _("Sold out"),
        "overloaded": _("Too busy"),
        "price-changed": _("Price has changed"),
        "slot-ended": _("Slot of a flash price ended"),
        "flash-price-gone": _("Flash price gone"),
        "sale-not-open": _("Sale not open"),
        "no-campaign": _("No campaign is published"),
        "buyer-limit-reached": _("Limit a buyer reached"),
        "shared-limit-reached": _("Limit of a device or address reached"),
        "not-signed-in": _("Not signed in"),
        "database-unavailable": _("Database away"),
        "no-channel-available": _("No channel available"),
        "payment-under-way": _("Payment under way"),
        "payment-over": _("Nothing to pay any more"),
        "code-not-valid": _("Wrong code"),
        "page-unknown": _("Page not found"),
        "pass-refused": _("No valid pass"),
        "request-not-valid": _("Request not valid"),
        "not-found": _("Nothing at this address"),
        "order-ended": _("Order is over"),
        "goods-not-found": _("Goods not found"),
        "staff-not-signed-in": _("Staff not signed in"),
        "not-permitted": _("Not permitted"),
        "foreign-form": _("Form from another site"),
        "text-not-allowed": _("A character that cannot be kept"),
    }


def _news(messages: Messages) -> dict[str, str]:
    """Return for each kind of announcement its title and, under `<kind>:do`, what it means and what to do."""
    _ = messages.gettext
    return {
        "channel-failing": _("Channel %(subject)s is failing"),
        "channel-failing:do": _(
            "Only %(success)s of %(attempts)s attempts in the last minute succeeded. "
            "Payments go to the other channels by themselves; call the channel."
        ),
        "channel-recovered": _("Channel %(subject)s works again"),
        "channel-recovered:do": _("%(success)s of %(attempts)s attempts in the last minute succeeded. Nothing to do."),
        "goods-sold-out": _("Sold out: %(name)s"),
        "goods-sold-out:do": _(
            "%(held)s units are held by orders awaiting payment; what is not paid comes back on sale."
        ),
        "goods-back": _("Back on sale: %(name)s"),
        "goods-back:do": _("%(free)s units came back from orders that were not paid."),
        "goal-missed": _("Goal missed: %(figure)s"),
        "goal-missed:do": _("It is %(value)s; the goal is %(goal)s."),
        "goal-met-again": _("Goal met again: %(figure)s"),
        "goal-met-again:do": _("It is %(value)s; the goal is %(goal)s."),
        "events-late": _("Events arrive late"),
        "events-late:do": _(
            "The oldest has waited %(seconds)s s. No order is lost, but states and figures lag. "
            "Check the worker process."
        ),
        "events-on-time": _("Events arrive on time again"),
        "events-on-time:do": _("States and figures are up to date."),
        "cache-lost": _("Valkey does not answer"),
        "cache-lost:do": _("Charts keep a gap and some pages get slower. Orders, payments and stock are not affected."),
        "cache-back": _("Valkey answers again"),
        "cache-back:do": _("Nothing to do."),
        "fault": _("Fault in %(subject)s"),
        "fault:do": _("%(count)s in the last minute. Look into the log of that process."),
        "invariant-broken": _("Invariant broken: %(subject)s"),
        "invariant-broken:do": _("Stop sales of what is named and look at it: %(detail)s"),
        "invariant-holds-again": _("Invariant holds again: %(subject)s"),
        "invariant-holds-again:do": _("The last examination found it whole."),
        "campaign-published": _("Version %(version)s of the campaign is live"),
        "campaign-published:do": _("Published by %(by)s. Orders already placed keep the version that priced them."),
        "edge-purged": _("The edge forgot the pages of version %(version)s"),
        "edge-purged:do": _("%(pages)s pages, by try %(tries)s. Shoppers see the new version everywhere."),
        "edge-not-purged": _("The edge was not purged for version %(version)s"),
        "edge-not-purged:do": _(
            "%(fault)s It is tried again by itself; until then the edge may show pages as old as it keeps them."
        ),
        "edge-purge-given-up": _("The purge for version %(version)s was given up"),
        "edge-purge-given-up:do": _("%(fault)s See to the edge and its settings, then run: tidegate edge purge"),
        "defence-started": _("Defence on: %(subject)s"),
        "defence-started:do": _(
            "Started %(defence)s, until %(until)s at the latest. It ends by itself; an officer can undo it. "
            "What started it stands in the record of defences."
        ),
        "defence-ended": _("Defence off: %(subject)s"),
        "defence-ended:do": _("Ended %(defence)s: %(why)s. Nothing to do."),
    }


def _charts(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {
        "placed": _("Placed"),
        "paid": _("Paid"),
        "p99": _("p99"),
        "p50": _("Median"),
        "goal": _("Goal"),
        "success": _("Payment success"),
        "awaiting": _("Awaiting payment"),
    }


def _sayings(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {
        "goal-floor": _("Goal: at least %(goal)s"),
        "goal-ceiling": _("Goal: at most %(goal)s"),
        "goal-pace": _("Needed for the goal: %(goal)s"),
        "gmv-goal": _("%(share)s of the goal, %(goal)s"),
        "gmv-paid": _("%(paid)s of it is paid"),
        "orders-total": _("%(total)s placed in all"),
        "no-goal": _("No goal set"),
        "per-second": _("a second"),
        "ms": _("ms"),
        "none": _("–"),
        "no-traffic": _("Nothing was asked in the last seconds"),
        "no-attempts": _("No attempts in the last minute"),
        "attempts": _("%(count)s in the last minute"),
        "attempts-total": _("%(share)s of %(count)s in all"),
        "in-minutes": _("%(count)s min"),
        "in-seconds": _("%(count)s s"),
        "in-hours": _("%(count)s h"),
        "sold-out": _("Sold out"),
        "held-left": _("Held: %(count)s"),
        "not-selling": _("No sales"),
        "here": _("%(count)s here now"),
        "carried": _("%(share)s go on"),
        "narrowest": _("Narrowest place"),
        "flows": _("Nothing holds the flow back"),
        "refused": _("%(rate)s/s refused"),
        "lapsed": _("%(rate)s/s lapsed unpaid"),
        "all-hold": _("All %(count)s invariants hold"),
        "some-broken": _("Broken invariants: %(count)s"),
        "never-examined": _("Not examined yet"),
        "no-refusals": _("Nothing was refused in the last minute."),
        "no-faults": _("No faults in the last minute"),
        "faults": _("%(count)s faults in the last minute"),
        "no-news": _("Nothing has happened yet. Changes of channels, goods, goals and invariants appear here."),
        "no-goods": _("Nothing has been sold yet."),
        "no-channels": _("No payment was tried yet."),
        "stale": _("The figures are %(seconds)s s old: the worker process does not measure. Check that it runs."),
        "lost": _("No answer from the server for %(seconds)s s. The figures below are the last known ones."),
        "cache": _("Valkey does not answer: the charts show trade only. Orders, payments and stock are not affected."),
        "unmeasured": _("Nothing has been measured yet. The worker process takes the first sample within seconds."),
        "signed-out": _("Your session has ended. Sign in again."),
        "door-waiting": _("%(count)s connections wait to be accepted"),
        "door-clear": _("No connection waits to be accepted"),
        "door-unknown": _("Waiting connections are not measured here"),
        "events-waiting": _("%(count)s events wait, the oldest %(seconds)s s"),
        "events-done": _("All events are delivered"),
        "jobs-waiting": _("%(count)s jobs are due"),
        "jobs-failed": _("%(count)s jobs gave up"),
        "jobs-done": _("No job is late"),
        "memory": _("%(size)s MB"),
        "alerts": _("%(count)s to act on"),
        "no-alerts": _("Nothing to act on"),
        "rate": _("%(rate)s/s"),
    }


_REFUSALS = {
    "staff-sign-in-refused": (
        marked("Sign-in refused"),
        marked("Name or password is not right. Try again, or ask an administrator."),
    ),
    "staff-locked": (
        marked("Sign-in locked for a while"),
        marked("Too many wrong passwords. Sign-in opens again in %(seconds)s s."),
    ),
    "too-many-tries": (
        marked("Too many tries"),
        marked("Too many requests came from your network. Nothing was done; try again within an hour."),
    ),
    "not-permitted": (
        marked("Not permitted"),
        marked(
            "Your role does not include this; nothing was shown or changed. Ask an administrator if your work needs it."
        ),
    ),
    "purpose-not-stated": (
        marked("Purpose not stated"),
        marked("Say in a few words what it is for, at least 3 characters; nothing was shown or changed."),
    ),
    "members-faulty": (
        marked("These numbers or names cannot be used"),
        marked(
            "A name has small letters, digits and dashes; a change names 1 to 100,000 mobile numbers that exist. "
            "Nothing was changed."
        ),
    ),
    "tiers-named": (
        marked("The list names tiers of its own"),
        marked(
            "A list with the column tier says itself who gets which. Nothing was changed; name no tier and no other "
            "numbers in the form, and add or replace; or take the column out."
        ),
    ),
    "account-unknown": (
        marked("Shopper not found"),
        marked("There is no such shopper. Nothing was changed; look for the number again."),
    ),
    "points-moved": (
        marked("The points moved meanwhile"),
        marked("Something moved them after you looked. Nothing was given; look again, and give them then."),
    ),
    "points-grant-not-valid": (
        marked("Points cannot be given so"),
        marked("Give one point or more, and say why in at most 200 characters. Nothing was given."),
    ),
    "order-unknown": (
        marked("Order not found"),
        marked("There is no order with this number. Check it, or search for it."),
    ),
    "reservation-unknown": (
        marked("Reservation not found"),
        marked("There is no such reservation. Nothing was changed; look at its number again."),
    ),
    "reservation-ended": (
        marked("Reservation is over"),
        marked("The reservation is over already. Nothing was changed."),
    ),
    "reason-needed": (
        marked("A reason is needed"),
        marked("Say why, in words: it is recorded. Nothing was done."),
    ),
    "payment-under-way": (
        marked("A payment is under way"),
        marked("A payment is under way. Nothing was changed; wait for its outcome."),
    ),
    "group-unknown": (
        marked("Group not found"),
        marked("There is no such group. Nothing was changed; look at its number again."),
    ),
    "order-ended": (
        marked("Order is over"),
        marked("Only a paid order can give units back, and nothing is left of this one. Nothing was refunded."),
    ),
    "refund-too-large": (
        marked("So much is not left"),
        marked("So many units are not left of this order. Nothing was refunded; choose fewer."),
    ),
    "refund-changed": (
        marked("The refund has changed"),
        marked("Something of this order went back meanwhile. Nothing was refunded; look at it again."),
    ),
    "refund-not-refused": (
        marked("Not refused"),
        marked("The channel did not refuse this refund. Nothing was sent; look at the order again."),
    ),
    "refund-reason-missing": (
        marked("A reason is needed"),
        marked("Say why, in three letters or more: it is recorded. Nothing was refunded."),
    ),
    "protection-not-promised": (
        marked("No price protection"),
        marked("The rules of this order promise no price protection. Nothing was given back."),
    ),
    "protection-over": (
        marked("Price protection is over"),
        marked("The days of price protection are over. Nothing was given back."),
    ),
    "nothing-to-compare": (
        marked("Not on sale now"),
        marked("None of the goods can be bought now in this quantity. Nothing was given back."),
    ),
    "difference-given": (
        marked("Given already"),
        marked("The difference to the price of today was given before. Nothing more was given back."),
    ),
    "nothing-cheaper": (
        marked("Not cheaper today"),
        marked("The buyer would not pay less today. Nothing was given back."),
    ),
    "coupon-unknown": (
        marked("Code not found"),
        marked("There is no such code. Nothing was changed; look at it again."),
    ),
    "coupon-reason-needed": (
        marked("A reason is needed"),
        marked("Say why, in words: it is recorded. Nothing was done."),
    ),
    "coupon-cannot-be-revoked": (
        marked("Cannot be withdrawn"),
        marked("An order has this code, or it ended already. Nothing was withdrawn."),
    ),
    "coupon-batch-unknown": (
        marked("Batch not found"),
        marked("There is no such batch of codes. Nothing was written out."),
    ),
    "nothing-missing": (
        marked("Nothing is missing"),
        marked(
            "As many units are there as the books say. Nothing was changed. To sell more, raise the quota in the "
            "campaign."
        ),
    ),
    "stock-unknown": (
        marked("No such stock"),
        marked("The campaign never had units of this SKU. Nothing was changed; look at it again."),
    ),
    "shortfall-malformed": (
        marked("This cannot be stated"),
        marked("The day of the later delivery must be to come. Nothing was changed."),
    ),
    "shortfall-unknown": (
        marked("Shortfall not found"),
        marked("There is no such shortfall. Look at its number again."),
    ),
    "idempotency-key-reused": (
        marked("This form was used already"),
        marked("It was sent before with other words. Nothing was changed; begin again."),
    ),
    "idempotency-key-malformed": (
        marked("This form is not complete"),
        marked("Something of it is missing. Nothing was changed; begin again."),
    ),
    "nothing-to-settle": (
        marked("Nothing to settle"),
        marked("No charge of another amount waits here: it was settled, or the channel says nothing odd any more."),
    ),
    "charge-changed": (
        marked("The channel says something else now"),
        marked("The channel says another amount than was shown. Nothing was changed; look at it again."),
    ),
    "cannot-accept": (
        marked("Less than the price"),
        marked("Less than the price was taken, so it cannot pay for the order. Nothing was changed."),
    ),
    "channel-silent": (
        marked("The channel does not answer"),
        marked("The channel does not answer just now. Nothing was changed; try again in a moment."),
    ),
    "draw-unknown": (
        marked("There is no such draw"),
        marked("There is no such draw. Nothing was changed; look at the list of draws."),
    ),
    "prize-not-won": (
        marked("No such prize"),
        marked("There is no such prize. Nothing was changed; look at the list of prizes."),
    ),
    "prize-ended": (
        marked("This prize is settled"),
        marked("It was given or forfeited already. Nothing was changed."),
    ),
    "prize-not-forfeitable": (
        marked("Cannot be forfeited"),
        marked("Only a prize that was not claimed in the time its draw states is forfeited. Nothing was changed."),
    ),
    "prize-note-needed": (
        marked("A note is needed"),
        marked("Say how it was given, such as a parcel's number: it is recorded. Nothing was changed."),
    ),
    "prizes-given-faulty": (
        marked("The file cannot be taken"),
        marked("The file cannot be taken. Nothing of it was; mend what is named here and send it again."),
    ),
    "coupon-template-unknown": (
        marked("Coupon not found"),
        marked("The campaign has no coupon of this name that is claimed. Nothing was made."),
    ),
    "coupon-codes-not-left": (
        marked("Not so many are left"),
        marked(
            "This coupon may have %(left)s more codes. Nothing was made; ask for fewer, or raise its count in the "
            "campaign file."
        ),
    ),
    "coupon-codes-faulty": (
        marked("The file cannot be taken"),
        marked("The file cannot be taken. Nothing of it was; mend what is named here and send it again."),
    ),
    "coupon-batch-size-not-valid": (
        marked("Not so many at once"),
        marked(
            "One form makes 1 to %(most)s codes. Nothing was made; make more of them in several batches, or at the "
            "command line."
        ),
    ),
    "coupon-batch-made-already": (
        marked("This form was used already"),
        marked("This form made codes before: they stand among the batches. Nothing more was made."),
    ),
    "database-unavailable": (
        marked("Not available at this moment"),
        marked("The database does not answer just now. Try again in a few seconds."),
    ),
    "draft-changed": (
        marked("Somebody else was faster"),
        marked(
            "Somebody else saved this draft, or published, after you began. Nothing of theirs was "
            "overwritten and nothing of yours is lost: your text stands below. Look at theirs, then save or "
            "publish again."
        ),
    ),
    "draft-too-large": (
        marked("Too large for a draft"),
        marked(
            "A draft holds two megabytes at most. Nothing was saved; keep a campaign of this size as files "
            "and publish it from the command line."
        ),
    ),
    "reason-missing": (
        marked("The reason is missing"),
        marked("Say why this is published, in at most 500 characters. Nothing was published."),
    ),
    "definition-faulty": (
        marked("Not published: the text has faults"),
        marked("The text has faults. Nothing was published; each fault is named below with its line."),
    ),
    "quota-below-promise": (
        marked("Not published: a quota is too low"),
        marked("A quota is below what was already promised to shoppers. Nothing was published; raise it: %(detail)s"),
    ),
    "text-not-allowed": (
        marked("A character that cannot be kept"),
        marked("What was entered holds a character that cannot be kept. Nothing was changed; take it out."),
    ),
    "foreign-form": (
        marked("Form not accepted"),
        marked("This form was sent from another site. Nothing was changed; open the page here and try again."),
    ),
}
"""Title and sentence of refusals that staff may meet, by their code."""


def refusal_words(messages: Messages, refusal: Refusal) -> tuple[str, str]:
    """Return a refusal's title and sentence in the reader's language; one that is not known here stays in English."""
    if refusal.code not in _REFUSALS:
        return refusal.title, refusal.detail
    title, sentence = map(messages.gettext, _REFUSALS[refusal.code])
    figures = {name: f"{value:,}" for name, value in refusal.fields.items() if isinstance(value, int)}
    return title, sentence % {**figures, "seconds": refusal.fields.get("retry_after", ""), "detail": refusal.detail}
