"""Writes the HDF5 files that the tests read, and what is in them (expected.json).

Run with h5py and numpy installed: python make.py. The files are committed; tests need no Python.
"""

import json
import pathlib

import h5py
import numpy as np

here = pathlib.Path(__file__).parent
expected = {}


def fill(path, **options):
    f = h5py.File(here / path, "w", **options)
    rng = np.random.default_rng(1)
    numbers = {}
    for kind in ("i1", "u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
        numbers[f"plain/{kind[-2]}/" + kind.replace("<", "le_").replace(">", "be_")] = rng.uniform(-100 if "u" not in kind else 0, 100, 7).astype(kind)
    for name, values in numbers.items():
        f[name] = values
    matrix = rng.normal(size=(7, 5)).astype("f4")
    cube = rng.integers(-9, 9, (5, 4, 6)).astype("i4")
    earliest = "libver" not in options
    f.create_dataset("filtered/gzip", data=matrix, compression="gzip")
    f.create_dataset("filtered/whole", data=matrix, chunks=matrix.shape)
    if earliest:  # later versions of the format index several chunks in ways that are not supported
        f.create_dataset("filtered/partial", data=matrix, chunks=(3, 2))
        f.create_dataset("filtered/shuffle", data=cube, chunks=(2, 3, 4), compression="gzip", shuffle=True)
        f.create_dataset("filtered/grown", data=np.arange(10), chunks=(4,), maxshape=(None,))
    f.create_dataset("filtered/lzf", data=np.zeros((50, 40)), compression="lzf", chunks=(50, 40))
    f.create_dataset("filtered/lzf_text", data=np.frombuffer(b"the rain in spain stays mainly in the plain, " * 20, "u1"), compression="lzf", chunks=(900,))
    # A chunk that its filter did not shrink is stored as it is, and says so in its mask.
    d = f.create_dataset("filtered/skipped", (4,), dtype="<i4", chunks=(4,), compression="gzip")
    d.id.write_direct_chunk((0,), np.arange(4, dtype="<i4").tobytes(), filter_mask=1)
    f["scalar/float"] = 2.5
    f["scalar/int"] = np.int64(-3)
    f["scalar/bool"] = True
    f["scalar/text"] = "façade"
    f["scalar/bytes"] = np.bytes_("fixed")
    f.create_dataset("strings/grid", data=[["a", "bc"], ["", "déf"]], dtype=h5py.string_dtype())
    f["strings/fixed"] = np.array([b"one", b"three"])
    f["empty/floats"] = np.zeros((0, 3))
    f.create_dataset("empty/strings", shape=(0, 2), dtype=h5py.string_dtype())
    sequences = [rng.uniform(0, 1, n).astype("f2") for n in (3, 0, 1, 60)]
    for name, kind in (("vlen/half", "f2"), ("vlen/single", "f4"), ("vlen/units", "u2")):
        d = f.create_dataset(name, (4,), dtype=h5py.vlen_dtype(np.dtype(kind)), **(dict(chunks=(3,), compression="gzip") if earliest and name != "vlen/half" else {}))
        for i, s in enumerate(sequences):
            d[i] = (1000 * s).astype(kind) if kind == "u2" else s.astype(kind)
    many = f.create_group("many")
    for i in range(40 if earliest else 6):
        many[f"dataset {i}"] = i
    for i in range(30):  # attributes push links and messages into continuation blocks
        many.attrs[f"attribute {i}" if i < 7 else "attribute 0"] = np.arange(20)
    f["plain/i/i1"].attrs["unit"] = "mV"
    f.close()

    found = {}

    def visit(name, d):
        if not isinstance(d, h5py.Dataset):
            return
        v = d[()]
        if d.dtype.kind == "O" and d.size and isinstance(np.ravel(v)[0], np.ndarray):
            value = [[float(x) for x in s] for s in v]
        elif d.dtype.kind in "OS":
            value = [x.decode() if isinstance(x, bytes) else x for x in np.ravel(v)]
        else:
            value = [float(x) for x in np.ravel(v)]
        found[name] = {"shape": list(d.shape), "value": value}

    with h5py.File(here / path) as f:
        f.visititems(visit)
    expected[path] = found


fill("earliest.h5")
fill("v110.h5", libver=("v110", "v110"))
fill("latest.h5", libver="latest")
with h5py.File(here / "userblock.h5", "w", userblock_size=1024) as f:
    f["group/numbers"] = np.arange(5)
expected["userblock.h5"] = {"group/numbers": {"shape": [5], "value": [0, 1, 2, 3, 4]}}

# What is refused, with a reason.
with h5py.File(here / "refused.h5", "w") as f:
    f["compound"] = np.zeros(2, dtype=[("a", "i4"), ("b", "f8")])
    f.create_dataset("unwritten", (5,), dtype="f8")
    f.create_dataset("holes", (10,), dtype="f8", chunks=(2,))[0:2] = 1
    f.create_dataset("null", data=h5py.Empty("f8"))
    f.create_dataset("checksummed", data=np.arange(9), fletcher32=True)
    f["group/soft"] = h5py.SoftLink("/compound")
    f["group/external"] = h5py.ExternalLink("other.h5", "/a")
    f["committed"] = np.dtype("f8")
    f.create_dataset("uses_committed", data=[1.0], dtype=f["committed"])
    f.create_dataset("complex", data=np.array([1j]))
with h5py.File(here / "dense.h5", "w", libver="latest") as f:
    for i in range(20):
        f[f"many/{i}"] = i
    f.create_dataset("indexed", data=np.arange(10), chunks=(2,))

(here / "expected.json").write_text(json.dumps(expected, indent=None, separators=(",", ":")) + "\n")
