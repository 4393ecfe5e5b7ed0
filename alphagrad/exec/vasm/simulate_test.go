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

// direct evaluates a kernel node by node and returns what it stores, and whether the sample is rare.
func direct(k *Kernel, x []float64) (out []uint64, rare bool) {
	v := make([]uint64, len(k.nodes))
	for i, n := range k.nodes {
		switch n.op {
		case opConst:
			v[i] = n.imm
		case opInput:
			v[i] = math.Float64bits(x[n.imm])
		default:
			var args [3]uint64
			for j, a := range n.operands() {
				args[j] = v[a]
			}
			v[i] = apply(n.op, n.imm, args)
		}
	}
	for _, s := range k.stores {
		out = append(out, v[s.v])
	}
	return out, k.rare != none && v[k.rare]>>63 == 1
}

// simulate executes the kernel after registers have been assigned, as the instructions are printed: a fused instruction
// overwrites the operand its form says.
func simulate(k *Kernel, isa *ISA, x []float64) (out []uint64, rare bool, err error) {
	a := k.assign(isa)
	regs := make([]uint64, isa.registers)
	slots := make([]uint64, a.slots)
	out = make([]uint64, len(k.stores))
	read := func(o operand) uint64 {
		switch o.place {
		case inRegister:
			return regs[o.index]
		case inSlot:
			return slots[o.index]
		case inPool:
			return k.nodes[o.index].imm
		case inInput:
			return math.Float64bits(x[o.index])
		}
		panic("operand is nowhere")
	}
	for i, in := range a.code {
		switch in.kind {
		case move:
			regs[in.dst.index] = read(in.src[0])
		case spill:
			slots[in.dst.index] = read(in.src[0])
		case output:
			if k.stores[in.index] != (store{int(in.form), int(in.imm), k.stores[in.index].v}) {
				return nil, false, fmt.Errorf("instruction %d stores another row", i)
			}
			out[in.index] = read(in.src[0])
		case exceptIf:
			rare = read(in.src[0])>>63 == 1
		default:
			memory := 0
			var args [3]uint64
			for j := range operations[in.op].args {
				args[j] = read(in.src[j])
				if in.src[j].place != inRegister {
					memory++
				}
			}
			if memory > 1 {
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
			regs[in.dst.index] = apply(in.op, in.imm, args)
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

var isas = []*ISA{AVX512, AVX2, Scalar}

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
		for _, isa := range isas {
			got, rare, err := simulate(k, isa, x)
			if err != nil {
				t.Fatalf("%s: %v", isa.Name, err)
			}
			if !same(got, want) || rare != wantRare {
				t.Fatalf("%s: %x, want %x", isa.Name, got, want)
			}
		}
	})
}
