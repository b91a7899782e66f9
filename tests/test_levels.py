"""The import contracts of pyproject.toml are red where the house is broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "minigrad", tmp_path / "minigrad", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports_command as lint; lint()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True)


def test_the_house_is_in_order(house: Path):
    done = lint(house)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        pytest.param("core/planted.py", "from minigrad.layers import Linear", id="upward"),
        pytest.param("layers/planted.py", "import minigrad.losses", id="sibling"),
        pytest.param("layers/planted.py", "from minigrad import Linear", id="name from the facade"),
        pytest.param("optimizers/planted.py", "import minigrad", id="the facade"),
        pytest.param("core/planted.py", "import numpy", id="numpy in the core"),
        pytest.param("planted.py", "import torch", id="a module without a level"),
    ],
)
def test_a_planted_import_is_found(module: str, statement: str, house: Path):
    planted = house / "minigrad" / module
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f"{statement}\n")
    done = lint(house)
    assert done.returncode
    assert "planted" in done.stdout
