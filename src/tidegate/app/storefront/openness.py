"""What a shop says of itself: privacy, licence, complaints, and the choice of language."""

from typing import Annotated

from litestar import Response, get
from litestar.params import Parameter

from tidegate.app.pages.answer import see_other
from tidegate.app.pages.errors import PageUnknown
from tidegate.app.pages.language import COOKIE, Language
from tidegate.app.pages.rendering import Html
from tidegate.app.storefront.visit import Visit
from tidegate.app.storefront.wording import REFUSALS
from tidegate.base.config import Config

_YEAR_SECONDS = 365 * 24 * 3600


@get("/privacy", include_in_schema=False)
async def privacy(visit: Visit) -> Response[bytes]:
    """What is collected, why, how long it is kept, and what one can ask for."""
    return await visit.public(lambda: _plain(visit, "privacy"))


@get("/licence", include_in_schema=False)
async def licence(visit: Visit) -> Response[bytes]:
    """Who runs this shop."""
    return await visit.public(lambda: _plain(visit, "licence"))


@get("/complaint", include_in_schema=False)
async def complaint(visit: Visit) -> Response[bytes]:
    """Where to complain, and what happens then."""
    return await visit.public(lambda: _plain(visit, "complaint"))


@get("/problems/{code:str}", include_in_schema=False)
async def problem(visit: Visit, code: Annotated[str, Parameter(max_length=64)]) -> Response[bytes]:
    """What a kind of refusal means: the page behind the `type` of a problem document."""
    if code not in REFUSALS:
        raise PageUnknown("There is no refusal of this name.")

    async def make() -> Html:
        return visit.render("problem", code=code, words_of=REFUSALS[code])

    return await visit.public(make)


async def _plain(visit: Visit, template: str) -> Html:
    return visit.render(template)


@get("/language/{language:str}", include_in_schema=False)
async def choose_language(
    config: Config, language: str, after: Annotated[str, Parameter(query="next", max_length=1000)] = "/"
) -> Response[bytes]:
    """Remember the language that was chosen and go back."""
    answer = see_other(after)
    if language in tuple(Language):
        answer.set_cookie(
            COOKIE, language, max_age=_YEAR_SECONDS, httponly=True, samesite="lax", secure=config.secure_cookies
        )
    return answer


routes = [privacy, licence, complaint, problem, choose_language]
