package flat

import (
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A view says where the element at a multi-index of some shape lies: at offset Σ index·stride of a buffer.
type view struct {
	buf    int
	stride []int
}

// compiler turns nodes into instructions.
type compiler struct {
	p       *Program
	ir      *ir.Program
	views   []view // of nodes that have their place
	uses    []int  // how often a node is an argument or output
	skip    []bool // nodes that are computed within others
	updates map[ir.ID]update
	pending *group
}

func newCompiler(p *ir.Program) *compiler {
	c := &compiler{ir: p, views: make([]view, len(p.Nodes)), uses: make([]int, len(p.Nodes)), skip: make([]bool, len(p.Nodes)), updates: map[ir.ID]update{}}
	c.p = &Program{alias: map[int]int{}, name: p.Name, consts: map[int][]float64{}, in: map[string]int{}, out: map[string]int{}, shapes: map[string]ir.Shape{}}
	for i := range p.Nodes {
		for _, a := range p.Nodes[i].Args {
			c.uses[a]++
		}
	}
	for _, o := range p.Outputs {
		c.uses[o.Node]++
	}
	return c
}

func (c *compiler) buffer(size int) int {
	c.p.sizes = append(c.p.sizes, size)
	return len(c.p.sizes) - 1
}

func rowMajor(s ir.Shape) []int {
	stride := make([]int, len(s))
	for k, n := len(s)-1, 1; k >= 0; k-- {
		stride[k] = n
		n *= s[k]
	}
	return stride
}

// dense is the view of a buffer of its own.
func (c *compiler) dense(s ir.Shape) view { return view{c.buffer(s.Size()), rowMajor(s)} }

func (c *compiler) compile() (*Program, error) {
	p := c.ir
	c.findUpdates()
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if c.skip[i] {
			continue
		}
		switch n.Op {
		case ir.OpInput:
			c.views[i] = c.dense(n.Shape)
			c.p.in[n.Name], c.p.shapes[n.Name] = c.views[i].buf, n.Shape
		case ir.OpConst:
			c.views[i] = c.dense(n.Shape)
			c.p.consts[c.views[i].buf] = n.Value
		default:
			if err := c.node(ir.ID(i)); err != nil {
				return nil, fmt.Errorf("program %q: node %q: %w", p.Name, p.DisplayNames()[i], err)
			}
		}
	}
	for _, o := range p.Outputs {
		c.p.out[o.Name], c.p.shapes[o.Name] = c.placed(o.Node), p.Nodes[o.Node].Shape
	}
	c.flush()
	c.feed()
	c.p.aliases = map[int][]int{}
	for b, of := range c.p.alias {
		c.p.aliases[of] = append(c.p.aliases[of], b)
	}
	return c.p, nil
}

// placed is a buffer that holds a node row-major, made if need be.
func (c *compiler) placed(id ir.ID) int {
	n := &c.ir.Nodes[id]
	v := c.views[id]
	c.settle(v.buf)
	if n.Shape.Size() == c.p.sizes[v.buf] && isRowMajor(v.stride, n.Shape) {
		return v.buf
	}
	to := c.dense(n.Shape)
	c.copy(to, v, n.Shape)
	c.views[id] = to
	return to.buf
}

// isRowMajor reports whether strides are those of a dense array; an axis of size 1 may have any.
func isRowMajor(stride []int, s ir.Shape) bool {
	for k, want := range rowMajor(s) {
		if s[k] != 1 && stride[k] != want {
			return false
		}
	}
	return true
}

// settle ends the pending group if it writes a buffer.
func (c *compiler) settle(buf int) {
	if c.pending != nil && slices.ContainsFunc(c.pending.ops, func(o micro) bool { return o.dst.buf == buf }) {
		c.flush()
	}
}

func (c *compiler) emit(writes int, reads []int, run func(m *Machine)) {
	for _, r := range reads {
		c.settle(r)
	}
	c.p.code = append(c.p.code, instr{run: run, reads: reads, writes: writes})
}

// copy emits a copy of a view into another one of the same shape.
func (c *compiler) copy(to, from view, s ir.Shape) {
	table := offsets(from.stride, s)
	if isRowMajor(to.stride, s) {
		c.emit(to.buf, []int{from.buf}, func(m *Machine) {
			dst, src := m.buf[to.buf], m.buf[from.buf]
			for i, o := range table {
				dst[i] = src[o]
			}
		})
		return
	}
	at := offsets(to.stride, s)
	c.emit(to.buf, []int{from.buf}, func(m *Machine) {
		dst, src := m.buf[to.buf], m.buf[from.buf]
		for i, o := range table {
			dst[at[i]] = src[o]
		}
	})
}

// offsets lists the offset of every element of a shape, in row-major order.
func offsets(stride []int, s ir.Shape) []int32 {
	list := make([]int32, 1, s.Size())
	list[0] = 0
	for k, n := range s {
		next := make([]int32, 0, len(list)*n)
		for _, o := range list {
			for i := range n {
				next = append(next, o+int32(i*stride[k]))
			}
		}
		list = next
	}
	return list
}

// node compiles one node.
func (c *compiler) node(id ir.ID) error {
	n := &c.ir.Nodes[id]
	switch n.Op.Class {
	case ir.Elementwise:
		if u, ok := c.updates[id]; ok {
			c.update(id, u)
			return nil
		}
		operands := make([]view, len(n.Args))
		for k, a := range n.Args {
			v := c.views[a]
			if len(c.ir.Nodes[a].Shape) == 0 {
				v.stride = make([]int, len(n.Shape))
			}
			operands[k] = v
		}
		c.elementwise(id, n.Op, n.Attrs, operands)
	case ir.IndexMap:
		c.indexMap(id)
	case ir.Reduction:
		c.reduction(id)
	case ir.Contraction:
		return c.contraction(id)
	default:
		return fmt.Errorf("op %s has no code", n.Op)
	}
	return nil
}

func (c *compiler) indexMap(id ir.ID) {
	n := &c.ir.Nodes[id]
	x := n.Args[0]
	from, v := c.ir.Nodes[x].Shape, c.views[x]
	switch n.Op {
	case ir.OpReshape:
		c.views[id] = view{c.placed(x), rowMajor(n.Shape)}
		return
	case ir.OpTranspose:
		w := view{buf: v.buf}
		for _, a := range n.Attrs.Axes {
			w.stride = append(w.stride, v.stride[a])
		}
		c.views[id] = w
		return
	case ir.OpBroadcast:
		w := view{v.buf, make([]int, len(n.Shape))}
		for i, a := range n.Attrs.Axes {
			if from[i] != 1 {
				w.stride[a] = v.stride[i]
			}
		}
		c.views[id] = w
		return
	}
	// The other ones by a table, read off their meaning: number all elements of the arguments and apply the node.
	args := make([]ir.Tensor, len(n.Args))
	var bufs []int
	base := []int{0}
	for k, a := range n.Args {
		bufs = append(bufs, c.placed(a))
		s := c.ir.Nodes[a].Shape
		args[k] = ir.Tensor{Shape: s, Data: make([]float64, s.Size())}
		for i := range args[k].Data {
			args[k].Data[i] = float64(base[k] + i + 1)
		}
		base = append(base, base[k]+s.Size())
	}
	table := ir.EvalNode(n, args).Data
	to := c.dense(n.Shape)
	c.views[id] = to
	type source struct{ arg, at int32 }
	sources := make([]source, len(table))
	for i, t := range table {
		at := int(t) - 1
		sources[i] = source{-1, 0}
		for k := range n.Args {
			if at >= base[k] && at < base[k+1] {
				sources[i] = source{int32(k), int32(at - base[k])}
			}
		}
	}
	c.emit(to.buf, bufs, func(m *Machine) {
		dst := m.buf[to.buf]
		for i, s := range sources {
			if s.arg < 0 {
				dst[i] = 0
			} else {
				dst[i] = m.buf[bufs[s.arg]][s.at]
			}
		}
	})
}

// reduction combines groups of elements; sums are contractions.
func (c *compiler) reduction(id ir.ID) {
	n := &c.ir.Nodes[id]
	from := c.ir.Nodes[n.Args[0]].Shape
	x := c.views[n.Args[0]]
	k := &contract{sizes: from, a: x.stride, b: make([]int, len(from)), c: make([]int, len(from)), ab: x.buf, bb: c.one()}
	out := rowMajor(n.Shape)
	for axis := range from {
		if !slices.Contains(n.Attrs.Axes, axis) {
			k.c[axis] = out[0]
			out = out[1:]
		}
	}
	to := c.dense(n.Shape)
	c.views[id], k.cb = to, to.buf
	if n.Op == ir.OpReduceSum {
		c.emit(to.buf, []int{x.buf}, k.compile())
		return
	}
	combine := map[*ir.OpInfo]*ir.OpInfo{ir.OpReduceProd: ir.OpMul, ir.OpReduceMax: ir.OpMax, ir.OpReduceMin: ir.OpMin}[n.Op]
	src, dst := offsets(k.a, from), offsets(k.c, from)
	c.emit(to.buf, []int{x.buf}, func(m *Machine) {
		in, out := m.buf[x.buf], m.buf[to.buf]
		for i := range out {
			out[i] = identityOf(combine)
		}
		pair := make([]float64, 2)
		for i, o := range dst {
			pair[0], pair[1] = out[o], in[src[i]]
			out[o] = combine.Scalar(nil, pair...)
		}
	})
}

// one is a buffer with the constant 1.
func (c *compiler) one() int {
	b := c.buffer(1)
	c.p.consts[b] = []float64{1}
	return b
}

// apart gives outputs that are an input under another name a buffer of their own, filled before anything else runs.
func (c *compiler) apart() {
	var copies []instr
	for name, b := range c.p.out {
		if !c.isInput(b) || c.p.in[name] == b && c.p.Has(name) {
			continue
		}
		from, to := b, c.buffer(c.p.sizes[b])
		copies = append(copies, instr{reads: []int{from}, writes: to, run: func(m *Machine) { copy(m.buf[to], m.buf[from]) }})
		c.p.out[name] = to
	}
	c.p.code = append(copies, c.p.code...)
}

// feed arranges that outputs replace the inputs of their names: in place where nobody reads the input afterwards,
// otherwise by a copy at the end.
func (c *compiler) feed() {
	c.apart()
	for _, name := range c.ir.OutputNames() {
		in, fed := c.p.in[name]
		out := c.p.out[name]
		if !fed || in == out || c.p.sizes[in] != c.p.sizes[out] {
			continue
		}
		if c.inPlace(in, out) {
			c.p.alias[out] = in
		} else {
			c.p.feeds = append(c.p.feeds, [2]int{out, in})
		}
	}
}

func (c *compiler) isInput(buf int) bool {
	for _, b := range c.p.in {
		if b == buf {
			return true
		}
	}
	return false
}

// inPlace reports whether the instruction that writes out may write in instead.
func (c *compiler) inPlace(in, out int) bool {
	if _, taken := c.p.alias[out]; taken || c.p.consts[out] != nil {
		return false
	}
	for _, f := range c.p.feeds {
		if f[0] == out {
			return false
		}
	}
	writer, reader := -1, -1
	for k := range c.p.code {
		i := &c.p.code[k]
		if i.writesTo(out) {
			writer = k
		}
		if slices.Contains(i.reads, in) {
			reader = k
		}
	}
	switch {
	case writer < 0 || reader > writer:
		return false
	case reader < writer:
		return true
	}
	g := c.p.code[writer].group
	return g != nil && g.mayReplace(in, out)
}

func (i *instr) writesTo(buf int) bool {
	if i.group == nil {
		return i.writes == buf
	}
	return slices.ContainsFunc(i.group.ops, func(o micro) bool { return o.dst.temp < 0 && o.dst.buf == buf })
}
