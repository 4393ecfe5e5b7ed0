package ad

import (
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// A local is the structured partial derivative of a node under construction: axes over labels that it numbers itself.
type local struct {
	sizes   []int
	out, in []structure.Axis
}

// label introduces a label.
func (l *local) label(size int) int {
	l.sizes = append(l.sizes, size)
	return len(l.sizes) - 1
}

// labels introduces one label for each axis of a shape and lists the axes that they index.
func (l *local) labels(shape ir.Shape) (labels []int, axes []structure.Axis) {
	for _, n := range shape {
		k := l.label(n)
		labels, axes = append(labels, k), append(axes, structure.Direct(n, k))
	}
	return labels, axes
}

// unit is the edge with the constant value 1.
func (l *local) unit(b *ir.Builder) edge {
	t, _ := structure.New(l.sizes, l.out, l.in, nil, true)
	return edge{{Term: t, Value: ir.Const(b, 1)}}
}

// valued is the edge with a value whose axes have the given labels.
func (l *local) valued(v *ir.Value, labels []int) edge {
	if isUnit(v) {
		e := l.unit(v.Builder())
		e[0].Value = v
		return e
	}
	t, order := structure.New(l.sizes, l.out, l.in, labels, false)
	permutation := make([]int, 0, len(labels)) // axes of size 1, whose labels vanish, come last
	for _, o := range order {
		permutation = append(permutation, slices.Index(labels, o))
	}
	for k, o := range labels {
		if !slices.Contains(order, o) {
			permutation = append(permutation, k)
		}
	}
	if !slices.IsSorted(permutation) {
		v = ir.Transpose(v, permutation...)
	}
	return edge{{Term: t, Value: reshaped(v, t.ValueShape())}}
}

// An arrayRule gives the structured partial derivatives of an op over arrays by its arguments; empty for zero.
type arrayRule func(n *ir.Node, args []*ir.Value, y *ir.Value) []edge

// arrayRules holds one row per op that is not elementwise; the elementwise ones share the rows of scalars.
var arrayRules = map[*ir.OpInfo]arrayRule{
	ir.OpReshape:   one(reshapeEdge),
	ir.OpTranspose: one(transposeEdge),
	ir.OpBroadcast: one(broadcastEdge),
	ir.OpSlice:     one(sliceEdge),
	ir.OpPad:       one(padEdge),
	ir.OpGather:    one(gatherEdge),
	ir.OpConcat:    concatEdges,
	ir.OpReduceSum: one(func(n *ir.Node, x, y *ir.Value) edge { l, _ := reduction(n, x); return l.unit(y.Builder()) }),
	ir.OpReduceProd: one(func(n *ir.Node, x, _ *ir.Value) edge {
		l, all := reduction(n, x)
		return l.valued(othersProduct(x, n.Attrs.Axes), all)
	}),
	ir.OpReduceMax: one(extremeEdge),
	ir.OpReduceMin: one(extremeEdge),
	ir.OpEinsum:    einsumEdges,
}

// one is the rule of an op of one argument.
func one(f func(n *ir.Node, x, y *ir.Value) edge) arrayRule {
	return func(n *ir.Node, args []*ir.Value, y *ir.Value) []edge { return []edge{f(n, args[0], y)} }
}

func (arrays) partials(n *ir.Node, args []*ir.Value, y *ir.Value) ([]edge, error) {
	if r, ok := arrayRules[n.Op]; ok {
		return r(n, args, y), nil
	}
	r, ok := rules[n.Op]
	if !ok {
		return nil, fmt.Errorf("op %s has no derivative rule", n.Op)
	}
	edges := make([]edge, len(args))
	for k, d := range r(args, y, n.Attrs) {
		if d == nil {
			continue
		}
		l := &local{}
		all, axes := l.labels(y.Shape())
		l.out = axes
		if len(args[k].Shape()) > 0 {
			l.in = axes // otherwise a scalar is stretched: the labels do not index the input
		}
		if len(d.Shape()) == 0 {
			all = nil
		}
		edges[k] = l.valued(d, all)
	}
	return edges, nil
}

func reshapeEdge(_ *ir.Node, x, y *ir.Value) edge {
	l := &local{}
	from, to := slices.Clone(x.Shape()), slices.Clone(y.Shape())
	// Labels are the finest common split of both shapes: walk both from the last axis. Where sizes such as 2·3 and 3·2
	// allow none, one label runs over all that is left and the axes find their place in it by tables.
	l.in, l.out = make([]structure.Axis, len(from)), make([]structure.Axis, len(to))
	for k, n := range from {
		l.in[k] = structure.Axis{Size: n, Map: structure.Map{Stride: 1}}
	}
	for k, n := range to {
		l.out[k] = structure.Axis{Size: n, Map: structure.Map{Stride: 1}}
	}
	i, j := len(from)-1, len(to)-1
	for i >= 0 && j >= 0 {
		switch a, b := from[i], to[j]; {
		case a == 1:
			i--
		case b == 1:
			j--
		case a%b == 0 || b%a == 0:
			k := l.label(min(a, b))
			l.in[i].Labels, l.out[j].Labels = slices.Insert(l.in[i].Labels, 0, k), slices.Insert(l.out[j].Labels, 0, k)
			from[i], to[j] = a/min(a, b), b/min(a, b)
		default:
			l.in, l.out = tangled(x.Shape(), 0), tangled(y.Shape(), 0)
			l.sizes = []int{x.Shape().Size()}
			return l.unit(y.Builder())
		}
	}
	return l.unit(y.Builder())
}

// tangled indexes the axes of a shape by one label over all its elements.
func tangled(shape ir.Shape, label int) []structure.Axis {
	axes := make([]structure.Axis, len(shape))
	total, below := shape.Size(), shape.Size()
	for k, n := range shape {
		below /= n
		table := make([]int32, total)
		for d := range table {
			table[d] = int32(d / below % n)
		}
		axes[k] = structure.Axis{Size: n, Labels: []int{label}, Map: structure.Map{Table: table}}
	}
	return axes
}

func transposeEdge(n *ir.Node, x, y *ir.Value) edge {
	l := &local{}
	_, l.in = l.labels(x.Shape())
	for _, k := range n.Attrs.Axes {
		l.out = append(l.out, l.in[k])
	}
	return l.unit(y.Builder())
}

func broadcastEdge(n *ir.Node, x, y *ir.Value) edge {
	l := &local{}
	_, l.out = l.labels(y.Shape())
	for i, k := range n.Attrs.Axes {
		if size := x.Shape()[i]; size == 1 {
			l.in = append(l.in, structure.Axis{Size: 1, Map: structure.Map{Stride: 1}})
		} else {
			l.in = append(l.in, l.out[k])
		}
	}
	return l.unit(y.Builder())
}

// moved is the edge of an op that keeps axes and moves positions along them: at maps positions of the shorter tensor to
// those of the longer one.
func moved(short, long ir.Shape, at func(axis int) structure.Map) (l *local, shorter, longer []structure.Axis) {
	l = &local{}
	labels, shorter := l.labels(short)
	for k, n := range long {
		longer = append(longer, structure.Axis{Size: n, Labels: labels[k : k+1], Map: at(k)})
	}
	return l, shorter, longer
}

func sliceEdge(n *ir.Node, x, y *ir.Value) edge {
	l, out, in := moved(y.Shape(), x.Shape(), func(k int) structure.Map {
		stride := 1
		if n.Attrs.Stride != nil {
			stride = n.Attrs.Stride[k]
		}
		return structure.Map{Off: n.Attrs.Start[k], Stride: stride}
	})
	l.out, l.in = out, in
	return l.unit(y.Builder())
}

func padEdge(n *ir.Node, x, y *ir.Value) edge {
	l, in, out := moved(x.Shape(), y.Shape(), func(k int) structure.Map { return structure.Map{Off: n.Attrs.Low[k], Stride: 1} })
	l.out, l.in = out, in
	return l.unit(y.Builder())
}

func gatherEdge(n *ir.Node, x, y *ir.Value) edge {
	l, out, in := moved(y.Shape(), x.Shape(), func(k int) structure.Map {
		if k != n.Attrs.Axis {
			return structure.Map{Stride: 1}
		}
		table := make([]int32, len(n.Attrs.Indices))
		for d, p := range n.Attrs.Indices {
			table[d] = int32(p)
		}
		return structure.Map{Table: table}
	})
	l.out, l.in = out, in
	return l.unit(y.Builder())
}

func concatEdges(n *ir.Node, args []*ir.Value, y *ir.Value) []edge {
	edges := make([]edge, len(args))
	off := 0
	for i, x := range args {
		l, in, out := moved(x.Shape(), y.Shape(), func(k int) structure.Map {
			if k != n.Attrs.Axis {
				return structure.Map{Stride: 1}
			}
			return structure.Map{Off: off, Stride: 1}
		})
		l.out, l.in = out, in
		edges[i] = l.unit(y.Builder())
		off += x.Shape()[n.Attrs.Axis]
	}
	return edges
}

// reduction labels the axes of x; those that stay are the axes of the result.
func reduction(n *ir.Node, x *ir.Value) (l *local, all []int) {
	l = &local{}
	all, l.in = l.labels(x.Shape())
	for k, a := range l.in {
		if !slices.Contains(n.Attrs.Axes, k) {
			l.out = append(l.out, a)
		}
	}
	return l, all
}

// kept lists the axes of x that a reduction keeps.
func kept(x *ir.Value, reduced []int) (axes []int) {
	for k := range x.Shape() {
		if !slices.Contains(reduced, k) {
			axes = append(axes, k)
		}
	}
	return axes
}

// extremeEdge is that of reduce_max and reduce_min: elements that attain the extreme share the derivative evenly, as in
// JAX.
func extremeEdge(n *ir.Node, x, y *ir.Value) edge {
	l, all := reduction(n, x)
	axes := kept(x, n.Attrs.Axes)
	attains := ir.OneMinus(ir.Abs(ir.Sign(ir.Sub(x, broadcast(y, x.Shape(), axes)))))
	ties := broadcast(ir.ReduceSum(attains, n.Attrs.Axes...), x.Shape(), axes)
	if len(n.Attrs.Axes) == 0 {
		ties = attains
	}
	return l.valued(ir.Div(attains, ties), all)
}

// othersProduct is, for each element of x, the product of the other elements that reduce_prod over the given axes
// multiplies it with. It divides by nothing: elements may be 0.
func othersProduct(x *ir.Value, reduced []int) *ir.Value {
	shape := x.Shape()
	axes := kept(x, reduced)
	outer, inner := 1, 1
	permutation := append(slices.Clone(axes), reduced...)
	for _, k := range axes {
		outer *= shape[k]
	}
	for _, k := range reduced {
		inner *= shape[k]
	}
	moved := ir.Transpose(x, permutation...)
	back := make([]int, len(permutation))
	for i, k := range permutation {
		back[k] = i
	}
	return ir.Transpose(ir.Reshape(others(ir.Reshape(moved, outer, inner)), moved.Shape()...), back...)
}

// others is, for each element of a row, the product of the row's other elements: its neighbour in a pair, times what the
// other pairs' products give. That takes three multiplications an element.
func others(rows *ir.Value) *ir.Value {
	outer, n := rows.Shape()[0], rows.Shape()[1]
	one := ir.Const(rows.Builder(), 1)
	if n == 1 {
		return ir.Broadcast(one, ir.Shape{outer, 1})
	}
	if n%2 == 1 {
		rows = ir.Concatenate([]*ir.Value{rows, ir.Broadcast(one, ir.Shape{outer, 1})}, 1)
	}
	pairs := ir.Shape{outer, (n + 1) / 2, 2}
	paired := ir.Reshape(rows, pairs...)
	result := ir.Gather(paired, 2, 1, 0)
	if n > 2 {
		result = ir.Mul(result, ir.Broadcast(others(ir.ReduceMultiply(paired, 2)), pairs, 0, 1))
	}
	result = ir.Reshape(result, outer, pairs[1]*2)
	if n%2 == 1 {
		result = ir.Slice(result, []int{0, 0}, []int{outer, n})
	}
	return result
}

// einsumEdges: a contraction is linear in each operand, with the product of the others as its derivative.
func einsumEdges(n *ir.Node, args []*ir.Value, y *ir.Value) []edge {
	shapes := make([]ir.Shape, len(args))
	for k, x := range args {
		shapes[k] = x.Shape()
	}
	c, err := ir.ParseEinsum(n.Attrs.Spec, shapes)
	if err != nil {
		panic(err) // the program is verified
	}
	axes := func(labels []int) (list []structure.Axis) {
		for _, k := range labels {
			list = append(list, structure.Direct(c.Sizes[k], k))
		}
		return list
	}
	edges := make([]edge, len(args))
	for k := range args {
		l := &local{sizes: c.Sizes, out: axes(c.Result), in: axes(c.Operands[k])}
		var others []*ir.Value
		var labels []int // of the others that the result or this operand has; the rest are summed
		spec := ""
		for j, x := range args {
			if j == k {
				continue
			}
			if len(others) > 0 {
				spec += ","
			}
			others = append(others, x)
			spec += letter(c.Operands[j])
			for _, m := range c.Operands[j] {
				if !slices.Contains(labels, m) && (slices.Contains(c.Result, m) || slices.Contains(c.Operands[k], m)) {
					labels = append(labels, m)
				}
			}
		}
		switch {
		case len(others) == 0:
			edges[k] = l.unit(y.Builder())
			continue
		case len(others) > 1 || letter(labels) != spec:
			edges[k] = l.valued(ir.Einsum(spec+"->"+letter(labels), others...), labels)
		default:
			edges[k] = l.valued(others[0], labels)
		}
	}
	return edges
}

func letter(labels []int) string {
	s := make([]byte, len(labels))
	for i, l := range labels {
		s[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[l]
	}
	return string(s)
}
