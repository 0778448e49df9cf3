"""Idempotency keys of a replay: made from the log and the invoice alone, so that a second run changes nothing."""

import re
from hashlib import blake2b

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


def idempotency_key(log_key: str, step_key: str) -> str:
    """Return the key of a step: readable where the invoice number is plain, otherwise a digest of it."""
    name = step_key if _PLAIN.fullmatch(step_key) else blake2b(step_key.encode(), digest_size=16).hexdigest()
    return f"replay-{log_key[:8]}-{name}"
