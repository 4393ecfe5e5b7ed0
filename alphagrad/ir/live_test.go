package ir_test

import (
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"pgregory.net/rapid"
)

// heldAt counts the elements held at one step straight from the definition: every element that exists by then and that
// this step, a later one or the caller still asks for.
func heldAt(p *ir.Program, step int) int64 {
	var held int64
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Op == ir.OpConst || n.Op == ir.OpReshape || (i > step && n.Op != ir.OpInput) {
			continue
		}
		// The names this value goes by: its own and those of its reshapes.
		names := map[ir.ID]bool{ir.ID(i): true}
		wanted := i == step
		for k := range p.Nodes {
			for _, a := range p.Nodes[k].Args {
				if names[a] {
					names[ir.ID(k)] = names[ir.ID(k)] || p.Nodes[k].Op == ir.OpReshape
					wanted = wanted || k >= step
				}
			}
		}
		for _, o := range p.Outputs {
			wanted = wanted || names[o.Node]
		}
		// An input without any use goes with its own step; before that the caller holds it.
		if wanted || (n.Op == ir.OpInput && i >= step) {
			held += int64(n.Shape.Size())
		}
	}
	return held
}

func bruteForcePeak(p *ir.Program) (peak int64) {
	for step := range p.Nodes {
		peak = max(peak, heldAt(p, step))
	}
	return peak
}

// arrayPrograms generates programs of arrays in which values are reshaped, reduced and used again much later.
func arrayPrograms(t *rapid.T) *ir.Program {
	b := ir.NewBuilder("p")
	vs := []*ir.Value{b.Input("a", 2, 3), b.Input("b", 6), b.Input("c")}
	pick := func() *ir.Value { return vs[rapid.IntRange(0, len(vs)-1).Draw(t, "arg")] }
	for range rapid.IntRange(0, 12).Draw(t, "nodes") {
		x := pick()
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			x = ir.Reshape(x, x.Shape().Size(), 1)
		case 1:
			x = ir.Mul(x, x)
		case 2:
			x = ir.Mul(x, vs[2])
		case 3:
			x = ir.ReduceSum(x)
		case 4:
			x = ir.AddScalar(x, 2)
		}
		vs = append(vs, x)
	}
	for range rapid.IntRange(1, 3).Draw(t, "outputs") {
		b.Output("y"+string(rune('0'+len(vs))), pick())
		vs = append(vs, pick())
	}
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPeakLiveIsTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, p := range []*ir.Program{programs(t), arrayPrograms(t)} {
			if got, want := ir.PeakLive(p), bruteForcePeak(p); got != want {
				t.Fatalf("%d elements, by the definition %d:\n%v", got, want, p)
			}
		}
	})
}

// TestPeakLiveByHand: programs small enough to count on fingers.
func TestPeakLiveByHand(t *testing.T) {
	for _, c := range []struct {
		name string
		want int64
		f    func(b *ir.Builder)
	}{
		{"nothing but an input", 1, func(b *ir.Builder) { b.Output("y", b.Input("x")) }},
		{"a chain holds an argument and a result", 2, func(b *ir.Builder) {
			b.Output("y", ir.Sin(ir.Cos(ir.Exp(b.Input("x")))))
		}},
		{"x is held for the end of the chain", 3, func(b *ir.Builder) {
			x := b.Input("x")
			b.Output("y", ir.Mul(ir.Cos(ir.Exp(x)), x))
		}},
		{"outputs stay", 3, func(b *ir.Builder) {
			x := b.Input("x")
			y := ir.Exp(x)
			b.Output("y", y)
			b.Output("z", ir.Sin(ir.Cos(y)))
		}},
		{"constants are code", 2, func(b *ir.Builder) { b.Output("y", ir.AddScalar(b.Input("x"), 3)) }},
		{"a reshape is no copy", 7, func(b *ir.Builder) {
			b.Output("y", ir.ReduceSum(ir.Reshape(b.Input("x", 2, 3), 6)))
		}},
		{"a value nothing uses", 2, func(b *ir.Builder) {
			x := b.Input("x")
			ir.Sin(x)
			b.Output("y", x)
		}},
	} {
		b := ir.NewBuilder("p")
		c.f(b)
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if got := ir.PeakLive(p); got != c.want {
			t.Errorf("%s: %d elements, want %d", c.name, got, c.want)
		}
	}
}
