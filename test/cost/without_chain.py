#!/usr/bin/env python3
"""A link without middlewares at all: without_chain.py LINK.CPP OUTPUT"""

import sys
from pathlib import Path

LOOK_UPS = [
    (
        """        const HookListPtr& list = chain_->of(Chain::incoming_hook(received.opcode));
        if (!list)
            deliver(received);
        else
            Chain::incoming(*this, HookListPtr(list), list->list.size(), received);
""",
        """        deliver(received);
""",
    ),
    (
        """    const HookListPtr& list = chain_->of(Chain::outgoing_hook(message.opcode));
    if (!list) return transmit(message);
    return Chain::outgoing(*this, HookListPtr(list), 0, message);
""",
        """    return transmit(message);
""",
    ),
]

source = Path(sys.argv[1]).read_text()
for with_chain, without in LOOK_UPS:
    if source.count(with_chain) != 1:
        sys.exit(f"{sys.argv[1]} looks a chain up in another way now:\n{with_chain}")
    source = source.replace(with_chain, without)
Path(sys.argv[2]).write_text(source)
