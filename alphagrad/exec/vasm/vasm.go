// Package vasm compiles straight-line programs of scalars to vector kernels: Go assembly for amd64 in which every
// instruction works on as many samples as a register holds.
//
// A [Kernel] is built once, by [Compile], from a program: nodes of vector arithmetic, hash-consed, in which elementary
// functions are written out and products fused with the sums that use them. It is printed for each [ISA] after registers
// have been assigned, by Belady's rule, which is optimal in the number of reloads for straight-line code: the value whose
// next use is furthest away leaves. Constants and inputs are read from memory where they are used.
package vasm

import "math"

// value is a node of a kernel: its index.
type value int32

// none stands for an operand that an instruction does not have.
const none value = -1

// node is one instruction before registers are assigned. Being comparable, it is its own key for hash-consing.
type node struct {
	op      opcode
	width   uint8 // of a pack in a kernel for one sample: how many numbers; 0 for one number, and in vector kernels
	a, b, c value
	imm     uint64 // constant: bits; input: row; shift: distance; compare: predicate
}

type opcode uint8

const (
	opConst opcode = iota // imm: the bits of every lane
	opInput               // imm: the row
	opAdd
	opSub
	opMul
	opDiv
	opSqrt
	opMin  // a < b ? a : b, so b where either is NaN
	opMax  // a > b ? a : b, so b where either is NaN
	opFMA  // a·b + c
	opFMS  // a·b − c
	opFNMA // c − a·b
	opAnd
	opAndNot // ¬a & b
	opOr
	opXor
	opIntAdd
	opIntSub
	opShiftLeft
	opShiftRight
	opCompare // all ones where true
	opSelect  // a ? b : c, a being all ones or zeros in every lane
	opPair    // the numbers a and b
	opJoin    // the pairs a and b
	opHigh    // the second pair of a pack of four
	opLow     // the first number of a pack
	opOdd     // the second
	opCount
)

// Predicates of opCompare, as the instruction encodes them: those that begin with not, and unordered, are true for NaN.
const (
	equal       = 0
	less        = 1
	lessOrEqual = 2
	unordered   = 3
	notEqual    = 4

	notLessOrEqual    = 6
	notGreaterOrEqual = 9
)

// shape says how an instruction is printed and what its operands may be.
type shape uint8

const (
	leaf      shape = iota
	floating        // on the numbers of the lanes: a suffix PD or SD
	bitwise         // on whole registers
	fused           // overwrites one of its operands
	comparing       // to a mask
	selecting       // by a mask
	packing         // between numbers and packs of them
)

// operation is one row of the table of instructions.
type operation struct {
	name        string // mnemonic without suffix; bitwise and integer ones of AVX2, in full
	name512     string // of AVX-512 where it differs
	shape       shape
	args        int
	commutative bool
}

var operations = [opCount]operation{
	opConst:      {name: "const"},
	opInput:      {name: "input"},
	opAdd:        {"VADD", "", floating, 2, true},
	opSub:        {"VSUB", "", floating, 2, false},
	opMul:        {"VMUL", "", floating, 2, true},
	opDiv:        {"VDIV", "", floating, 2, false},
	opSqrt:       {"VSQRT", "", floating, 1, false},
	opMin:        {"VMIN", "", floating, 2, false},
	opMax:        {"VMAX", "", floating, 2, false},
	opFMA:        {"VFMADD", "", fused, 3, true},
	opFMS:        {"VFMSUB", "", fused, 3, true},
	opFNMA:       {"VFNMADD", "", fused, 3, true},
	opAnd:        {"VANDPD", "VPANDQ", bitwise, 2, true},
	opAndNot:     {"VANDNPD", "VPANDNQ", bitwise, 2, false},
	opOr:         {"VORPD", "VPORQ", bitwise, 2, true},
	opXor:        {"VXORPD", "VPXORQ", bitwise, 2, true},
	opIntAdd:     {"VPADDQ", "", bitwise, 2, true},
	opIntSub:     {"VPSUBQ", "", bitwise, 2, false},
	opShiftLeft:  {"VPSLLQ", "", bitwise, 1, false},
	opShiftRight: {"VPSRLQ", "", bitwise, 1, false},
	opCompare:    {"VCMP", "", comparing, 2, false},
	opSelect:     {"VBLENDV", "VPTERNLOGQ", selecting, 3, false},
	opPair:       {"VUNPCKLPD", "", packing, 2, false},
	opJoin:       {"VINSERTF128", "", packing, 2, false},
	opHigh:       {"VEXTRACTF128", "", packing, 1, false},
	opLow:        {"VMOVAPD", "", packing, 1, false},
	opOdd:        {"VPERMILPD", "", packing, 1, false},
}

// store writes a value to a row of a result.
type store struct {
	result, row int
	v           value
}

// Kernel is a compiled program, ready to be printed for any ISA.
type Kernel struct {
	inputs  int
	results []int // rows of each
	nodes   []node
	stores  []store
	fixed   []fixed // results that do not vary, of a kernel for one sample
	rare    []value // masks of the lanes that the kernel is not good for, one for each width
}

// fixed is a constant at a row of a result.
type fixed struct {
	result, row int
	value       float64
}

// builder records a kernel.
type builder struct {
	nodes []node
	seen  map[node]value
	rare  map[uint8]value // by width
}

func newBuilder() *builder { return &builder{seen: map[node]value{}, rare: map[uint8]value{}} }

// width is that of an instruction: that of its packs, constants being good for any.
func (b *builder) width(op opcode, args ...value) uint8 {
	switch op {
	case opPair, opHigh:
		return 2
	case opJoin:
		return 4
	case opLow, opOdd:
		return 0
	}
	var w uint8
	for _, a := range args {
		if a != none {
			w = max(w, b.nodes[a].width)
		}
	}
	for _, a := range args {
		if a != none && b.nodes[a].width != w && b.nodes[a].op != opConst {
			panic("vasm: a number among packs")
		}
	}
	return w
}

func (b *builder) node(op opcode, x, y, z value, imm uint64) value {
	if operations[op].commutative && x > y {
		x, y = y, x
	}
	n := node{op, b.width(op, x, y, z), x, y, z, imm}
	if v, ok := b.seen[n]; ok {
		return v
	}
	v := value(len(b.nodes))
	b.nodes = append(b.nodes, n)
	b.seen[n] = v
	return v
}

func (b *builder) bits(u uint64) value         { return b.node(opConst, none, none, none, u) }
func (b *builder) constant(x float64) value    { return b.bits(math.Float64bits(x)) }
func (b *builder) input(row int) value         { return b.node(opInput, none, none, none, uint64(row)) }
func (b *builder) add(x, y value) value        { return b.node(opAdd, x, y, none, 0) }
func (b *builder) sub(x, y value) value        { return b.node(opSub, x, y, none, 0) }
func (b *builder) mul(x, y value) value        { return b.node(opMul, x, y, none, 0) }
func (b *builder) div(x, y value) value        { return b.node(opDiv, x, y, none, 0) }
func (b *builder) sqrt(x value) value          { return b.node(opSqrt, x, none, none, 0) }
func (b *builder) min(x, y value) value        { return b.node(opMin, x, y, none, 0) }
func (b *builder) max(x, y value) value        { return b.node(opMax, x, y, none, 0) }
func (b *builder) fma(x, y, z value) value     { return b.node(opFMA, x, y, z, 0) }
func (b *builder) fms(x, y, z value) value     { return b.node(opFMS, x, y, z, 0) }
func (b *builder) fnma(x, y, z value) value    { return b.node(opFNMA, x, y, z, 0) }
func (b *builder) and(x, y value) value        { return b.node(opAnd, x, y, none, 0) }
func (b *builder) andNot(x, y value) value     { return b.node(opAndNot, x, y, none, 0) }
func (b *builder) or(x, y value) value         { return b.node(opOr, x, y, none, 0) }
func (b *builder) xor(x, y value) value        { return b.node(opXor, x, y, none, 0) }
func (b *builder) iadd(x, y value) value       { return b.node(opIntAdd, x, y, none, 0) }
func (b *builder) isub(x, y value) value       { return b.node(opIntSub, x, y, none, 0) }
func (b *builder) shl(x value, n uint64) value { return b.node(opShiftLeft, x, none, none, n) }
func (b *builder) shr(x value, n uint64) value { return b.node(opShiftRight, x, none, none, n) }
func (b *builder) sel(m, t, f value) value     { return b.node(opSelect, m, t, f, 0) }
func (b *builder) cmp(predicate uint64, x, y value) value {
	return b.node(opCompare, x, y, none, predicate)
}

const signBit = 1 << 63

func (b *builder) neg(x value) value { return b.xor(x, b.bits(signBit)) }
func (b *builder) abs(x value) value { return b.andNot(b.bits(signBit), x) }

// except marks the lanes of a mask as ones that the kernel is not good for.
func (b *builder) except(mask value) {
	w := b.nodes[mask].width
	if other, ok := b.rare[w]; ok {
		mask = b.or(other, mask)
	}
	b.rare[w] = mask
}

// prune drops nodes that nothing needs and renumbers the rest.
func (k *Kernel) prune() {
	live := make([]bool, len(k.nodes))
	for _, s := range k.stores {
		live[s.v] = true
	}
	for _, v := range k.rare {
		live[v] = true
	}
	for i := len(k.nodes) - 1; i >= 0; i-- {
		if n := k.nodes[i]; live[i] {
			for _, a := range [...]value{n.a, n.b, n.c} {
				if a != none {
					live[a] = true
				}
			}
		}
	}
	at := make([]value, len(k.nodes))
	kept := k.nodes[:0]
	move := func(v value) value {
		if v == none {
			return none
		}
		return at[v]
	}
	for i, n := range k.nodes {
		if !live[i] {
			continue
		}
		at[i] = value(len(kept))
		kept = append(kept, node{n.op, n.width, move(n.a), move(n.b), move(n.c), n.imm})
	}
	k.nodes = kept
	for i := range k.stores {
		k.stores[i].v = at[k.stores[i].v]
	}
	for i, v := range k.rare {
		k.rare[i] = move(v)
	}
}
