"""Login links work once; sessions last twelve hours and only read."""

import asyncio
import re
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from services.api.access.credentials import create_login_token
from services.core.database import connect
from services.core.times import HOUR_US, MINUTE_US, SECOND_US, rfc3339
from tests.api import ENTERPRISE, Api
from tests.stack import Stack

NOW_US = 1_790_000_000 * SECOND_US
ROOT = Path(__file__).parents[2]


async def make_token(api: Api, role: str = "ministry", valid_us: int = HOUR_US) -> str:
    """Create a token at NOW_US, which the API's clock shows from then on."""
    set_clock(api, NOW_US)
    connection = await connect(api.database_url)
    try:
        return await create_login_token(connection, role, "Kim Min-ji", NOW_US, valid_us)
    finally:
        await connection.close()


def set_clock(api: Api, us: int) -> None:
    api.app.state.clock = lambda: us


async def log_in(api: Api, token: str) -> httpx.Response:
    return await api.client.post("/v1/sessions", headers={"Authorization": f"Bearer {token}"})


async def test_a_token_opens_a_session_with_a_cookie(api: Api) -> None:
    answer = await log_in(api, await make_token(api))
    assert answer.status_code == HTTPStatus.CREATED
    expected = {"role": "ministry", "name": "Kim Min-ji", "expires_at": rfc3339(NOW_US + 12 * HOUR_US)}
    assert answer.json() == expected
    assert answer.headers["cache-control"] == "no-store"
    (cookie,) = answer.headers.get_list("set-cookie")
    secret, *attributes = cookie.split("; ")
    assert re.fullmatch(r"jejo_session=[A-Za-z0-9_-]{43}", secret)
    assert set(attributes) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict"}
    current = await api.client.get("/v1/sessions/current")
    assert (current.status_code, current.json()) == (HTTPStatus.OK, expected)
    assert (await api.client.get("/v1/kpi-definitions")).status_code == HTTPStatus.OK
    assert (await api.client.head("/v1/kpi-definitions")).status_code == HTTPStatus.OK


async def test_the_cookie_is_secure_if_the_request_is(api: Api) -> None:
    token = await make_token(api)
    answer = await api.client.post("https://api/v1/sessions", headers={"Authorization": f"Bearer {token}"})
    assert "Secure" in answer.headers["set-cookie"].split("; ")


async def test_a_token_works_once_even_for_simultaneous_requests(api: Api) -> None:
    token = await make_token(api)
    answers = await asyncio.gather(*(log_in(api, token) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 7
    assert await api.query("SELECT count(*) FROM session") == [(1,)]


async def test_an_invalid_token_is_answered_with_how_to_get_one(api: Api) -> None:
    used, expired = await make_token(api), await make_token(api, valid_us=10 * MINUTE_US)
    key = await api.key("admin")
    assert (await log_in(api, used)).status_code == HTTPStatus.CREATED
    api.client.cookies.clear()
    set_clock(api, NOW_US + 10 * MINUTE_US)
    for header in (used, expired, "unknown", key, ""):
        answer = await log_in(api, header)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED, header
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "jejo keys login-link" in answer.json()["detail"]
        assert "set-cookie" not in answer.headers
    assert await api.query("SELECT count(*) FROM session") == [(1,)]


async def test_a_session_expires(api: Api) -> None:
    await log_in(api, await make_token(api))
    set_clock(api, NOW_US + 12 * HOUR_US - 1)
    assert (await api.client.get("/v1/kpi-definitions")).status_code == HTTPStatus.OK
    set_clock(api, NOW_US + 12 * HOUR_US)
    for path in ("/v1/kpi-definitions", "/v1/sessions/current"):
        answer = await api.client.get(path)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "jejo keys login-link" in answer.json()["detail"]


async def test_logging_out_ends_only_this_session(api: Api) -> None:
    await log_in(api, await make_token(api))
    kept = dict(api.client.cookies)
    await log_in(api, await make_token(api))
    ended = dict(api.client.cookies)
    answer = await api.client.delete("/v1/sessions/current")
    assert answer.status_code == HTTPStatus.NO_CONTENT
    assert answer.content == b""
    assert 'jejo_session=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert not api.client.cookies
    for cookies, expected in ((ended, HTTPStatus.UNAUTHORIZED), (kept, HTTPStatus.OK)):
        api.client.cookies.update(cookies)
        assert (await api.client.get("/v1/sessions/current")).status_code == expected
    api.client.cookies.update(ended)
    assert (await api.client.delete("/v1/sessions/current")).status_code == HTTPStatus.UNAUTHORIZED


async def test_a_key_is_not_a_session(api: Api) -> None:
    for method in ("GET", "DELETE"):
        assert (await api.ask(method, "/v1/sessions/current")).status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("role", ["admin", "ministry"])
async def test_a_cookie_changes_nothing(api: Api, role: str) -> None:
    await log_in(api, await make_token(api, role))
    answer = await api.client.put("/v1/enterprises/E1", json=ENTERPRISE)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "Bearer KEY" in answer.json()["detail"]
    assert await api.query("SELECT count(*) FROM enterprise") == [(0,)]


async def test_a_cookie_reads_what_its_role_may(api: Api) -> None:
    await api.register()
    for role, expected in (("region:KR-48", HTTPStatus.OK), ("region:KR-11", HTTPStatus.FORBIDDEN)):
        await log_in(api, await make_token(api, role))
        assert (await api.client.get("/v1/factories/F1")).status_code == expected


async def test_a_key_takes_precedence_over_the_cookie(api: Api) -> None:
    await log_in(api, await make_token(api, "admin"))
    bad = {"Authorization": "Bearer nonsense"}
    assert (await api.client.get("/v1/kpi-definitions", headers=bad)).status_code == HTTPStatus.UNAUTHORIZED
    assert (await api.put("/v1/enterprises/E1", ENTERPRISE)).status_code == HTTPStatus.CREATED
    assert (await api.put("/v1/enterprises/E2", ENTERPRISE, "ministry")).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("cookie", ["", "x", "jejo_session=", "a" * 5000])
async def test_an_invalid_cookie_is_refused(api: Api, cookie: str) -> None:
    answer = await api.client.get("/v1/kpi-definitions", headers={"Cookie": f"jejo_session={cookie}"})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


async def test_secrets_are_not_stored(api: Api) -> None:
    token = await make_token(api)
    await log_in(api, token)
    secret = api.client.cookies["jejo_session"]
    ((stored,),) = await api.query("SELECT login_token::text || session::text FROM login_token, session")
    for kept in (token, secret, token.encode().hex(), secret.encode().hex()):
        assert kept not in stored


def test_the_command_prints_only_the_link_and_it_works(stack: Stack) -> None:
    stack.start_api()
    made = stack.run("keys", "login-link", "--role", "ministry", "--name", "Kim Min-ji", "--url", stack.api_url + "/")
    assert made.returncode == 0, made.stderr
    url, token = made.stdout.removesuffix("\n").split("/#login=")
    assert url == stack.api_url
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    with httpx.Client(base_url=url) as browser:
        opened = browser.post("/v1/sessions", headers={"Authorization": f"Bearer {token}"})
        assert (opened.status_code, opened.json()["name"]) == (HTTPStatus.CREATED, "Kim Min-ji")
        assert browser.get("/v1/sessions/current").json()["role"] == "ministry"
        assert browser.head("/v1/sessions/current").status_code == HTTPStatus.OK
        assert browser.delete("/v1/sessions/current").status_code == HTTPStatus.NO_CONTENT
    made = stack.run("keys", "login-link", "--role", "admin", "--name", "Kim Min-ji", "--valid-minutes", "1")
    assert made.stdout.startswith("http://127.0.0.1:8000/#login=")
    headers = {"Authorization": f"Bearer {made.stdout.strip().split('=')[1]}", "X-Forwarded-Proto": "https"}
    behind_a_proxy = httpx.post(f"{url}/v1/sessions", headers=headers)
    assert "; Secure" in behind_a_proxy.headers["set-cookie"]
    refused = stack.run("keys", "login-link", "--role", "king", "--name", "x")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "No role 'king'" in refused.stderr


@pytest.mark.parametrize("minutes", ["0", "-1", "1.5", "10081", "soon"])
def test_a_link_is_valid_for_whole_minutes_up_to_a_week(minutes: str) -> None:
    command = [sys.executable, "-m", "services", "keys", "login-link", "--role", "admin", "--name", "x"]
    done = subprocess.run(
        [*command, f"--valid-minutes={minutes}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "whole minutes" in done.stderr
