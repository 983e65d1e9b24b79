"""Where a browser on this machine finds the console."""

from settings import settings

HERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104  where a listener on all addresses is met


def console(path: str = "") -> str:
    """The console's address; `path` begins with a slash."""
    host = HERE.get(settings().host, settings().host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings().port}{path}"


def sign_in(secret: str) -> str:
    """The one-time link with this secret (see `services.sessions.link`)."""
    return console(f"/sign-in?link={secret}")
