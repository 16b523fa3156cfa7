"""What the browser fetches: small, ours or vendored with licence and hash, and kept for as long as it is the same."""

import gzip
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sev1.surfaces.web import assets

STATIC = assets.FOLDER
TEMPLATES = STATIC.parent / "templates"
VENDORED = [STATIC / "vendor", Path(__file__).parents[1] / "browser/vendor"]
Do = Callable[..., Awaitable[Any]]


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.parent.name)
def test_every_vendored_file_is_the_one_that_the_manifest_names(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    named = {name: file["sha256"] for package in manifest for name, file in package["files"].items()}
    present = {path.name for path in folder.iterdir()} - {"manifest.json"}
    assert present == set(named)
    for name, sha256 in named.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, name
    for package in manifest:
        assert package["licence"]
        assert package["version"]


def test_the_marked_address_is_kept_for_ever_and_any_other_is_asked_for_again() -> None:
    assert re.fullmatch(r"/static/sev1\.css\?v=[0-9a-f]{12}", assets.address("sev1.css"))


async def test_assets_are_served_compressed_with_their_type(enter: Do) -> None:
    ana = await enter()
    marked = await ana.http.get(assets.address("sev1.css"))
    assert marked.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert marked.headers["content-type"].startswith("text/css")
    assert marked.headers["content-encoding"] == "gzip"
    plain = await ana.http.get("/static/sev1.css", headers={"Accept-Encoding": "identity"})
    assert plain.headers["cache-control"] == "no-cache"
    assert plain.content == marked.content == (STATIC / "sev1.css").read_bytes()
    again = await ana.http.get("/static/sev1.css", headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["vendor/manifest.json", "../routes.py", "..%2froutes.py", "%2e%2e/routes.py", "nothing.css"]
)
async def test_nothing_but_assets_is_served(enter: Do, path: str) -> None:
    ana = await enter()
    assert (await ana.http.get(f"/static/{path}")).status_code == 404


def test_what_every_page_loads_is_small() -> None:
    named = re.findall(r"asset\('([^']+)'\)", "".join(p.read_text() for p in TEMPLATES.rglob("*.html")))
    weight = sum(len(assets.assets()[name].zipped) for name in set(named))
    assert weight < 40_000, f"{weight} bytes compressed"


def test_the_templates_hold_no_inline_script_style_or_handler() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"<style|\sstyle=", text), path
        assert not re.search(r"\son[a-z]+\s*=", text), path
        assert not re.search(r"javascript:", text), path


def test_no_file_loads_anything_from_elsewhere() -> None:
    for path in [*TEMPLATES.rglob("*.html"), STATIC / "sev1.css", *STATIC.glob("*.js")]:
        assert not re.search(
            r"""(src|href)=["']https?:|url\(["']?https?:|@import|from ["']https?:""", path.read_text()
        ), path


def test_both_light_blocks_of_the_stylesheet_say_the_same() -> None:
    css = (STATIC / "sev1.css").read_text()
    blocks = re.findall(r':root\[data-theme="(auto|light)"\]\s*\{([^}]*--surface-0[^}]*)\}', css)
    assert [name for name, _ in blocks] == ["auto", "light"]
    first, second = ([line.strip() for line in block.splitlines() if line.strip()] for _, block in blocks)
    assert first == second


def test_severity_owns_its_hues() -> None:
    css = (STATIC / "sev1.css").read_text()
    users = [line.strip() for line in css.splitlines() if re.search(r"var\(--(sev-\d|hue)", line)]
    assert users
    for line in users:
        assert line.startswith((".sev-", ".severity", "background: var(--hue", ".band", ".is-incident .band")), line
    # And nothing sets a colour outside the tokens.
    rules = css.partition("@layer reset {")[2]
    assert not re.search(r"#[0-9a-f]{3,8}\b", rules.replace("#000 28%", "")), "a colour that is no token"


def test_a_compressed_asset_is_the_same_in_every_process() -> None:
    first = assets.assets()["sev1.css"]
    assert gzip.compress(first.body, 9, mtime=0) == first.zipped
