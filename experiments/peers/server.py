"""The worker of a Python peer: server.py WORK.json THREADS PEER, where a peer is jax, casadi or enzyme.

It reads one request a line and answers with one line of JSON, as driver.c does:

    methods PROBLEM TYPE BATCH               {"methods": ["jax-forward", ...], "refused": {"enzyme-reverse": "why"}}
    results METHOD PROBLEM TYPE BATCH        {"results": [["0x1p+0", ...], ...]}, some samples of the batch
    time METHOD PROBLEM TYPE BATCH CALLS     {"nanoseconds": 12345}
    versions                                 {"versions": {"jax": "0.10.2", ...}}

WORK.json holds the problems: {"problems": [{"name", "graph", "source", "points"}]}.
"""

import glob
import importlib
import json
import os
import sys

POINTS = 256
SHOWN = 16


class Work:
    """The problems by name, and the samples of a batch."""

    def __init__(self, path):
        self.directory = os.path.dirname(path)
        with open(path) as f:
            self.problems = {p["name"]: p for p in json.load(f)["problems"]}

    def batch(self, problem, n):
        """Samples 0 … n-1 as an array [n][inputs] of float64."""
        import numpy

        points = numpy.array(self.problems[problem]["points"], dtype=numpy.float64)
        return points[numpy.arange(n) % POINTS]

    def forms(self, threads):
        """What jax_peer.py has found to be the fastest, if it has run."""
        forms = {}
        for path in glob.glob(os.path.join(glob.escape(self.directory), f"forms_{threads}_*.json")):
            with open(path) as f:
                forms.update(json.load(f))
        return forms

    def write_forms(self, threads, part, forms):
        with open(os.path.join(self.directory, f"forms_{threads}_{part}.json"), "w") as f:
            json.dump(forms, f)


def single_thread():
    """Tells XLA, before it is imported, to use one thread."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def shown(batch):
    n = min(batch, SHOWN)
    return [i * (batch - 1) // (n - 1) if n > 1 else 0 for i in range(n)]


class Server:
    """Dispatches requests to a peer."""

    def __init__(self, work, threads, peer):
        self.peer = importlib.import_module(peer + "_peer").Peer(work, threads)

    def answer(self, line):
        words = line.split()
        try:
            kind = words[0]
            if kind == "versions" and len(words) == 1:
                return {"versions": self.peer.versions()}
            if kind == "methods":
                problem, dtype, batch = words[1], words[2], int(words[3])
                refused, methods = {}, []
                for m in self.peer.METHODS:
                    try:
                        if self.peer.prepare(m, problem, dtype, batch):
                            methods.append(m)
                    except Exception as e:  # what one cannot do must not end the others
                        refused[m] = brief(e)
                return {"methods": methods, "refused": refused}
            method, problem, dtype, batch = words[1], words[2], words[3], int(words[4])
            peer = self.peer
            if kind == "results":
                rows = peer.results(method, problem, dtype, batch, shown(batch))
                return {"results": [[float(v).hex() for v in row] for row in rows]}
            if kind == "time":
                return {"nanoseconds": peer.time(method, problem, dtype, batch, int(words[5]))}
            raise ValueError("unknown request")
        except Exception as e:
            return {"error": f"cannot do {line.strip()[:200]!r}: {brief(e)}"}


def brief(e):
    lines = str(e).strip().splitlines() or [""]
    return f"{type(e).__name__}: {lines[0][:200]}"


def main():
    # Libraries print what they like to standard output; the answers have a channel of their own.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    threads = int(sys.argv[2])
    if threads == 1:
        single_thread()
    server = Server(Work(sys.argv[1]), threads, sys.argv[3])
    for line in sys.stdin:
        print(json.dumps(server.answer(line)), file=out, flush=True)


if __name__ == "__main__":
    main()
