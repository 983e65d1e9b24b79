"""`python -m console.accounts`: operators and sign-in links, from a terminal on a machine of the installation.

Whoever may run this holds the keys of the database anyhow, so it asks for no rights.
"""

import argparse
import getpass
import sys

from models import Role
from services import address, log, operators, sessions
from services.errors import ServiceError


def main(words: list[str] | None = None) -> int:
    """Do what the words say; 0, or 1 with a sentence on standard error."""
    given = _parser().parse_args(words)
    log.configure()
    try:
        given.act(given)
    except ServiceError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m console.accounts", description="Who may use the console.")
    acts = parser.add_subparsers(required=True, metavar="ACT")
    acts.add_parser("list", help="list the operators").set_defaults(act=_list)
    link = acts.add_parser("link", help="print a link that signs in once, within an hour")
    link.add_argument("name", nargs="?", help="whom; left out: the first admin, made where there is none")
    link.set_defaults(act=_link)
    add = acts.add_parser("add", help="make an account, and ask for its password")
    add.add_argument("name")
    add.add_argument("--role", choices=[role.value for role in Role], default=Role.viewer.value)
    add.add_argument("--no-password", action="store_true", help="lets in by one-time link only")
    add.set_defaults(act=_add)
    for name, what, act in (
        ("password", "ask for a new password", _password), ("disable", "shut an account", _disable),
        ("enable", "open it again", _enable),
    ):  # fmt: skip
        one = acts.add_parser(name, help=what)
        one.add_argument("name")
        one.set_defaults(act=act)
    role = acts.add_parser("role", help="give another role")
    role.add_argument("name")
    role.add_argument("role", choices=[role.value for role in Role])
    role.set_defaults(act=_role)
    return parser


def _list(_: argparse.Namespace) -> None:
    for one in operators.list_operators():
        notes = [] if one.password_hash else ["by link only"]
        notes += ["disabled"] if one.disabled_at else []
        print(f"{one.name}  {one.role.value}  {', '.join(notes)}".rstrip())


def _link(given: argparse.Namespace) -> None:
    print(address.sign_in(sessions.link(None if given.name is None else _id(given.name))))


def _add(given: argparse.Namespace) -> None:
    operators.create(given.name, given.role, None if given.no_password else _ask())
    print(f"{given.name} is a {given.role}.")


def _password(given: argparse.Namespace) -> None:
    operators.set_password(_id(given.name), _ask())


def _disable(given: argparse.Namespace) -> None:
    operators.disable(_id(given.name))


def _enable(given: argparse.Namespace) -> None:
    operators.enable(_id(given.name))


def _role(given: argparse.Namespace) -> None:
    operators.set_role(_id(given.name), given.role)


def _id(name: str) -> int:
    return operators.by_name(name).id or 0


def _ask() -> str:
    """The password, from the terminal, or from a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password: ")


if __name__ == "__main__":
    sys.exit(main())
