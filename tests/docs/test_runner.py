"""The runner of the pages is red where a page is wrong, and green where it is right."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.docs.fences import blocks, commands
from tests.docs.test_pages import run_page

PLUGIN = """
    ```toml title="hello/pyproject.toml"
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "hello"
    version = "3.1"
    scripts = { hello = "hello:greet" }
    ```

    ```python title="hello/hello.py"
    def greet():
        print("hello")
    ```

    ```console
    $ pip install --quiet --editable hello
    $ hello
    hello
    ```

    ```python
    from importlib.metadata import version
    import hello
    hello.greet()
    print(version("hello"))
    ```

    ```text
    hello
    3.1
    ```
"""

RIGHT = {
    "one namespace": "```python\na = 1\n```\n```python\n>>> a + 1\n2\n>>> b = a\n```\n```python\nassert b == 1\n```",
    "output shown": "```python\nprint(1)\nprint(2)\n```\nwhich prints\n```text\n1\n2\n```",
    "ellipsis": "```python\nprint(1)\nprint(2.345)\nprint(3)\n```\n```text\n1\n2.3...\n3\n```",
    "an illustration": "```text\na drawing\n```\n```python\na = 1\n```\nas in\n```text\na drawing\n```",
    "command": "```console\n$ echo one \\\n    two\none two\n$ echo three\n```",
    "output below the block": "```bash\n# says one\necho one\n```\n```text\none\n```",
    "commands go on": "```console\n$ mkdir a; cd a; export B=c\n```\n```console\n$ echo ${PWD##*/} $B\na c\n```",
    "exit status shown": "```console\n$ false || echo status $?\nstatus 1\n```",
    "clone": "```console\n$ git clone <this one> minigrad\n$ cd minigrad\n$ make install\n$ pwd\n.../minigrad\n```",
    "clone by address": "```console\n$ git clone a/minigrad.git\n$ cd minigrad\n```",
    "make": "```console\n$ make help\n$ PYTHON=python3.12 make install  # once\n```",
    "data": '```toml\na = 1\n```\n```json\n{"a": 1}\n```',
    "file imported": '```python title="swish.py"\na = 1\n```\n```python\nfrom swish import a\nassert a == 1\n```',
    "indented": "- a list\n\n    ```python\n    if True:\n        print(1)\n    ```\n\n    ```text\n    1\n    ```",
    "longer fence": "````python\nprint('```')\n````\n````text\n```\n````",
    "traceback": "```python\n>>> [][0]\nTraceback (most recent call last):\nIndexError: list index out of range\n```",
    "pickle": "```python\nimport pickle\nclass A: pass\npickle.loads(pickle.dumps(A()))\n```",
    "source": "\n```python\nimport inspect\ndef f(): 1\nprint(inspect.getsource(f))\n```\n```text\ndef f(): 1\n```",
    "a plugin": dedent(PLUGIN),
}

WRONG = {
    "doctest": ("```python\n>>> 1 + 1\n3\n```", "Expected:\n    3\nGot:\n    2"),
    "output": ("```python\nprint(1)\n```\n```text\n2\n```", "Shown:\n2\n\nPrinted:\n1"),
    "output missing": ("```python\nprint(1)\nprint(2)\n```\n```text\n1\n```", "Printed:\n1\n2"),
    "nothing printed": ("```python\na = 1\n```\n```text\n1\n```", "Shown:\n1"),
    "exception": ("\n```python\na = 1\nb\n```", "line 4, in <module>"),
    "warning": ("```python\nimport warnings\nwarnings.warn('careful')\n```", "UserWarning: careful"),
    "exit": ("```python\nraise SystemExit(0)\n```", "SystemExit"),
    "command": ("```console\n$ echo 1\n2\n```", "Printed:\n1"),
    "second command": ("```console\n$ echo 1\n1\n$ echo 2\n1\n```", "Printed:\n2"),
    "status": ("```console\n$ exit 3\n```", "ended with exit status 3"),
    "no prompt": ("```console\nls\n```", "starts with a `$ command` line"),
    "target": ("```console\n$ make nonsense\n```", "No rule to make target 'nonsense'"),
    "hidden make": ("```console\n$ cd . && make test\n```", "make stands on a line of its own"),
    "toml": ("```toml\na = \n```", "TOMLDecodeError"),
    "json": ("```json\n{\n```", "JSONDecodeError"),
    "language": ("```fortran\nEND\n```", "a kind that the runner knows. Received: 'fortran'"),
    "diagram by script": ("```mermaid\ngraph LR\n```", "Received: 'mermaid'"),
    "no language": ("```\na\n```", "a kind that the runner knows. Received: ''"),
    "not closed": ("```python\na = 1\n", "line 1: a block must be closed"),
    "file": ('```python title="swish.py"\ndef\n```', "SyntaxError"),
    "file never imported": ('```python title="swish.py"\nundefined\n```', "name 'undefined' is not defined"),
    "file outside": ('```python title="../swish.py"\n```', "below the page's folder"),
    "a name of the runner": ("```python\nblocks\n```", "name 'blocks' is not defined"),
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_a_right_page_is_green(text: str, tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(text)
    done = run_page(page, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_page_is_red(text: str, said: str, tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(text)
    done = run_page(page, tmp_path)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr


def test_make_xor_shows_what_its_recipe_prints(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ make xor ARGS=--nonsense\n```")
    done = run_page(page, tmp_path)
    assert done.returncode == 1
    assert "$ minigrad xor --nonsense" in done.stdout
    assert "ended with exit status 2" in done.stdout


def test_blocks_know_their_line_and_their_neighbour():
    found = blocks("a\n\n```python\n1\n```\n\n~~~text title='b'\n2\n~~~\nc\n```text\n3\n```")
    assert [(block.line, block.language, block.body, block.adjacent) for block in found] == [
        (4, "python", "1\n", False),
        (8, "text", "2\n", True),
        (12, "text", "3\n", False),
    ]


def test_commands_keep_the_output_below_them():
    block = blocks("```console\n$ a \\\n> b\nc\n\nd\n$ e\n```")[0]
    assert commands(block) == [("a b", "c\n\nd"), ("e", "")]
