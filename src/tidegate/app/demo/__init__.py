"""The demo: a whole festival in a few minutes - a flood, a payment channel lost and found again, the result."""
