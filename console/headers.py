"""What every answer carries, and which hosts and origins are answered at all."""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from settings import settings

WRONG_HOST = (
    "This console does not go by that name. Use one that it knows, "
    "or have whoever runs it add the host to ALLOWED_HOSTS."
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Streamlit's charts evaluate expressions, its styles are inline; nothing is ever fetched from elsewhere.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_COMMON = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def adding(send: Send) -> Send:
    """The same `send`, with the security headers on every answer that does not bring its own."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _COMMON.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def host_is_allowed(scope: Scope) -> bool:
    """Whether the request names a host of ours: a stranger's name that points at this machine is none."""
    allowed = {host.lower() for host in (*LOOPBACK, settings().host, *settings().allowed_hosts)}
    name = _hostname(_header(scope, b"host"))
    return "*" in allowed or name in allowed or any(a[0:2] == "*." and name.endswith(a[1:]) for a in allowed)


def same_origin(scope: Scope) -> bool:
    """Whether the request comes from a page of ours; one that names no origin comes from no page."""
    origin = _header(scope, b"origin")
    return not origin or urlsplit(origin).netloc.lower() == _header(scope, b"host").lower()


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _header(scope: Scope, name: bytes) -> str:
    return next((v.decode("latin-1") for n, v in scope["headers"] if n == name), "")
