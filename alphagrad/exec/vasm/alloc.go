package vasm

import "slices"

// An ISA is an instruction set that kernels are printed for.
type ISA struct {
	Name      string
	Lanes     int    // samples a register holds
	register  string // letter of the registers' names
	registers int
	suffix    string // of floating-point instructions
	move      string // between memory and registers
	masks     bool   // compares write mask registers, blends are ternary logic, constants in memory broadcast themselves
}

// The instruction sets. Scalar works on one sample with the instructions of AVX2, for the sake of their three operands
// and fused products.
var (
	AVX512 = &ISA{Name: "AVX512", Lanes: 8, register: "Z", registers: 32, suffix: "PD", move: "VMOVUPD", masks: true}
	AVX2   = &ISA{Name: "AVX2", Lanes: 4, register: "Y", registers: 16, suffix: "PD", move: "VMOVUPD"}
	Scalar = &ISA{Name: "Scalar", Lanes: 1, register: "X", registers: 16, suffix: "SD", move: "VMOVSD"}
)

// place says where an operand is.
type place uint8

const (
	nowhere    place = iota
	inRegister       // index: the register
	inSlot           // index: a slot of the frame
	inPool           // index: the constant's node
	inInput          // index: the row
)

type operand struct {
	place place
	index int32
}

// instruction is a node with its places: what is printed, line by line. The order of operands is that of the node.
type instruction struct {
	op    opcode
	kind  kind
	width uint8 // of the node, or of what is moved
	form  int16 // of a fused instruction: 132, 213 or 231
	imm   uint64
	index int // of the store of an output
	dst   operand
	src   [3]operand
}

type kind uint8

const (
	compute  kind = iota
	move          // dst register := src[0]
	spill         // dst slot := src[0] register
	output        // row imm of result form := src[0] register
	exceptIf      // note the lanes of the mask src[0]
)

// assignment is a kernel with registers assigned.
type assignment struct {
	code  []instruction
	slots int
}

// never is the position of a use that does not exist.
const never = int32(1) << 30

// allocator assigns registers in one pass over straight-line code.
type allocator struct {
	k   *Kernel
	isa *ISA
	assignment

	uses   [][]int32       // positions at which each node is used, in order; consumed from the front
	holds  []value         // node in each register, none if free
	pinned []bool          // registers of the instruction at hand
	reg    []int32         // register of each node, -1
	slot   []int32         // slot of each node, -1
	free   []int32         // slots
	ended  []int32         // slots that the instruction at hand is the last to read
	stores map[value][]int // indices of its stores
}

func (k *Kernel) assign(isa *ISA) assignment {
	n := len(k.nodes)
	a := &allocator{k: k, isa: isa, uses: make([][]int32, n), holds: make([]value, isa.registers), pinned: make([]bool, isa.registers),
		reg: make([]int32, n), slot: make([]int32, n), stores: map[value][]int{}}
	for i := range a.holds {
		a.holds[i] = none
	}
	for i := range n {
		a.reg[i], a.slot[i] = -1, -1
	}
	for i, nd := range k.nodes {
		for _, v := range nd.operands() {
			a.uses[v] = append(a.uses[v], int32(i))
		}
	}
	for i, s := range k.stores {
		a.stores[s.v] = append(a.stores[s.v], i)
	}
	for _, v := range k.rare {
		a.uses[v] = append(a.uses[v], int32(n))
	}
	for i := range k.nodes {
		a.step(value(i))
	}
	for _, v := range k.rare {
		from := a.register(v)
		a.code = append(a.code, instruction{kind: exceptIf, width: k.nodes[v].width, src: [3]operand{from}})
	}
	return a.assignment
}

// operands are the nodes an instruction reads.
func (n *node) operands() []value {
	all := [...]value{n.a, n.b, n.c}
	return all[:operations[n.op].args]
}

// next is the position of a node's next use.
func (a *allocator) next(v value) int32 {
	if len(a.uses[v]) == 0 {
		return never
	}
	return a.uses[v][0]
}

// inMemory says where in memory a node can be read, if it can.
func (a *allocator) inMemory(v value) (operand, bool) {
	switch n := &a.k.nodes[v]; {
	case n.op == opConst:
		return operand{inPool, int32(v)}, true
	case n.op == opInput:
		return operand{inInput, int32(n.imm)}, true
	case a.slot[v] >= 0:
		return operand{inSlot, a.slot[v]}, true
	}
	return operand{}, false
}

// take frees a register: one that holds nothing, or the one whose value is needed again last. A value that memory does
// not hold is written to a slot.
func (a *allocator) take() int32 {
	best, when := int32(-1), int32(-1)
	for r, v := range a.holds {
		if a.pinned[r] {
			continue
		}
		if v == none {
			return int32(r)
		}
		if next := a.next(v); next > when {
			best, when = int32(r), next
		}
	}
	v := a.holds[best]
	if _, ok := a.inMemory(v); !ok && when < never {
		s := int32(a.slots)
		if len(a.free) > 0 {
			s = a.free[len(a.free)-1]
			a.free = a.free[:len(a.free)-1]
		} else {
			a.slots++
		}
		a.slot[v] = s
		a.code = append(a.code, instruction{kind: spill, width: a.k.nodes[v].width, dst: operand{inSlot, s}, src: [3]operand{{inRegister, best}}})
	}
	a.reg[v], a.holds[best] = -1, none
	return best
}

// register brings a node into a register and pins it.
func (a *allocator) register(v value) operand {
	if a.reg[v] < 0 {
		at, ok := a.inMemory(v)
		if !ok {
			panic("vasm: a value is neither in a register nor in memory")
		}
		r := a.take()
		a.code = append(a.code, instruction{kind: move, width: a.k.nodes[v].width, dst: operand{inRegister, r}, src: [3]operand{at}})
		a.holds[r], a.reg[v] = v, r
	}
	a.pinned[a.reg[v]] = true
	return operand{inRegister, a.reg[v]}
}

// soon is how many instructions ahead a use must be for a value in memory to be worth a register.
const soon = 12

// memoryOperand decides whether an operand is read from memory: a value that is in no register and not needed again soon.
func (a *allocator) memoryOperand(v value, at int32) (operand, bool) {
	if a.reg[v] >= 0 {
		return operand{}, false
	}
	o, ok := a.inMemory(v)
	if !ok {
		return operand{}, false
	}
	for _, use := range a.uses[v] { // the front is the use at hand
		if use > at && use-at <= soon && slices.Contains(a.holds, none) {
			return operand{}, false
		}
	}
	return o, true
}

// mayRead reports whether an instruction can read an operand of its own in memory. Whole registers of one number are only
// in the pool of constants.
func (a *allocator) mayRead(n node, o operand) bool {
	s := operations[n.op].shape
	return s != packing && (a.isa.Lanes > 1 || n.width > 0 || s == floating || s == fused || s == comparing || o.place == inPool)
}

// done marks the use of an operand and frees what is not used again.
func (a *allocator) done(v value, at int32) {
	for len(a.uses[v]) > 0 && a.uses[v][0] <= at {
		a.uses[v] = a.uses[v][1:]
	}
	if len(a.uses[v]) > 0 {
		return
	}
	if r := a.reg[v]; r >= 0 {
		a.holds[r], a.reg[v] = none, -1
	}
	if s := a.slot[v]; s >= 0 {
		a.ended = append(a.ended, s)
		a.slot[v] = -1
	}
}

func (a *allocator) step(v value) {
	n := a.k.nodes[v]
	if n.op == opConst || n.op == opInput {
		for _, s := range a.stores[v] { // an input that is an output
			a.output(s, a.register(v))
		}
		if a.reg[v] >= 0 {
			a.pinned[a.reg[v]] = false
		}
		return
	}
	at := int32(v)
	var in instruction
	if sh := operations[n.op].shape; sh == fused || (sh == selecting && a.isa.masks) {
		in = a.overwriting(n, at)
	} else {
		in = a.plain(n, at)
	}
	for _, x := range n.operands() {
		a.done(x, at)
	}
	r := in.dst.index
	if in.dst.place == nowhere { // operands that end here leave their registers to the result
		for _, o := range in.src {
			if o.place == inRegister && a.holds[o.index] == none {
				a.pinned[o.index] = false
			}
		}
		r = a.take()
		in.dst = operand{inRegister, r}
	}
	clear(a.pinned)
	a.code = append(a.code, in)
	a.free, a.ended = append(a.free, a.ended...), a.ended[:0]
	a.holds[r], a.reg[v] = v, r
	for _, s := range a.stores[v] {
		a.output(s, in.dst)
	}
	if len(a.uses[v]) == 0 {
		a.holds[r], a.reg[v] = none, -1
	}
}

func (a *allocator) output(i int, from operand) {
	s := a.k.stores[i]
	a.code = append(a.code, instruction{kind: output, form: int16(s.result), imm: uint64(s.row), index: i, src: [3]operand{from}})
}

// plain places the operands of an instruction that writes a register of its own; the last operand may be in memory, of a
// select the second.
func (a *allocator) plain(n node, at int32) instruction {
	in := instruction{op: n.op, width: n.width, imm: n.imm}
	ops := n.operands()
	o := &operations[n.op]
	order := [3]int{0, 1, 2}
	if o.commutative && a.reg[ops[0]] < 0 && a.reg[ops[1]] >= 0 {
		order[0], order[1] = 1, 0
	}
	memory := len(ops) - 1
	if o.shape == selecting {
		memory = 1
	}
	// Operands in registers first, so that loads do not evict them.
	for _, v := range ops {
		if r := a.reg[v]; r >= 0 {
			a.pinned[r] = true
		}
	}
	var mem operand
	fromMemory := false
	if !(len(ops) == 1 && o.shape == bitwise && !a.isa.masks) { // AVX2 shifts registers only
		if m, ok := a.memoryOperand(ops[order[memory]], at); ok && a.mayRead(n, m) {
			mem, fromMemory = m, true
		}
	}
	for k := range ops {
		if fromMemory && k == memory && !a.twice(ops, order[k]) {
			in.src[k] = mem
			continue
		}
		in.src[k] = a.register(ops[order[k]])
	}
	return in
}

// twice reports whether an operand occurs again among the others.
func (a *allocator) twice(ops []value, k int) bool {
	for i, v := range ops {
		if i != k && v == ops[k] {
			return true
		}
	}
	return false
}

// overwriting places the operands of an instruction that overwrites one of them, which must end here or be copied.
func (a *allocator) overwriting(n node, at int32) instruction {
	in := instruction{op: n.op, width: n.width, imm: n.imm}
	ops := n.operands()
	for _, v := range ops {
		if r := a.reg[v]; r >= 0 {
			a.pinned[r] = true
		}
	}
	ends := func(v value) bool { // in a register that becomes free
		return a.reg[v] >= 0 && (len(a.uses[v]) == 0 || a.uses[v][len(a.uses[v])-1] <= at)
	}
	target := -1
	if n.op == opSelect {
		target = 0 // ternary logic overwrites the mask
	} else {
		// Prefer an operand that ends, then one that must be brought into a register anyway.
		for _, k := range [...]int{2, 0, 1} {
			if ends(ops[k]) && !a.twice(ops, k) {
				target = k
				break
			}
		}
	}
	memory := -1
	pick := func(k int) bool {
		if k == target || a.twice(ops, k) {
			return false
		}
		m, ok := a.memoryOperand(ops[k], at)
		if ok && a.mayRead(n, m) {
			memory, in.src[k] = k, m
		}
		return memory >= 0
	}
	_ = pick(2) || pick(1) || pick(0)
	if target < 0 { // nothing ends: a copy of an operand, best of one that is in memory
		for _, k := range [...]int{2, 0, 1} {
			if k != memory && (target < 0 || a.reg[ops[k]] < 0 && a.reg[ops[target]] >= 0) {
				target = k
			}
		}
	}
	for k := range ops {
		if k != memory && k != target {
			in.src[k] = a.register(ops[k])
		}
	}
	t := ops[target]
	switch {
	case ends(t) && !a.twice(ops, target):
		in.dst = operand{inRegister, a.reg[t]}
	case a.reg[t] >= 0:
		r := a.take()
		a.code = append(a.code, instruction{kind: move, width: n.width, dst: operand{inRegister, r}, src: [3]operand{{inRegister, a.reg[t]}}})
		in.dst = operand{inRegister, r}
	default:
		m, _ := a.inMemory(t)
		r := a.take()
		a.code = append(a.code, instruction{kind: move, width: n.width, dst: operand{inRegister, r}, src: [3]operand{m}})
		in.dst = operand{inRegister, r}
	}
	in.src[target] = in.dst
	if n.op == opSelect {
		return in
	}
	// 231: dst += a·b; 213: dst = dst·b + c with c last, which may be memory; 132: dst = dst·b + c with b last.
	switch {
	case target == 2:
		in.form = 231
	case memory == 0 || memory == 1:
		in.form = 132
	default:
		in.form = 213
	}
	return in
}

// Traffic counts, of the kernel for an ISA, the values written to the frame, the moves into registers, and all
// instructions.
func (k *Kernel) Traffic(isa *ISA) (spills, moves, all int) {
	a := k.assign(isa)
	for _, in := range a.code {
		switch in.kind {
		case spill:
			spills++
		case move:
			moves++
		}
	}
	return spills, moves, len(a.code)
}
