"""Measurements of the portal beside other clients of Livy, on one machine, in one run.

    python -m bench all                                  what `make bench` runs
    python -m bench following --batches 1000 --rounds 5  one of them

Results are written to bench/results, and from there to docs/benchmarks.md.

The portal is measured through its public door: real `celery worker` and `beat` processes, its own database. Both sides
work on the same sandbox, in a process of its own whose CPU is counted to nobody. The peers live in an environment of
their own (`make bench-peers`), and run as processes too (`bench/peers/`).
"""
