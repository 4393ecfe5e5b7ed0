"""Programs exported by alphagrad as graph files, as Python functions of any library's numbers.

A table maps the name of an op to the function that computes it; evaluating a graph with the table of a tracing library
(JAX, CasADi) hands it the straight-line program. Run as a script with a file of graphs and points, it evaluates them with
Python's math module: what the tests compare with our interpreter.
"""

import json
import math
import sys

FORMAT = "alphagrad-graph/1"


class BadGraph(Exception):
    """A graph that cannot be evaluated; the text names the node and the reason."""


def number(c):
    """A constant: a JSON number, or one of the strings "inf", "-inf", "nan"."""
    return float(c)


class Graph:
    """A graph of scalars: inputs (names), outputs (names of nodes), nodes in evaluation order."""

    def __init__(self, data):
        if data.get("format") != FORMAT:
            raise BadGraph(f'format {data.get("format")!r}, expected {FORMAT!r}')
        self.name = data["name"]
        self.inputs = [i["name"] for i in data["inputs"]]
        for i in data["inputs"]:
            if i["shape"]:
                raise BadGraph(f'{self.name}: input {i["name"]!r} has shape {i["shape"]}; only scalars are compared')
        self.nodes = data["nodes"]
        self.outputs = [o if isinstance(o, str) else o["node"] for o in data["outputs"]]

    def evaluate(self, table, x):
        """The outputs, as a list, at inputs x (one for each name), with the ops of a table."""
        if len(x) != len(self.inputs):
            raise BadGraph(f"{self.name}: {len(x)} inputs given, it takes {len(self.inputs)}")
        at = dict(zip(self.inputs, x))
        for node in self.nodes:
            name, op = node["name"], node["op"]
            attrs = node.get("attrs", {})
            if op == "const":
                if attrs["shape"]:
                    raise BadGraph(f"{self.name}: node {name!r} is an array; only scalars are compared")
                at[name] = number(attrs["value"][0])
                continue
            if op not in table:
                raise BadGraph(f"{self.name}: node {name!r}: op {op!r} has no form in this library")
            try:
                args = [at[a] if isinstance(a, str) and a in at else number(a) for a in node["args"]]
            except ValueError:
                raise BadGraph(f"{self.name}: node {name!r} uses an unknown value") from None
            f = table[op]
            at[name] = f(*args, **attrs) if attrs else f(*args)
        return [at[o] for o in self.outputs]


def rows(m, **more):
    """A table of ops over a module with numpy's names (asin or arcsin)."""

    def named(*names):
        for n in names:
            if hasattr(m, n):
                return getattr(m, n)
        return None

    table = {
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y,
        "neg": lambda x: -x,
        "square": lambda x: x * x,
        "pow": named("pow", "power"),
        "sqrt": m.sqrt,
        "exp": m.exp,
        "expm1": named("expm1"),
        "log": m.log,
        "log1p": named("log1p"),
        "erf": named("erf"),
        "abs": named("fabs"),
    }
    for f in "sin cos tan sinh cosh tanh".split():
        table[f] = getattr(m, f)
    for f in "asin acos atan asinh acosh atanh".split():
        table[f] = named(f, "arc" + f[1:])
    table["atan2"] = named("atan2", "arctan2")
    table.update(more)
    return {op: f for op, f in table.items() if f is not None}


MATH = rows(math, max=max, min=min)


def load(path):
    """The graphs of a file: {"problems": [{"name", "graph", "points"}]}."""
    with open(path) as f:
        return json.load(f)["problems"]


if __name__ == "__main__":
    for task in load(sys.argv[1]):
        g = Graph(task["graph"])
        for x in task["points"]:
            print(" ".join(float(v).hex() for v in g.evaluate(MATH, x)))
