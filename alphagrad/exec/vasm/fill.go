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
	zeroed := false
	for r, rows := range p.k.results {
		image := make([]uint64, rows)
		var at []int
		for _, f := range p.k.fixed {
			if f.result == r {
				image[f.row] = math.Float64bits(f.value)
				at = append(at, f.row)
			}
		}
		for len(at) > 0 {
			size := min(4, rows)
			if size == 3 || len(at) == 1 || at[1]-at[0] >= size {
				size = 1
			}
			start := min(at[0], rows-size)
			var four [4]uint64
			copy(four[:], image[start:start+size])
			reg := map[int]string{1: "X", 2: "X", 4: "Y"}[size]
			from := reg + "0"
			switch {
			case four != [4]uint64{}:
				from = reg + "1"
				p.line("%s %s<>+%d(SB), %s", moves[size], p.pool.Symbol, p.pool.vector(four), from)
			case !zeroed:
				p.line("VXORPD X0, X0, X0")
				zeroed = true
			}
			p.line("%s %s, %d(%s)", moves[size], from, 8*start, bases[r])
			for len(at) > 0 && at[0] < start+size {
				at = at[1:]
			}
		}
	}
}

// moves are the moves of one, two and four numbers.
var moves = map[int]string{1: "VMOVSD", 2: "VMOVUPD", 4: "VMOVUPD"}
