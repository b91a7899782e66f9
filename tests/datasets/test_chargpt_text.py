"""The text of the example `chargpt` is what its grammar makes, and its surprise is what is said of it."""

import math
import random
from collections import Counter
from importlib.resources import files

from tests.datasets.chargpt_text import ANIMALS, FRUIT, NUMBERS, PLACES, sentence, text


def test_the_text_that_ships_is_made_by_the_grammar():
    shipped = files("minigrad").joinpath("experiments/examples/chargpt.txt").read_bytes().decode()
    made, surprise = text()
    assert shipped == made
    assert 59_000 < len(made) <= 60_000
    assert round(surprise, 3) == 0.143


def test_a_sentence_is_as_surprising_as_it_is_rare():
    draw = random.Random(1)
    surprises = {}
    drawn = Counter()
    for _ in range(60_000):
        line, nats = sentence(draw)
        surprises[line] = nats
        drawn[line] += 1
    walks = [line for line in surprises if "walks" in line]
    finds = [line for line in surprises if "finds" in line]
    # Every sentence of these two kinds has come up, and each as often as its surprise says, within five deviations.
    assert len(walks) == len(ANIMALS) * len(PLACES) * (len(PLACES) - 1)
    assert len(finds) == len(ANIMALS) * len(FRUIT) * 25
    for line in walks + finds:
        expected = 60_000 * math.exp(-surprises[line])
        assert abs(drawn[line] - expected) < 5 * math.sqrt(expected)


def test_the_sums_are_right():
    draw = random.Random(2)
    lines = [line for line, _ in (sentence(draw) for _ in range(1000)) if "finds" in line]
    for line in lines:
        one, more, total = (NUMBERS.index(word) + 1 for word in line.replace(":", "").split() if word in NUMBERS)
        assert one + more == total
