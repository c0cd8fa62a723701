"""ETags, 304, HEAD and compression of answers, over an application of the test's own."""

import gzip
import hashlib
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from services.api.representations import CACHE_CONTROL, VARY, Representations, entity_tag, is_known

LARGE = {"items": ["machine"] * 1000}


def tag_of(body: bytes) -> str:
    return entity_tag(hashlib.sha256(body).hexdigest())


async def small(request: Request) -> Response:
    return JSONResponse({"method": request.method})


async def large(request: Request) -> Response:
    return JSONResponse(LARGE)


async def streamed(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        for part in ("a", "b", "c"):
            yield part * 100

    return StreamingResponse(parts(), media_type="text/csv")


async def asset(request: Request) -> Response:
    return Response("x", headers={"Cache-Control": "public, immutable", "ETag": '"own"'}, media_type="text/css")


async def missing(request: Request) -> Response:
    return JSONResponse({}, HTTPStatus.NOT_FOUND)


async def put(request: Request) -> Response:
    return JSONResponse({}, HTTPStatus.CREATED)


def client() -> httpx.AsyncClient:
    app = Starlette(
        routes=[
            *(
                Route(f"/{route.__name__}", route, methods=["GET"])
                for route in (small, large, streamed, asset, missing)
            ),
            Route("/put", put, methods=["PUT"]),
        ],
        middleware=[Middleware(Representations), Middleware(GZipMiddleware, minimum_size=1024)],
    )
    headers = {"Accept-Encoding": "identity"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=headers)


async def test_answers_say_how_to_cache_them() -> None:
    async with client() as api:
        for path in ("/small", "/large", "/streamed"):
            answer = await api.get(path)
            assert answer.headers["etag"] == tag_of(answer.content)
            assert answer.headers["cache-control"] == CACHE_CONTROL
            assert answer.headers["vary"] == VARY
            assert int(answer.headers["content-length"]) == len(answer.content)


async def test_304_has_no_body_and_the_same_headers() -> None:
    async with client() as api:
        first = await api.get("/small")
        again = await api.get("/small", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")
        for name in ("etag", "cache-control", "vary"):
            assert again.headers[name] == first.headers[name]
        for name in ("content-type", "content-length", "content-encoding"):
            assert name not in again.headers
        other = await api.get("/large", headers={"If-None-Match": first.headers["etag"]})
        assert other.status_code == HTTPStatus.OK


async def test_each_encoding_is_a_representation_of_its_own() -> None:
    async with client() as api:
        plain = await api.get("/large")
        async with api.stream("GET", "/large", headers={"Accept-Encoding": "gzip"}) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(raw) == plain.content
        assert len(raw) < len(plain.content) / 5
        assert answer.headers["etag"] == tag_of(raw) != plain.headers["etag"]
        assert int(answer.headers["content-length"]) == len(raw)
        asked = {"If-None-Match": answer.headers["etag"]}
        assert (await api.get("/large", headers=asked)).status_code == HTTPStatus.OK
        compressed = await api.get("/large", headers={**asked, "Accept-Encoding": "gzip"})
        assert compressed.status_code == HTTPStatus.NOT_MODIFIED


async def test_head_is_get_without_a_body() -> None:
    async with client() as api:
        for path in ("/small", "/large", "/streamed", "/missing"):
            got, head = await api.get(path), await api.head(path)
            assert head.status_code == got.status_code
            assert head.headers == got.headers
            assert head.content == b""
        tag = (await api.get("/small")).headers["etag"]
        assert (await api.head("/small", headers={"If-None-Match": tag})).status_code == HTTPStatus.NOT_MODIFIED
        assert (await api.head("/put")).status_code == HTTPStatus.METHOD_NOT_ALLOWED


async def test_errors_are_not_cached() -> None:
    async with client() as api:
        answer = await api.get("/missing", headers={"If-None-Match": "*"})
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_a_route_may_set_its_own_caching() -> None:
    async with client() as api:
        answer = await api.get("/asset")
        assert answer.headers["cache-control"] == "public, immutable"
        assert "vary" not in answer.headers
        assert answer.headers["etag"] == tag_of(b"x")


async def test_only_reads_are_conditional() -> None:
    async with client() as api:
        answer = await api.put("/put", headers={"If-None-Match": "*"})
        assert answer.status_code == HTTPStatus.CREATED
        assert "etag" not in answer.headers


@pytest.mark.parametrize(
    ("lines", "known"),
    [
        ([], False),
        ([""], False),
        (["*"], True),
        ([" * "], True),
        (['"a"'], True),
        (['W/"a"'], True),
        (['"b", "a"'], True),
        (['"b",W/"a","c"'], True),
        (['"b"', '"a"'], True),
        (['"b"'], False),
        (["a"], False),
        (['"a'], False),
        (['"A"'], False),
        (['"b,"a"'], False),
        (['"*"'], False),
        (['"a,b"'], False),
    ],
)
def test_lists_of_tags(lines: list[str], known: bool) -> None:
    assert is_known('"a"', lines) is known


@pytest.mark.parametrize(
    ("accepted", "is_compressed"), [("gzip;q=0", False), ("identity, gzip; q=0.0", False), ("gzip;q=0.1", True)]
)
async def test_gzip_is_not_sent_to_callers_that_refuse_it(accepted: str, is_compressed: bool) -> None:
    async with client() as api:
        answer = await api.get("/large", headers={"Accept-Encoding": accepted})
    assert ("content-encoding" in answer.headers) is is_compressed
    assert answer.json() == LARGE
