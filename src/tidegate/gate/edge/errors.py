"""The refusals of edge.

Refusal
├── EdgeNotSet    409  this installation says no way to purge its edge
├── EdgeNoPage    422  what is to be purged is no address of this shop
└── PurgeRefused  502  the edge did not take a purge; it is tried again
"""

from tidegate.base.errors import Refusal


class EdgeNotSet(Refusal):
    """No way to purge is set."""

    code, status, title = "edge-not-set", 409, "No edge is set"


class EdgeNoPage(Refusal):
    """A page is named by its path, which begins with a slash."""

    code, status, title = "edge-no-page", 422, "No page of this shop"


class PurgeRefused(Refusal):
    """The edge did not answer, or not as it does when a purge is done."""

    code, status, title = "purge-refused", 502, "The edge did not take the purge"
