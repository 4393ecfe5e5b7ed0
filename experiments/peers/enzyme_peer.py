"""Enzyme: C++ differentiated by the LLVM plugin inside the wheel enzyme-ad, at -O3 for this processor.

The loops over samples and seeds are part of the C++, so that what is timed is what Enzyme makes of the function; the call
itself goes through JAX, once for a whole turn.
"""

import importlib.metadata
import shutil
import subprocess
import time

import jax
import jax.numpy as jnp
import numpy as np
from enzyme_ad.jax import cpp_call

jax.config.update("jax_enable_x64", True)

SOURCE = r"""
#define PURE extern "C" __attribute__((const))
#define UNARY(name) PURE double name(double); PURE float name##f(float);
#define BINARY(name) PURE double name(double, double); PURE float name##f(float, float);
UNARY(sqrt) UNARY(exp) UNARY(expm1) UNARY(log) UNARY(log1p) UNARY(erf) UNARY(fabs)
UNARY(sin) UNARY(cos) UNARY(tan) UNARY(asin) UNARY(acos) UNARY(atan) UNARY(sinh) UNARY(cosh) UNARY(tanh)
UNARY(asinh) UNARY(acosh) UNARY(atanh) BINARY(pow) BINARY(atan2)
typedef REAL_TYPE REAL;
#define F(name) FUNCTION
#define K(c) ((REAL)(c))
#define NAN __builtin_nan("")
#define INFINITY __builtin_inf()
#define SIGN(x) ((x) > 0 ? K(1) : (x) < 0 ? K(-1) : (x))
#define STEP(x, zero) ((x) > 0 ? K(1) : (x) < 0 ? K(0) : (x) == 0 ? (zero) : (x))
#define LARGER(x, y) ((x) > (y) || (x) != (x) ? (x) : (y))
#define SMALLER(x, y) ((x) < (y) || (x) != (x) ? (x) : (y))
#define SELECT(c, t, e) ((c) != 0 ? (t) : (e))
enum { B = BATCH, STORED = STORED_SAMPLES, N = INPUTS, M = VALUES };

static inline __attribute__((always_inline)) void point(const REAL *__restrict__ x, REAL *__restrict__ y) {
BODY}

template <typename... T> void __enzyme_fwddiff(void *, T...);
template <typename... T> void __enzyme_autodiff(void *, T...);
extern int enzyme_dup;

static inline __attribute__((always_inline)) void forward_point(const REAL *x, REAL *y, REAL *jac) {
    REAL seed[N], t[M];
    for (int j = 0; j < N; j++) {
        for (int i = 0; i < N; i++) seed[i] = i == j;
        __enzyme_fwddiff((void *)point, enzyme_dup, x, seed, enzyme_dup, y, t);
        for (int i = 0; i < M; i++) jac[i * N + j] = t[i];
    }
}

static inline __attribute__((always_inline)) void reverse_point(const REAL *x, REAL *y, REAL *jac) {
    REAL seed[M];
    for (int i = 0; i < M; i++) {
        for (int k = 0; k < M; k++) seed[k] = i == k;
        for (int j = 0; j < N; j++) jac[i * N + j] = 0;
        __enzyme_autodiff((void *)point, enzyme_dup, x, jac + i * N, enzyme_dup, y, seed);
    }
}

/* One sample a call goes round stored samples; a batch is stored variable by variable. */
template <typename Y, typename J, typename X, typename C>
void compute(Y &ys, J &js, const X &xs, const C &calls) {
    REAL *__restrict__ y = &ys[0], *__restrict__ jac = &js[0];
    const REAL *__restrict__ x = &xs[0];
    for (long c = 0; c < calls[0]; c++) {
        if (B == 1) {
            MODE_point(x + (c & (STORED - 1)) * N, y, jac);
        } else {
            for (long k = 0; k < B; k++) {
                REAL in[N], out[M], entries[M * N];
                for (int j = 0; j < N; j++) in[j] = x[j * (long)B + k];
                MODE_point(in, out, entries);
                for (int i = 0; i < M; i++) y[i * (long)B + k] = out[i];
                for (int i = 0; i < M * N; i++) jac[i * (long)B + k] = entries[i];
            }
        }
        asm volatile("" ::: "memory");
    }
}
"""


def native():
    """Options of the compiler inside Enzyme for this processor, as far as gcc is there to tell."""
    options = ["-O3"]
    gcc = shutil.which("gcc")
    if gcc:
        run = lambda *a: subprocess.run([gcc, *a], capture_output=True, text=True, check=True).stdout
        options += ["-internal-isystem", run("-print-file-name=include").strip()]
        for line in run("-march=native", "-Q", "--help=target").splitlines():
            if line.split()[:1] == ["-march="] and len(line.split()) == 2:
                options += ["-target-cpu", line.split()[1]]
    return tuple(options)


class Peer:
    METHODS = ["enzyme-forward", "enzyme-reverse"]

    def __init__(self, work, threads):
        self.work, self.threads = work, threads
        self.options = native()
        self.ready = {}

    def versions(self):
        return {"enzyme-ad": importlib.metadata.version("enzyme-ad")}

    def prepare(self, method, problem, dtype, batch):
        if self.threads > 1:
            return False
        key = (problem, dtype, batch)
        if self.ready.get("key") != key:
            self.ready = {"key": key}
        p = self.work.problems[problem]
        n, m = len(p["graph"]["inputs"]), len(p["graph"]["outputs"])
        stored = 256 if batch == 1 else batch
        source = SOURCE
        for name, text in {
            "REAL_TYPE": "float" if dtype == "float32" else "double", "FUNCTION": "name##f" if dtype == "float32" else "name", "BATCH": str(batch),
            "STORED_SAMPLES": str(stored), "INPUTS": str(n), "VALUES": str(m), "BODY": p["source"], "MODE": method.removeprefix("enzyme-"),
        }.items():
            source = source.replace(name, text)
        x = self.work.batch(problem, stored).astype(dtype)
        x = jnp.asarray(np.ascontiguousarray(x if batch == 1 else x.T).ravel())
        shapes = [jax.core.ShapedArray([m * batch], x.dtype), jax.core.ShapedArray([m * n * batch], x.dtype)]
        call = jax.jit(lambda x, calls: cpp_call(x, calls, out_shapes=shapes, source=source, fn="compute", argv=self.options))
        f = lambda calls: jax.block_until_ready(call(x, jnp.asarray([calls], dtype=jnp.int64)))
        f(1)
        self.ready[method] = f
        self.ready["sizes"] = n, m
        return True

    def time(self, method, problem, dtype, batch, calls):
        start = time.perf_counter_ns()
        self.ready[method](calls)
        return time.perf_counter_ns() - start

    def results(self, method, problem, dtype, batch, which):
        y, jac = (np.asarray(a) for a in self.ready[method](1))
        n, m = self.ready["sizes"]
        y, jac = y.reshape(m, batch), jac.reshape(m * n, batch)
        return [np.concatenate([y[:, k], jac[:, k]]) for k in which]
