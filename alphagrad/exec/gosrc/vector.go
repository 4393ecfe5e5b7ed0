package gosrc

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/vasm"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// vectors collects the vector kernels of a file.
type vectors struct {
	kernels []kernel
}

type kernel struct {
	batch, one *vasm.Kernel // one is nil if there is no form for one sample
	e          *emitter
}

// add compiles the kernel of a function, in the schedule with the fewest instructions. Kernels state bounds anyway, so that
// values share reciprocals too.
func (v *vectors) add(e *emitter, one bool) error {
	k := kernel{e: e}
	var rows []int
	for _, r := range e.results {
		rows = append(rows, r.Len)
	}
	shared, err := ir.Finish(e.p, len(e.p.Outputs))
	if err != nil {
		return err
	}
	if k.batch, err = fewest(shared, rows, vasm.AVX2, vasm.Compile); err != nil {
		return err
	}
	if one {
		if k.one, err = fewest(shared, rows, vasm.Scalar, vasm.CompileOne); err != nil {
			return err
		}
	}
	v.kernels = append(v.kernels, k)
	return nil
}

// fewest compiles a program in the schedule with the fewest instructions.
func fewest(p *ir.Program, rows []int, isa *vasm.ISA, compile func(*ir.Program, []int) (*vasm.Kernel, error)) (*vasm.Kernel, error) {
	var best *vasm.Kernel
	least := 0
	for _, q := range ir.Schedules(p) {
		k, err := compile(q, rows)
		if err != nil {
			return nil, err
		}
		if _, _, all := k.Traffic(isa); best == nil || all < least {
			best, least = k, all
		}
	}
	return best, nil
}

// chunk is how many samples one call of a kernel does at most: the garbage collector cannot stop a kernel, and samples a
// kernel is not good for are done again with their chunk.
const chunk = 256

// streamed is how many results a batch must have for them to be written past the caches: 8 MiB, more than a thread's share
// of most. They need not be read first then, which was measured to double the speed of writing 15 MiB and to halve that of
// writing 1 MiB.
const streamed = 1 << 20

// files prints the kernels and what chooses between them.
func (v *vectors) files(pkg, stem, prefix string) ([]NamedFile, error) {
	var amd64, noasm, asm bytes.Buffer
	fmt.Fprintf(&amd64, `
// %[1]sLanes is how many samples a vector of this machine holds, 0 without AVX2 and FMA.
var %[1]sLanes = func() int {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ:
		return 8
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return 4
	}
	return 0
}()
`, prefix)
	fmt.Fprintf(&amd64, "\n//go:noescape\nfunc %sFill(p *float64, n int, v float64, stream int)\n", prefix)
	asm.WriteString(header + "//go:build !purego\n\n#include \"textflag.h\"\n")
	fmt.Fprintf(&asm, "\n// func %sFill(p *float64, n int, v float64, stream int)\n", prefix)
	asm.Write(vasm.PrintFill(prefix + "Fill"))
	pool := &vasm.Pool{Symbol: prefix + "Constants"}
	for _, k := range v.kernels {
		if err := k.print(&amd64, &noasm, &asm, prefix, pool); err != nil {
			return nil, fmt.Errorf("%s: %w", k.e.local, err)
		}
	}
	asm.WriteByte('\n')
	asm.Write(pool.Data())
	imports := []string{"golang.org/x/sys/cpu"}
	if bytes.Contains(amd64.Bytes(), []byte("math.")) { // a constant that is no number, or infinite
		imports = append(imports, "math")
	}
	chooser, err := source("!purego", pkg, imports, amd64.Bytes())
	if err != nil {
		return nil, err
	}
	without, err := source("!amd64 || purego", pkg, nil, noasm.Bytes())
	if err != nil {
		return nil, err
	}
	names := Companions(stem + ".go")
	return []NamedFile{{names[0], chooser}, {names[1], asm.Bytes()}, {names[2], without}}, nil
}

// Companions are the names of the files that come with a generated file that has vector kernels.
func Companions(name string) []string {
	stem := strings.TrimSuffix(name, ".go")
	return []string{stem + "_amd64.go", stem + "_amd64.s", stem + "_noasm.go"}
}

func (k *kernel) print(amd64, noasm, asm *bytes.Buffer, prefix string, pool *vasm.Pool) error {
	e := k.e
	var names []string
	for _, r := range e.results {
		names = append(names, r.Name)
	}
	for _, isa := range []*vasm.ISA{vasm.AVX512, vasm.AVX2, vasm.Scalar} {
		from := k.batch
		if isa == vasm.Scalar {
			if from = k.one; from == nil {
				continue
			}
		}
		text, err := from.Print(isa, e.local+isa.Name, names, pool)
		if err != nil {
			return err
		}
		extra := ""
		if isa != vasm.Scalar {
			extra = ", strideX, stride, vectors, stream int"
		}
		fmt.Fprintf(asm, "\n// func %s%s(%s *float64%s) (rare uint64)\n", e.local, isa.Name, e.arguments(), extra)
		asm.Write(text)
		fmt.Fprintf(amd64, "\n//go:noescape\nfunc %s%s(%s *float64%s) (rare uint64)\n", e.local, isa.Name, e.arguments(), extra)
	}
	at, first := "", ""
	for i, name := range append([]string{"x"}, names...) {
		rows := len(e.p.Inputs)
		if i > 0 {
			rows = e.results[i-1].Len
		}
		if i > 0 {
			at, first = at+", ", first+", "
		}
		if rows == 0 { // nothing to point at
			at, first = at+"nil", first+"nil"
		} else {
			at, first = at+"&"+name+"[first]", first+"&"+name+"[0]"
		}
	}
	fills := ""
	for _, r := range e.fixed() {
		fills += fmt.Sprintf("\t%sFill(&%s[%d*n], %d*n, %s, stream)\n", prefix, r.result, r.first, r.end-r.first, e.operand(r.value))
	}
	fmt.Fprintf(amd64, `
// %[1]sVectors does a batch of n samples with vectors; it reports false if it cannot.
func %[1]sVectors(n int, %[3]s []float64) bool {
	lanes := %[2]sLanes
	if lanes == 0 || n < lanes {
		return false
	}
	stream := 0
	if %[6]d*n >= %[7]d {
		stream = 1
	}
%[8]s	for first := 0; first < n; {
		size := min(%[5]d, (n-first)/lanes*lanes)
		if size == 0 { // the last vector does some samples again
			first, size = n-lanes, lanes
		}
		var rare uint64
		if lanes == 8 {
			rare = %[1]sAVX512(%[4]s, n, n, size/8, stream)
		} else {
			rare = %[1]sAVX2(%[4]s, n, n, size/4, stream)
		}
		if rare != 0 {
			%[1]sSamples(n, first, first+size, %[3]s)
		}
		first += size
	}
	return true
}
`, e.local, prefix, e.arguments(), at, chunk, len(e.p.Outputs), streamed, fills)
	fmt.Fprintf(noasm, "\nfunc %[1]sVectors(n int, %[2]s []float64) bool { return false }\n", e.local, e.arguments())
	if k.one != nil {
		fmt.Fprintf(amd64, "\n// %[1]sOne does one sample; it reports false if it cannot.\nfunc %[1]sOne(%[2]s) bool {\nreturn %[3]sLanes > 0 && %[1]sScalar(%[4]s) == 0\n}\n", e.local, e.single(), prefix, first)
		fmt.Fprintf(noasm, "\nfunc %[1]sOne(%[2]s) bool { return false }\n", e.local, e.single())
	}
	return nil
}
