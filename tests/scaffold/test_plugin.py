"""What the scaffold writes works once it is installed, and its tests see a wrong derivative."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from minigrad.errors import ConfigError
from minigrad.scaffold import PLUGIN_KINDS, new_plugin

ROOT = Path(__file__).resolve().parents[2]
# For each kind: a line of its module, and the same line gone wrong.
BREAKS = {
    "activation": ("grad_output * s * (1 + x * (1 - s))", "grad_output * s * (1 + x * (2 - s))"),
    "layer": ("rows.sum(0), rows.size(0)", "rows.mean(0), rows.size(0)"),
    "loss": ("torch.tanh(cache)", "torch.sinh(cache)"),
    "optimizer": ("mul_(self.momentum).add_(grad)", "mul_(self.momentum).sub_(grad)"),
}


def python(*arguments: str | Path, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a module of this interpreter, with `path` before what is installed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MINIGRAD_", "PYTEST_"))}
    environment |= {"PYTHONPATH": str(path), "MINIGRAD_PLUGINS": "first_try"}
    # A module is changed here within the second in which it was compiled.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def own_tests(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run a package's own tests and doctests against what is installed in `site`, and nothing else of the package."""
    module = next(folder.glob("*.py")).name
    run = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-x", "--import-mode=importlib"]
    done = python(*run, "--doctest-modules", folder / "tests", site / module, path=site, cwd=site)
    print(done.stdout, done.stderr)
    return done


def place(folder: Path, site: Path) -> Path:
    """Install a new package into `site` as pip would, from what its pyproject.toml says; return its module."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    about = project["project"]
    info = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    points = "\n".join(f"{name} = {value}" for name, value in about["entry-points"]["minigrad"].items())
    (info / "entry_points.txt").write_text(f"[minigrad]\n{points}\n")
    [module] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["include"]
    (site / module).write_text((folder / module).read_text())
    return site / module


@pytest.mark.slow
@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_a_new_plugin_s_tests_pass_and_see_a_broken_derivative(kind: str, tmp_path: Path):
    folder, site = new_plugin("first_try", kind, tmp_path), tmp_path / "site"
    module = place(folder, site)
    done = own_tests(folder, site)
    assert done.returncode == 0
    assert re.search(r"\d\d passed", done.stdout)
    run = "import sys; from minigrad.cli import main; sys.exit(main())"
    checked = python("-c", run, "plugins", "check", "first_try", path=site, cwd=site)
    assert checked.returncode == 0, checked.stdout + checked.stderr

    right, wrong = BREAKS[kind]
    source = module.read_text()
    assert source.count(right) == 1
    module.write_text(source.replace(right, wrong))
    done = own_tests(folder, site)
    assert done.returncode == 1
    assert "failed" in done.stdout


@pytest.mark.slow
def test_a_new_plugin_is_installed_by_pip(tmp_path: Path):
    folder, site = new_plugin("first_try", directory=tmp_path), tmp_path / "site"
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", site, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in site.iterdir() if path.name != "__pycache__") == [
        "minigrad_first_try-0.1.0.dist-info",
        "minigrad_first_try.py",
    ]
    code = "import minigrad; print(minigrad.activation('first_try'), minigrad.plugins()[-1].status)"
    shown = python("-c", code, path=site, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "<class 'minigrad_first_try.FirstTry'>" in shown.stdout


def test_the_plugin_that_authors_copy_is_what_the_scaffold_writes(tmp_path: Path):
    written, kept = new_plugin("swish", directory=tmp_path), ROOT / "plugins" / "minigrad-swish"
    files = sorted(path.relative_to(written) for path in written.rglob("*") if path.is_file())
    tracked = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(tracked, cwd=kept, capture_output=True, text=True, check=True).stdout.split()
    assert [str(file) for file in files] == sorted(listed)
    for file in files:
        assert (written / file).read_text() == (kept / file).read_text(), file


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_every_placeholder_is_filled(kind: str, tmp_path: Path):
    folder = new_plugin("log_cosh", kind, str(tmp_path))
    assert folder == tmp_path / "minigrad-log-cosh"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "README.md",
        "minigrad_log_cosh.py",
        "pyproject.toml",
        "tests/test_log_cosh.py",
    ]
    for path in folder.rglob("*.*"):
        if path.is_file():
            assert "{{" not in path.read_text(), path
    module = (folder / "minigrad_log_cosh.py").read_text()
    compile(module, "module", "exec")
    compile((folder / "tests" / "test_log_cosh.py").read_text(), "test", "exec")
    assert "class LogCosh(minigrad." in module
    assert "    register(LogCosh)\n" in module
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "minigrad-log-cosh"
    assert project["entry-points"] == {"minigrad": {"log_cosh": "minigrad_log_cosh"}}


def test_a_name_that_the_class_does_not_give_is_said(tmp_path: Path):
    folder = new_plugin("x_2", directory=tmp_path)
    assert '    register(X2, name="x_2")\n' in (folder / "minigrad_x_2.py").read_text()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Swish", r"begins with a letter\. How about swish\? Received: 'Swish'"),
        ("HardSwish", r"How about hard_swish\? Received: 'HardSwish'"),
        ("hard-swish", r"How about hard_swish\? Received: 'hard-swish'"),
        ("minigrad-swish", r"How about swish\? Received: 'minigrad-swish'"),
        ("two__words_", r"How about two_words\? Received"),
        ("2nd", r"begins with a letter\. Received: '2nd'"),
        ("../up", r"How about up\? Received"),
        ("", "Received: ''"),
        ("sigmoid", "A built-in keeps its name, so a plugin needs another one. Received: 'sigmoid'"),
        ("minigrad", "Received: 'minigrad'"),
        ("local", "Received: 'local'"),
    ],
)
def test_a_name_that_cannot_be_is_told(name: str, text: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=text):
        new_plugin(name, directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"one of layer, activation, loss, optimizer\. Received: 'gate'"):
        new_plugin("swish", "gate", tmp_path)


def test_an_existing_folder_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "minigrad-swish").mkdir()
    with pytest.raises(ConfigError, match=r"must not exist yet\. Received: .*minigrad-swish"):
        new_plugin("swish", directory=tmp_path)
    assert list((tmp_path / "minigrad-swish").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"one that can be made\. Received: .*file"):
        new_plugin("swish", directory=tmp_path / "file")


def test_the_templates_are_part_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["minigrad"]
    ignored = subprocess.run(
        [
            "git",
            "-c",
            "safe.directory=*",
            "check-ignore",
            *(ROOT / "minigrad" / "scaffold" / "templates").rglob("*.template"),
        ],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert ignored.stdout == b""
