"""What is measured: servers and loads."""

import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# What starts a server, which then says where it listens in one line on standard output. {build} is a build folder, {size} and {kind}
# are those of the load's messages.
SERVERS = {
    "hawser": ["{build}/tools/hawser", "serve", "--port", "0"],
    "hawser, whole": ["{build}/tools/hawser", "serve", "--port", "0", "--frame-size", "16M"],
    "raw_ev": ["{build}/test/benchmark/raw_ev", "{size}", "{kind}"],
    "Beast": ["{build}/test/benchmark/beast"],
    "libwebsockets": ["{build}/test/benchmark/libwebsockets"],
    "websocketpp": ["{build}/test/benchmark/websocketpp"],
    "gorilla": ["{build}/test/benchmark/gorilla"],
    "ws": ["node", f"{ROOT}/test/benchmark/ws.mjs"],
    "websockets": ["/usr/bin/python3", f"{ROOT}/test/benchmark/websockets_echo.py"],
}
OURS = "hawser"
# The same with frames as long as the messages, which differs where these are longer than hawser's usual frames.
WHOLE = "hawser, whole"
FRAME_SIZE = 4096
# Bare reads and writes of as many bytes: what this system gives at most.
LIMIT = "raw_ev"
PEERS = [name for name in SERVERS if name not in (OURS, WHOLE, LIMIT)]


def size_text(size):
    for unit, factor in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if size >= factor and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} B"


@dataclasses.dataclass(frozen=True)
class Workload:
    """A load of `hawser bench`."""

    mode: str = "echo"
    connections: int = 100
    size: int = 20
    depth: int = 1
    text: bool = False
    rate: float = 0

    @property
    def figure(self):
        """Which figure of the load's report counts."""
        return {"echo": "server_us_per_message", "connect": "server_us_per_connection", "idle": "rss_bytes_per_connection"}[self.mode]

    @property
    def title(self):
        if self.mode == "connect":
            return "handshakes"
        if self.mode == "idle":
            return f"memory after a message of {size_text(self.size)}"
        depth = f" × {self.depth} in flight" if self.depth > 1 else ""
        return f"{self.connections:,} × {size_text(self.size)}{depth}{', text' if self.text else ''}"

    def arguments(self):
        """For `hawser bench`."""
        arguments = ["--mode", self.mode, "--connections", str(self.connections), "--size", str(self.size)]
        if self.mode == "echo":
            arguments += ["--rate", f"{self.rate:.0f}"] if self.rate else ["--depth", str(self.depth)]
        return arguments + ["--text"] * self.text

    def servers(self):
        """Those that it makes sense for."""
        left_out = {LIMIT} if self.mode != "echo" else set()
        if self.mode != "echo" or self.size <= FRAME_SIZE:
            left_out.add(WHOLE)
        return [name for name in SERVERS if name not in left_out]


WORKLOADS = [
    Workload(),
    Workload(depth=16),
    Workload(connections=1000, size=125),
    Workload(size=1024, text=True),
    Workload(size=16 * 1024),
    Workload(connections=10, size=1024 * 1024),
    Workload(mode="connect", connections=50),
    Workload(mode="idle", connections=4000),
    Workload(mode="idle", connections=4000, size=16 * 1024),
]
# What says enough to see that nothing is broken.
SHORT_WORKLOADS = [Workload(), Workload(depth=16), Workload(size=16 * 1024), Workload(mode="connect", connections=50)]

# The grid of growth, but for its corner of more bytes in flight than any machine has room for.
CONNECTIONS = [10, 100, 1000, 10_000]
SIZES = [10, 125, 1024, 16 * 1024, 64 * 1024, 1024 * 1024, 16 * 1024 * 1024]
MAX_IN_FLIGHT = 256 * 1024 * 1024


def growth_cells(most_connections):
    """Pairs of connections and payload."""
    return [(connections, size) for connections in CONNECTIONS for size in SIZES
            if connections <= most_connections and connections * size <= MAX_IN_FLIGHT]
