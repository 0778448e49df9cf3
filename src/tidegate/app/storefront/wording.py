"""Refusals in the words of shoppers: why not, what was left untouched, what to do. The Chinese is in the catalogue."""

from collections.abc import Mapping

import msgspec

from tidegate.base.errors import Refusal


def marked(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


class Spoken(msgspec.Struct, frozen=True):
    """A refusal as a page says it, still to be translated; `values` fill its places."""

    title: str
    text: str
    values: Mapping[str, object] = {}


_NOTHING = marked("Nothing was ordered and nothing was charged.")

REFUSALS: Mapping[str, tuple[str, str]] = {
    "sold-out": (
        marked("Just sold out"),
        marked("Someone was faster. Nothing was ordered. Unpaid units come back within minutes: look again shortly."),
    ),
    "no-waiting-room": (
        marked("No line here"),
        marked("This campaign lets nobody wait in a line, so there is no draw to look at."),
    ),
    "places-not-open": (marked("The line is not open yet"), marked("Come back when it opens; nothing was taken.")),
    "places-closed": (
        marked("The line is closed"),
        marked("No more places are given. Who stands in line is served."),
    ),
    "network-full": (
        marked("Too many places from one network"),
        marked("Try another connection, such as your phone's own. You hold no place."),
    ),
    "one-place-a-person": (
        marked("One place a person"),
        marked(
            "Another account holds a place on the same device or with the same way to pay. Go on with that place, or "
            "give it up first."
        ),
    ),
    "place-refused": (
        marked("This place cannot be used"),
        marked("It was given up, or belongs to another device. Take your place again: who holds one gets the same."),
    ),
    "place-spent": (marked("This place was used"), marked("Take a new place to stand in line again.")),
    "work-refused": (
        marked("The puzzle is not solved yet"),
        marked("Wait until the page says that it is ready, then take your place. Nothing was taken."),
    ),
    "pass-spent": (
        marked("Your pass is used up"),
        marked("Take a new place in line to order again. Nothing was ordered."),
    ),
    "nothing-left": (
        marked("Nothing can be won any more"),
        marked("The last unit is sold and paid. We do not keep you waiting for nothing; thank you for coming."),
    ),
    "sale-not-open": (
        marked("The sale is not open"),
        marked("You can look at everything now and buy while the sale is open. Nothing was ordered."),
    ),
    "price-changed": (
        marked("The price has changed"),
        marked("You see the price as it is now. Nothing was ordered yet; order again if you agree with it."),
    ),
    "slot-ended": (
        marked("The slot has just ended"),
        marked("You see the price as it is now. Nothing was ordered yet; order again if you agree with it."),
    ),
    "flash-price-gone": (
        marked("The flash price is gone"),
        marked(
            "This slot has not so many units left, or you have had as many in it as one buyer may. You see the price"
            " as it is now; choose fewer, or order again if you agree with it. Nothing was ordered yet."
        ),
    ),
    "promotion-used-up": (
        marked("An offer is used up"),
        marked(
            "A reduction of this order was just used up, or you have had it as often as one buyer may. You see the"
            " price as it is now; order again if you agree with it. Nothing was ordered yet."
        ),
    ),
    "buyer-limit-reached": (
        marked("Your limit is reached"),
        marked(
            "There is a limit for each buyer, so that more people get some. Choose fewer; orders that"
            " you gave up do not count."
        ),
    ),
    "shared-limit-reached": (
        marked("A limit is reached"),
        marked(
            "There is a limit for each device, delivery address or payment account, so that more people get some. It"
            " counts the orders and reservations of all accounts together. Choose fewer; nothing was ordered."
        ),
    ),
    "draw-unknown": (
        marked("There is no such draw"),
        marked("Check the link, or look at the draws of this campaign. Nothing was changed."),
    ),
    "prize-not-won": (
        marked("No such prize"),
        marked("You won nothing in this draw, or it was won with another account. Nothing was changed."),
    ),
    "prize-address-needed": (
        marked("Where shall it go?"),
        marked("The prize is sent to you. Nothing was claimed; choose an address or enter a new one."),
    ),
    "prize-claimed-already": (
        marked("Claimed already"),
        marked("You claimed this prize before, with another address. Nothing was changed; our service can help."),
    ),
    "prize-claim-over": (
        marked("The time to claim it is over"),
        marked("The prize was not claimed in its time. Nothing was changed; our service can tell you more."),
    ),
    "prize-ended": (
        marked("This prize is settled"),
        marked("It was given or forfeited already. Nothing was changed."),
    ),
    "group-unknown": (
        marked("There is no such group"),
        marked("Check the link, or look at what is sold to groups. Nothing was ordered."),
    ),
    "group-ended": (
        marked("This group has ended"),
        marked("Nobody can join it any more. Open a group of your own. Nothing was ordered."),
    ),
    "group-full": (
        marked("The group is full"),
        marked("A place that is not paid in time comes back. Or open a group of your own. Nothing was ordered."),
    ),
    "already-in-group": (
        marked("You are in this group already"),
        marked("One place a buyer. Share the link with others to fill it. Nothing was ordered."),
    ),
    "not-sold-to-groups": (
        marked("Not sold to groups"),
        marked("These goods are not sold to groups at present. Look at what is. Nothing was ordered."),
    ),
    "coupon-not-valid": (
        marked("This coupon is not valid"),
        marked("Check the letters of the code, or go on without a coupon. Nothing was ordered."),
    ),
    "coupon-not-applicable": (
        marked("The coupon does not apply to these goods"),
        marked("Goods at a flash price take no coupons. Go on without it."),
    ),
    "threshold-not-met": (
        marked("Not enough for this coupon"),
        marked(
            "What counts towards this coupon, after the other reductions, is less than it asks for. Take more, or go on"
            " without it."
        ),
    ),
    "coupon-saves-nothing": (
        marked("The coupon saves nothing here"),
        marked("You would pay no less with it. Go on without it: it stays yours for another order."),
    ),
    "coupon-used-up": (
        marked("The coupon is used up"),
        marked(
            "All its uses are taken, or you have used it as often as one buyer may. Go on without it. Nothing was"
            " ordered."
        ),
    ),
    "points-short": (
        marked("Not enough points"),
        marked("Fewer points are there than this order would spend. Choose fewer. Nothing was ordered."),
    ),
    "coupon-code-needed": (
        marked("Claim this coupon first"),
        marked("Each coupon of this kind has a code of its own. Claim one, then show its code. Nothing was ordered."),
    ),
    "coupon-code-mistyped": (
        marked("This code has a typing error"),
        marked("A letter is wrong or two are exchanged. Look at the code again. Nothing was changed."),
    ),
    "coupon-unknown": (
        marked("There is no such coupon"),
        marked("Look at the code again, or take another of your coupons. Nothing was changed."),
    ),
    "coupon-not-claimed": (
        marked("This coupon is not claimed yet"),
        marked("Add its code to your coupons first. Nothing was ordered."),
    ),
    "coupon-frozen": (
        marked("In another order of yours"),
        marked("That order waits for its payment. Pay it, or give it up and the coupon comes back."),
    ),
    "coupon-used": (
        marked("This coupon was used"),
        marked("An order was paid with it. Take another one. Nothing was ordered."),
    ),
    "coupon-expired": (
        marked("This coupon has expired"),
        marked("Its time is over. Take another one. Nothing was changed."),
    ),
    "coupon-revoked": (
        marked("This coupon was withdrawn"),
        marked("Customer service can tell you why. Nothing was changed."),
    ),
    "coupon-template-unknown": (
        marked("There is no such coupon to claim"),
        marked("Look at the name or code again. Nothing was changed."),
    ),
    "coupon-claims-not-open": (
        marked("This coupon cannot be claimed now"),
        marked("Its time of claims stands in the rules. Nothing was claimed."),
    ),
    "coupon-claims-used-up": (
        marked("All of these coupons are claimed"),
        marked("Others may still be there. Nothing was claimed."),
    ),
    "coupon-claim-limit-reached": (
        marked("You have claimed this coupon"),
        marked("You have as many as one account may. They are among your coupons."),
    ),
    "coupon-audience-not-met": (
        marked("This coupon is for others"),
        marked("It is for new or returning customers or for members, as its label says. Nothing was claimed."),
    ),
    "unknown-goods": (
        marked("These goods are not in the campaign"),
        _NOTHING,
    ),
    "not-on-offer": (
        marked("These goods are not on sale in this campaign"),
        _NOTHING,
    ),
    "cart-faulty": (
        marked("This quantity cannot be ordered"),
        marked("Choose a smaller number of units. Nothing was ordered."),
    ),
    "address-not-valid": (
        marked("The address is not complete"),
        marked("Please look at the fields marked below. Nothing you entered is lost."),
    ),
    "address-unknown": (
        marked("This address is not among yours"),
        marked("Choose another address or enter a new one. Nothing was ordered."),
    ),
    "too-many-addresses": (
        marked("Your address book is full"),
        marked("Choose one of your addresses. Nothing was ordered."),
    ),
    "order-denied": (
        marked("This order could not be taken"),
        marked("Our safety check did not let it through. Nothing was charged. Customer service can look at it."),
    ),
    "idempotency-key-reused": (
        marked("This form was sent before"),
        marked("Look at your orders: the first one counts. To buy again, send this form."),
    ),
    "overloaded": (
        marked("Very many people are buying right now"),
        marked("Your order was not taken and nothing was charged. Try again in a few seconds."),
    ),
    "rate-limit-reached": (
        marked("Too many requests"),
        marked(
            "More came from your account, device or network than one person needs. Try again in %(seconds)s seconds."
        ),
    ),
    "rate-limit-unknown": (
        marked("A short interruption"),
        marked("Your request was not carried out and nothing was charged. Try again in a moment."),
    ),
    "database-unavailable": (
        marked("A short interruption"),
        marked("Your request was not carried out and nothing was charged. Try again in a moment."),
    ),
    "payment-over": (
        marked("There is nothing to pay any more"),
        marked("This order has ended. Money that may arrive all the same goes back by itself."),
    ),
    "attempts-exhausted": (
        marked("Tried too often"),
        marked("This order was tried as often as is allowed. Cancel it and order again."),
    ),
    "no-channel-available": (
        marked("Payment is interrupted"),
        marked(
            "No payment channel answers right now. Nothing was charged and your goods stay reserved. "
            "Try again in a minute."
        ),
    ),
    "channel-unknown": (
        marked("This way of paying is not available"),
        marked("Choose another one. Nothing was charged."),
    ),
    "payment-under-way": (
        marked("A payment is under way"),
        marked("Nothing was cancelled. Wait for its outcome; a paid order can be cancelled for a full refund."),
    ),
    "order-ended": (
        marked("This order has ended"),
        marked("Nothing is reserved or charged any more."),
    ),
    "nothing-later": (
        marked("Nothing of this comes later any more"),
        marked("It was given back already. Nothing was changed."),
    ),
    "shortfall-unknown": (
        marked("This cannot be declined"),
        marked("There is nothing of the kind at this order. Nothing was changed."),
    ),
    "refund-too-large": (
        marked("So much is not left of this order"),
        marked("Some of it went back meanwhile. Nothing was refunded; look at what is left."),
    ),
    "refund-changed": (
        marked("The refund has changed"),
        marked("Something of this order went back meanwhile. Nothing more was refunded; the new amount stands below."),
    ),
    "protection-not-promised": (
        marked("No price protection for these goods"),
        marked("The rules of this order do not promise it. Nothing was given back."),
    ),
    "protection-over": (
        marked("The time of price protection is over"),
        marked("Nothing was given back. The days are counted from your payment."),
    ),
    "nothing-to-compare": (
        marked("Not on sale now"),
        marked("None of it can be bought now in your quantity, so there is no price to compare with. Ask again later."),
    ),
    "difference-given": (
        marked("The difference was given back already"),
        marked("The goods have not become cheaper since. Nothing more was given back."),
    ),
    "nothing-cheaper": (
        marked("Not cheaper today"),
        marked("You would not pay less for these goods today. Nothing was given back."),
    ),
    "order-unknown": (
        marked("There is no such order among yours"),
        marked("Look at your orders, or sign in with the phone that ordered."),
    ),
    "phone-not-valid": (
        marked("This is not a mobile number"),
        marked("Enter 11 digits, for example 138 0013 8000; numbers abroad begin with + and the country code."),
    ),
    "code-too-soon": (
        marked("A code is on its way"),
        marked("It can take half a minute. Then you can ask for another one."),
    ),
    "too-many-codes": (
        marked("Too many codes"),
        marked("For your safety no more codes are sent to this number for a while. Try again later."),
    ),
    "sms-not-sent": (
        marked("The SMS could not be sent"),
        marked("Ask for another code in a moment."),
    ),
    "code-not-valid": (
        marked("This code is not right"),
        marked("Look at the newest SMS, or ask for a new code."),
    ),
    "too-many-tries": (
        marked("Too many tries"),
        marked("For your safety, wait a few minutes and try again."),
    ),
    "presale-unknown": (
        marked("These goods are not in presale"),
        marked("They may be on sale by now. Look for them; nothing was reserved."),
    ),
    "presale-not-open": (
        marked("Not the time for reserving"),
        marked("The page says from when until when you can reserve. Nothing was reserved."),
    ),
    "presale-limit-reached": (
        marked("Your limit is reached"),
        marked("There is a limit for each buyer. Choose fewer; reservations that you gave up do not count."),
    ),
    "reservation-unknown": (
        marked("There is no such reservation among yours"),
        marked("Look under your reservations. Nothing was changed."),
    ),
    "reservation-ended": (
        marked("This reservation is over"),
        marked("Its page says how it ended. Nothing was changed and nothing was charged."),
    ),
    "balance-not-due": (
        marked("The balance is not due yet"),
        marked("The page says from when until when it is paid. Nothing was charged."),
    ),
    "deposit-would-be-lost": (
        marked("The deposit would be lost"),
        marked("Say that you accept this, or keep the reservation and pay the balance in its time."),
    ),
    "campaign-over": (
        marked("The sale is over"),
        marked("Nothing can be ordered in it any more. Your orders stay under your orders."),
    ),
    "phase-not-open": (
        marked("It has not opened yet"),
        marked("Come back when it opens; nothing was taken."),
    ),
    "pass-refused": (
        marked("Your turn has to be taken again"),
        marked("The pass to order is over or is not this account's. Go back to the line; nothing was ordered."),
    ),
    "campaign-unknown": (
        marked("There is no such version of the rules"),
        marked("Look at the rules that hold now; the page lists those of before."),
    ),
    "idempotency-key-malformed": (
        marked("This form is not complete"),
        marked("Open the page again and send the form from there. Nothing was ordered."),
    ),
    "no-campaign": (
        marked("Nothing is on sale right now"),
        marked("The next festival will be announced here."),
    ),
    "text-not-allowed": (
        marked("A character that cannot be kept"),
        marked("What you entered holds a character that no text may hold. Nothing was changed. Take it out."),
    ),
    "foreign-form": (
        marked("This form came from another site"),
        marked("Nothing was changed. Open the page here and try again."),
    ),
    "page-unknown": (
        marked("There is no such page"),
        marked("It may have moved, or the address has a typing error."),
    ),
    "goods-not-found": (
        marked("These goods are not in the shop"),
        marked("They may have been withdrawn. Look for others."),
    ),
    "query-too-long": (
        marked("That is too long to search for"),
        marked("Use a few words."),
    ),
    "page-out-of-range": (
        marked("There is no such page"),
        marked("It may have moved, or the address has a typing error."),
    ),
    "static-only": (
        marked("Only the essentials for a moment"),
        marked("Traffic is unusual. For now we serve the campaign, the goods, ordering and paying only."),
    ),
    "request-too-slow": (
        marked("The request came too slowly"),
        marked("It did not arrive in time and nothing was changed. Please send it again."),
    ),
    "too-large": (
        marked("That is too much for one form"),
        _NOTHING,
    ),
}

OTHER = (
    marked("This could not be done"),
    marked("Nothing was changed. Go back and try again."),
)
FAILED = (
    marked("Something went wrong on our side"),
    marked("It was recorded and will be looked at. What you ordered and paid before is safe; see your orders."),
)

ADDRESS_FAULTS: Mapping[str, str] = {
    "name": marked("Enter the name of the person who receives the parcel."),
    "phone": marked("Enter a phone number for the courier."),
    "province": marked("Enter the province."),
    "city": marked("Enter the city."),
    "district": marked("Enter the district."),
    "street": marked("Enter street, house and room."),
}


def spoken(refusal: Refusal) -> Spoken:
    """Return what a page says about a refusal."""
    left = refusal.fields.get("left")
    if refusal.code == "sold-out" and isinstance(left, int) and left > 0:
        return Spoken(
            marked("Fewer are left than you chose"),
            marked("Only %(left)s are left now. Choose fewer; nothing was ordered yet."),
            {"left": left},
        )
    title, text = REFUSALS.get(refusal.code, OTHER)
    if refusal.code == "rate-limit-reached":
        return Spoken(title, text, {"seconds": refusal.fields["retry_after"]})
    return Spoken(title, text)
