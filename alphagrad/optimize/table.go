package optimize

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// A table finds the line with an operation on two arguments: a hash table with linear probing, in which the line entered last
// may be cleared. That breaks no chain of probes, since whatever passed over its slot came later and is gone.
type table struct {
	at []int32 // [a power of two]: line, 0 for none
}

// slot is where the line with an operation is, or is to be entered.
func (t table) slot(lines []line, op *ir.OpInfo, x, y int32) uint32 {
	mask := uint32(len(t.at) - 1)
	h := uint64(uint32(x))<<32 | uint64(uint32(y))
	h = (h ^ uint64(op.Name[0])<<17 ^ uint64(len(op.Name))) * 0x9e3779b97f4a7c15
	for i := uint32(h>>32) & mask; ; i = (i + 1) & mask {
		k := t.at[i]
		if k == 0 {
			return i
		}
		if l := &lines[k]; l.op == op && l.x == x && l.y == y && l.more == nil {
			return i
		}
	}
}

// grow makes room when half of the table is in use, entering the lines in their order.
func (t *table) grow(lines []line) {
	if 2*len(lines) < len(t.at) {
		return
	}
	t.at = make([]int32, 2*len(t.at))
	for i := 1; i < len(lines); i++ {
		if l := &lines[i]; l.found() {
			t.at[t.slot(lines, l.op, l.x, l.y)] = int32(i)
		}
	}
}

// found says whether a line is in the table.
func (l *line) found() bool {
	switch l.op {
	case ir.OpConst, ir.OpNeg, ir.OpAdd, ir.OpSub, ir.OpMul:
		return true
	}
	return false
}
