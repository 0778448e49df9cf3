"""The real channels behind the port."""
