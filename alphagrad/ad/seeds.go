package ad

import (
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// SeedName is the name of the input that holds directions for x, or weights for y, and of the output that holds the
// resulting derivatives.
func SeedName(x string) string { return "d(" + x + ")" }

// PushForward returns the program of k directional derivatives at once, J·S for a seed matrix S with k columns: tangents
// in the order of the trace (Griewank & Walther, Evaluating Derivatives, section 3.1). Its inputs are those of p, then for
// every input x the seed "d(x)" with the axes of x and a last one of size k; its outputs are those of p, then for every
// output y the derivatives "d(y)" with the axes of y and a last one of size k. Structured Jacobians are exploited.
func PushForward(p *ir.Program, k int) (*ir.Program, error) {
	l, err := seeded(p, k)
	if err != nil {
		return nil, err
	}
	tangent := make([]edge, len(l.in))
	for j, id := range p.Inputs {
		shape := p.Nodes[id].Shape
		s := &local{}
		labels, axes := s.labels(append(slices.Clone(shape), k))
		s.out, s.in = axes[:len(shape)], axes[len(shape):]
		tangent[j] = s.valued(l.b.Input(SeedName(p.Nodes[id].Name), append(slices.Clone(shape), k)...), labels)
	}
	l.push(tangent)
	return simplified(l.outputs(len(p.Outputs), func(i int) (string, *ir.Value) {
		var e edge
		if r := l.results[i]; r >= 0 {
			e = tangent[r]
		}
		o := p.Outputs[i]
		return SeedName(o.Name), l.dense(l.b, e, p.Nodes[o.Node].Shape, ir.Shape{k})
	}))
}

// PullBack returns the program of k weighted sums of derivatives at once, S·J for a seed matrix S with k rows: adjoints
// against the order of the trace (Griewank & Walther, section 3.2). Its inputs are those of p, then for every output y the
// seed "d(y)" with a first axis of size k and the axes of y; its outputs are those of p, then for every input x the
// derivatives "d(x)" with a first axis of size k and the axes of x.
func PullBack(p *ir.Program, k int) (*ir.Program, error) {
	l, err := seeded(p, k)
	if err != nil {
		return nil, err
	}
	adjoint := make([]edge, len(l.in))
	for i, o := range p.Outputs {
		shape := p.Nodes[o.Node].Shape
		s := &local{}
		labels, axes := s.labels(append(ir.Shape{k}, shape...))
		s.out, s.in = axes[:1], axes[1:]
		e := s.valued(l.b.Input(SeedName(o.Name), append(ir.Shape{k}, shape...)...), labels)
		if r := l.results[i]; r >= 0 {
			adjoint[r] = l.add(adjoint[r], e)
		}
	}
	l.pull(adjoint)
	return simplified(l.outputs(len(p.Inputs), func(j int) (string, *ir.Value) {
		x := &p.Nodes[p.Inputs[j]]
		return SeedName(x.Name), l.dense(l.b, adjoint[j], ir.Shape{k}, x.Shape)
	}))
}

// push carries tangents from the inputs to every graph node.
func (l *linearization[E]) push(tangent []E) {
	for w := len(l.p.Inputs); w < len(l.in); w++ {
		for _, u := range sorted(l.in[w]) {
			l.addProduct(&tangent[w], l.in[w][u], tangent[u])
		}
	}
}

// pull carries adjoints from the outputs to every graph node.
func (l *linearization[E]) pull(adjoint []E) {
	for w := len(l.in) - 1; w >= len(l.p.Inputs); w-- {
		for _, u := range sorted(l.in[w]) {
			l.addProduct(&adjoint[u], adjoint[w], l.in[w][u])
		}
	}
}

// addProduct adds a product to an edge; empty edges are zero.
func (l *linearization[E]) addProduct(sum *E, left, right E) {
	if l.empty(left) || l.empty(right) {
		return
	}
	if d := l.multiply(left, right); l.empty(*sum) {
		*sum = d
	} else {
		*sum = l.add(*sum, d)
	}
}

// seeded linearizes a program for derivatives along seeds.
func seeded(p *ir.Program, k int) (*linearization[edge], error) {
	if err := ir.Verify(p); err != nil {
		return nil, err
	}
	if k < 1 {
		return nil, fmt.Errorf("program %q: %d seeds; at least one", p.Name, k)
	}
	return linearize(p, arrays{})
}
