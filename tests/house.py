"""Reading the source: every use of autograd in a syntax tree, and what a module imports."""

import ast
from collections.abc import Iterator

FORBIDDEN_MODULES = ("torch.autograd", "torch.utils.checkpoint")
# torch.func.vmap and functional_call compute no derivative and stay allowed.
FORBIDDEN_FUNCTIONS = tuple(
    f"{module}.{name}"
    for module in ("torch.func", "functorch", "torch._functorch")
    for name in ("grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp")
)
FORBIDDEN_NAMES = ("enable_grad", "requires_grad_", "set_grad_enabled")


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Map each name that an import binds to the dotted path that it stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def imported_paths(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted path of each thing that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def dotted_path(node: ast.AST, names: dict[str, str]) -> str:
    """Spell an attribute chain out from where it was imported; empty for any other expression."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        parent = dotted_path(node.value, names)
        return f"{parent}.{node.attr}" if parent else ""
    return ""


def is_forbidden(path: str) -> bool:
    """Tell whether a dotted path leads into autograd."""
    return any(path == name or path.startswith(f"{name}.") for name in (*FORBIDDEN_MODULES, *FORBIDDEN_FUNCTIONS))


def autograd_uses(source: str) -> list[tuple[int, str]]:
    """List every use of autograd in a source file, as line and reason."""
    tree = ast.parse(source)
    names = imported_names(tree)
    found = {(line, path) for line, path in imported_paths(tree) if is_forbidden(path)}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute() | ast.Name() if is_forbidden(path := dotted_path(node, names)):
                found.add((node.lineno, path))
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name) if name in FORBIDDEN_NAMES:
                found.add((node.lineno, name))
            case ast.keyword(arg="requires_grad", value=ast.Constant(value=value)) if value:
                found.add((node.value.lineno, "requires_grad=True"))
            case ast.Assign(targets=targets, value=value) if not (isinstance(value, ast.Constant) and not value.value):
                if any(isinstance(target, ast.Attribute) and target.attr == "requires_grad" for target in targets):
                    found.add((node.lineno, "requires_grad is assigned"))
            # A layer's and a loss's backward take what forward returned; only a tensor's takes nothing.
            case ast.Call(func=ast.Attribute(attr="backward"), args=[]):
                found.add((node.lineno, ".backward() of a tensor"))
    return sorted(found)
