"""How long things take; `make bench` prints the tables, and no test judges a time."""
