"""The text of the example `chargpt`: made by a small grammar, so that what can be learned of it is known exactly."""

import math
import random

ANIMALS = ("bear", "cat", "fox", "goat", "hen", "mole", "owl", "wolf")
COLOURS = ("black", "grey", "pink", "red", "white")
THINGS = ("bell", "cup", "drum", "hat", "kite", "lamp")
FRUIT = ("figs", "grapes", "nuts", "plums")
PLACES = ("barn", "field", "hill", "lake", "mill", "wood")
KINDS = 3
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def sentence(draw: random.Random) -> tuple[str, float]:
    """A line, and its surprise in nats: minus the logarithm of its probability."""
    kind = draw.randrange(KINDS)
    if kind == 0:
        (one, other), (thing, second) = draw.sample(ANIMALS, 2), draw.sample(THINGS, 2)
        colour, hue = draw.choice(COLOURS), draw.choice(COLOURS)
        asked = draw.choice(((thing, colour), (second, hue)))
        line = f"The {one} has a {colour} {thing} and the {other} a {hue} {second}. The {asked[0]} is {asked[1]}."
        return line, math.log(KINDS * 8 * 7 * 6 * 5 * 5 * 5 * 2)
    if kind == 1:
        animal, fruit = draw.choice(ANIMALS), draw.choice(FRUIT)
        one, more = draw.randrange(2, 7), draw.randrange(2, 7)
        line = f"The {animal} has {NUMBERS[one - 1]} {fruit} and finds {NUMBERS[more - 1]} more: "
        return f"{line}{NUMBERS[one + more - 1]} {fruit}.", math.log(KINDS * 8 * 4 * 5 * 5)
    animal, (start, end) = draw.choice(ANIMALS), draw.sample(PLACES, 2)
    line = f"The {animal} walks from the {start} to the {end} and back to the {start}."
    return line, math.log(KINDS * 8 * 6 * 5)


def text(size: int = 60_000, seed: int = 0) -> tuple[str, float]:
    """So many characters or a few less, and the surprise per character in nats: no net can do better, on average."""
    draw = random.Random(seed)
    lines: list[str] = []
    length, surprise = 0, 0.0
    while True:
        line, nats = sentence(draw)
        if length + len(line) + 1 > size:
            return "".join(lines), surprise / length
        lines.append(f"{line}\n")
        length += len(line) + 1
        surprise += nats
