"""The dashboard at ``/``: static files, open to everyone, since everything they show comes from the API."""

import re
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

import services
from services.api.problems import Problem

router = APIRouter(include_in_schema=False)

BUILT = Path(services.__file__).parents[1] / "web/dist"
ASSET = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
# Scripts and styles come from our own files only, so nothing in an answer can run in the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
STRICT = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def folder_of(request: Request) -> Path:
    """Return the folder of the built dashboard."""
    folder = request.app.state.dashboard
    assert isinstance(folder, Path)
    return folder


@router.get("/")
def get_dashboard(request: Request) -> Response:
    """The page itself. It names its assets, so browsers revalidate it each time."""
    page = folder_of(request) / "index.html"
    try:
        content = page.read_bytes()
    except OSError as error:
        raise Problem(
            HTTPStatus.NOT_FOUND, "The dashboard is not built: run `make dashboard`, or set JEJO_DASHBOARD_DIR."
        ) from error
    return HTMLResponse(content, headers={**STRICT, "Cache-Control": "no-cache"})


@router.get("/assets/{name}")
def get_asset(request: Request, name: str) -> Response:
    """A script, style or font. Its name contains a hash of its content, so it never changes."""
    path = folder_of(request) / "assets" / name
    if not ASSET.fullmatch(name) or not path.is_file():
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no {request.url.path}; open / for the dashboard.")
    return FileResponse(path, headers={**STRICT, "Cache-Control": "public, max-age=31536000, immutable"})
