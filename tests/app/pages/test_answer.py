"""HTML over HTTP: where a redirect may lead, and what the policy allows."""

import pytest

from tidegate.app.pages.answer import own_path, policy, see_other


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "x",
        "/a\nb",
        "/" + "a" * 2000,
    ],
)
def test_no_form_sends_a_reader_elsewhere(path: str) -> None:
    assert own_path(path) == "/"


@pytest.mark.parametrize("path", ["/", "/goods/A-1", "/checkout?sku=A-1&quantity=2"])
def test_our_own_pages_are_kept(path: str) -> None:
    assert own_path(path) == path
    assert see_other(path).headers["Location"] == path


def test_the_policy_allows_no_inline_script() -> None:
    allowed = policy(("'sha256-abc'",))
    assert "script-src 'self';" in allowed
    assert "style-src 'self' 'sha256-abc';" in allowed
    assert "unsafe" not in allowed
    assert "frame-ancestors 'none'" in allowed
