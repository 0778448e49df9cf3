"""Measurements of Tidegate against a yardstick, on one machine in one run: `make bench`."""
