"""Text continued, character by character."""

from pathlib import Path
from typing import Any

import torch

from minigrad.datasets.reading import checked_file, undecodable, unreadable
from minigrad.errors import ConfigError, DataError
from minigrad.experiments.folder import RunFolder

_LONGEST = 1_000_000
_LARGEST_PROMPT = 2**26


def continue_text(
    folder: RunFolder, file: Path, *, length: int = 200, seed: int = 0, temperature: float = 1.0
) -> dict[str, Any]:
    r"""Let the run's net go on with a text.

    Each next character is drawn from the probabilities that the net gives to all characters:
    $p_i \propto e^{z_i / T}$.

    Args:
        folder: A run that learned from a text.
        file: A text to begin with, of characters that the run knows.
        length: How many characters are added.
        seed: Of the draws.
        temperature: $T$; near 0 the likeliest character is always taken.

    Raises:
        ConfigError: If an argument is out of its range, or the run has not come to its end.
        DataError: If the text is empty or has unknown characters.
    """
    if not 0 <= length <= _LONGEST:
        raise ConfigError(f"length must be between 0 and {_LONGEST:,}. Received: length={length}")
    if not 0 < temperature < float("inf"):
        raise ConfigError(f"temperature must be positive and finite. Received: temperature={temperature}")
    if not 0 <= seed < 2**63:
        raise ConfigError(f"seed must be an integer of 63 bits, not negative. Received: seed={seed}")
    notes = folder.notes
    vocabulary = notes["vocabulary"]
    if not vocabulary:
        raise DataError(f"{folder.path}: a text is continued by a net that learned from one. Received: {file}")
    prompt = _read(file)
    prompt = prompt[:-1] if prompt.endswith("\n") and "\n" not in vocabulary else prompt
    unknown = sorted(set(prompt) - set(vocabulary))
    if unknown or not prompt:
        received = f"{''.join(unknown)!r}" if unknown else "nothing but a line's end"
        raise DataError(f"{file}: a text to go on with has characters that the run knows. Received: {received}")
    net, context = folder.net(), notes["shape"][0]
    generator = torch.Generator().manual_seed(seed)
    indices = [vocabulary.index(character) for character in prompt]
    for _ in range(length):
        scores = net(torch.tensor([indices[-context:]]))
        # As the losses have it: the classes come second, the places in the text after them.
        scores = scores[0, :, -1] if scores.dim() == 3 else scores[0]
        # The largest becomes 0 first: near a temperature of 0, all others then overflow to a chance of 0.
        chances = ((scores.double() - scores.max()) / temperature).softmax(0)
        indices.append(int(torch.multinomial(chances, 1, generator=generator)))
    added = "".join(vocabulary[i] for i in indices[len(prompt) :])
    return {"prompt": prompt, "continuation": added, "seed": seed, "temperature": temperature}


def _read(file: Path) -> str:
    try:
        return checked_file(str(file), _LARGEST_PROMPT).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise undecodable(str(file), error) from error
    except OSError as error:
        raise unreadable(str(file), error) from error
