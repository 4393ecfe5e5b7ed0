"""Writes small files in the layout of Spiking Heidelberg Digits, and what is in them (shd_expected.json).

Run with h5py, tables and numpy installed: python make_shd.py. The files are committed; tests need no Python. The classes
differ in where in the cochlea their spikes are, so that a network can learn them.
"""

import json
import pathlib

import h5py
import numpy as np
import tables

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(3)
expected = {}


def samples(n, kind):
    out = []
    for i in range(n):
        label = i % 20
        k = 0 if i == 5 else int(rng.integers(8, 24))  # one sample is silent
        times = np.sort(rng.uniform(0.01, 1.2, k)).astype(kind)
        units = np.clip(np.round(rng.normal(17 + 35 * label, 8, k)), 0, 699).astype("u2")
        out.append((times, units, label))
    return out


def record(path, data):
    expected[path] = [{"times": [float(t) for t in times], "units": [int(u) for u in units], "label": label} for times, units, label in data]


def write(path, data, kind, **options):
    with h5py.File(here / path, "w") as f:
        spikes = f.create_group("spikes")
        t = spikes.create_dataset("times", (len(data),), dtype=h5py.vlen_dtype(np.dtype(kind)), **options)
        u = spikes.create_dataset("units", (len(data),), dtype=h5py.vlen_dtype(np.dtype("u2")), **options)
        for i, (times, units, _) in enumerate(data):
            t[i], u[i] = times, units
        f["labels"] = np.array([label for _, _, label in data], dtype="u2")
        extra = f.create_group("extra")  # the published files have more, which is ignored
        extra["speaker"] = np.zeros(len(data), dtype="u2")
        extra["keys"] = np.array([b"digit %d" % i for i in range(20)])
    record(path, data)


write("shd_train.h5", samples(60, "f2"), "f2")
write("shd_test.h5", samples(40, "f4"), "f4", chunks=(7,), compression="gzip")

# As PyTables writes variable-length arrays.
data = samples(10, "f2")
with tables.open_file(here / "shd_pytables.h5", "w") as f:
    spikes = f.create_group("/", "spikes")
    t = f.create_vlarray(spikes, "times", tables.Float16Atom(), chunkshape=4)
    u = f.create_vlarray(spikes, "units", tables.UInt16Atom(), chunkshape=4)
    for times, units, _ in data:
        t.append(times)
        u.append(units)
    f.create_array("/", "labels", np.array([label for _, _, label in data], dtype="u2"))
record("shd_pytables.h5", data)

(here / "shd_expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
