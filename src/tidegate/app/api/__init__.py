"""The web process: JSON doors of every module, the hot shortcut before them, health, metrics and OpenAPI."""
