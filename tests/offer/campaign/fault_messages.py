"""Finds every message of a fault in the campaign's own source: texts with places, as `{}` for each figure or name."""

import ast
from collections.abc import Iterator
from importlib.resources import files

MODULES = (
    "benefit_faults",
    "aftersale",
    "aftersale_terms",
    "conditions",
    "coupons",
    "defences",
    "definition",
    "drafts",
    "flash_slots",
    "group_buying",
    "moments",
    "presales",
    "prize_draws",
    "promotion_faults",
    "promotions",
    "public_numbers",
    "rate_limits",
    "reading",
    "rules",
    "waiting_room",
)
_CALLS = {"_fault", "fault", "add", "Fault"}


def messages() -> set[str]:
    """Every message, its places written as `{}`."""
    found: set[str] = set()
    for name in MODULES:
        tree = ast.parse((files("tidegate.offer.campaign") / f"{name}.py").read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                found.update(_of(function))
    return {each for each in found if " " in each.replace("{}", "").strip()}


def _of(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.Call() if _name(node.func) in _CALLS:
                yield from _texts([*node.args[:2], *(word.value for word in node.keywords if word.arg == "message")])
            case ast.Yield(value=ast.Tuple(elts=[first, *_])):
                yield from _texts([first])
            case ast.Assign() if any(_name(target) == "message" for target in node.targets):
                yield from _texts([node.value])
            case ast.Return() if node.value and _says_what_is_wrong(function):
                yield from _texts([node.value])


def _says_what_is_wrong(function: ast.FunctionDef) -> bool:
    """Whether it returns a value, or else a text that says what is wrong with it."""
    returned = ast.unparse(function.returns) if function.returns else ""
    return "str" in returned and "|" in returned


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.IfExp):
            yield from _texts([node.body, node.orelse])
