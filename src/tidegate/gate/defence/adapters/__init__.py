"""The real outside systems behind defence's ports: counts in Valkey, and the operator's hook over HTTP."""
