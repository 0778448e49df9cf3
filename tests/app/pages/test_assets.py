"""The built files: the manifest, and the smallest encoding that a client takes."""

import json
from pathlib import Path

from tidegate.app.pages.assets import Assets, Entry


def built(folder: Path) -> Assets:
    """A folder as Vite leaves it."""
    manifest = {
        "storefront/main.ts": {"file": "storefront-1.js", "css": ["storefront-2.css"], "imports": ["_live.js"]},
        "_live.js": {"file": "live-3.js"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "storefront-1.js").write_bytes(b"plain")
    (folder / "storefront-1.js.br").write_bytes(b"brotli")
    (folder / "storefront-1.js.gz").write_bytes(b"gzip")
    return Assets.load(folder)


def test_a_face_loads_its_own_files(tmp_path: Path) -> None:
    assert built(tmp_path).entry("storefront") == Entry(
        scripts=("/assets/storefront-1.js",), styles=("/assets/storefront-2.css",), parts=("/assets/live-3.js",)
    )


def test_the_smallest_encoding_wins(tmp_path: Path) -> None:
    asset = built(tmp_path).file("storefront-1.js")
    assert asset is not None
    assert asset.media_type == "text/javascript"
    assert asset.best("gzip, deflate, br") == ("br", b"brotli")
    assert asset.best("gzip, br;q=0") == ("gzip", b"gzip")
    assert asset.best("") == ("identity", b"plain")


def test_what_is_not_built_is_not_there(tmp_path: Path) -> None:
    assets = Assets.load(tmp_path)
    assert not assets.built
    assert assets.entry("storefront") == Entry()
    assert built(tmp_path).file("../secret") is None
    assert built(tmp_path).file("manifest.json") is None
