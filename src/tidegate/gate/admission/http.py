"""Door of admission: where a request carries its pass."""

from typing import Annotated

from litestar.params import Parameter

from tidegate.gate.admission.contracts import PASS_HEADER

PASS_LENGTH_MAX = 512


def provide_admission_pass(
    given_pass: Annotated[
        str,
        Parameter(header=PASS_HEADER, max_length=PASS_LENGTH_MAX, description="A pass from POST /api/v1/passes."),
    ] = "",
) -> str:
    """Dependency `admission_pass`: the pass that came with a request; empty where none did."""
    return given_pass
