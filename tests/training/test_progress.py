"""What a person sees while a run goes on."""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from minigrad.layers import Linear
from minigrad.training import fit

SCRIPT = """
import torch, minigrad
x = torch.linspace(-1, 1, 8).reshape(8, 1)
net = minigrad.Linear(1, 1)
history = minigrad.fit(net, "mse", "sgd", (x, x), epochs=300, batch_size=4, validation=(x, x), metrics=["mae"]{more})
print("done", len(history))
"""


def small(**options):
    x = torch.linspace(-1, 1, 8).reshape(8, 1)
    return fit(Linear(1, 1), "mse", "sgd", (x, x), epochs=3, batch_size=4, **options)


def test_without_a_terminal_there_are_plain_lines(capsys):
    small(validation=(torch.ones(2, 1), torch.ones(2, 1)))
    out, error = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"step 6/6, epoch 3/3, \S+ steps/s, cost \S+, val_cost \S+\n", error)


def test_a_long_run_tells_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr("minigrad.training.progress._LINE_SECONDS", 0.0)
    small()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 7
    assert re.fullmatch(r"step 3/6, epoch 2/3, \S+ steps/s, cost \S+, \S+ s left", lines[2])


def test_silence_is_silence(capsys):
    small(progress=False)
    assert capsys.readouterr() == ("", "")


def test_an_early_end_is_told(capsys):
    from minigrad import Callback

    class Stops(Callback):
        def on_step_end(self, run):
            run.stop("enough")

    small(callbacks=[Stops()])
    assert capsys.readouterr().err.endswith("; stopped: enough\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
def test_a_terminal_has_a_bar():
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(more="")],
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "140", "OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[2],
    )
    os.close(slave)
    seen = io.BytesIO()
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        seen.write(part)
    os.close(master)
    assert process.stdout is not None
    assert process.stdout.read() == b"done 600\n"
    process.stdout.close()
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.getvalue().decode())
    assert "━" in text
    assert "step 600/600" in text
    assert "val_mean_absolute_error" in text
