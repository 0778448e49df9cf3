"""Tidegate lets a shopping festival's flood in at the speed the shop can carry, and keeps out what would do harm."""
