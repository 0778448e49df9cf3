"""The ordinary doors of a test's App: Litestar is built once a process, which takes longer than most tests with it."""

from functools import cache
from typing import cast

from litestar import Litestar

from tidegate.app.api.application import framework
from tidegate.app.compose import App


class _Stage:
    """Stands for the App that is on now; the framework asks it for each part anew."""

    on: App

    def __getattr__(self, name: str) -> object:
        return getattr(self.on, name)


_stage = _Stage()


def framework_of(app: App) -> Litestar:
    """Return Litestar with every ordinary door of this App; from now on it serves no other, and knows of no other."""
    _stage.on = app
    site = _built()
    site.state.clear()
    return site


@cache
def _built() -> Litestar:
    return framework(cast("App", _stage))
