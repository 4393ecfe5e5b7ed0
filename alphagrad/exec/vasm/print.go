package vasm

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// Rows says how a kernel finds its rows.
//
// Vector kernels are functions of pointers to the first sample of the first row of x and of every result, of the distances
// between rows of x and between rows of results, in numbers, of the number of vectors, and of 1 if results are to bypass the
// caches where that can be done, else 0:
//
//	func name(x, r0, … *float64, strideX, stride, vectors, stream int) (rare uint64)
//
// Scalar kernels take one sample whose numbers follow each other:
//
//	func name(x, r0, … *float64) (rare uint64)
//
// rare is not zero if there are samples that the kernel is not good for, arguments of a sine beyond 10⁹ for example.

// bases are the registers that point to the rows of the results.
var bases = []string{"DI", "R8", "R9", "R12", "R13"}

// MaxResults is how many results a kernel can have.
const MaxResults = 5

// Pool collects the constants of the kernels of one file, each as often as AVX2 has lanes. AVX-512 reads one and broadcasts
// it.
type Pool struct {
	Symbol string // of its data
	bits   [][4]uint64
	index  map[[4]uint64]int
}

func (p *Pool) offset(bits uint64) int { return p.vector([4]uint64{bits, bits, bits, bits}) }

// vector is the offset of four constants side by side.
func (p *Pool) vector(bits [4]uint64) int {
	if p.index == nil {
		p.index = map[[4]uint64]int{}
	}
	k, ok := p.index[bits]
	if !ok {
		k = len(p.bits)
		p.index[bits] = k
		p.bits = append(p.bits, bits)
	}
	return 32 * k
}

// Data prints the constants, nothing if there are none.
func (p *Pool) Data() []byte {
	if len(p.bits) == 0 {
		return nil
	}
	var w bytes.Buffer
	for k, bits := range p.bits {
		for c, u := range bits {
			fmt.Fprintf(&w, "DATA %s<>+%d(SB)/8, $0x%016x\n", p.Symbol, 32*k+8*c, u)
		}
	}
	fmt.Fprintf(&w, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", p.Symbol, 32*len(p.bits))
	return w.Bytes()
}

type printer struct {
	w    *bytes.Buffer
	k    *Kernel
	isa  *ISA
	pool *Pool

	tile  int // samples kept in the frame, 0 if rows are written straight away
	slots int // offset of the slots in the frame
	slot  int // size of one
}

// staged is how many rows a kernel may write straight away. Rows often lie a power of two apart, and then evict each other's
// cache lines before they are full; more rows than this are kept for the samples of a tile and leave row by row.
const staged = 12

// tile is how many samples are kept for a number of rows: together they fit a first-level cache beside the rest.
func tile(rows int) int {
	switch {
	case rows <= staged:
		return 0
	case rows <= 64:
		return 64
	case rows <= 96:
		return 32
	}
	return 16
}

// The first bytes of the frame, when rows are staged.
const (
	sizeAt   = 0  // bytes of a row in this tile
	xAt      = 8  // pointer to x while rows leave
	rowsAt   = 16 // rows still to leave
	streamAt = 24 // 0 if rows bypass the caches
	headSize = 64
)

// Print returns the text of a kernel as a function of the given name. Parameters are called as in the Go declaration: x,
// names, strideX, stride, vectors.
func (k *Kernel) Print(isa *ISA, name string, names []string, pool *Pool) ([]byte, error) {
	if len(k.results) > MaxResults {
		return nil, fmt.Errorf("%d results; a vector kernel has at most %d", len(k.results), MaxResults)
	}
	a := k.assign(isa)
	p := &printer{w: &bytes.Buffer{}, k: k, isa: isa, pool: pool}
	vector := isa.Lanes > 1
	if vector {
		p.tile = tile(len(k.stores))
	}
	p.slot = 8 * isa.Lanes
	for i := range k.nodes {
		p.slot = max(p.slot, 8*int(k.nodes[i].width))
	}
	frame := p.slot * a.slots
	if p.tile > 0 {
		p.slots = headSize + 8*p.tile*len(k.stores)
		frame += p.slots
	}
	if vector && frame > 0 {
		frame += 64 // to align it
	}
	args := 8 * (1 + len(k.results) + 1)
	if vector {
		args += 32
	}
	flags := "0"
	if frame == 0 {
		flags = "NOSPLIT"
	}
	fmt.Fprintf(p.w, "TEXT ·%s(SB), %s, $%d-%d\n", name, flags, frame, args)
	p.line("MOVQ x+0(FP), SI")
	for r := range k.results {
		p.line("MOVQ %s+%d(FP), %s", names[r], 8*(1+r), bases[r])
	}
	at := 8 * (1 + len(k.results))
	if vector {
		p.line("MOVQ strideX+%d(FP), AX", at)
		p.line("MOVQ stride+%d(FP), BX", at+8)
		p.line("MOVQ vectors+%d(FP), CX", at+16)
		p.line("SHLQ $3, AX")
		p.line("SHLQ $3, BX")
		at += 32
	}
	if frame > 0 {
		p.line("MOVQ SP, DX")
		if vector {
			p.line("ADDQ $63, DX")
			p.line("ANDQ $-64, DX")
		}
	}
	p.line("XORQ R11, R11")
	switch {
	case p.tile > 0:
		p.stream(at - 8)
		p.tiles(a.code)
	case vector:
		p.label("loop")
		p.all(a.code)
		p.line("ADDQ $%d, SI", 8*isa.Lanes)
		for r := range k.results {
			p.line("ADDQ $%d, %s", 8*isa.Lanes, bases[r])
		}
		p.line("DECQ CX")
		p.line("JNZ loop")
	default:
		p.constants()
		p.all(a.code)
	}
	p.line("VZEROUPPER")
	p.line("MOVQ R11, rare+%d(FP)", at)
	p.line("RET")
	return p.w.Bytes(), nil
}

// stream prints what decides whether rows bypass the caches, which they can if all are aligned. A row that leaves so does
// not have to be read from memory first.
func (p *printer) stream(at int) {
	p.line("MOVQ stream+%d(FP), R10", at)
	p.line("XORQ $1, R10")
	p.line("MOVQ BX, R14")
	for r := range p.k.results {
		p.line("ORQ %s, R14", bases[r])
	}
	p.line("ANDQ $%d, R14", 8*p.isa.Lanes-1)
	p.line("ORQ R14, R10")
	p.line("MOVQ R10, %d(DX)", streamAt)
}

// tiles prints the loop over tiles: R14 is the offset of a vector in the rows of the tile.
func (p *printer) tiles(code []instruction) {
	bytes := 8 * p.isa.Lanes
	p.label("tile")
	p.line("MOVQ $%d, R10", p.tile/p.isa.Lanes)
	p.line("CMPQ CX, R10")
	p.line("CMOVQLT CX, R10")
	p.line("SUBQ R10, CX")
	p.line("IMUL3Q $%d, R10, R10", bytes)
	p.line("MOVQ R10, %d(DX)", sizeAt)
	p.line("XORQ R14, R14")
	p.label("loop")
	p.all(code)
	p.line("ADDQ $%d, SI", bytes)
	p.line("ADDQ $%d, R14", bytes)
	p.line("CMPQ R14, %d(DX)", sizeAt)
	p.line("JLT loop")
	p.line("MOVQ SI, %d(DX)", xAt)
	for first, runs := 0, 0; first < len(p.k.stores); runs++ {
		s := p.k.stores[first]
		next := first + 1
		for next < len(p.k.stores) && p.k.stores[next].result == s.result && p.k.stores[next].row == s.row+next-first {
			next++
		}
		p.line("IMUL3Q $%d, BX, R10", s.row)
		p.line("ADDQ %s, R10", bases[s.result])
		p.line("LEAQ %d(DX), SI", headSize+8*p.tile*first)
		p.line("MOVQ $%d, %d(DX)", next-first, rowsAt)
		p.label("row%d", runs)
		p.line("XORQ R14, R14")
		reg := p.isa.register + "0"
		p.line("CMPQ %d(DX), $0", streamAt)
		p.line("JEQ past%d", runs)
		for _, way := range [...]struct{ label, move string }{{"column", "VMOVUPD"}, {"past", "VMOVNTPD"}} {
			p.label("%s%d", way.label, runs)
			p.line("VMOVUPD (SI)(R14*1), %s", reg)
			p.line("%s %s, (R10)(R14*1)", way.move, reg)
			p.line("ADDQ $%d, R14", bytes)
			p.line("CMPQ R14, %d(DX)", sizeAt)
			p.line("JLT %s%d", way.label, runs)
			if way.label == "column" {
				p.line("JMP left%d", runs)
			}
		}
		p.label("left%d", runs)
		p.line("ADDQ BX, R10")
		p.line("ADDQ $%d, SI", 8*p.tile)
		p.line("DECQ %d(DX)", rowsAt)
		p.line("JNZ row%d", runs)
		first = next
	}
	p.line("MOVQ %d(DX), SI", xAt)
	for r := range p.k.results {
		p.line("ADDQ %d(DX), %s", sizeAt, bases[r])
	}
	p.line("TESTQ CX, CX")
	p.line("JNZ tile")
	p.line("SFENCE")
}

func (p *printer) all(code []instruction) {
	for i := range code {
		p.instruction(&code[i])
	}
}

func (p *printer) label(format string, args ...any) {
	fmt.Fprintf(p.w, format+":\n", args...)
}

func (p *printer) line(format string, args ...any) {
	p.w.WriteByte('\t')
	fmt.Fprintf(p.w, format, args...)
	p.w.WriteByte('\n')
}

func (p *printer) reg(o operand, width uint8) string {
	return p.letter(width) + strconv.Itoa(int(o.index))
}

func (p *printer) letter(width uint8) string {
	switch width {
	case 2:
		return "X"
	case 4:
		return "Y"
	}
	return p.isa.register
}

// move is the instruction between memory and a register.
func (p *printer) move(width uint8) string {
	if width > 0 {
		return "VMOVUPD"
	}
	return p.isa.move
}

// row prints the address of a row, computing its offset in R10 where the address cannot.
func (p *printer) row(base, stride string, row int) string {
	if p.isa.Lanes == 1 {
		return fmt.Sprintf("%d(%s)", 8*row, base)
	}
	switch row {
	case 0:
		return "(" + base + ")"
	case 1, 2, 4, 8:
		return fmt.Sprintf("(%s)(%s*%d)", base, stride, row)
	}
	p.line("IMUL3Q $%d, %s, R10", row, stride)
	return fmt.Sprintf("(%s)(R10*1)", base)
}

// operand prints an operand; memory that must be loaded before it can be read so is not asked for.
func (p *printer) operand(o operand, width uint8) string {
	switch o.place {
	case inRegister:
		return p.reg(o, width)
	case inSlot:
		return fmt.Sprintf("%d(DX)", p.slots+p.slot*int(o.index))
	case inPool:
		return fmt.Sprintf("%s<>+%d(SB)", p.pool.Symbol, p.pool.offset(p.k.nodes[o.index].imm))
	}
	return p.row("SI", "AX", int(o.index))
}

func (p *printer) instruction(in *instruction) {
	switch in.kind {
	case move:
		switch src := p.operand(in.src[0], in.width); {
		case in.src[0].place == inRegister:
			p.line("VMOVAPD %s, %s", src, p.reg(in.dst, in.width))
		case in.src[0].place == inPool && p.isa.Lanes > 1:
			p.line("VBROADCASTSD %s, %s", src, p.reg(in.dst, 0))
		case in.src[0].place == inPool: // for one number and for packs
			p.line("VBROADCASTSD %s, %s", src, p.reg(in.dst, 4))
		default:
			p.line("%s %s, %s", p.move(in.width), src, p.reg(in.dst, in.width))
		}
		return
	case spill:
		p.line("%s %s, %s", p.move(in.width), p.reg(in.src[0], in.width), p.operand(in.dst, in.width))
		return
	case output:
		to := fmt.Sprintf("%d(DX)(R14*1)", headSize+8*p.tile*int(in.index))
		if p.tile == 0 {
			to = p.row(bases[in.form], "BX", int(in.imm))
		}
		p.line("%s %s, %s", p.isa.move, p.reg(in.src[0], 0), to)
		return
	case exceptIf:
		if p.isa.masks {
			p.line("VPMOVQ2M %s, K1", p.reg(in.src[0], 0))
			p.line("KMOVB K1, R10")
		} else {
			p.line("VMOVMSKPD %s, R10", p.reg(in.src[0], in.width))
			if p.isa.Lanes == 1 && in.width == 0 {
				p.line("ANDQ $1, R10")
			}
		}
		p.line("ORQ R10, R11")
		return
	}
	o := &operations[in.op]
	name := o.name
	if p.isa.masks && o.name512 != "" {
		name = o.name512
	}
	if o.shape != bitwise && o.shape != packing && !(p.isa.masks && in.op == opSelect) {
		name += map[bool]string{true: strconv.Itoa(int(in.form)), false: ""}[o.shape == fused]
		if in.op == opSelect || in.width > 0 { // blends whole registers whatever the lanes
			name += "PD"
		} else {
			name += p.isa.suffix
		}
	}
	n := o.args
	if p.isa.masks && slices.ContainsFunc(in.src[:n], func(s operand) bool { return s.place == inPool }) {
		name += ".BCST"
	}
	var src [3]string
	for k := range n {
		src[k] = p.operand(in.src[k], in.width)
	}
	dst := p.reg(in.dst, in.width)
	switch o.shape {
	case fused: // operands as Intel's manual has them, in reverse
		switch in.form {
		case 231: // dst = second·third + dst
			x, y := src[0], src[1]
			if in.src[0].place != inRegister {
				x, y = y, x
			}
			p.line("%s %s, %s, %s", name, y, x, dst)
		case 213: // dst = second·dst + third
			other := src[1]
			if in.src[1] == in.dst {
				other = src[0]
			}
			p.line("%s %s, %s, %s", name, src[2], other, dst)
		case 132: // dst = dst·third + second
			other := src[1]
			if in.src[1] == in.dst {
				other = src[0]
			}
			p.line("%s %s, %s, %s", name, other, src[2], dst)
		}
	case selecting:
		switch {
		case p.isa.masks && in.src[1].place != inRegister: // first ? third : second
			p.line("%s $0xac, %s, %s, %s", name, src[1], src[2], dst)
		case p.isa.masks: // first ? second : third
			p.line("%s $0xca, %s, %s, %s", name, src[2], src[1], dst)
		default:
			p.line("%s %s, %s, %s, %s", name, src[0], src[1], src[2], dst)
		}
	case comparing:
		if p.isa.masks {
			p.line("%s $%d, %s, %s, K1", name, in.imm, src[1], src[0])
			p.line("VPMOVM2Q K1, %s", dst)
		} else {
			p.line("%s $%d, %s, %s, %s", name, in.imm, src[1], src[0], dst)
		}
	case packing:
		p.packing(in, name, dst)
	default:
		switch {
		case in.op == opSqrt && p.isa.Lanes == 1 && in.width == 0:
			if in.src[0].place == inRegister {
				p.line("%s %s, %s, %s", name, src[0], src[0], dst)
			} else {
				p.line("VXORPD %s, %s, %s", dst, dst, dst) // no dependence on what was there
				p.line("%s %s, %s, %s", name, src[0], dst, dst)
			}
		case in.op == opShiftLeft || in.op == opShiftRight:
			p.line("%s $%d, %s, %s", name, in.imm, src[0], dst)
		case n == 1:
			p.line("%s %s, %s", name, src[0], dst)
		default:
			p.line("%s %s, %s, %s", name, src[1], src[0], dst)
		}
	}
}
