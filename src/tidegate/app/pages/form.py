"""What a form sent, whether as one line or in parts (multipart), with every text of it a text in UTF-8."""

from typing import Any

from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.exceptions import ClientException


async def sent_form(request: Request[Any, Any, Any]) -> FormMultiDict:
    """Return the fields and files of a form; the size of the body is bounded by the router.

    The framework decodes each part by the character set that the part itself names. Raises ClientException for one
    that is not what it says, for a set that does not exist, and for what UTF-8 could not write again.
    """
    try:
        sent = await request.form()
        for name, value in sent.multi_items():
            (name + value if isinstance(value, str) else name).encode()
    except (ValueError, LookupError) as fault:
        raise ClientException("The form is not text in UTF-8") from fault
    return sent
