"""Outside systems that the queue speaks to."""
