"""The commands `components`, `plugins`, `new-plugin` and `version`, and what bad input is told."""

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import minigrad
from minigrad.cli import main
from minigrad.cli.tables import short
from minigrad.registry import Registry, current_registry, use_registry
from tests import distributions
from tests.distributions import activation_plugin


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    """A registry that has loaded nothing yet, in place of everybody's."""
    with use_registry(Registry()) as fresh:
        yield fresh


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], str]]:
    """Install a distribution for one test, beside which only `minigrad` is known."""
    site, names = tmp_path / "site", []
    monkeypatch.syspath_prepend(site)

    def install(plugin: str, source: str) -> str:
        module = distributions.install(site, plugin, source)
        names.append(plugin)
        monkeypatch.setenv("MINIGRAD_PLUGINS", ",".join(names))
        importlib.invalidate_caches()
        return module

    yield install
    for name in names:
        sys.modules.pop(f"minigrad_{name}", None)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command, and return its exit status and what it wrote to both streams."""

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        shown = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, shown.out, shown.err

    return call


Call = Callable[..., tuple[int, str, str]]
Install = Callable[[str, str], str]


def table(text: str) -> list[list[str]]:
    """The cells of a table, which are set apart by two blanks at least."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


def test_components_are_listed_with_where_they_come_from(call: Call, install: Install, tmp_path: Path):
    install("cubic", activation_plugin("Cubic"))
    status, out, err = call("components")
    rows = table(out)
    assert (status, err) == (0, "")
    assert rows[0] == ["kind", "name", "id", "plugin", "version", "file"]
    file = str(tmp_path / "site" / "minigrad_cubic.py")
    assert ["activation", "cubic", "cubic:cubic", "cubic", "1.2", file] in rows
    [linear] = [row for row in rows if row[2] == "minigrad:linear"]
    assert linear[:2] == ["layer", "linear"]
    assert linear[5].endswith(os.path.join("layers", "linear.py"))


def test_components_of_one_kind_as_json(call: Call, install: Install):
    install("cubic", activation_plugin("Cubic"))
    status, out, err = call("components", "--kind", "activation", "--json")
    rows = json.loads(out)
    assert (status, err) == (0, "")
    assert {row["kind"] for row in rows} == {"activation"}
    [sigmoid] = [row for row in rows if row["id"] == "minigrad:sigmoid"]
    assert sigmoid == {
        "kind": "activation",
        "name": "sigmoid",
        "id": "minigrad:sigmoid",
        "plugin": "minigrad",
        "version": minigrad.__version__,
        "file": sys.modules["minigrad.activations.sigmoid"].__file__,
        "summary": "Logistic function, applied elementwise.",
        "aliases": [],
    }
    assert "cubic:cubic" in {row["id"] for row in rows}


def test_plugins_are_listed_with_their_status(call: Call, install: Install):
    install("good", activation_plugin("Fine"))
    install("bad", "1 / 0")
    status, out, err = call("plugins")
    rows = {row[0]: row for row in table(out)}
    assert (status, err) == (0, "")
    assert rows["name"] == ["name", "package", "version", "status", "components", "cause"]
    assert rows["good"] == ["good", "minigrad-good", "1.2", "loaded", "1"]
    assert rows["bad"][:5] == ["bad", "minigrad-bad", "1.2", "failed", "0"]
    assert rows["bad"][5].startswith("importing it failed: ZeroDivisionError")
    assert rows["minigrad"][:4] == ["minigrad", "minigrad-torch", minigrad.__version__, "loaded"]


def test_plugins_as_json(call: Call, install: Install):
    install("good", activation_plugin("Fine"))
    status, out, err = call("plugins", "--json")
    [good] = [row for row in json.loads(out) if row["name"] == "good"]
    assert (status, err) == (0, "")
    assert good == {
        "name": "good",
        "distribution": "minigrad-good",
        "version": "1.2",
        "status": "loaded",
        "cause": "",
        "cure": "",
        "components": ["good:fine"],
        "notes": [],
    }


def test_the_doctor_is_content(call: Call, install: Install):
    install("good", activation_plugin("Fine", "Sigmoid"))
    status, out, err = call("plugins", "doctor")
    assert (status, err) == (0, "")
    assert "good (minigrad-good 1.2): loaded, components: 2\n" in out
    assert "  note: activation 'sigmoid' is the built-in's name; this one is 'good:sigmoid'.\n" in out
    assert out.startswith(f"minigrad (minigrad-torch {minigrad.__version__}): loaded, components: ")


def test_the_doctor_says_cause_and_cure_and_exits_with_1(call: Call, install: Install):
    install("bad", "import no_such_module")
    status, out, err = call("plugins", "doctor")
    assert (status, err) == (1, "")
    assert (
        "bad (minigrad-bad 1.2): failed\n"
        "  cause: importing it failed: ModuleNotFoundError: No module named 'no_such_module' "
        "(minigrad_bad.py, line 1).\n"
        "  cure: Install no_such_module, or uninstall minigrad-bad.\n"
    ) in out


def test_the_doctor_looks_at_classes_that_are_imported_on_first_use(call: Call, install: Install):
    install("late", activation_plugin("Fine").replace("register(Fine)", 'register("minigrad_late:Finne")'))
    status, out, err = call("plugins", "doctor")
    assert (status, err) == (1, "")
    assert (
        "late (minigrad-late 1.2): loaded, components: 1\n"
        "  fault: late:finne cannot be imported from 'minigrad_late:Finne', as the plugin 'late' (minigrad-late 1.2) "
        "says: AttributeError: module 'minigrad_late' has no attribute 'Finne'.\n"
    ) in out


def test_the_doctor_sees_the_failed_even_where_that_is_an_error(
    call: Call, install: Install, monkeypatch: pytest.MonkeyPatch
):
    install("bad", "1 / 0")
    monkeypatch.setenv("MINIGRAD_STRICT_PLUGINS", "1")
    status, out, _ = call("plugins", "doctor")
    assert status == 1
    assert "bad (minigrad-bad 1.2): failed" in out
    status, out, err = call("components")
    assert (status, out) == (2, "")
    assert err.startswith("minigrad: The plugin 'bad' (minigrad-bad 1.2) was skipped: importing it failed")


@pytest.mark.parametrize("arguments", [["--no-plugins", "components"], ["components", "--no-plugins"]])
def test_no_plugins_imports_none(arguments: list[str], call: Call, install: Install, registry: Registry):
    module = install("cubic", activation_plugin("Cubic"))
    status, out, err = call(*arguments)
    assert (status, err) == (0, "")
    assert "cubic" not in out
    assert module not in sys.modules
    assert current_registry() is registry
    status, out, _ = call("plugins", "doctor", "--no-plugins")
    assert status == 0
    assert "cubic (minigrad-cubic 1.2): disabled\n  cause: it is switched off by --no-plugins." in out


def test_a_skipped_plugin_is_told_in_a_sentence(call: Call, install: Install):
    install("bad", "1 / 0")
    before = warnings.showwarning
    status, out, err = call("components", "--json")
    assert status == 0
    assert json.loads(out)
    assert err == (
        "minigrad: The plugin 'bad' (minigrad-bad 1.2) was skipped: importing it failed: ZeroDivisionError: "
        "division by zero (minigrad_bad.py, line 1). Report it to the authors of minigrad-bad or uninstall it; "
        "MINIGRAD_STRICT_PLUGINS=1 shows the whole traceback.\n"
    )
    assert warnings.showwarning is before


def test_the_version_names_torch_and_python_too(call: Call):
    status, out, err = call("version")
    python = ".".join(map(str, sys.version_info[:3]))
    assert (status, err) == (0, "")
    assert out == f"minigrad {minigrad.__version__}, torch {torch.__version__}, Python {python}\n"


def test_a_new_plugin_is_written_with_the_next_steps(call: Call, tmp_path: Path):
    status, out, err = call("new-plugin", "log_cosh", "--kind", "loss", "--directory", str(tmp_path))
    folder = tmp_path / "minigrad-log-cosh"
    assert (status, err) == (0, "")
    assert f"{folder} holds a plugin with the loss log_cosh. Write your equations into minigrad_log_cosh.py" in out
    assert f'pip install --editable "{folder}[test]"' in out
    assert "minigrad_register_losses" in (folder / "minigrad_log_cosh.py").read_text()


def test_a_new_plugin_is_an_activation_here_unless_told_otherwise(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert call("new-plugin", "snake")[0] == 0
    assert "minigrad.Activation" in Path("minigrad-snake/minigrad_snake.py").read_text()


@pytest.mark.parametrize("arguments", [[], ["--help"], ["plugins", "--help"]])
def test_help_is_shown(arguments: list[str], call: Call):
    status, out, err = call(*arguments)
    assert (status, err) == (0, "")
    assert "Usage: minigrad" in out
    assert (
        "doctor" in out
        if arguments[:1] == ["plugins"]
        else all(name in out for name in ("xor", "components", "plugins", "new-plugin", "version", "--no-plugins"))
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["bogus"], "minigrad: No such command 'bogus'"),
        (["--bogus", "components"], "minigrad: No such option"),
        (["components", "--bogus"], "minigrad components: No such option"),
        (["components", "--kind", "los"], "minigrad: kind must be one of layer, activation, loss"),
        (["components", "--kind"], "minigrad: Option '--kind' requires an argument"),
        (["plugins", "docter"], "minigrad plugins: No such command 'docter'"),
        (["new-plugin"], "minigrad new-plugin: Missing argument 'NAME'"),
        (["new-plugin", "Swish"], "minigrad: A plugin's name consists of words of a-z"),
        (["new-plugin", "sigmoid"], "minigrad: A built-in keeps its name"),
        (["new-plugin", "snake", "--kind", "gate"], "minigrad: A plugin's kind must be one of"),
        (["new-plugin", "snake", "--directory", "FILE"], "minigrad: The folder of a new plugin must be one that"),
        (["xor", "--steps", "0"], "minigrad: steps must be"),
        (["xor", "--steps", "many"], "minigrad xor: Invalid value for '--steps'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "told",
)
def test_bad_input_gets_one_sentence_and_exit_2(arguments: list[str], text: str, call: Call, tmp_path: Path):
    (tmp_path / "FILE").touch()
    status, out, err = call(*(str(tmp_path / word) if word == "FILE" else word for word in arguments))
    assert (status, out) == (2, "")
    assert err.lower().startswith(text.lower())
    assert err.count("\n") == 1


def test_a_bad_variable_gets_one_sentence(call: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINIGRAD_DISABLE_PLUGINS", "perhaps")
    status, out, err = call("components")
    assert (status, out) == (2, "")
    assert err.startswith("minigrad: MINIGRAD_DISABLE_PLUGINS must be 1, true, yes, on or 0")


def test_an_error_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minigrad.registry.plugins", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["plugins"])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("words", ["version", "components", "components --json"])
def test_a_full_disk_gets_one_sentence(words: str):
    command = f"{shlex.quote(str(Path(sys.executable).with_name('minigrad')))} --no-plugins {words} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "minigrad: the system refuses something. Received: [Errno 28] No space left on device\n",
    )


def test_an_output_that_lacks_characters_gets_one_sentence(call: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minigrad.registry.plugins", lambda: "█".encode("latin-1"))
    status, out, err = call("plugins")
    assert (status, out) == (1, "")
    assert err == "minigrad: the output has characters that latin-1 lacks; PYTHONIOENCODING=utf-8 writes them\n"


def test_the_person_at_the_keyboard_ends_it(call: Call, monkeypatch: pytest.MonkeyPatch):
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("minigrad.registry.plugins", interrupt)
    assert call("plugins")[0] == 130


def test_other_warnings_are_shown_as_ever(monkeypatch: pytest.MonkeyPatch, call: Call):
    def warn() -> list[object]:
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return []

    shown: list[str] = []
    monkeypatch.setattr("minigrad.registry.plugins", warn)
    monkeypatch.setattr(warnings, "showwarning", lambda message, *where, **more: shown.append(str(message)))
    assert call("plugins")[2] == ""
    assert shown == ["old"]


def test_a_path_is_shown_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert short(str(tmp_path / "a" / "b.py")) == os.path.join("a", "b.py")
    assert short("/elsewhere/b.py") == "/elsewhere/b.py"
    assert short("") == ""


def test_the_installed_command_and_a_closed_pipe():
    command = f"{shlex.quote(str(Path(sys.executable).with_name('minigrad')))} --no-plugins components | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("kind")


def test_a_terminal_s_width_is_kept():
    terminal = "import sys; sys.stdout.isatty = lambda: True"
    code = f"{terminal}; from minigrad.cli import main; main(['components', '--no-plugins'])"
    environment = os.environ | {"COLUMNS": "60", "TERM": "xterm", "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    lines = re.sub(r"\x1b\[\d*m", "", done.stdout).splitlines()
    assert max(map(len, lines)) <= 60
    assert "…" not in done.stdout
