"""What bots counts about itself."""

from prometheus_client import Counter

marks = Counter("tidegate_bot_marks", "Honeypots touched, by honeypot", ["honeypot"])
decisions = Counter("tidegate_bot_decisions", "Visits decided, by what followed", ["effect"])
undos = Counter("tidegate_bot_undos", "Decisions undone by staff")
