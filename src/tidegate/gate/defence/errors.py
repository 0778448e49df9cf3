"""The refusals of defence.

Refusal
├── DefenceUnknown   404  the current campaign has no defence of this name
├── DefenceIsOn      409  it is on already
├── StaticOnly       503  this is not served while only cached pages and the money path are
└── HookRefused      502  the operator's hook did not take a call; it is tried again
"""

from tidegate.base.errors import Refusal


class DefenceUnknown(Refusal):
    """The current campaign has no defence of this name. Field: `known`."""

    code, status, title = "defence-unknown", 404, "Defence not known"


class DefenceIsOn(Refusal):
    """The defence is on already. Field: `expires_at`."""

    code, status, title = "defence-is-on", 409, "The defence is on already"


class StaticOnly(Refusal):
    """Attack mode: only cached pages and the money path are served. Field: `retry_after`, seconds."""

    code, status, title = "static-only", 503, "Only the essentials for a moment"


class HookRefused(Refusal):
    """The hook did not answer with 2xx."""

    code, status, title = "hook-refused", 502, "The hook did not take the call"
