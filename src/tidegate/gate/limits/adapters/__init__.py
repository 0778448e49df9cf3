"""What limits keep in Valkey."""
