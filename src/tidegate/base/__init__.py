"""The floor that every room stands on. No festival words in here."""
