"""Writes NIR files with the reference implementation, and what is in them (expected.json).

Run with nir 1.0.8 installed: python make.py. The files are committed; tests need no Python.
"""

import json
import pathlib

import h5py
import nir
import numpy as np

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(5)
expected = {}


def uniform(n, low, high):
    return rng.uniform(low, high, n).astype("f4")


def lif(n):
    return nir.LIF(tau=uniform(n, 0.01, 0.03), r=uniform(n, 0.5, 2), v_leak=uniform(n, -0.1, 0.1), v_threshold=uniform(n, 0.5, 1), v_reset=uniform(n, -0.2, 0))


def cuba(n):
    return nir.CubaLIF(tau_syn=uniform(n, 0.005, 0.01), tau_mem=uniform(n, 0.01, 0.03), r=uniform(n, 5, 9), v_leak=uniform(n, 0, 0.1), v_threshold=uniform(n, 0.1, 0.3), w_in=uniform(n, 1, 3))


def describe(node):
    d = {"type": type(node).__name__}
    if isinstance(node, nir.NIRGraph):
        d["nodes"] = {k: describe(n) for k, n in node.nodes.items()}
        d["edges"] = [list(e) for e in node.edges]
        return d
    for k, v in node.to_dict().items():
        if k in ("type", "metadata"):
            continue
        v = np.asarray(v)
        d[k] = {"shape": list(v.shape), "data": [float(x) for x in np.ravel(v)]}
    return d


def write(name, graph, **options):
    nir.write(here / name, graph, **options)
    expected[name] = describe(nir.read(here / name))


def single(name, node):
    write(f"{name}.nir", nir.NIRGraph.from_list(node))


single("linear", nir.Linear(rng.normal(size=(3, 2)).astype("f4")))
single("affine", nir.Affine(rng.normal(size=(3, 2)), rng.normal(size=3)))
single("scale", nir.Scale(uniform(3, 1, 2)))
single("li", nir.LI(tau=uniform(3, 0.01, 0.03), r=uniform(3, 0.5, 2), v_leak=uniform(3, -0.1, 0.1)))
single("lif", lif(3))
single("cubali", nir.CubaLI(tau_syn=uniform(3, 0.005, 0.01), tau_mem=uniform(3, 0.01, 0.03), r=uniform(3, 1, 2), v_leak=uniform(3, 0, 0.1), w_in=uniform(3, 1, 3)))
single("cubalif", cuba(3))

# Current-based neurons with recurrent weights and a leaky readout.
net = {
    "input": nir.Input(np.array([4])),
    "w_in": nir.Affine(rng.uniform(-0.3, 0.5, (6, 4)), rng.normal(size=6) / 10),
    "cuba": cuba(6),
    "w_rec": nir.Linear(rng.normal(size=(6, 6))),
    "w_out": nir.Linear(rng.normal(size=(2, 6))),
    "readout": nir.LI(tau=np.full(2, 0.02), r=np.ones(2), v_leak=np.zeros(2)),
    "output": nir.Output(np.array([2])),
}
net["cuba"].v_leak[:] = 0
net["cuba"].metadata["note"] = "recurrent"
net["cuba"].metadata["level"] = np.array([1.0, 2.0])
edges = [("input", "w_in"), ("w_in", "cuba"), ("cuba", "w_rec"), ("w_rec", "cuba"), ("cuba", "w_out"), ("w_out", "readout"), ("readout", "output")]
write("recurrent.nir", nir.NIRGraph(net, edges))
write("recurrent_lzf.nir", nir.NIRGraph(net, edges), compression="lzf")

# As snnTorch exports recurrent neurons: a graph in the graph.
loop = nir.NIRGraph(
    {"input": nir.Input(np.array([3])), "lif": lif(3), "w_rec": nir.Linear(rng.normal(size=(3, 3))), "output": nir.Output(np.array([3]))},
    [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
)
loop.nodes["lif"].v_reset[:] = 0
loop.nodes["lif"].r[:] = 8
write("nested.nir", nir.NIRGraph({"input": nir.Input(np.array([2])), "fc": nir.Linear(rng.normal(size=(3, 2))), "rlif": loop, "output": nir.Output(np.array([3]))},
                                 [("input", "fc"), ("fc", "rlif"), ("rlif", "output")]))

# Older files lack what has a default, and may have no edges.
with h5py.File(here / "old.nir", "w") as f:
    node = f.create_group("node")
    node["type"] = "NIRGraph"
    node["edges"] = np.array([])
    n = node.create_group("nodes/cuba")
    n["type"] = "CubaLIF"
    for k in ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"):
        n[k] = np.array([0.5, 1.5])
expected["old.nir"] = {"type": "NIRGraph", "edges": [], "nodes": {"cuba": {"type": "CubaLIF",
    **{k: {"shape": [2], "data": [0.5, 1.5]} for k in ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold")},
    "v_reset": {"shape": [2], "data": [0, 0]}, "w_in": {"shape": [2], "data": [1, 1]}}}}

# What is refused.
nir.write(here / "conv.nir", nir.NIRGraph.from_list(nir.Conv1d(input_shape=8, weight=np.ones((1, 1, 3)), stride=1, padding=0, dilation=1, groups=1, bias=np.zeros(1))))
nir.write(here / "image.nir", nir.NIRGraph.from_list(nir.LI(tau=np.ones((2, 4, 4)), r=np.ones((2, 4, 4)), v_leak=np.zeros((2, 4, 4)))))

(here / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
