"""The money path: stock, payment, ordering."""
