"""Whatever a page may call that writes asks for a right, or stands here with the reason why anybody may."""

import ast
from functools import cache

from settings import ROOT

Name = tuple[str, str]  # module, function or class
OPEN = {
    ("services.sessions", "check"): "the gate asks who it is, and notes when they were seen last",
    ("services.sessions", "redeem"): "it is how one signs in",
    ("services.sessions", "sign_in"): "it is how one signs in",
    ("services.sessions", "visited"): "the gate notes when they were seen last",
}


@cache
def tree(module: str) -> ast.Module | None:
    """The module's code, where it is one of the services or of the console."""
    path = ROOT / module.replace(".", "/")
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if module.split(".")[0] in ("services", "console") and file.exists():
            return ast.parse(file.read_text())
    return None


@cache
def imported(module: str) -> dict[str, Name]:
    """What names from elsewhere mean in this module; a module is one with the function ""."""
    found = {}
    for node in ast.walk(tree(module) or ast.Module([], [])):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = (below, "") if tree(below) else (node.module, alias.name)
    return found


@cache
def defined(module: str) -> dict[str, ast.AST]:
    """Its functions, classes and tables of them by name."""
    body = (tree(module) or ast.Module([], [])).body
    assigned = [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
    targets = [(one, node) for node in assigned for one in getattr(node, "targets", [getattr(node, "target", None)])]
    tables: dict[str, ast.AST] = {one.id: node for one, node in targets if isinstance(one, ast.Name)}
    return tables | {node.name: node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def with_method(module: str, name: str) -> set[str]:
    """Its classes that have a method of this name."""
    classes = [node for node in defined(module).values() if isinstance(node, ast.ClassDef)]
    return {one.name for one in classes for part in one.body if isinstance(part, ast.FunctionDef) and part.name == name}


def named(module: str, node: ast.AST) -> set[Name]:
    """The functions and classes that this code names, as calls or otherwise."""
    here, found = imported(module), set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found.add(here.get(one.id, (module, one.id)))
        elif isinstance(one, ast.Attribute):
            of, whole = here.get(one.value.id, ("", "-")) if isinstance(one.value, ast.Name) else ("", "-")
            found |= {(of, one.attr)} if not whole else {(module, each) for each in with_method(module, one.attr)}
    return found


def reached(start: Name) -> set[Name]:
    """All that a function may come to call, itself first, through the services."""
    found, left = set[Name](), [start]
    while left:
        module, name = left.pop()
        if (module, name) in found:
            continue
        found.add((module, name))
        node = defined(module).get(name)
        left += named(module, node) if node is not None else [imported(module).get(name, (module, name))]
    return found


def called_by_the_console() -> set[Name]:
    """Functions of the services that its code names."""
    found = set[Name]()
    for file in (ROOT / "console").rglob("*.py"):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        code = tree(module)
        assert code is not None
        found |= {(of, name) for of, name in named(module, code) if of.startswith("services") and name}
    return found


def writes(name: Name) -> bool:
    return ("models", "transaction") in reached(name)


def asks(name: Name) -> bool:
    return bool(reached(name) & {("services.audit", "require"), ("services.audit", "require_for")})


def test_what_a_page_calls_and_writes_asks_for_a_right():
    writers = {name for name in called_by_the_console() if writes(name)}
    assert {
        ("services.tasks", "cancel"), ("services.bulk", "start"), ("services.operators", "set_role"),
        ("services.inbox", "dismiss"), ("services.queues", "pause"), ("services.doctor.checkup", "repair"),
    } <= writers, "the test sees who writes"  # fmt: skip
    assert {name for name in writers if not asks(name)} == set(OPEN)


def test_the_routes_beside_the_pages_only_answer_questions():
    from console.routes import routes

    (api,) = routes
    for route in api.app.routes:
        assert route.methods <= {"GET", "HEAD"}, f"{route.path} writes: try it as a viewer"
