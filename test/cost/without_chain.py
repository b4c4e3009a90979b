#!/usr/bin/env python3
"""A link without middlewares at all: without_chain.py LINK.CPP OUTPUT"""

import sys
from pathlib import Path

LOOK_UPS = [
    (
        """        const HookListPtr& list = chain_->of(Chain::incoming_hook(message.opcode));
        if (!list)
            deliver(message);
        else
            Chain::incoming(*this, HookListPtr(list), list->list.size(), message);
""",
        """        deliver(message);
""",
    ),
    (
        """    const HookListPtr& list = chain_->of(Chain::outgoing_hook(message.opcode));
    if (in_turn_ && !list) return transmit(message);
    if (!is_writable()) return SendStatus::closed;
    const ConnectionPtr self = shared_from_this();
    return list ? send_through(HookListPtr(list), 0, message) : transmit(message);
""",
        """    if (in_turn_) return transmit(message);
    if (!is_writable()) return SendStatus::closed;
    const ConnectionPtr self = shared_from_this();
    return transmit(message);
""",
    ),
]

source = Path(sys.argv[1]).read_text()
for with_chain, without in LOOK_UPS:
    if source.count(with_chain) != 1:
        sys.exit(f"{sys.argv[1]} looks a chain up in another way now:\n{with_chain}")
    source = source.replace(with_chain, without)
Path(sys.argv[2]).write_text(source)
