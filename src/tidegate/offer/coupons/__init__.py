"""Coupons: what shoppers claim, keep and use once, each with a code of its own.

Words. A *template* is a coupon of the campaign with unique codes. A *code* is made for a claim by button, or in a
*batch* to be handed out. *Unclaimed*: nobody has it yet. *Unused*: in a shopper's wallet. *Frozen*: in an order that
waits for its payment. *Used*: in a paid order. *Returned*: back in the wallet, as good as unused. *Expired*, *revoked*:
ended. Each move is recorded with when, why, by whom and for which order.

Invariants.
- A code is in one state, and moves only as `rules.may_move` says; at most one order has it, and an order at most one.
- Per template: made = unclaimed + unused + frozen + used + returned + expired + revoked, and made <= planned; every
  total is the number of codes in that state.
- No account claims more of a template than it may, whatever races.
- A frozen coupon's order waits for payment; a used coupon's order was paid.

Locks are taken in this order: codes in their order, claims of an account, templates in their order.
"""
