package flat

import (
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// contraction compiles an einsum: without a sum it is an elementwise product of views, otherwise loops.
func (c *compiler) contraction(id ir.ID) error {
	n := &c.ir.Nodes[id]
	shapes := make([]ir.Shape, len(n.Args))
	for k, a := range n.Args {
		shapes[k] = c.ir.Nodes[a].Shape
	}
	e, err := ir.ParseEinsum(n.Attrs.Spec, shapes)
	if err != nil {
		return err
	}
	strides := make([][]int, len(n.Args)) // [operand][label]
	for k, a := range n.Args {
		strides[k] = make([]int, len(e.Sizes))
		for axis, l := range e.Operands[k] {
			strides[k][l] += c.views[a].stride[axis]
		}
	}
	summed := false
	for l, size := range e.Sizes {
		summed = summed || size > 1 && !slices.Contains(e.Result, l)
	}
	if !summed && len(n.Args) <= 2 {
		operands := make([]view, len(n.Args))
		for k, a := range n.Args {
			operands[k].buf = c.views[a].buf
			for _, l := range e.Result {
				operands[k].stride = append(operands[k].stride, strides[k][l])
			}
		}
		if len(operands) == 1 {
			c.views[id] = operands[0]
			return nil
		}
		c.elementwise(id, ir.OpMul, nil, operands)
		return nil
	}
	if len(n.Args) > 2 {
		c.product(id, e)
		return nil
	}
	to := c.dense(n.Shape)
	k := &contract{sizes: e.Sizes, a: strides[0], b: make([]int, len(e.Sizes)), c: make([]int, len(e.Sizes)), ab: c.views[n.Args[0]].buf, cb: to.buf}
	reads := []int{k.ab}
	if len(n.Args) == 2 {
		k.b, k.bb = strides[1], c.views[n.Args[1]].buf
		reads = append(reads, k.bb)
	} else {
		k.bb = c.one()
	}
	for axis, l := range e.Result {
		k.c[l] = to.stride[axis]
	}
	c.views[id] = to
	c.emit(to.buf, reads, k.compile())
	return nil
}

// product evaluates an einsum of three or more operands term by term.
func (c *compiler) product(id ir.ID, e *ir.Contract) {
	n := &c.ir.Nodes[id]
	bufs := make([]int, len(n.Args))
	for k, a := range n.Args {
		bufs[k] = c.placed(a)
	}
	to := c.dense(n.Shape)
	c.views[id] = to
	c.emit(to.buf, bufs, func(m *Machine) {
		dst := m.buf[to.buf]
		clear(dst)
		e.Each(func(o int, in []int) {
			t := m.buf[bufs[0]][in[0]]
			for k := 1; k < len(in); k++ {
				t *= m.buf[bufs[k]][in[k]]
			}
			dst[o] += t
		})
	})
}

// A contract is c = Σ a·b over labels: strides of every label in the three buffers.
type contract struct {
	sizes      []int
	a, b, c    []int
	ab, bb, cb int
}

// reduced drops labels of size 1 and merges labels that always step together.
func (k *contract) reduced() {
	for l := len(k.sizes) - 1; l >= 0; l-- {
		if k.sizes[l] == 1 {
			k.remove(l)
		}
	}
again:
	for i := range k.sizes {
		for j := range k.sizes {
			if n := k.sizes[j]; i != j && k.a[i] == n*k.a[j] && k.b[i] == n*k.b[j] && k.c[i] == n*k.c[j] {
				k.sizes[j] *= k.sizes[i]
				k.remove(i)
				goto again
			}
		}
	}
}

func (k *contract) remove(l int) {
	k.sizes, k.a = slices.Delete(slices.Clone(k.sizes), l, l+1), slices.Delete(slices.Clone(k.a), l, l+1)
	k.b, k.c = slices.Delete(slices.Clone(k.b), l, l+1), slices.Delete(slices.Clone(k.c), l, l+1)
}

// compile picks the innermost label, the one of which a fast loop makes the most, and walks the others by tables.
func (k *contract) compile() func(m *Machine) {
	k.sizes = slices.Clone(k.sizes)
	k.reduced()
	const (
		strided = iota
		dotted  // both operands run along, the result stays
		sum     // operand a runs along
		spread  // the result and operand a run along
		vectors // all run along
	)
	rank := func(l int) int {
		switch a, b, c := k.a[l], k.b[l], k.c[l]; {
		case c == 0 && a == 1 && b == 1:
			return dotted
		case c == 0 && a == 1 && b == 0:
			return sum
		case c == 1 && a == 1 && b == 0:
			return spread
		case c == 1 && a == 1 && b == 1:
			return vectors
		}
		return strided
	}
	pick := func() (best, kind int) {
		best = -1
		for l := range k.sizes {
			r := rank(l)
			if best < 0 || (kind == strided) != (r == strided) && r != strided || (kind == strided) == (r == strided) && k.sizes[l] > k.sizes[best] {
				best, kind = l, r
			}
		}
		return best, kind
	}
	inner, kind := pick()
	k.a, k.b, k.ab, k.bb = k.b, k.a, k.bb, k.ab
	if other, swapped := pick(); swapped == strided || kind != strided && k.sizes[inner] >= k.sizes[other] {
		k.a, k.b, k.ab, k.bb = k.b, k.a, k.bb, k.ab
	} else {
		inner, kind = other, swapped
	}
	ab, bb, cb := k.ab, k.bb, k.cb
	if inner < 0 {
		return func(m *Machine) { m.buf[cb][0] = m.buf[ab][0] * m.buf[bb][0] }
	}
	n, sa, sb, sc := k.sizes[inner], k.a[inner], k.b[inner], k.c[inner]
	if kind == dotted && len(k.sizes) == 2 {
		outer := 1 - inner
		if k.b[outer] == 0 && k.c[outer] == 1 {
			return matrixVector(ab, bb, cb, k.sizes[outer], n, k.a[outer])
		}
		if k.a[outer] == 0 && k.c[outer] == 1 {
			return matrixVector(bb, ab, cb, k.sizes[outer], n, k.b[outer])
		}
	}
	k.remove(inner)
	oa, ob, oc := offsets(k.a, k.sizes), offsets(k.b, k.sizes), offsets(k.c, k.sizes)
	switch kind {
	case dotted:
		return func(m *Machine) {
			a, b, c := m.buf[ab], m.buf[bb], m.buf[cb]
			clear(c)
			for i, o := range oc {
				c[o] += dot(a[oa[i]:int(oa[i])+n], b[ob[i]:int(ob[i])+n])
			}
		}
	case sum:
		return func(m *Machine) {
			a, b, c := m.buf[ab], m.buf[bb], m.buf[cb]
			clear(c)
			for i, o := range oc {
				s := 0.0
				for _, x := range a[oa[i] : int(oa[i])+n] {
					s += x
				}
				c[o] += s * b[ob[i]]
			}
		}
	case spread:
		return func(m *Machine) {
			a, b, c := m.buf[ab], m.buf[bb], m.buf[cb]
			clear(c)
			for i, o := range oc {
				if s := b[ob[i]]; s != 0 {
					axpy(c[o:int(o)+n], a[oa[i]:int(oa[i])+n], s)
				}
			}
		}
	case vectors:
		return func(m *Machine) {
			a, b, c := m.buf[ab], m.buf[bb], m.buf[cb]
			clear(c)
			for i, o := range oc {
				y, x, z := c[o:int(o)+n], a[oa[i]:int(oa[i])+n], b[ob[i]:int(ob[i])+n]
				for j := range y {
					y[j] += x[j] * z[j]
				}
			}
		}
	}
	return func(m *Machine) {
		a, b, c := m.buf[ab], m.buf[bb], m.buf[cb]
		clear(c)
		for i := range oc {
			x, y, z := int(oa[i]), int(ob[i]), int(oc[i])
			for range n {
				c[z] += a[x] * b[y]
				x, y, z = x+sa, y+sb, z+sc
			}
		}
	}
}

// matrixVector is the product of a matrix, its rows at a distance of ld, and a vector, whose zeros are skipped.
func matrixVector(matrix, vector, result, rows, cols, ld int) func(m *Machine) {
	return func(m *Machine) {
		a, x, y := m.buf[matrix], m.buf[vector][:cols], m.buf[result][:rows]
		active := m.nonzero(x)
		if len(active)*4 > cols {
			for i := range y {
				y[i] = dot(a[i*ld:i*ld+cols], x)
			}
			return
		}
		for i := range y {
			line := a[i*ld : i*ld+cols]
			s := 0.0
			for _, j := range active {
				s += line[j] * x[j]
			}
			y[i] = s
		}
	}
}

// nonzero lists the positions of nonzero elements.
func (m *Machine) nonzero(x []float64) []int32 {
	list := m.active[:0]
	j := 0
	for ; j+4 <= len(x); j += 4 {
		four := x[j : j+4 : j+4]
		bits := math.Float64bits(four[0]) | math.Float64bits(four[1]) | math.Float64bits(four[2]) | math.Float64bits(four[3])
		if bits<<1 == 0 { // but for their signs all are zero
			continue
		}
		for k, v := range four {
			if v != 0 {
				list = append(list, int32(j+k))
			}
		}
	}
	for ; j < len(x); j++ {
		if x[j] != 0 {
			list = append(list, int32(j))
		}
	}
	m.active = list
	return list
}

// An update adds an outer product to an input in place: the gradient of a weight matrix.
type update struct{ sum, left, right ir.ID }

// findUpdates looks for sums of an input and an outer product that replace the input and that nothing else reads.
func (c *compiler) findUpdates() {
	p := c.ir
	for _, o := range p.Outputs {
		n := &p.Nodes[o.Node]
		if n.Op != ir.OpAdd || len(n.Shape) != 2 || c.uses[o.Node] != 1 {
			continue
		}
		for k := range 2 {
			sum, outer := n.Args[k], n.Args[1-k]
			s, x := &p.Nodes[sum], &p.Nodes[outer]
			if s.Op != ir.OpInput || s.Name != o.Name || c.uses[sum] != 1 || x.Op != ir.OpEinsum || c.uses[outer] != 1 || len(x.Args) != 2 {
				continue
			}
			if len(p.Nodes[x.Args[0]].Shape) != 1 || len(p.Nodes[x.Args[1]].Shape) != 1 {
				continue
			}
			u := update{sum, x.Args[0], x.Args[1]}
			switch spec := x.Attrs.Spec; {
			case len(spec) != 7 || spec[0] == spec[2]:
				continue
			case spec[5] == spec[2]: // "a,b->ba"
				u.left, u.right = u.right, u.left
			}
			c.updates[o.Node], c.skip[outer] = u, true
			break
		}
	}
}

func (c *compiler) update(id ir.ID, u update) {
	sum, left, right := c.views[u.sum].buf, c.placed(u.left), c.placed(u.right)
	c.views[id] = c.views[u.sum]
	c.emit(sum, []int{left, right}, func(m *Machine) {
		y, u, v := m.buf[sum], m.buf[left], m.buf[right]
		n := len(v)
		active := m.nonzero(v)
		sparse := len(active)*4 < n
		for i, s := range u {
			if s == 0 {
				continue
			}
			line := y[i*n : i*n+n]
			if !sparse {
				axpy(line, v, s)
				continue
			}
			for _, j := range active {
				line[j] += s * v[j]
			}
		}
	})
}

// identityOf is the neutral element of a combination.
func identityOf(op *ir.OpInfo) float64 {
	switch op {
	case ir.OpMax:
		return math.Inf(-1)
	case ir.OpMin:
		return math.Inf(1)
	case ir.OpMul:
		return 1
	}
	return 0
}
