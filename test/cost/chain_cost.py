#!/usr/bin/env python3
"""What a chain of middlewares costs a message, in instructions: chain_cost.py MESSAGE_COST MESSAGE_COST_WITHOUT_CHAIN

What a server executes to receive and echo a text of 20 bytes, from read to write."""

import sys

from counting import per_message

FEW, MANY = 1_000, 11_000

with_chain, without_chain = sys.argv[1:]
base = per_message(without_chain, FEW, MANY, 0)
print(f"no chain at all:   {base:8.1f} instructions a message")
for count, name in enumerate(["empty chain:", "1 middleware:", "2 middlewares:"]):
    cost = per_message(with_chain, FEW, MANY, count)
    print(f"{name:<18} {cost:8.1f}  (+{cost - base:.1f}, {100 * (cost - base) / base:+.2f} %)")
