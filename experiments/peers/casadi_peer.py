"""CasADi: SX expressions, evaluated by its virtual machine (a method of the server) or generated as C.

casadi_peer.py WORK.json DIRECTORY writes, for every problem, the C of value and Jacobian with the entries that can differ
from zero (CasADi's own form) and with all of them, in both types, and casadi.json that says where the entries belong.
"""

import json
import os
import sys
import time

import casadi as ca
import numpy as np

from graph import Graph, rows

OPS = rows(ca, pow=lambda x, y: x**y, max=ca.fmax, min=ca.fmin)


def expressions(problem, dense):
    g = Graph(problem["graph"])
    x = ca.SX.sym("x", len(g.inputs))
    y = ca.vertcat(*g.evaluate(OPS, ca.vertsplit(x)))
    y, jac = ca.cse([ca.densify(y), ca.jacobian(y, x)])
    if dense:
        jac = ca.densify(jac.T)  # column-major: the transpose is our row-major order
    return x, y, jac


class Peer:
    METHODS = ["casadi-vm"]

    def __init__(self, work, threads):
        self.work, self.threads = work, threads
        self.ready = {}

    def versions(self):
        return {"casadi": ca.__version__}

    def prepare(self, method, problem, dtype, batch):
        if dtype != "float64" or self.threads > 1:
            return False
        self.call(problem, batch)
        return True

    def call(self, problem, batch):
        """A function of nothing, and the arrays that it fills; CasADi's buffers avoid all conversions."""
        if self.ready.get("key") != (problem, batch):
            x, y, jac = expressions(self.work.problems[problem], dense=False)
            f = ca.Function("f", [x], [y, jac])
            m, n = jac.shape
            row, col = jac.sparsity().get_triplet()
            if batch > 1:
                f = f.map(batch)
            values = np.zeros(m * batch)
            entries = np.zeros(max(1, len(row) * batch))
            points = self.work.batch(problem, batch).copy()
            buffer, run = f.buffer()
            buffer.set_arg(0, memoryview(points))
            buffer.set_res(0, memoryview(values))
            buffer.set_res(1, memoryview(entries))
            self.ready = {"key": (problem, batch), "run": run, "y": values, "jac": entries, "shape": (m, n),
                          "at": np.array(row, dtype=int) * n + np.array(col, dtype=int), "keep": (f, buffer, points)}
        return self.ready

    def time(self, method, problem, dtype, batch, calls):
        run = self.call(problem, batch)["run"]
        start = time.perf_counter_ns()
        for _ in range(calls):
            run()
        return time.perf_counter_ns() - start

    def results(self, method, problem, dtype, batch, which):
        r = self.call(problem, batch)
        r["run"]()
        m, n = r["shape"]
        nnz = len(r["at"])
        out = []
        for k in which:
            row = np.zeros(m + m * n)
            row[:m] = r["y"][k * m : (k + 1) * m]
            row[m + r["at"]] = r["jac"][k * nnz : (k + 1) * nnz]
            out.append(row)
        return out


def generate(work, directory):
    entries = {}
    for problem in work:
        name = problem["name"]
        for dense in False, True:
            x, y, jac = expressions(problem, dense)
            f = ca.Function("casadi_function", [x], [y, jac])
            for dtype, real in ("float64", "double"), ("float32", "float"):
                file = f'casadi_{"dense" if dense else "sparse"}_{name}_{dtype}.inc'
                options = {"casadi_real": real, "casadi_int": "int", "verbose": False, "with_header": False}
                g = ca.CodeGenerator("casadi_function", options)
                g.add(f)
                with open(os.path.join(directory, file), "w") as out:
                    out.write(g.dump())
            if not dense:
                row, col = jac.sparsity().get_triplet()
                entries[name] = {"at": [r * jac.shape[1] + c for r, c in zip(row, col)], "work": f.sz_w()}
            else:
                entries[name]["dense_work"] = f.sz_w()
    with open(os.path.join(directory, "casadi.json"), "w") as out:
        json.dump(entries, out)


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        generate(json.load(file)["problems"], sys.argv[2])
