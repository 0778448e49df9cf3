"""The live page: one screen that says whether the festival is well, and what to do where it is not."""

from litestar import Response, get

from tidegate.app.console import words
from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires


@get("/console", include_in_schema=False, dependencies={"staff": requires(Permission.MONITOR_VIEW)})
async def live(request: PageRequest, desk: Desk, staff: Staff) -> Response[bytes]:
    """Show the live page. Its script fills it from /api/v1/monitor/live, once a second while it is looked at."""
    said = words.live_words(desk.pages.messages(language(request)))
    return await desk.show(request, staff, "live", "live.html", said=said)
