"""Admission: who may come in, and when.

Words: a *pass* is a signed statement that one account may order in one campaign from one device until a moment soon. A
*window* is the time in which passes are given: from the warm-up's beginning to the wind-down's end. The *device* of a
pass is the signed-in session, narrower than the browser by which limits and places count. A pass is sent in the header
`Tidegate-Pass`.

Invariants, each held by a property in the tests (a pass is nowhere stored, so that no schema can hold them):

- a pass is good only for the account, device and campaign that it was given to, and only until it expires;
- no altered, cut, extended or invented text is a pass;
- no pass is given outside the window, and none outlives it.
"""
