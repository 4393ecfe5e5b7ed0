package gosrc_test

import (
	"math"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"golang.org/x/sys/cpu"
)

// TestDisassembly executes what the assembler made of kernels for AVX-512 and for AVX2, as a disassembler reads it, and
// expects the same bits of both, and of this machine where it has AVX2. So kernels are tested on machines without AVX-512.
func TestDisassembly(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("needs objdump of binutils")
	}
	fns := append(operations(t), wide(t))
	program := vectorProgram(t)
	rng := rand.New(rand.NewPCG(5, 6))
	const n = 72 // more than a tile
	points := map[string][][]float64{}
	for _, f := range fns {
		name := gosrc.Identifier(f.Name)
		for k := range n {
			x := make([]float64, len(f.Program.Inputs))
			for j := range x {
				if x[j] = 4*rng.Float64() - 2; k%3 == 0 && len(x) < 3 {
					x[j] = special[rng.IntN(len(special))]
				}
			}
			points[name] = append(points[name], x)
		}
	}
	var machine map[string]result
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		machine = evaluate(t, program, "cpu.avx512f=off", points)
	}
	for _, f := range fns {
		name := gosrc.Identifier(f.Name)
		inputs := len(f.Program.Inputs)
		x := make([]float64, inputs*n)
		for k, p := range points[name] {
			for j, v := range p {
				x[j*n+k] = v
			}
		}
		rows := []int{f.Results[0].Len, f.Results[1].Len}
		symbol := "main." + strings.ToLower(name[:1]) + name[1:]
		var results [2][][]float64
		var rare [2]uint64
		for i, isa := range []struct {
			name  string
			lanes int
		}{{"AVX512", 8}, {"AVX2", 4}} {
			e, err := disassemble(objdump, program, symbol+isa.name+".abi0")
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if results[i], rare[i], err = e.call(n, n/isa.lanes, x, rows); err != nil {
				t.Fatalf("%s, %s: %v", f.Name, isa.name, err)
			}
		}
		if (rare[0] != 0) != (rare[1] != 0) {
			t.Errorf("%s: rare samples %b with AVX-512, %b with AVX2", f.Name, rare[0], rare[1])
		}
		first := 0 // of a result among all
		for r := range rows {
			if r > 0 {
				first = rows[0]
			}
			for i, v := range results[0][r] {
				if w := results[1][r][i]; math.Float64bits(v) != math.Float64bits(w) && !(math.IsNaN(v) && math.IsNaN(w)) {
					t.Fatalf("%s, result %d of sample %d: %v with AVX-512, %v with AVX2", f.Name, i/n, i%n, v, w)
				}
				if machine == nil || rare[0] != 0 || math.Float64bits(v) == unwritten { // rare samples are done again in Go
					continue
				}
				if w := machine[name].Batch[i%n][first+i/n]; math.Float64bits(v) != math.Float64bits(w) && !(math.IsNaN(v) && math.IsNaN(w)) {
					t.Fatalf("%s, result %d of sample %d: %v in the emulator, %v on this machine", f.Name, i/n, i%n, v, w)
				}
			}
		}
	}
}
