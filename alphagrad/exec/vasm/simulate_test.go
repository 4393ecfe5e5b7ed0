package vasm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"pgregory.net/rapid"
)

// apply is the meaning of an instruction in one lane.
func apply(op opcode, imm uint64, x [3]uint64) uint64 {
	f := func(k int) float64 { return math.Float64frombits(x[k]) }
	mask := func(b bool) uint64 {
		if b {
			return ^uint64(0)
		}
		return 0
	}
	var r float64
	switch op {
	case opAdd:
		r = f(0) + f(1)
	case opSub:
		r = f(0) - f(1)
	case opMul:
		r = f(0) * f(1)
	case opDiv:
		r = f(0) / f(1)
	case opSqrt:
		r = math.Sqrt(f(0))
	case opMin:
		if r = f(1); f(0) < f(1) {
			r = f(0)
		}
	case opMax:
		if r = f(1); f(0) > f(1) {
			r = f(0)
		}
	case opFMA:
		r = math.FMA(f(0), f(1), f(2))
	case opFMS:
		r = math.FMA(f(0), f(1), -f(2))
	case opFNMA:
		r = math.FMA(-f(0), f(1), f(2))
	case opAnd:
		return x[0] & x[1]
	case opAndNot:
		return ^x[0] & x[1]
	case opOr:
		return x[0] | x[1]
	case opXor:
		return x[0] ^ x[1]
	case opIntAdd:
		return x[0] + x[1]
	case opIntSub:
		return x[0] - x[1]
	case opShiftLeft:
		return x[0] << imm
	case opShiftRight:
		return x[0] >> imm
	case opSelect:
		return x[0]&x[1] | ^x[0]&x[2]
	case opCompare:
		a, b := f(0), f(1)
		nan := a != a || b != b
		switch imm {
		case equal:
			return mask(a == b)
		case less:
			return mask(a < b)
		case unordered:
			return mask(nan)
		case notEqual:
			return mask(a != b)
		case notLessOrEqual:
			return mask(!(a <= b))
		case notGreaterOrEqual:
			return mask(!(a >= b))
		}
		panic(imm)
	}
	return math.Float64bits(r)
}

// lanes are the numbers of a register that are looked at: one, or those of a pack.
type lanes [4]uint64

func all(u uint64) lanes { return lanes{u, u, u, u} }

// applyAll is the meaning of an instruction.
func applyAll(op opcode, width uint8, imm uint64, x [3]lanes) (r lanes) {
	switch op {
	case opPair:
		return lanes{x[0][0], x[1][0]}
	case opJoin:
		return lanes{x[0][0], x[0][1], x[1][0], x[1][1]}
	case opHigh:
		return lanes{x[0][2], x[0][3]}
	case opLow:
		return lanes{x[0][0]}
	case opOdd:
		return lanes{x[0][1]}
	}
	for k := range max(1, int(width)) {
		r[k] = apply(op, imm, [3]uint64{x[0][k], x[1][k], x[2][k]})
	}
	return r
}

// negative reports whether a mask has a lane set.
func negative(x lanes, width uint8) bool {
	for k := range max(1, int(width)) {
		if x[k]>>63 == 1 {
			return true
		}
	}
	return false
}

// direct evaluates a kernel node by node and returns what it stores, and whether the sample is rare.
func direct(k *Kernel, x []float64) (out []uint64, rare bool) {
	v := make([]lanes, len(k.nodes))
	for i, n := range k.nodes {
		switch n.op {
		case opConst:
			v[i] = all(n.imm)
		case opInput:
			v[i][0] = math.Float64bits(x[n.imm])
		default:
			var args [3]lanes
			for j, a := range n.operands() {
				args[j] = v[a]
			}
			v[i] = applyAll(n.op, n.width, n.imm, args)
		}
	}
	for _, s := range k.stores {
		out = append(out, v[s.v][0])
	}
	for _, r := range k.rare {
		rare = rare || negative(v[r], k.nodes[r].width)
	}
	return out, rare
}

// simulate executes the kernel after registers have been assigned, as the instructions are printed: a fused instruction
// overwrites the operand its form says.
func simulate(k *Kernel, isa *ISA, x []float64) (out []uint64, rare bool, err error) {
	a := k.assign(isa)
	regs := make([]lanes, isa.registers)
	slots := make([]lanes, a.slots)
	out = make([]uint64, len(k.stores))
	read := func(o operand) lanes {
		switch o.place {
		case inRegister:
			return regs[o.index]
		case inSlot:
			return slots[o.index]
		case inPool:
			return all(k.nodes[o.index].imm)
		case inInput:
			return lanes{math.Float64bits(x[o.index])}
		}
		panic("operand is nowhere")
	}
	// cut is what a move of a width moves; constants are broadcast.
	cut := func(o operand, width uint8) (r lanes) {
		v := read(o)
		if o.place == inPool {
			return v
		}
		copy(r[:max(1, int(width))], v[:])
		return r
	}
	for i, in := range a.code {
		switch in.kind {
		case move:
			regs[in.dst.index] = cut(in.src[0], in.width)
		case spill:
			slots[in.dst.index] = cut(in.src[0], in.width)
		case output:
			if k.stores[in.index] != (store{int(in.form), int(in.imm), k.stores[in.index].v}) {
				return nil, false, fmt.Errorf("instruction %d stores another row", i)
			}
			out[in.index] = read(in.src[0])[0]
		case exceptIf:
			rare = rare || negative(read(in.src[0]), in.width)
		default:
			memory := 0
			var args [3]lanes
			for j := range operations[in.op].args {
				args[j] = read(in.src[j])
				if in.src[j].place != inRegister {
					memory++
				}
			}
			if memory > 1 || memory > 0 && operations[in.op].shape == packing {
				return nil, false, fmt.Errorf("instruction %d reads %d operands in memory", i, memory)
			}
			if operations[in.op].shape == fused {
				target := map[int16][]int{231: {2}, 213: {0, 1}, 132: {0, 1}}[in.form]
				ok := false
				for _, t := range target {
					ok = ok || in.src[t] == in.dst
				}
				if !ok {
					return nil, false, fmt.Errorf("instruction %d of form %d does not overwrite an operand", i, in.form)
				}
			}
			regs[in.dst.index] = applyAll(in.op, in.width, in.imm, args)
		}
	}
	return out, rare, nil
}

func same(a, b []uint64) bool {
	for i := range a {
		if a[i] != b[i] && !(math.IsNaN(math.Float64frombits(a[i])) && math.IsNaN(math.Float64frombits(b[i]))) {
			return false
		}
	}
	return len(a) == len(b)
}

// randomProgram has inputs, constants and operations of every kind, with long and short live ranges.
func randomProgram(rng *rand.Rand, size int) *ir.Program {
	b := ir.NewBuilder("random")
	var vs []*ir.Value
	for i := range 4 {
		vs = append(vs, b.Input(fmt.Sprintf("x%d", i)))
	}
	pick := func() *ir.Value {
		if rng.IntN(3) == 0 {
			return vs[rng.IntN(len(vs))]
		}
		return vs[len(vs)-1-rng.IntN(min(len(vs), 20))]
	}
	for range size {
		var v *ir.Value
		switch r := rng.IntN(40); {
		case r < 14:
			v = ir.Mul(pick(), pick())
		case r < 22:
			v = ir.Add(pick(), pick())
		case r < 30:
			v = ir.Sub(pick(), pick())
		case r < 32:
			v = ir.Div(pick(), pick())
		case r < 33:
			v = ir.Neg(pick())
		case r < 35:
			v = ir.Const(b, float64(rng.IntN(5))-1.5)
		case r < 36:
			v = ir.Max(pick(), pick())
		case r < 37:
			v = ir.Select(pick(), pick(), pick())
		case r < 38:
			v = ir.Tanh(pick())
		case r < 39:
			v = ir.Sin(pick())
		default:
			v = ir.Abs(pick())
		}
		vs = append(vs, v)
	}
	for i := range 6 {
		b.Output(fmt.Sprintf("y%d", i), vs[len(vs)-1-rng.IntN(min(len(vs), 40))])
	}
	p, err := b.Build()
	if err != nil {
		panic(err)
	}
	return p
}

// TestAssignment: registers, slots and memory operands change nothing, for every instruction set, of which this machine
// need have none.
func TestAssignment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		p := randomProgram(rng, rapid.IntRange(1, 300).Draw(t, "size"))
		k, err := Compile(p, []int{2, 4})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, 4)
		for i := range x {
			x[i] = 4*rng.Float64() - 2
		}
		want, wantRare := direct(k, x)
		one, err := CompileOne(p, []int{2, 4})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			k   *Kernel
			isa *ISA
		}{{k, AVX512}, {k, AVX2}, {k, Scalar}, {one, Scalar}} {
			got, rare, err := simulate(c.k, c.isa, x)
			if err != nil {
				t.Fatalf("%s: %v", c.isa.Name, err)
			}
			if !same(got, want) || rare != wantRare {
				t.Fatalf("%s, packs %v: %x, want %x", c.isa.Name, c.k == one, got, want)
			}
		}
	})
}
