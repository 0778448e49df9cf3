"""What payment counts about itself, by channel."""

from prometheus_client import Counter, Histogram

attempts_ended = Counter("tidegate_payment_attempts", "Attempts that ended, by channel and how", ["channel", "outcome"])
call_seconds = Histogram(
    "tidegate_payment_call_seconds",
    "Time of a charge call to a channel, seconds, by channel and answer",
    ["channel", "answer"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5),
)
