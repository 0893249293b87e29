"""Runs of the whole portal while everything around it breaks, and the check of what came out.

    python -m chaos --setup sqlite --seed 1 --recoveries 200      (`make chaos`; docs/chaos.md)

`plan` draws from a seed what is filed and what breaks when; `run` plays it on real processes (`site`, `points`);
`checker` joins what the portal says (`evidence`, from its database) with what really ran (the sandbox's ledger).
"""
