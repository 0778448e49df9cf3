"""`python -m tidegate` is the command line."""

from tidegate.app.cli import run

if __name__ == "__main__":
    run()
