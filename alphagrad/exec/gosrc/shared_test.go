package gosrc_test

import (
	"os"
	"sync"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// shared is the program that tests of kernels have in common, since building one takes seconds.
var shared struct {
	sync.Once
	dir, program string
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(shared.dir)
	os.Exit(code)
}

// vectorProgram is the path of a program with kernels of every op, of every case of the accuracy test, and of [sizes] and
// [wide].
func vectorProgram(t *testing.T) string {
	t.Helper()
	shared.Do(func() {
		fns := append(operations(t), sizes(t), wide(t))
		for i, c := range accuracyCases {
			fns = append(fns, wrap(t, caseName(i), c.op))
		}
		dir, err := os.MkdirTemp("", "alphagrad-gosrc-")
		if err != nil {
			t.Fatal(err)
		}
		shared.dir = dir
		shared.program = build(t, dir, assembled, fns)
	})
	if shared.program == "" {
		t.Fatal("the shared program was not built")
	}
	return shared.program
}

// operations are functions of one op each.
func operations(t *testing.T) (fns []gosrc.Function) {
	for _, op := range ir.Ops() {
		if op.Class == ir.Elementwise {
			fns = append(fns, wrap(t, "op "+op.Name, op))
		}
	}
	return fns
}

// sizes has 56 rows of results, some of them constant: they are kept in tiles.
func sizes(t *testing.T) gosrc.Function {
	t.Helper()
	p, err := ir.Trace("sizes", []string{"a", "b", "c"}, nil, func(x []*ir.Value) []*ir.Value {
		var y []*ir.Value
		for i := range 14 {
			y = append(y, ir.Mul(ir.AddScalar(x[i%3], float64(i)), x[(i+1)%3]))
		}
		return y
	})
	if err != nil {
		t.Fatal(err)
	}
	return derivative(t, p, nil)
}

// wide has 56 rows of results as well, and values that are kept in the frame.
func wide(t *testing.T) gosrc.Function {
	t.Helper()
	p, err := ir.Trace("wide", []string{"a", "b", "c"}, nil, func(x []*ir.Value) []*ir.Value {
		var y []*ir.Value
		for i := range 14 {
			y = append(y, ir.Mul(ir.Sin(ir.AddScalar(x[i%3], float64(i))), ir.Div(x[(i+1)%3], x[(i+2)%3])))
		}
		return y
	})
	if err != nil {
		t.Fatal(err)
	}
	return derivative(t, p, nil)
}
