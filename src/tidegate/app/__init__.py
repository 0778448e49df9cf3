"""The processes we run: api, storefront, console, command line and worker, wired in one place."""
