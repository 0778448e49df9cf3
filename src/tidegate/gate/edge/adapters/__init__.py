"""The edge behind edge's ports: asked over HTTP as a browser asks, and purged in the ways that caches and CDNs take."""
