"""Tidegate lets the flood of a shopping festival in at the speed the shop can carry, and keeps out what would do harm."""
