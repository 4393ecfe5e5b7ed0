package vasm

import (
	"bytes"
	"fmt"
	"math"
)

// PrintFill returns the text of a function that fills numbers, past the caches if stream is not 0. It needs AVX.
//
//	func name(p *float64, n int, v float64, stream int)
func PrintFill(name string) []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, "TEXT ·%s(SB), NOSPLIT, $0-32\n", name)
	w.WriteString(`	MOVQ p+0(FP), DI
	MOVQ n+8(FP), CX
	VBROADCASTSD v+16(FP), Y0
	MOVQ stream+24(FP), BX
head: // until aligned
	TESTQ $31, DI
	JZ aligned
	TESTQ CX, CX
	JZ done
	VMOVSD X0, (DI)
	ADDQ $8, DI
	DECQ CX
	JMP head
aligned:
	SUBQ $16, CX
	JLT rest
	TESTQ BX, BX
	JNZ past
loop:
	VMOVAPD Y0, (DI)
	VMOVAPD Y0, 32(DI)
	VMOVAPD Y0, 64(DI)
	VMOVAPD Y0, 96(DI)
	ADDQ $128, DI
	SUBQ $16, CX
	JGE loop
	JMP rest
past:
	VMOVNTPD Y0, (DI)
	VMOVNTPD Y0, 32(DI)
	VMOVNTPD Y0, 64(DI)
	VMOVNTPD Y0, 96(DI)
	ADDQ $128, DI
	SUBQ $16, CX
	JGE past
	SFENCE
rest:
	ADDQ $16, CX
	JZ done
tail:
	VMOVSD X0, (DI)
	ADDQ $8, DI
	DECQ CX
	JNZ tail
done:
	VZEROUPPER
	RET
`)
	return w.Bytes()
}

// constants prints what writes the results of one sample that do not vary, up to four at once. Rows between them may be
// overwritten: what varies is stored later.
func (p *printer) constants() {
	loaded := math.NaN()
	rest := p.k.fixed
	for len(rest) > 0 {
		f := rest[0]
		if math.Float64bits(f.value) != math.Float64bits(loaded) {
			if loaded = f.value; math.Float64bits(loaded) == 0 {
				p.line("VXORPD X0, X0, X0")
			} else {
				p.line("VBROADCASTSD %s<>+%d(SB), Y0", p.pool.Symbol, p.pool.offset(math.Float64bits(loaded)))
			}
		}
		size, covered := 1, 1
		same := func(g fixed) bool {
			return g.result == f.result && math.Float64bits(g.value) == math.Float64bits(f.value)
		}
		for n := 1; n < len(rest) && rest[n].row < f.row+4 && same(rest[n]); n++ {
			covered = n + 1
			if size = 2; rest[n].row > f.row+1 {
				size = 4
			}
		}
		if f.row+size > p.k.results[f.result] {
			size, covered = 1, 1
		}
		move := map[int]string{1: "VMOVSD X0", 2: "VMOVUPD X0", 4: "VMOVUPD Y0"}[size]
		p.line("%s, %d(%s)", move, 8*f.row, bases[f.result])
		rest = rest[covered:]
	}
}
