"""A throw-away Python environment for one page: it sees what is installed, and installs for itself alone."""

import os
import sys
import sysconfig
import venv
from importlib.metadata import entry_points
from pathlib import Path

# A path in the first line may be neither long nor have a space. To Python the second and third line are a string.
SCRIPT = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys
from {module} import {attribute}
sys.exit({attribute}())
"""


def make_environment(folder: Path) -> dict[str, str]:
    """Make an environment in `folder` and return the variables under which its commands run."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    # addsitedir, not a mere path: it follows the links of editable installs.
    (site / "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    for command in entry_points(group="console_scripts"):
        script = folder / "bin" / command.name
        script.write_text(SCRIPT.format(python=python, module=command.module, attribute=command.attr))
        script.chmod(0o755)
    dropped = ("MINIGRAD_", "MAKE", "MFLAGS", "PYTEST_", "FORCE_COLOR", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    search = os.pathsep.join([str(python.parent), sysconfig.get_path("scripts"), kept.get("PATH", os.defpath)])
    terminal = {
        "COLUMNS": "100",
        "LINES": "50",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
    }
    # Nothing is fetched: a package of the page's own is built with the backend that is here (0 says "no isolation").
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return kept | terminal | pip | {"PATH": search, "VIRTUAL_ENV": str(folder), "OMP_NUM_THREADS": "1"}
