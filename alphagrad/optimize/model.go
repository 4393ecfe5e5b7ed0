package optimize

import (
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// The model of time: what operations take relative to each other, in tenths of an addition, on a processor of today. It only
// chooses what is measured.
const (
	mulWeight    = 10
	addWeight    = 10
	negWeight    = 5
	divWeight    = 50
	callWeight   = 200
	reloadWeight = 10

	registers = 15 // for floating-point values; one is left for scratch
)

func weigh(c ir.OpCount) int64 {
	return mulWeight*c.Mul + addWeight*c.Add + negWeight*c.Neg + divWeight*c.Div + callWeight*c.Call
}

// reloads is how many values must be fetched from memory again because more are live than there are registers, if those are
// evicted that are used last (Belady 1966). Inputs are fetched once in any case, which does not count.
func reloads(p *ir.Program) int64 {
	const never = math.MaxInt
	uses := make([][]int, len(p.Nodes)) // steps that read a node, ascending
	for i := range p.Nodes {
		for _, a := range p.Nodes[i].Args {
			uses[a] = append(uses[a], i)
		}
	}
	next := func(id ir.ID) int {
		if len(uses[id]) == 0 {
			return never
		}
		return uses[id][0]
	}
	held := make(map[ir.ID]bool, registers+1)
	fetched := make([]bool, len(p.Nodes))
	var count int64
	hold := func(id ir.ID, spare []ir.ID) {
		held[id] = true
		if len(held) <= registers {
			return
		}
		last, when := ir.ID(-1), -1
		for h := range held {
			if n := next(h); h != id && !slices.Contains(spare, h) && (n > when || n == when && h > last) {
				last, when = h, n
			}
		}
		delete(held, last)
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Op.Class == ir.Leaf {
			continue
		}
		for _, a := range n.Args {
			if p.Nodes[a].Op == ir.OpConst {
				continue
			}
			if !held[a] {
				if p.Nodes[a].Op != ir.OpInput || fetched[a] {
					count++
				}
				fetched[a] = true
				hold(a, n.Args)
			}
		}
		for _, a := range n.Args {
			for len(uses[a]) > 0 && uses[a][0] <= i {
				uses[a] = uses[a][1:]
			}
			if len(uses[a]) == 0 {
				delete(held, a)
			}
		}
		hold(ir.ID(i), nil)
		if len(uses[i]) == 0 {
			delete(held, ir.ID(i)) // stored at once
		}
	}
	return count
}

// peak is how many numbers are held at once if the lines are evaluated in the order in which they were written; negated
// results are not counted twice. For large programs hardly any schedule is better than that one.
func (b *book) peak() int64 {
	b.fresh()
	held, most := int64(0), int64(0) // backwards: values are held from their last use on
	hold := func(i int32) {
		if b.used[i] != b.stamp && b.lines[i].op != ir.OpConst {
			b.used[i] = b.stamp
			held++
		}
	}
	b.roots(func(r ref) { hold(r.line()) })
	for i := len(b.lines) - 1; i > 0; i-- {
		l := &b.lines[i]
		if b.used[i] != b.stamp || l.op == ir.OpInput {
			continue
		}
		for _, a := range l.more {
			hold(a)
		}
		if l.more == nil {
			hold(l.x)
			if l.op != ir.OpNeg {
				hold(l.y)
			}
		}
		most = max(most, held)
		held--
	}
	return max(most, held)
}

// memory is the fewest numbers held at once among the schedules of the program so far.
func (b *book) memory() int64 {
	least := int64(math.MaxInt64)
	for _, p := range ir.Schedules(b.program()) {
		least = min(least, ir.PeakLive(p))
	}
	return least
}
