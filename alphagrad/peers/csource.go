package peers

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// cPrelude stands before printed C. REAL is the type of numbers, F makes the name of a function of math.h for it.
const cPrelude = `#include <math.h>
#include <string.h>
#ifdef SINGLE
#define REAL float
#define F(name) name##f
#else
#define REAL double
#define F(name) name
#endif
#define K(c) ((REAL)(c))
#define SIGN(x) ((x) > 0 ? K(1) : (x) < 0 ? K(-1) : (x))
#define STEP(x, zero) ((x) > 0 ? K(1) : (x) < 0 ? K(0) : (x) == 0 ? (zero) : (x))
#define LARGER(x, y) ((x) > (y) || (x) != (x) ? (x) : (y))
#define SMALLER(x, y) ((x) < (y) || (x) != (x) ? (x) : (y))
#define SELECT(c, t, e) ((c) != 0 ? (t) : (e))
`

// cForms holds the C expression of every op that remains after lowering: one row an op.
var cForms = map[*ir.OpInfo]string{
	ir.OpAdd: "%s + %s", ir.OpSub: "%s - %s", ir.OpMul: "%s * %s", ir.OpDiv: "%s / %s", ir.OpNeg: "-%s",
	ir.OpPow: "F(pow)(%s, %s)", ir.OpSqrt: "F(sqrt)(%s)",
	ir.OpExp: "F(exp)(%s)", ir.OpExpm1: "F(expm1)(%s)", ir.OpLog: "F(log)(%s)", ir.OpLog1p: "F(log1p)(%s)", ir.OpErf: "F(erf)(%s)",
	ir.OpSin: "F(sin)(%s)", ir.OpCos: "F(cos)(%s)", ir.OpTan: "F(tan)(%s)",
	ir.OpAsin: "F(asin)(%s)", ir.OpAcos: "F(acos)(%s)", ir.OpAtan: "F(atan)(%s)", ir.OpAtan2: "F(atan2)(%s, %s)",
	ir.OpSinh: "F(sinh)(%s)", ir.OpCosh: "F(cosh)(%s)", ir.OpTanh: "F(tanh)(%s)",
	ir.OpAsinh: "F(asinh)(%s)", ir.OpAcosh: "F(acosh)(%s)", ir.OpAtanh: "F(atanh)(%s)",
	ir.OpAbs: "F(fabs)(%s)", ir.OpMax: "LARGER(%s, %s)", ir.OpMin: "SMALLER(%s, %s)",
	ir.OpSign: "SIGN(%s)", ir.OpSelect: "SELECT(%s, %s, %s)", ir.OpHeaviside: "STEP(%s, %s)",
}

// cPrinter prints one optimised program of scalars as C statements.
type cPrinter struct {
	b strings.Builder
	p *ir.Program
}

func newCPrinter(p *ir.Program) (*cPrinter, error) {
	p, err := ir.Optimize(p)
	if err != nil {
		return nil, err
	}
	if ok, first := p.IsScalar(); !ok {
		return nil, &ir.NodeError{Node: p.DisplayNames()[first], Op: p.Nodes[first].Op.Name, Err: errors.New("works on arrays; C is printed for scalars")}
	}
	return &cPrinter{p: p}, nil
}

// statements prints inputs, operations and outputs; in and out make the places of inputs and outputs. With varying,
// constant outputs are left out.
func (c *cPrinter) statements(in, out func(i int) string, varying bool) error {
	for j, id := range c.p.Inputs {
		fmt.Fprintf(&c.b, "const REAL v%d = %s;\n", id, in(j))
	}
	for i := range c.p.Nodes {
		n := &c.p.Nodes[i]
		if n.Op.Class == ir.Leaf {
			continue
		}
		form, ok := cForms[n.Op]
		if !ok {
			return &ir.NodeError{Node: c.p.DisplayNames()[i], Op: n.Op.Name, Err: errors.New("has no C form")}
		}
		args := make([]any, len(n.Args), len(n.Args)+1)
		for k, a := range n.Args {
			args[k] = c.operand(a)
		}
		if n.Op == ir.OpHeaviside {
			args = append(args, cLiteral(n.Op.Scalar(n.Attrs, 0)))
		}
		fmt.Fprintf(&c.b, "const REAL v%d = %s;\n", i, fmt.Sprintf(form, args...))
	}
	for i, o := range c.p.Outputs {
		if _, constant := c.p.ConstScalar(o.Node); !constant || !varying {
			fmt.Fprintf(&c.b, "%s = %s;\n", out(i), c.operand(o.Node))
		}
	}
	return nil
}

func (c *cPrinter) operand(id ir.ID) string {
	if v, ok := c.p.ConstScalar(id); ok {
		return cLiteral(v)
	}
	return "v" + strconv.Itoa(int(id))
}

func cLiteral(v float64) string {
	switch {
	case math.IsNaN(v):
		return "K(NAN)"
	case math.IsInf(v, 1):
		return "K(INFINITY)"
	case math.IsInf(v, -1):
		return "K(-INFINITY)"
	}
	return "K(" + strconv.FormatFloat(v, 'x', -1, 64) + ")"
}

// cTile is how many samples of a batch are buffered where a loop would write more than cStreams rows: rows lie a power of
// two apart, so that they evict each other's cache lines at every sample.
const (
	cTile    = 64
	cStreams = 24
)

// cDerivative prints a derivative program with the given number of values as two functions,
//
//	void NAME_one(const void *x, void *y, void *jac)
//	void NAME_batch(long n, const void *x, void *y, void *jac)
//
// the second one with input j of sample k at x[j*n+k] and results likewise.
func cDerivative(name string, p *ir.Program, values int) (string, error) {
	c, err := newCPrinter(p)
	if err != nil {
		return "", err
	}
	place := func(i int, index string) string {
		if i < values {
			return fmt.Sprintf("y[%s]", fmt.Sprintf(index, i))
		}
		return fmt.Sprintf("jac[%s]", fmt.Sprintf(index, i-values))
	}
	const head = "{\nconst REAL *restrict x = x_;\nREAL *restrict y = y_;\nREAL *restrict jac = jac_;\n"
	fmt.Fprintf(&c.b, "void %s_one(const void *x_, void *y_, void *jac_)\n"+head, name)
	if err := c.statements(func(j int) string { return fmt.Sprintf("x[%d]", j) }, func(i int) string { return place(i, "%d") }, false); err != nil {
		return "", err
	}
	fmt.Fprintf(&c.b, "}\n\nvoid %s_batch(long n, const void *x_, void *y_, void *jac_)\n"+head, name)
	row := map[int]int{}
	for i, o := range c.p.Outputs {
		v, constant := c.p.ConstScalar(o.Node)
		switch at := place(i, "%d*n"); {
		case constant && v == 0:
			fmt.Fprintf(&c.b, "memset(&%s, 0, n * sizeof(REAL));\n", at)
		case constant:
			fmt.Fprintf(&c.b, "for (long k = 0; k < n; k++) (&%s)[k] = %s;\n", at, cLiteral(v))
		default:
			row[i] = len(row)
		}
	}
	if len(row) <= cStreams {
		c.b.WriteString("#pragma GCC ivdep\nfor (long k = 0; k < n; k++) {\n")
		err = c.statements(func(j int) string { return fmt.Sprintf("x[%d*n+k]", j) }, func(i int) string { return place(i, "%d*n+k") }, true)
		c.b.WriteString("}\n}\n\n")
		return c.b.String(), err
	}
	fmt.Fprintf(&c.b, "REAL tile[%d][%d];\nfor (long start = 0; start < n; start += %d) {\nconst long size = n - start < %d ? n - start : %d;\n#pragma GCC ivdep\nfor (long k = 0; k < size; k++) {\n",
		len(row), cTile, cTile, cTile, cTile)
	err = c.statements(func(j int) string { return fmt.Sprintf("x[%d*n+start+k]", j) }, func(i int) string { return fmt.Sprintf("tile[%d][k]", row[i]) }, true)
	c.b.WriteString("}\n")
	for i := range c.p.Outputs {
		if r, varies := row[i]; varies {
			fmt.Fprintf(&c.b, "memcpy(&%s, tile[%d], size * sizeof(REAL));\n", place(i, "%d*n+start"), r)
		}
	}
	c.b.WriteString("}\n}\n\n")
	return c.b.String(), err
}

// cValue prints a program as the body of a function from x to y, the source that Enzyme differentiates.
func cValue(p *ir.Program) (string, error) {
	c, err := newCPrinter(p)
	if err != nil {
		return "", err
	}
	err = c.statements(func(j int) string { return fmt.Sprintf("x[%d]", j) }, func(i int) string { return fmt.Sprintf("y[%d]", i) }, false)
	return c.b.String(), err
}
