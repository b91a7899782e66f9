"""Files that can be trusted: written whole or not at all, and checked when they are read."""

from minigrad.files.files import read_tree, write_tree
from minigrad.files.writing import write_file

__all__ = ["read_tree", "write_file", "write_tree"]
