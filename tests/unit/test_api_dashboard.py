"""The dashboard's static files: which are served, how long they are cached, and what is not found."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from services.api.app import create_app
from services.api.settings import ApiSettings

NOWHERE = "postgresql://jejo@127.0.0.1:1/jejo"
PAGE = "<!doctype html><title>Jejo</title>"
SCRIPT = "export const answer = 42;\n" * 200


def client(folder: Path) -> httpx.AsyncClient:
    app = create_app(ApiSettings(database_url=NOWHERE, dashboard_dir=folder), lambda: 0)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")


@pytest_asyncio.fixture
async def browser(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Returns a client of a built dashboard, with files beside it that must not be served."""
    (tmp_path / "dist/assets/nested").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "dist/index.html").write_text(PAGE)
    (tmp_path / "dist/assets/main-3f2a.js").write_text(SCRIPT)
    (tmp_path / "dist/assets/main-77aa.css").write_text("body {}")
    (tmp_path / "dist/assets/.hidden").write_text("secret")
    (tmp_path / "dist/assets/nested/deep.js").write_text("secret")
    async with client(tmp_path / "dist") as browser:
        yield browser


async def test_the_page_is_revalidated_each_time(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")
    assert (answer.status_code, answer.text) == (HTTPStatus.OK, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    known = await browser.get("/", headers={"If-None-Match": answer.headers["etag"]})
    assert known.status_code == HTTPStatus.NOT_MODIFIED
    assert (await browser.head("/")).headers["content-length"] == str(len(PAGE))


async def test_the_policy_allows_own_scripts_only_and_no_framing(browser: httpx.AsyncClient) -> None:
    for path in ("/", "/assets/main-3f2a.js"):
        headers = (await browser.get(path)).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(("name", "kind"), [("main-3f2a.js", "javascript"), ("main-77aa.css", "text/css")])
async def test_assets_are_cached_for_ever(browser: httpx.AsyncClient, name: str, kind: str) -> None:
    answer = await browser.get(f"/assets/{name}")
    assert answer.status_code == HTTPStatus.OK
    assert kind in answer.headers["content-type"]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "cookie" not in answer.headers.get("vary", "").lower()


async def test_large_assets_are_compressed(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/assets/main-3f2a.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) < len(SCRIPT) / 5
    assert answer.text == SCRIPT


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/assets/",
        "/assets",
        "/assets/nested",
        "/assets/nested/deep.js",
        "/assets/.hidden",
        "/assets/%2e%2e",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/%00",
        "/assets/" + "a" * 5000,
        "/index.html",
        "/secret.txt",
        "/dashboard",
    ],
)
async def test_other_paths_are_not_found(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text.replace("secret.txt", "")


async def test_a_missing_build_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "dist", tmp_path, tmp_path / "file"):
        async with client(folder) as browser:
            answer = await browser.get("/")
            assert answer.status_code == HTTPStatus.NOT_FOUND
            assert answer.headers["content-type"] == "application/problem+json"
            assert "make dashboard" in answer.json()["detail"]
            assert (await browser.get("/assets/main-3f2a.js")).status_code == HTTPStatus.NOT_FOUND
            assert (await browser.get("/healthz")).status_code == HTTPStatus.OK


async def test_other_methods_are_not_allowed(browser: httpx.AsyncClient) -> None:
    for path in ("/", "/assets/main-3f2a.js"):
        for method in ("POST", "PUT", "DELETE"):
            assert (await browser.request(method, path)).status_code == HTTPStatus.METHOD_NOT_ALLOWED
