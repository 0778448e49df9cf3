"""The refusals of limits.

Refusal
├── RateLimitReached   429  too many acts: which limit, and when to come back
└── RateLimitUnknown   503  nobody can count now, and this limit refuses then
"""

from tidegate.base.errors import Refusal


class RateLimitReached(Refusal):
    """A rate limit is reached. Fields: `rate_limit` (name, scope, quota, window_seconds, remaining), `retry_after`."""

    code, status, title = "rate-limit-reached", 429, "Too many requests"


class RateLimitUnknown(Refusal):
    """Nobody can count now, and this limit refuses then. Fields: `rate_limit`, `retry_after`."""

    code, status, title = "rate-limit-unknown", 503, "Cannot be admitted at this moment"
