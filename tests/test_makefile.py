"""The commands that a newcomer types, as far as they can be tried without installing anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE)


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the project's Makefile in another folder, apart from any make that runs these tests."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    (folder / "Makefile").write_text(MAKEFILE)
    return subprocess.run(["make", *arguments], cwd=folder, env=outer | variables, capture_output=True, text=True)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout in which nothing has been installed, with the least that the rules look at."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    return tmp_path


def test_help_lists_every_target_and_is_the_default(tmp_path: Path):
    shown = make(tmp_path).stdout
    assert shown == make(tmp_path, "help").stdout
    listed = re.findall(r"^  (\S+) +\S", shown, re.MULTILINE)
    # Two steps of install are no commands of their own.
    assert sorted(listed) == sorted(set(TARGETS) - {"gone", "python"})


@pytest.mark.parametrize("target", ["install", "xor", "test"])
@pytest.mark.parametrize("where", ["environment", "argument"])
def test_a_missing_python_is_told_in_a_sentence(target: str, where: str, fresh: Path):
    done = (
        make(fresh, target, PYTHON="/no/python") if where == "environment" else make(fresh, target, "PYTHON=/no/python")
    )
    assert done.returncode
    assert "Python was not found. Received: PYTHON=/no/python." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (fresh / ".venv").exists()


def test_an_old_python_is_told_in_a_sentence(fresh: Path):
    old = fresh / "python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.18\nexit 1\n')
    old.chmod(0o755)
    done = make(fresh, "install", f"PYTHON={old}")
    assert done.returncode
    assert f"minigrad needs Python 3.11 or newer. Received: PYTHON={old}, which is Python 3.9.18." in done.stderr
    assert not (fresh / ".venv").exists()


def test_a_step_that_fails_is_named(fresh: Path):
    broken = fresh / "python"
    broken.write_text(f'#!/bin/sh\n[ "$1" = -m ] && exit 1\nexec {sys.executable} "$@"\n')
    broken.chmod(0o755)
    done = make(fresh, "install", f"PYTHON={broken}")
    assert done.returncode
    assert "make: creating .venv (on Debian the package python3-venv is needed) failed" in done.stderr


def test_nothing_is_installed_twice(fresh: Path):
    (fresh / ".venv").mkdir()
    (fresh / ".venv" / ".installed").touch()
    assert "pip" not in make(fresh, "-n", "install").stdout
    (fresh / "plugins" / "minigrad-new").mkdir(parents=True)
    (fresh / "plugins" / "minigrad-new" / "pyproject.toml").touch()
    assert "--editable './plugins/minigrad-new[test]'" in make(fresh, "-n", "install").stdout


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_requirements_installs_again(changed: str, fresh: Path):
    (fresh / ".venv").mkdir()
    (fresh / ".venv" / ".installed").touch()
    os.utime(fresh / changed, (2**32, 2**32))
    assert "pip" in make(fresh, "-n", "install").stdout


def test_a_plugin_that_is_gone_is_removed(fresh: Path):
    (fresh / ".venv").mkdir()
    (fresh / ".venv" / ".installed").write_text("plugins/minigrad-old/pyproject.toml\n")
    assert "pip uninstall --quiet --yes minigrad-old" in make(fresh, "-n", "install").stdout


def test_constraints_pin_torch_and_name_only_versions():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert "torch==2.13.0" in lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
