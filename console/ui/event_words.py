"""Events of the audit trail in words: who acted, on what, and what was different after it."""

from console.ui import readable, say
from models import Event

NOBODY = {"api": "code", "system": "Callboard"}  # acted without a person behind it
NAMED = ("operator", "schedule", "view", "artifact")  # known to people by their names


def who(event: Event) -> str:
    """Who did it: a person's name, `code`, `task 12`."""
    return maker(event.actor_kind, event.actor_id)


def maker(kind: str, name: str | None) -> str:
    """The same of a task or another thing that has been made."""
    if kind == "operator" and name:
        return say.visible(name)
    return say.visible(f"{NOBODY.get(kind, kind)} {name or ''}".strip())


def what(event: Event) -> str:
    """The thing it was done to: `task 41`, `operator ines`, `312 tasks`."""
    if event.entity == "bulk":
        return say.many((event.after or {}).get("tasks", 0), "task")
    return say.visible(f"{event.entity} {_name(event) or event.entity_id or ''}".strip())


def change(event: Event) -> str:
    """What is different after it: `priority: 50 → 80; tags: mail`. What stayed and what says nothing is left out."""
    before, after = event.before or {}, event.after or {}
    said = []
    for key, value in after.items():
        if before.get(key) == value or (key not in before and value in (None, "", [], {})):
            continue
        if key == "name" and value == _name(event):
            continue
        was = f"{readable.word(before[key])} → " if key in before else ""
        said.append(f"{key.replace('_', ' ')}: {was}{readable.word(value)}")
    return say.visible("; ".join(said))


def sentence(event: Event) -> str:
    """All of it in one line, for the history of one thing."""
    words = "" if event.verb == "create" else change(event)  # all that was said when it was made is no change
    changed = f" ({words})" if words else ""
    why = f" – {event.reason}" if event.reason else ""
    return say.visible(f"{say.at(event.at)}  {who(event)}: {event.verb.replace('_', ' ')}{changed}{why}")


def _name(event: Event) -> str | None:
    if event.entity not in NAMED:
        return None
    name = (event.after or {}).get("name") or (event.before or {}).get("name")
    return name if isinstance(name, str) else None
