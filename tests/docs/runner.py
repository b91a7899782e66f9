"""Run every code block of a Markdown page, as a reader would: `python -m tests.docs.runner PAGE FOLDER`.

| fence             | what happens                                                                              |
|-------------------|-------------------------------------------------------------------------------------------|
| python            | runs in the page's one namespace; `>>>` examples are checked as doctests                  |
| console, bash, sh | each `$ command` (in bash and sh: each line) runs in the page's folder and must succeed   |
| toml, json        | must parse                                                                                |
| text              | right after a block, or after one that printed: its output; elsewhere an illustration     |
| any other         | fails: no block is skipped in silence (mermaid would be drawn by a script from elsewhere) |

`title="name"` writes the block to that file in the page's folder instead; a Python file that nothing has imported by
the end of the page is run then. In all output shown, `...` stands for anything. `make` is not run inside a test run:
its target must exist, and `make xor` shows what the command in its recipe prints. `git clone` makes an empty folder.
"""

import contextlib
import doctest
import importlib
import io
import json
import os
import re
import runpy
import shlex
import site
import subprocess
import sys
import sysconfig
import tomllib
import traceback
from pathlib import Path
from types import ModuleType

from tests.docs.fences import Block, blocks, commands

ROOT = Path(__file__).resolve().parents[2]
MAKE = re.compile(r"^((?:\w+=\S+ +)*make)\b([^;&|]*)$")
SHELLS = ("console", "bash", "sh")


def compare(shown: str, printed: str) -> None:
    """Raise if what the page shows is not what was printed."""
    want, got = ("".join(line.rstrip() + "\n" for line in text.rstrip().splitlines()) for text in (shown, printed))
    if not doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS):
        raise ValueError(f"the page does not show what was printed.\nShown:\n{want}\nPrinted:\n{got}")


class Page:
    """A page being run: its folder, its namespace, and what its last block printed."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder, self.printed = path, folder, ""
        # A main module of its own: the page sees no name of the runner's, and what it defines can be pickled.
        sys.modules["__main__"] = ModuleType("__main__")
        self.namespace = sys.modules["__main__"].__dict__
        self.files: list[Path] = []

    def run(self, block: Block) -> None:
        """Run one block, and raise if it is not as the page says."""
        printed, self.printed = self.printed, ""
        if block.title:
            self.write(block)
        elif block.language in ("python", "pycon"):
            self.python(block)
        elif block.language in SHELLS:
            for command, shown in commands(block):
                self.printed = self.shell(command, shown)
        elif block.language == "text":
            if block.adjacent or printed:
                compare(block.body, printed)
        elif block.language in ("toml", "json"):
            {"toml": tomllib, "json": json}[block.language].loads(block.body)
        else:
            raise ValueError(f"a fence must be of a kind that the runner knows. Received: {block.language!r}")

    def write(self, block: Block) -> None:
        """Write a titled block to its file."""
        file = (self.folder / block.title).resolve()
        if self.folder not in file.parents:
            raise ValueError(f"a title names a file below the page's folder. Received: title={block.title!r}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.body)
        if file.suffix == ".py":
            compile(block.body, str(file), "exec")
            self.files.append(file)
        elif file.suffix == ".toml":
            tomllib.loads(block.body)

    def python(self, block: Block) -> None:
        """Run a Python block in the page's namespace."""
        if block.body.lstrip().startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(block.body, {}, self.path.name, str(self.path), block.line - 1)
            test.globs = self.namespace
            report = io.StringIO()
            if doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(
                test, out=report.write, clear_globs=False
            )[0]:
                raise ValueError(report.getvalue())
            return
        # Blank lines in front make every line number that of the page, in tracebacks and for inspect.getsource.
        code = compile("\n" * (block.line - 1) + block.body, str(self.path), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            exec(code, self.namespace)
        self.printed = stdout.getvalue()

    def shell(self, command: str, shown: str) -> str:
        """Run one command where the last one left off, and return what it printed."""
        if MAKE.match(command):
            rehearsal = MAKE.sub(r"\1 -n\2", command)
            dry = subprocess.run(rehearsal, shell=True, cwd=ROOT, text=True, capture_output=True, check=False)
            if dry.returncode:
                raise ValueError(f"$ {command}\n{dry.stderr}")
            if not re.search(r"make xor\b", command):
                return shown
            command = dry.stdout.splitlines()[-1].replace(".venv/bin/", "")
        elif re.search(r"\bmake\b", command):
            raise ValueError(f"make stands on a line of its own. Received: {command}")
        elif clone := re.match(r"git clone (<.*>|\S+)(?: (\S+))?$", command):
            command = f"mkdir {clone[2] or Path(clone[1]).stem}"
        state = shlex.quote(str(self.folder.with_name("shell-state")))
        before = f'exec 2>&1 </dev/null; [ ! -f {state} ] || {{ . {state}; cd "$PWD"; }}'
        script = f"{before}\n{command}\nstatus=$?; declare -px >{state}; exit $status"
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, text=True, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise ValueError(f"$ {command}\n{done.stdout}\nended with exit status {done.returncode}")
        if shown:
            compare(shown, done.stdout)
        # What the command has installed or written must be importable from here on.
        site.addsitedir(sysconfig.get_path("purelib"))
        importlib.invalidate_caches()
        return done.stdout

    def run_files(self) -> None:
        """Run the Python files that nothing on the page has imported."""
        imported = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        for file in self.files:
            if str(file) not in imported:
                runpy.run_path(str(file), run_name=file.stem)


def main(path: str, folder: str) -> int:
    """Run the page and print every block that fails."""
    page = Page(Path(path).resolve(), Path(folder).resolve())
    sys.path[0] = str(page.folder)
    os.chdir(page.folder)
    failures = 0
    for block in blocks(page.path.read_text()):
        try:
            page.run(block)
        except (Exception, SystemExit):
            failures += 1
            print(f"{path}:{block.line}: {traceback.format_exc()}")
    page.run_files()
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
