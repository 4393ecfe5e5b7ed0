"""Reads the files that the Go tests wrote (written/) with the reference implementation and compares every number with the
fixtures that were written again, and with what the Go side says is in them (written/expected.json).

Run with nir installed: python verify.py
"""

import json
import pathlib

import h5py
import nir
import numpy as np

here = pathlib.Path(__file__).parent
expected = json.loads((here / "written" / "expected.json").read_text())
checked = 0


def compare(path, node, want):
    global checked
    assert type(node).__name__ == want["type"], path
    if isinstance(node, nir.NIRGraph):
        assert set(node.nodes) == set(want["nodes"]), path
        assert sorted(map(list, node.edges)) == sorted(want["edges"]), path
        for k, n in node.nodes.items():
            compare(f"{path}/{k}", n, want["nodes"][k])
        return
    got = node.to_dict()
    for k, v in want.items():
        if k != "type":
            assert list(np.shape(got[k])) == v["shape"], (path, k, np.shape(got[k]), v["shape"])
            assert np.array_equal(np.ravel(got[k]), v["data"]), (path, k)
            checked += 1


for name, want in expected.items():
    path = here / "written" / name
    assert nir.serialization.read_version(path) == "1.0.8"
    compare(name, nir.read(path, type_check=name != "old.nir"), want)
    with h5py.File(path) as f:  # libhdf5 agrees that the whole file is in order
        f.visititems(lambda _, o: o[()] if isinstance(o, h5py.Dataset) else None)
print(f"{len(expected)} files, {checked} parameters: all as expected")
