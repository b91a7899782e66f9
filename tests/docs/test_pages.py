"""Every code block on every page runs, and prints what the page shows."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.environment import make_environment

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    page.relative_to(ROOT) for pattern in ("*.md", "docs/**/*.md", "plugins/*/*.md") for page in ROOT.glob(pattern)
]


def run_page(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a page below `folder`, in a process and an environment of its own."""
    variables = make_environment(folder / "environment")
    (folder / "page").mkdir()
    command = [
        folder / "environment" / "bin" / "python",
        "-W",
        "error",
        "-m",
        "tests.docs.runner",
        page,
        folder / "page",
    ]
    return subprocess.run(command, cwd=ROOT, env=variables, text=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("page", sorted(PAGES), ids=str)
def test_every_block_on_the_page_runs(page: Path, tmp_path: Path):
    done = run_page(ROOT / page, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
