"""The rules of the house that hold for every file: no autograd, clean imports, documented names."""

import ast
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad
from tests.house import autograd_uses, imported_paths

ROOT = Path(__file__).resolve().parents[1]
# In these torch modules are guests, or autograd is the judge.
WITH_AUTOGRAD = ("interop", "testing", "tests")
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("minigrad", "plugins")
    for path in (ROOT / folder).rglob("*.py")
    if not {"build", "dist"} & set(path.parts)
)
PLUGIN_MODULES = [path for path in MODULES if path.parts[0] == "plugins"]


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


@pytest.mark.parametrize("path", [path for path in MODULES if not set(WITH_AUTOGRAD) & set(path.parts)], ids=str)
def test_every_gradient_is_written_down(path: Path):
    assert autograd_uses((ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "import torch\ntorch.autograd.grad(y, x)",
        "import torch as t\nt.autograd.Function",
        "import torch.autograd",
        "import torch.autograd.functional as F",
        "from torch import autograd",
        "from torch.autograd import grad",
        "from torch.autograd.functional import jacobian",
        "import torch\ntorch.func.grad(f)",
        "from torch import func\nfunc.jacrev(f)",
        "from torch.func import vjp as pull",
        "import torch.utils.checkpoint",
        "from torch.utils import checkpoint",
        "from torch.utils.checkpoint import checkpoint",
        "x.requires_grad_()",
        "import torch\nx = torch.zeros(3, requires_grad=True)",
        "x.requires_grad = True",
        "x.requires_grad = y",
        "import torch\nwith torch.enable_grad():\n    pass",
        "from torch import enable_grad",
        "import torch\ntorch.set_grad_enabled(True)",
        "cost.backward()",
        "cost.backward(retain_graph=True)",
        "def f():\n    import torch.autograd",
    ],
)
def test_planted_autograd_is_found(planted: str):
    assert autograd_uses(planted)


@pytest.mark.parametrize(
    "allowed",
    [
        "import torch\ntorch.func.vmap(f)",
        "import torch\nwith torch.no_grad():\n    pass",
        "import torch\nx = torch.nn.Parameter(y, requires_grad=False)",
        "x.requires_grad = False",
        "net.backward(loss.backward(loss_cache), cache)",
        "grad = x.grad",
        '"""No torch.autograd here."""',
    ],
)
def test_what_is_no_autograd_is_let_pass(allowed: str):
    assert autograd_uses(allowed) == []


@pytest.mark.parametrize("path", PLUGIN_MODULES, ids=str)
def test_plugins_import_only_the_public_minigrad(path: Path):
    public = {"minigrad", *(f"minigrad.{name}" for name in minigrad.__all__), "minigrad.testing"}
    ours = [name for _, name in imported_paths(tree(path)) if name.partition(".")[0] == "minigrad"]
    private = [name for name in ours if name not in public and not name.startswith("minigrad.testing.")]
    assert private == []


@pytest.mark.parametrize("path", [path for path in MODULES if "tests" not in path.parts], ids=str)
def test_every_module_says_what_it_is(path: Path):
    assert ast.get_docstring(tree(path))


def test_all_is_the_public_namespace():
    submodules = {module.name for module in pkgutil.iter_modules(minigrad.__path__)}
    public = [name for name in dir(minigrad) if not name.startswith("_") and name not in submodules]
    assert sorted(name for name in minigrad.__all__ if not name.startswith("__")) == sorted(public)


def test_every_public_name_is_documented():
    undocumented = [name for name in minigrad.__all__ if not getattr(minigrad, name).__doc__]
    assert undocumented == []


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_import_brings_in_nothing_but_torch_and_pluggy():
    added = loaded_by("import minigrad") - loaded_by("import torch")
    assert {name.partition(".")[0] for name in added} - sys.stdlib_module_names <= {"minigrad", "pluggy"}
    # The parts that draw, talk or bridge wait until they are asked for.
    assert not {name for name in added if re.match(r"minigrad\.(cli|explain|interop|scaffold|xor)\b", name)}


def tracked_files() -> list[Path]:
    """List the files of the repository, with those that are about to join it."""
    # The checkout of a container may belong to somebody else.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_place_of_this_machine():
    # Each pattern is written so that it does not match itself.
    hosts = r"p[y]pi\.org|pythonhoste[d]\.org|deb\.debia[n]\.org|registry\.npm[j]s\.org|download\.p[y]torch\.org"
    # A place such as /src or /docs is a word like others, and tells nothing of this machine.
    place = rf"|{re.escape(str(ROOT))}\b" if len(ROOT.parts) > 2 else ""
    pattern = re.compile(f"{hosts}{place}".encode())
    named = [str(path.relative_to(ROOT)) for path in tracked_files() if pattern.search(path.read_bytes())]
    assert named == []
