"""JAX: value and Jacobian of a batch in one compiled call, by forward and by reverse mode.

Each mode has several forms that a JAX user may write; the fastest one is found for every problem and then used. None
builds the block-diagonal Jacobian of a whole batch.

- rows:     vmap(jacfwd(f)) over samples stored one after the other, [batch, inputs]
- columns:  the same over variables stored one after the other, [inputs, batch]
- unrolled: one jvp for every input (one vjp for every output) of the function of whole rows, the seeds being constants;
            left out where it would take XLA minutes to compile

Compiled programs are kept in XLA's cache beside this environment. jax_peer.py WORK.json THREADS PART PARTS PLACE… fills it
for every PARTS-th problem, so that all processors can compile at once, and writes down the fastest forms. A PLACE is
TYPE:BATCH.
"""

import functools
import json
import os
import sys
import time

if __name__ == "__main__" and sys.argv[2] == "1":
    from server import single_thread

    single_thread()

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np

from graph import Graph, rows

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_compilation_cache_dir", os.path.join(sys.prefix, "xla-cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

OPS = rows(jnp, pow=jnp.power, erf=jax.scipy.special.erf, max=jnp.maximum, min=jnp.minimum)

# From this size on, results of the previous call are given back, so that their memory is used again.
DONATE = 16384

# The most operations of an unrolled form, before XLA simplifies them.
UNROLLED = 1500


class Peer:
    METHODS = ["jax-forward", "jax-reverse"]

    def __init__(self, work, threads):
        self.work = work
        self.forms = work.forms(threads)  # method, problem and whether single -> the fastest form
        self.ready = {}  # what is compiled for the current problem, type and batch

    def versions(self):
        return {"jax": jax.__version__}

    def graph(self, problem):
        return Graph(self.work.problems[problem]["graph"])

    def functions(self, problem, method):
        """The forms: name -> (function of x to (y, jac), axis of the samples in x, axis in y and jac)."""
        g = self.graph(problem)
        n, m = len(g.inputs), len(g.outputs)
        forward = method == "jax-forward"

        def f(*x):
            like = x[0]
            return [jnp.broadcast_to(jnp.asarray(v, like.dtype), like.shape) for v in g.evaluate(OPS, x)]

        def value(x):
            y = jnp.stack(f(*(x[i] for i in range(n))))
            return y, y

        def point(x):
            jac, y = (jax.jacfwd if forward else jax.jacrev)(value, has_aux=True)(x)
            return y, jac

        def unrolled(x):
            x = tuple(x[i] for i in range(n))
            one, zero = jnp.ones_like(x[0]), jnp.zeros_like(x[0])
            if forward:
                columns = []
                for j in range(n):
                    y, t = jax.jvp(f, x, tuple(one if i == j else zero for i in range(n)))
                    columns.append(jnp.stack(t))
                return jnp.stack(y), jnp.stack(columns, 1)
            y, pull = jax.vjp(f, *x)
            return jnp.stack(y), jnp.stack([jnp.stack(pull([one if i == k else zero for i in range(m)])) for k in range(m)])

        many = {"rows": (jax.vmap(point), 0), "columns": (jax.vmap(point, in_axes=1, out_axes=-1), -1)}
        one = {"point": (point, None)}
        if len(g.nodes) * (n if forward else m) <= UNROLLED:
            many["unrolled"], one["unrolled"] = (unrolled, -1), (unrolled, None)
        return many, one

    def prepare(self, method, problem, dtype, batch):
        key = (problem, dtype, batch)
        if self.ready.get("key") != key:
            self.ready = {"key": key}
        single = batch == 1
        forms = self.functions(problem, method)[single]
        choice = f"{method} {problem} {single}"
        known = self.forms.get(choice)
        best = None
        for name in [known] if known else forms:
            call, axis = self.compile(*forms[name], problem, dtype, batch)
            if known:
                best = (0, name, call, axis)
                break
            took = min(self.run(call, 1) for _ in range(5))
            if best is None or took < best[0]:
                best = (took, name, call, axis)
        self.forms[choice] = best[1]
        self.ready[method] = best[2:]
        return True

    def compile(self, f, axis, problem, dtype, batch):
        """A function of nothing that computes value and Jacobian and waits for them."""
        samples = self.work.batch(problem, batch).astype(dtype)
        if axis is None:
            points = [jnp.asarray(x) for x in self.work.batch(problem, 256).astype(dtype)]
            f = jax.jit(f)
            at = -1

            def call():
                nonlocal at
                at = (at + 1) % len(points)
                return jax.block_until_ready(f(points[at]))

            jax.block_until_ready(f(points[0]))
            return call, axis
        x = jnp.asarray(np.ascontiguousarray(samples if axis == 0 else samples.T))
        if batch < DONATE:
            f = jax.jit(f)
            jax.block_until_ready(f(x))
            return functools.partial(lambda x: jax.block_until_ready(f(x)), x), axis
        g = jax.jit(lambda x, y, jac: f(x), donate_argnums=(1, 2), keep_unused=True)
        y, jac = jax.eval_shape(f, x)
        last = jnp.zeros(y.shape, y.dtype), jnp.zeros(jac.shape, jac.dtype)

        def call():
            nonlocal last
            last = jax.block_until_ready(g(x, *last))
            return last

        call()
        return call, axis

    def run(self, call, calls):
        start = time.perf_counter_ns()
        for _ in range(calls):
            call()
        return time.perf_counter_ns() - start

    def time(self, method, problem, dtype, batch, calls):
        return self.run(self.ready[method][0], calls)

    def results(self, method, problem, dtype, batch, which):
        self.prepare(method, problem, dtype, batch)  # afresh: single samples start at the first point
        call, axis = self.ready[method]
        y, jac = (np.asarray(a) for a in call())
        if axis is None:
            y, jac = y[None], jac[None]
        else:
            y, jac = np.moveaxis(y, axis, 0), np.moveaxis(jac, axis, 0)
        return [np.concatenate([y[k], jac[k].ravel()]) for k in which]


def main():
    from server import Work

    work, threads, part, parts = Work(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    peer = Peer(work, threads)
    for problem in list(work.problems)[part::parts]:
        for place in sys.argv[5:]:
            dtype, batch = place.split(":")
            for method in peer.METHODS:
                peer.prepare(method, problem, dtype, int(batch))
    work.write_forms(threads, part, peer.forms)


if __name__ == "__main__":
    main()
