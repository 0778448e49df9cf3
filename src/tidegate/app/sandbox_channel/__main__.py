"""The channel's process, without the rest of Tidegate, none of which it needs: sooner there, and smaller."""

from tidegate.app.sandbox_channel.commands import command

if __name__ == "__main__":
    command()
