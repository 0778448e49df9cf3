"""Edge: the caches between shoppers and the application, nginx or a CDN: filled before the crowd, emptied on change.

Words: to *prewarm* is to ask the edge for what everybody will ask for, so that it keeps it before the opening; to
*purge* is to have the edge forget pages, because a campaign was published that changes them. Built files and pictures
are never purged: their names change with their content.

Invariants:

- only what is the same for everyone is asked for, without cookie and token, and never the line;
- a publication never waits for the edge: its purge is a job, tried again until it is done or given up, and both show;
- a purge covers every page that changed since the last one that was done, also where one between them was given up.
"""
