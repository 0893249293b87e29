"""The bare loop: `requests.post` for each body of stdin, nothing looked up before, nothing written down after."""

import json
import sys

import requests

order = json.load(sys.stdin)
for body in order["bodies"]:
    answer = requests.post(f"{order['livy']}/batches", json=body, auth=(order["user"], order["password"]), timeout=60)
    answer.raise_for_status()
