"""Headers for browsers: which pages may ask (CORS), and what a page of ours may do (CSP)."""

import re
from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from segue.errors import ConfigError

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_ADDRESS = re.compile(r"(localhost|[0-9.]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
# https://owasp.org/www-project-secure-headers/
STRICT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
DATA = "default-src 'none'; frame-ancestors 'none'"
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self';"
    " frame-src https://open.spotify.com; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
ALLOWED = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, If-None-Match, X-Api-Key, MCP-Protocol-Version, Mcp-Method, Mcp-Name"
    ),
    "Access-Control-Expose-Headers": "ETag, Retry-After, Server-Timing, X-Segue-Model",
    "Access-Control-Max-Age": "600",
}


def origins(environ: Mapping[str, str]) -> tuple[str, ...]:
    """SEGUE_CORS: origins with commas between, or ``*``."""
    given = tuple(entry.strip() for entry in environ.get("SEGUE_CORS", "").split(",") if entry.strip())
    for entry in given:
        if entry != "*" and not _ORIGIN.fullmatch(entry):
            raise ConfigError(f"SEGUE_CORS: '{entry}' is no origin such as https://songs.example.org, nor *")
    return given


def is_preflight(request: Request) -> bool:
    """Whether a browser asks if it may ask (https://fetch.spec.whatwg.org/#cors-preflight-request)."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def open_to(request: Request, response: Response, listed: tuple[str, ...]) -> None:
    """Let pages of the listed origins read an answer, and no other's; without a list an answer keeps what it has."""
    if not listed:
        return
    for name in [name for name in response.headers.keys() if name.lower().startswith("access-control-")]:  # noqa: SIM118
        del response.headers[name]
    response.headers.add("Vary", "Origin")
    asking = request.headers.get("Origin", "")
    if "*" in listed or asking in listed:
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in listed else asking
        response.headers.update(ALLOWED)


def is_foreign(request: Request, listed: tuple[str, ...], public_url: str | None) -> bool:
    """Whether a request comes from a page of an origin that is neither this service's nor listed.

    Over plain HTTP a name that matches proves nothing, since any name can be made to lead to this machine (DNS
    rebinding); an address, or a name with a certificate, does. Programs send no origin.
    """
    origin = request.headers.get("Origin")
    if origin is None or "*" in listed or origin in listed:
        return False
    if public_url and re.match(re.escape(origin) + "(/|$)", public_url):
        return False
    scheme, _, host = origin.partition("://")
    sure = scheme == "https" or _ADDRESS.fullmatch(host)
    return not (sure and host == request.headers.get("Host"))


def harden(request: Request, response: Response) -> None:
    """Tell browsers to do no more with an answer than it needs."""
    response.headers.update(STRICT)
    response.headers["Content-Security-Policy"] = policy(response)
    if "https" in (request.scheme, request.headers.get("X-Forwarded-Proto")):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"


def policy(response: Response) -> str:
    """The content security policy of an answer: a page runs scripts and styles that are files of ours.

    The player of another site is framed once somebody asks for it.
    """
    return PAGE if response.mimetype == "text/html" else DATA
