"""The real outside systems behind identity's ports: SMS gateways, and Valkey for limits."""
