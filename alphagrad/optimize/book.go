package optimize

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A ref is a value of a book with its sign: the number of its line, doubled, plus one if it is negated. 0 is no value.
type ref int32

func (r ref) line() int32  { return int32(r) >> 1 }
func (r ref) negated() ref { return r & 1 }

// A line of a book computes a value from earlier ones.
type line struct {
	op   *ir.OpInfo
	x, y int32    // arguments of neg, add, sub, mul and div
	more []int32  // arguments of other ops
	node *ir.Node // of inputs and other ops: where they come from
	c    float64  // of a constant; refs have the sign, so that it is negative only as an argument of other ops
}

// A book is a derivative program under elimination, written by value numbering: equal expressions are one line, constants
// are evaluated, factors ±1 and signs are carried along and cost nothing. So it knows, an elimination at a time, what the
// emitted program will hold once [ir.Finish] has been at it, without the program; of guarded derivatives (ad/guard.go) and
// what folding exposes in a second round it knows less, so that costs that are reported come from the program itself.
//
// Lines are only referred to by later ones, so that an elimination is taken back by dropping the lines it wrote.
type book struct {
	graph *elim.Graph
	state *elim.State
	lines []line
	known table
	edges []ref // [nodes][nodes]: the partial derivative on the edge from, to
	start int   // lines before any elimination

	values []ref    // of the outputs
	ends   [][2]int // entries of the Jacobian: from an input, to an end of the graph
	trail  []change
	marks  []mark

	// Scratch of live, a stamp for every line:
	used, negative []int32
	stamp          int32
}

// A change is an edge that an elimination has overwritten.
type change struct {
	edge int32
	was  ref
}

// A mark is where an elimination began.
type mark struct{ lines, trail int }

// mostNodes bounds the graphs that books are kept of: the edges take 4 bytes for each pair of nodes.
const mostNodes = 4096

// newBook opens a book of a program of scalars.
func newBook(p *ir.Program, g *elim.Graph) (*book, error) {
	if g.Nodes() > mostNodes {
		return nil, fmt.Errorf("program %q: %d nodes; books are kept of up to %d", p.Name, g.Nodes(), mostNodes)
	}
	base, edges, err := ad.Edges(p)
	if err != nil {
		return nil, err
	}
	// What [ir.Finish] does, short of a schedule.
	if base, err = ir.Optimize(base); err != nil {
		return nil, err
	}
	if base, err = ir.Reciprocals(base, len(edges)); err != nil {
		return nil, err
	}
	if base, err = ir.Simplify(base); err != nil {
		return nil, err
	}
	b := &book{graph: g, state: elim.NewState(g), known: table{make([]int32, 1<<10)}, edges: make([]ref, g.Nodes()*g.Nodes())}
	b.lines = append(b.lines, line{op: ir.OpConst}) // number 0 is no value
	refs := make([]ref, len(base.Nodes))
	for i := range base.Nodes {
		n := &base.Nodes[i]
		args := make([]ref, len(n.Args))
		for k, a := range n.Args {
			args[k] = refs[a]
		}
		refs[i] = b.record(n, args)
	}
	for _, o := range base.Outputs[:len(p.Outputs)] {
		b.values = append(b.values, refs[o.Node])
	}
	for k, e := range edges {
		b.edges[e.From*g.Nodes()+e.To] = refs[base.Outputs[len(p.Outputs)+k].Node]
	}
	b.copies()
	b.start = len(b.lines)
	return b, nil
}

// copies puts the unit edges of outputs that are used again, and lists the entries of the Jacobian.
func (b *book) copies() {
	g := b.graph
	for w := range g.Nodes() {
		if v := g.SinkOf(w); v >= 0 {
			b.edges[v*g.Nodes()+w] = b.constant(1)
		}
		if !g.IsEnd(w) {
			continue
		}
		for u := range g.Inputs() {
			b.ends = append(b.ends, [2]int{u, w})
		}
	}
}

// record enters a node of the program that is there before elimination.
func (b *book) record(n *ir.Node, args []ref) ref {
	switch n.Op {
	case ir.OpConst:
		return b.constant(n.Value[0])
	case ir.OpNeg:
		return b.negate(args[0])
	case ir.OpMul:
		return b.multiply(args[0], args[1])
	case ir.OpAdd:
		return b.add(args[0], args[1])
	case ir.OpSub:
		return b.add(args[0], b.negate(args[1]))
	}
	l := line{op: n.Op, node: n}
	if n.Op == ir.OpDiv {
		l.x, l.y = b.signed(args[0]), b.signed(args[1])
	} else {
		for _, a := range args {
			l.more = append(l.more, b.signed(a))
		}
	}
	b.lines = append(b.lines, l)
	return ref(len(b.lines)-1) << 1
}

// signed is a line that holds the value with its sign.
func (b *book) signed(r ref) int32 {
	switch {
	case r.negated() == 0:
		return r.line()
	case b.isConstant(r):
		return b.enterConstant(b.value(r)).line()
	}
	return b.find(ir.OpNeg, r.line(), 0).line()
}

// find is the line with an operation, written if it is new.
func (b *book) find(op *ir.OpInfo, x, y int32) ref {
	slot := b.known.slot(b.lines, op, x, y)
	if i := b.known.at[slot]; i != 0 {
		return ref(i) << 1
	}
	return b.write(slot, line{op: op, x: x, y: y})
}

func (b *book) write(slot uint32, l line) ref {
	i := int32(len(b.lines))
	b.lines = append(b.lines, l)
	b.known.at[slot] = i
	b.known.grow(b.lines)
	return ref(i) << 1
}

func (b *book) constant(c float64) ref {
	sign := ref(0)
	if c < 0 {
		c, sign = -c, 1
	}
	return b.enterConstant(c) | sign
}

func (b *book) enterConstant(c float64) ref {
	bits := math.Float64bits(c)
	l := line{op: ir.OpConst, x: int32(bits >> 32), y: int32(bits), c: c}
	slot := b.known.slot(b.lines, l.op, l.x, l.y)
	if i := b.known.at[slot]; i != 0 {
		return ref(i) << 1
	}
	return b.write(slot, l)
}

func (b *book) isConstant(r ref) bool { return b.lines[r.line()].op == ir.OpConst }

func (b *book) value(r ref) float64 {
	if c := b.lines[r.line()].c; r.negated() == 0 {
		return c
	} else {
		return -c
	}
}

// negate changes a sign as folding does: a difference is turned round, others carry it outwards.
func (b *book) negate(r ref) ref {
	if l := &b.lines[r.line()]; l.op == ir.OpSub {
		return b.find(ir.OpSub, l.y, l.x)
	}
	return r ^ 1
}

func (b *book) multiply(x, y ref) ref {
	sign := x.negated() ^ y.negated()
	x, y = x&^1, y&^1
	var r ref
	switch {
	case b.isConstant(x) && b.isConstant(y):
		r = b.constant(b.value(x) * b.value(y))
	case b.isConstant(x) && b.value(x) == 1:
		r = y
	case b.isConstant(y) && b.value(y) == 1:
		r = x
	default:
		r = b.find(ir.OpMul, min(x.line(), y.line()), max(x.line(), y.line()))
	}
	if sign != 0 {
		r = b.negate(r)
	}
	return r
}

func (b *book) add(x, y ref) ref {
	switch {
	case b.isConstant(x) && b.isConstant(y):
		return b.constant(b.value(x) + b.value(y))
	case b.isConstant(x) && b.value(x) == 0:
		return y
	case b.isConstant(y) && b.value(y) == 0:
		return x
	case x.negated() != y.negated():
		if x.negated() != 0 {
			x, y = y, x
		}
		return b.find(ir.OpSub, x.line(), y.line())
	}
	return b.find(ir.OpAdd, min(x.line(), y.line()), max(x.line(), y.line())) | x.negated()
}

// Eliminate multiplies the in-edges of a vertex with its out-edges, in the order of package ad.
func (b *book) Eliminate(vertex int) {
	n, v := b.graph.Nodes(), b.graph.Node(vertex)
	b.marks = append(b.marks, mark{len(b.lines), len(b.trail)})
	for w := range b.state.Succ(v) {
		left := b.edges[v*n+w]
		for u := range b.state.Pred(v) {
			d, at := b.multiply(left, b.edges[u*n+v]), u*n+w
			if old := b.edges[at]; old != 0 {
				d = b.add(old, d)
			}
			b.trail = append(b.trail, change{int32(at), b.edges[at]})
			b.edges[at] = d
		}
	}
	b.state.Eliminate(vertex)
}

// Undo takes the last elimination back.
func (b *book) Undo() {
	m := b.marks[len(b.marks)-1]
	b.marks = b.marks[:len(b.marks)-1]
	for k := len(b.trail) - 1; k >= m.trail; k-- {
		b.edges[b.trail[k].edge] = b.trail[k].was
	}
	b.trail = b.trail[:m.trail]
	for i := len(b.lines) - 1; i >= m.lines; i-- {
		l := &b.lines[i]
		b.known.at[b.known.slot(b.lines, l.op, l.x, l.y)] = 0
	}
	b.lines = b.lines[:m.lines]
	b.state.Undo()
}

// fresh takes a stamp that no line has.
func (b *book) fresh() {
	if grow := len(b.lines) - len(b.used); grow > 0 {
		b.used = append(b.used, make([]int32, grow)...)
		b.negative = append(b.negative, make([]int32, grow)...)
	}
	b.stamp++
}

// roots calls f with the outputs and the entries of the Jacobian that are there.
func (b *book) roots(f func(ref)) {
	for _, r := range b.values {
		f(r)
	}
	n := b.graph.Nodes()
	for _, e := range b.ends {
		if r := b.edges[e[0]*n+e[1]]; r != 0 {
			f(r)
		}
	}
}

// live marks the lines that the results need with the returned stamp in b.used, and those of which the negative is needed
// in b.negative.
func (b *book) live() int32 {
	b.fresh()
	b.roots(func(r ref) {
		b.used[r.line()] = b.stamp
		if r.negated() != 0 && !b.isConstant(r) {
			b.negative[r.line()] = b.stamp
		}
	})
	for i := len(b.lines) - 1; i > 0; i-- {
		if b.used[i] != b.stamp {
			continue
		}
		switch l := &b.lines[i]; {
		case l.op == ir.OpConst:
		case l.more != nil:
			for _, a := range l.more {
				b.used[a] = b.stamp
			}
		case l.op == ir.OpNeg:
			b.used[l.x], b.negative[l.x] = b.stamp, b.stamp
		case l.op != ir.OpInput:
			b.used[l.x], b.used[l.y] = b.stamp, b.stamp
		}
	}
	return b.stamp
}

// count is what [ir.Count] finds in the finished program.
func (b *book) count() (c ir.OpCount) {
	stamp := b.live()
	for i := 1; i < len(b.lines); i++ {
		if b.negative[i] == stamp {
			c.Neg++
		}
		if b.used[i] != stamp {
			continue
		}
		switch l := &b.lines[i]; l.op {
		case ir.OpInput, ir.OpConst, ir.OpNeg:
		case ir.OpMul:
			c.Mul++
		case ir.OpAdd, ir.OpSub:
			c.Add++
		case ir.OpDiv:
			c.Div++
		default:
			c.Call++
		}
	}
	return c
}

// program is the derivative program so far, its lines in the order in which they were written.
func (b *book) program() *ir.Program {
	stamp := b.live()
	p := &ir.Program{}
	at := make([]ir.ID, len(b.lines))
	negative := make([]ir.ID, len(b.lines))
	put := func(op *ir.OpInfo, args ...ir.ID) ir.ID {
		p.Nodes = append(p.Nodes, ir.Node{Op: op, Args: args, Shape: ir.Shape{}})
		return ir.ID(len(p.Nodes) - 1)
	}
	for i := range b.lines {
		l := &b.lines[i]
		if i == 0 || b.used[i] != stamp && l.op != ir.OpInput {
			continue
		}
		switch {
		case l.op == ir.OpInput:
			at[i] = put(l.op)
			p.Nodes[at[i]].Name = l.node.Name
			p.Inputs = append(p.Inputs, at[i])
		case l.op == ir.OpConst:
			at[i] = put(l.op)
			p.Nodes[at[i]].Value = []float64{l.c}
		case l.more != nil:
			var args []ir.ID
			for _, a := range l.more {
				args = append(args, at[a])
			}
			at[i] = put(l.op, args...)
			p.Nodes[at[i]].Attrs = l.node.Attrs
		case l.op == ir.OpNeg:
			at[i] = negative[l.x]
		default:
			at[i] = put(l.op, at[l.x], at[l.y])
		}
		if b.negative[i] == stamp {
			negative[i] = put(ir.OpNeg, at[i])
		}
	}
	b.roots(func(r ref) {
		id := at[r.line()]
		switch {
		case r.negated() == 0:
		case b.isConstant(r):
			id = put(ir.OpConst)
			p.Nodes[id].Value = []float64{b.value(r)}
		default:
			id = negative[r.line()]
		}
		p.Outputs = append(p.Outputs, ir.Output{Name: strconv.Itoa(len(p.Outputs)), Node: id})
	})
	return p
}

// A pricedBook is a book with a price on the program in it: a ledger for the search.
type pricedBook struct {
	*book
	price func(*book) int64
}

func (b pricedBook) Cost() int64 { return b.price(b.book) }

// clone opens another book of the same program; only before any elimination.
func (b *book) clone() *book {
	c := *b
	c.state = elim.NewState(b.graph)
	c.lines, c.edges = slices.Clone(b.lines), slices.Clone(b.edges)
	c.known = table{slices.Clone(b.known.at)}
	c.trail, c.marks, c.used, c.negative = nil, nil, nil, nil
	return &c
}
