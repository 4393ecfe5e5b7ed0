package flat

import (
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A group is a sequence of elementwise operations on arrays of one shape, run row by row: results that nothing outside
// the group reads are one temporary row.
type group struct {
	shape      ir.Shape
	rows, cols int
	ops        []micro
}

// A micro operation computes a row of its result from rows of its operands.
type micro struct {
	kernel kernel
	three  kernel3 // select has three operands
	dst    row
	args   [3]row
	node   ir.ID
	inside int // uses within the group
}

// A row is a row of an operand: of a buffer at an offset that depends on the number of the row, or a temporary.
type row struct {
	buf   int
	temp  int // number of a temporary row, −1: none
	mul   int // offset of row r is r·mul, or
	table []int32
	size  int // elements to take: 1 for what is the same along the row
}

// absent is the row of an argument that an operation lacks.
var absent = row{buf: -1, temp: -1}

// minFuse is the size of the last axis from which arrays are worked on row by row.
const minFuse = 8

// elementwise adds an operation to the pending group, or to a new one.
func (c *compiler) elementwise(id ir.ID, op *ir.OpInfo, attrs *ir.Attrs, operands []view) {
	shape := c.ir.Nodes[id].Shape
	for k, v := range operands {
		if n := len(shape); n > 0 && shape[n-1] > 1 && v.stride[n-1] != 0 && v.stride[n-1] != 1 {
			to := c.dense(shape)
			c.copy(to, v, shape)
			operands[k] = to
		}
	}
	to := c.dense(shape)
	g := &group{shape: shape, rows: 1, cols: shape.Size()}
	flat := true // all in one row
	for _, v := range operands {
		flat = flat && (isRowMajor(v.stride, shape) || isConstant(v.stride, shape))
	}
	rank := len(shape)
	if rank >= 2 && (!flat || shape[rank-1] >= minFuse) {
		g.cols = shape[rank-1]
		g.rows = shape.Size() / g.cols
		flat = false
	}
	o := micro{node: id, dst: g.rowOf(to)}
	sizes := []int{}
	for k := range 3 {
		o.args[k] = absent
		if k < len(operands) {
			o.args[k] = g.rowOf(operands[k])
			sizes = append(sizes, o.args[k].size)
		}
	}
	if op == ir.OpSelect {
		o.three = selection(sizes, g.cols)
	} else {
		o.kernel = kernelOf(op, attrs, sizes, g.cols)
	}
	for k, v := range operands { // what the pending group writes must be there, or come row by row as this reads it
		if p := c.pending; p != nil {
			for _, w := range p.ops {
				if w.dst.buf == v.buf && (flat || !p.shape.Equal(shape) || !sameRow(w.dst, o.args[k])) {
					c.flush()
					break
				}
			}
		}
	}
	c.views[id] = to
	if flat {
		g.ops = []micro{o}
		c.append(g)
		return
	}
	if p := c.pending; p != nil && !p.shape.Equal(shape) {
		c.flush()
	}
	if c.pending == nil {
		c.pending = g
	}
	for k := range c.pending.ops {
		for _, a := range o.args {
			if a.buf == c.pending.ops[k].dst.buf {
				c.pending.ops[k].inside++
			}
		}
	}
	c.pending.ops = append(c.pending.ops, o)
}

func isConstant(stride []int, s ir.Shape) bool {
	for k, n := range s {
		if n != 1 && stride[k] != 0 {
			return false
		}
	}
	return true
}

// rowOf is how a view of the group's shape gives rows.
func (g *group) rowOf(v view) row {
	r := row{buf: v.buf, temp: -1, size: 1}
	if g.rows == 1 {
		if !isConstant(v.stride, g.shape) {
			r.size = g.cols
		}
		return r
	}
	last := len(g.shape) - 1
	if v.stride[last] != 0 {
		r.size = g.cols
	}
	table := offsets(v.stride[:last], g.shape[:last])
	r.mul = int(table[1])
	for i, o := range table {
		if int(o) != i*r.mul {
			r.table = table
		}
	}
	return r
}

func sameRow(a, b row) bool {
	return a.buf == b.buf && a.mul == b.mul && a.size == b.size && slices.Equal(a.table, b.table)
}

// flush ends the pending group.
func (c *compiler) flush() {
	g := c.pending
	if g == nil {
		return
	}
	c.pending = nil
	temps := map[int]int{} // buffer → temporary row
	for k := range g.ops {
		o := &g.ops[k]
		for a := range o.args {
			if t, is := temps[o.args[a].buf]; is {
				o.args[a] = row{buf: o.args[a].buf, temp: t, size: o.args[a].size}
			}
		}
		if o.inside == c.uses[o.node] {
			temps[o.dst.buf] = len(temps)
			o.dst.temp = temps[o.dst.buf]
			c.p.sizes[o.dst.buf] = 0
		}
	}
	c.p.temps, c.p.rowMax = max(c.p.temps, len(temps)), max(c.p.rowMax, g.cols)
	c.append(g)
}

// append emits a group.
func (c *compiler) append(g *group) {
	i := instr{group: g, writes: -1}
	var written []int
	for _, o := range g.ops {
		for _, a := range o.args {
			if a.buf >= 0 && a.temp < 0 && !slices.Contains(written, a.buf) {
				i.reads = append(i.reads, a.buf)
			}
		}
		written = append(written, o.dst.buf)
	}
	i.run = g.run
	if len(g.ops) == 1 && g.rows == 1 {
		i.run = g.ops[0].once()
	}
	c.p.code = append(c.p.code, i)
}

// mayReplace reports whether the operation that writes one buffer may write another one in its place: all operations that
// read that one do so row by row, and none after it is written.
func (g *group) mayReplace(in, out int) bool {
	var to row
	for _, o := range g.ops {
		if o.dst.temp < 0 && o.dst.buf == out {
			to = o.dst
		}
	}
	written := false
	for _, o := range g.ops {
		for _, a := range o.args {
			if a.temp < 0 && a.buf == in && (written || a.mul != to.mul || a.size != to.size || a.table != nil || to.table != nil) {
				return false
			}
		}
		written = written || o.dst.buf == out
	}
	return true
}

// once runs an operation of a single row.
func (o *micro) once() func(m *Machine) {
	f, d, a, b, c := o.kernel, o.dst.buf, o.args[0].buf, o.args[1].buf, o.args[2].buf
	switch {
	case o.three != nil:
		return func(m *Machine) { o.three(m.buf[d], m.buf[a], m.buf[b], m.buf[c]) }
	case b < 0:
		return func(m *Machine) { f(m.buf[d], m.buf[a], nil) }
	}
	return func(m *Machine) { f(m.buf[d], m.buf[a], m.buf[b]) }
}

// A line is an operand of a group while it runs.
type line struct {
	all       []float64
	table     []int32
	mul, size int
}

func (l *line) at(r int) []float64 {
	off := r * l.mul
	if l.table != nil {
		off = int(l.table[r])
	}
	return l.all[off : off+l.size]
}

func (g *group) run(m *Machine) {
	lines := m.lines[:0]
	for k := range g.ops {
		o := &g.ops[k]
		lines = append(lines, m.line(&o.dst), m.line(&o.args[0]), m.line(&o.args[1]))
		if o.three != nil {
			lines = append(lines, m.line(&o.args[2]))
		}
	}
	m.lines = lines
	for r := range g.rows {
		l := lines
		for k := range g.ops {
			o := &g.ops[k]
			if o.three != nil {
				o.three(l[0].at(r), l[1].at(r), l[2].at(r), l[3].at(r))
				l = l[4:]
				continue
			}
			o.kernel(l[0].at(r), l[1].at(r), l[2].at(r))
			l = l[3:]
		}
	}
}

// line is an operand of a group.
func (m *Machine) line(x *row) line {
	switch {
	case x.temp >= 0:
		return line{all: m.rows[x.temp], size: x.size}
	case x.buf < 0:
		return line{}
	}
	return line{all: m.buf[x.buf], table: x.table, mul: x.mul, size: x.size}
}
