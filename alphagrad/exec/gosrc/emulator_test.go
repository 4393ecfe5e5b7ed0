package gosrc_test

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// An emulator executes what a disassembler makes of compiled kernels, so that kernels can be tested for instruction sets
// that a machine lacks. It knows the instructions that kernels consist of and no more.
type emulator struct {
	file  *elf.File
	code  []decoded
	at    map[uint64]int // index of the instruction at an address
	ints  map[string]uint64
	vecs  map[string][8]uint64 // by number: xmm3, ymm3 and zmm3 are "3"
	masks map[string]uint64
	mem   map[uint64]uint64 // eight bytes a cell
	equal bool              // flags of the last comparison
	less  bool              // signed
	below bool              // unsigned
}

type decoded struct {
	name string
	args []string
}

var disassembled = regexp.MustCompile(`^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$`)

// disassemble reads one function of a program with binutils' objdump.
func disassemble(objdump, program, symbol string) (*emulator, error) {
	file, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	e := &emulator{file: file, at: map[uint64]int{}, ints: map[string]uint64{}, vecs: map[string][8]uint64{}, masks: map[string]uint64{}, mem: map[uint64]uint64{}}
	symbols, err := file.Symbols()
	if err != nil {
		return nil, err
	}
	for _, s := range symbols {
		if s.Name != symbol {
			continue
		}
		out, err := exec.Command(objdump, "-d", "-M", "intel", "--no-show-raw-insn",
			fmt.Sprintf("--start-address=%#x", s.Value), fmt.Sprintf("--stop-address=%#x", s.Value+s.Size), program).Output()
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			m := disassembled.FindStringSubmatch(strings.TrimRight(line, "\n"))
			if m == nil {
				continue
			}
			address, err := strconv.ParseUint(m[1], 16, 64)
			if err != nil {
				return nil, err
			}
			text, comment, _ := strings.Cut(m[3], "#")
			if target, _, ok := strings.Cut(strings.TrimSpace(comment), " "); ok { // of an address relative to the instruction
				text = regexp.MustCompile(`\[rip[^\]]*\]`).ReplaceAllString(text, "[0x"+target+"]")
			}
			text, _, _ = strings.Cut(text, "<")
			e.at[address] = len(e.code)
			e.code = append(e.code, decoded{m[2], strings.Split(strings.TrimSpace(text), ",")})
		}
		return e, nil
	}
	return nil, fmt.Errorf("%s has no symbol %s", program, symbol)
}

var vectorName = regexp.MustCompile(`^[xyz]mm(\d+)$`)

// register is the 64-bit name of an integer register: r10d is the lower half of r10.
func register(name string) string {
	if rest, ok := strings.CutPrefix(name, "e"); ok {
		return "r" + rest
	}
	if len(name) > 2 && name[0] == 'r' && name[1] >= '0' && name[1] <= '9' {
		return strings.TrimSuffix(name, "d")
	}
	return name
}

// address evaluates the brackets of an operand.
func (e *emulator) address(arg string) uint64 {
	if strings.Contains(arg, "fs:") {
		return 8 // something that holds zero: the goroutine, whose stack has no limit
	}
	inner := arg[strings.Index(arg, "[")+1 : strings.Index(arg, "]")]
	var sum uint64
	for _, term := range strings.Split(strings.ReplaceAll(inner, "-", "+-"), "+") {
		sign := uint64(1)
		if rest, ok := strings.CutPrefix(term, "-"); ok {
			sign, term = ^uint64(0), rest
		}
		name, scale, _ := strings.Cut(term, "*")
		factor := uint64(1)
		if scale != "" {
			factor, _ = strconv.ParseUint(scale, 0, 64)
		}
		if n, err := strconv.ParseUint(name, 0, 64); err == nil {
			sum += sign * n
		} else {
			sum += sign * factor * e.ints[register(name)]
		}
	}
	return sum
}

func (e *emulator) load(address uint64) uint64 {
	if v, ok := e.mem[address]; ok {
		return v
	}
	for _, s := range e.file.Sections {
		if s.Type == elf.SHT_PROGBITS && s.Addr > 0 && s.Addr <= address && address+8 <= s.Addr+s.Size {
			var b [8]byte
			if _, err := s.ReadAt(b[:], int64(address-s.Addr)); err == nil {
				return binary.LittleEndian.Uint64(b[:])
			}
		}
	}
	return 0
}

func (e *emulator) integer(arg string) uint64 {
	if strings.Contains(arg, "[") || strings.Contains(arg, "fs:") {
		return e.load(e.address(arg))
	}
	if n, err := strconv.ParseUint(arg, 0, 64); err == nil {
		return n
	}
	return e.ints[register(arg)]
}

func (e *emulator) setInteger(arg string, v uint64) {
	if strings.Contains(arg, "[") {
		e.mem[e.address(arg)] = v
	} else {
		e.ints[register(arg)] = v
	}
}

// vector reads a vector operand; one number in memory goes to all lanes where the operand says so.
func (e *emulator) vector(arg string) (v [8]uint64) {
	if m := vectorName.FindStringSubmatch(arg); m != nil {
		return e.vecs[m[1]]
	}
	a := e.address(arg)
	broadcast := strings.Contains(arg, "BCST") || strings.Contains(arg, "{1to")
	for k := range v {
		if v[k] = e.load(a); !broadcast {
			a += 8
		}
	}
	return v
}

func lanesOf(arg string) int {
	switch {
	case strings.HasPrefix(arg, "zmm"), strings.HasPrefix(arg, "ZMMWORD"):
		return 8
	case strings.HasPrefix(arg, "ymm"), strings.HasPrefix(arg, "YMMWORD"):
		return 4
	}
	return 2
}

func (e *emulator) setVector(arg string, v [8]uint64) {
	n := lanesOf(arg)
	if m := vectorName.FindStringSubmatch(arg); m != nil {
		clear(v[n:])
		e.vecs[m[1]] = v
		return
	}
	a := e.address(arg)
	for k := range n {
		e.mem[a+8*uint64(k)] = v[k]
	}
}

var fusedName = regexp.MustCompile(`^vf(n?)m(add|sub)(132|213|231)pd$`)

var arithmetic = map[string]func(a, b float64) float64{
	"vaddpd": func(a, b float64) float64 { return a + b },
	"vsubpd": func(a, b float64) float64 { return a - b },
	"vmulpd": func(a, b float64) float64 { return a * b },
	"vdivpd": func(a, b float64) float64 { return a / b },
	"vminpd": func(a, b float64) float64 {
		if a < b {
			return a
		}
		return b
	},
	"vmaxpd": func(a, b float64) float64 {
		if a > b {
			return a
		}
		return b
	},
}

var bits = map[string]func(a, b uint64) uint64{
	"vandpd": func(a, b uint64) uint64 { return a & b }, "vpandq": func(a, b uint64) uint64 { return a & b },
	"vandnpd": func(a, b uint64) uint64 { return ^a & b }, "vpandnq": func(a, b uint64) uint64 { return ^a & b },
	"vorpd": func(a, b uint64) uint64 { return a | b }, "vporq": func(a, b uint64) uint64 { return a | b },
	"vxorpd": func(a, b uint64) uint64 { return a ^ b }, "vpxorq": func(a, b uint64) uint64 { return a ^ b },
	"vpaddq": func(a, b uint64) uint64 { return a + b }, "vpsubq": func(a, b uint64) uint64 { return a - b },
}

var comparisons = map[string]func(a, b float64) bool{
	"eq": func(a, b float64) bool { return a == b }, "neq": func(a, b float64) bool { return a != b },
	"lt": func(a, b float64) bool { return a < b }, "le": func(a, b float64) bool { return a <= b },
	"nle": func(a, b float64) bool { return !(a <= b) }, "nge": func(a, b float64) bool { return !(a >= b) },
	"unord": func(a, b float64) bool { return a != a || b != b },
}

func mask(b bool) uint64 {
	if b {
		return ^uint64(0)
	}
	return 0
}

// vectorInstruction executes an instruction on vectors and reports false if it is none that is known.
func (e *emulator) vectorInstruction(name string, args []string) bool {
	f := math.Float64frombits
	each := func(op func(k int) uint64) {
		var v [8]uint64
		for k := range v {
			v[k] = op(k)
		}
		e.setVector(args[0], v)
	}
	var x [4][8]uint64
	for i, a := range args {
		if vectorName.MatchString(a) || strings.Contains(a, "[") {
			x[i] = e.vector(a)
		}
	}
	last := args[len(args)-1]
	switch op := arithmetic[name]; {
	case op != nil:
		each(func(k int) uint64 { return math.Float64bits(op(f(x[1][k]), f(x[2][k]))) })
		return true
	case bits[name] != nil:
		each(func(k int) uint64 { return bits[name](x[1][k], x[2][k]) })
		return true
	}
	if m := fusedName.FindStringSubmatch(name); m != nil {
		order := map[string][3]int{"132": {0, 2, 1}, "213": {1, 0, 2}, "231": {1, 2, 0}}[m[3]]
		each(func(k int) uint64 {
			a, b, c := f(x[order[0]][k]), f(x[order[1]][k]), f(x[order[2]][k])
			if m[1] == "n" {
				a = -a
			}
			if m[2] == "sub" {
				c = -c
			}
			return math.Float64bits(math.FMA(a, b, c))
		})
		return true
	}
	if predicate, ok := strings.CutPrefix(name, "vcmp"); ok {
		predicate, _, _ = strings.Cut(strings.TrimSuffix(predicate, "pd"), "_")
		compare := comparisons[predicate]
		if compare == nil {
			return false
		}
		if strings.HasPrefix(args[0], "k") {
			var m uint64
			for k := range 8 {
				m |= mask(compare(f(x[1][k]), f(x[2][k]))) & (1 << k)
			}
			e.masks[args[0]] = m
			return true
		}
		each(func(k int) uint64 { return mask(compare(f(x[1][k]), f(x[2][k]))) })
		return true
	}
	switch name {
	case "vmovupd", "vmovapd", "vmovntpd":
		e.setVector(args[0], e.vector(args[1]))
	case "vbroadcastsd":
		each(func(int) uint64 { return e.load(e.address(args[1])) })
	case "vsqrtpd":
		each(func(k int) uint64 { return math.Float64bits(math.Sqrt(f(x[1][k]))) })
	case "vpsllq":
		each(func(k int) uint64 { return x[1][k] << e.integer(last) })
	case "vpsrlq":
		each(func(k int) uint64 { return x[1][k] >> e.integer(last) })
	case "vblendvpd":
		each(func(k int) uint64 {
			if x[3][k]>>63 == 1 {
				return x[2][k]
			}
			return x[1][k]
		})
	case "vpternlogq": // bit i of the table for the bits of the first, second and third operand as a number
		table := e.integer(last)
		each(func(k int) (r uint64) {
			for bit := range 64 {
				i := x[0][k]>>bit&1<<2 | x[1][k]>>bit&1<<1 | x[2][k]>>bit&1
				r |= table >> i & 1 << bit
			}
			return r
		})
	case "vpmovm2q":
		each(func(k int) uint64 { return mask(e.masks[args[1]]>>k&1 == 1) })
	case "vpmovq2m", "vmovmskpd":
		var m uint64
		n := lanesOf(args[1])
		for k := range n {
			m |= x[1][k] >> 63 << k
		}
		if name == "vpmovq2m" {
			e.masks[args[0]] = m
		} else {
			e.setInteger(args[0], m)
		}
	case "kmovb":
		e.setInteger(args[0], e.masks[args[1]])
	case "vzeroupper", "sfence":
	default:
		return false
	}
	return true
}

// compare sets the flags as a subtraction does.
func (e *emulator) compare(a, b uint64) {
	e.equal, e.less, e.below = a == b, int64(a) < int64(b), a < b
}

// run executes the function until it returns. Its arguments lie behind the return address at rsp.
func (e *emulator) run() error {
	jumps := map[string]func() bool{
		"jmp": func() bool { return true }, "je": func() bool { return e.equal }, "jne": func() bool { return !e.equal },
		"jl": func() bool { return e.less }, "jge": func() bool { return !e.less }, "jb": func() bool { return e.below },
		"jbe": func() bool { return e.below || e.equal },
	}
	for at, steps := 0, 0; ; steps++ {
		if at >= len(e.code) || steps > 1<<20 {
			return fmt.Errorf("it does not return")
		}
		i := e.code[at]
		at++
		if taken := jumps[i.name]; taken != nil {
			if taken() {
				target, err := strconv.ParseUint(strings.TrimSpace(i.args[0]), 16, 64)
				if err != nil {
					return err
				}
				at = e.at[target]
			}
			continue
		}
		if i.name == "ret" {
			return nil
		}
		if e.vectorInstruction(i.name, i.args) {
			continue
		}
		a := i.args
		value := func(k int) uint64 { return e.integer(a[k]) }
		set := func(v uint64) { // and the flags of a result
			e.setInteger(a[0], v)
			e.compare(v, 0)
		}
		switch i.name {
		case "mov":
			e.setInteger(a[0], value(1))
		case "lea":
			e.setInteger(a[0], e.address(a[1]))
		case "add":
			set(value(0) + value(1))
		case "sub":
			x, y := value(0), value(1)
			e.setInteger(a[0], x-y)
			e.compare(x, y)
		case "and":
			set(value(0) & value(1))
		case "or":
			set(value(0) | value(1))
		case "xor":
			set(value(0) ^ value(1))
		case "shl":
			if len(a) == 1 {
				set(value(0) << 1)
			} else {
				set(value(0) << value(1))
			}
		case "imul":
			set(value(1) * value(len(a)-1))
		case "dec":
			set(value(0) - 1)
		case "cmp":
			e.compare(value(0), value(1))
		case "test":
			e.compare(value(0)&value(1), 0)
		case "cmovl":
			if e.less {
				e.setInteger(a[0], value(1))
			}
		case "push":
			e.ints["rsp"] -= 8
			e.mem[e.ints["rsp"]] = value(0)
		case "pop":
			e.setInteger(a[0], e.load(e.ints["rsp"]))
			e.ints["rsp"] += 8
		default:
			return fmt.Errorf("the emulator does not know %s %s", i.name, strings.Join(a, ","))
		}
	}
}

// unwritten marks results that a kernel leaves alone: constant ones.
const unwritten = 0x7ff8_0000_dead_beef

// call calls a kernel for n samples of a batch of n and returns its results, and whether there were rare samples.
func (e *emulator) call(n, vectors int, x []float64, rows []int) (results [][]float64, rare uint64, err error) {
	const stack = 1 << 40
	base := func(k int) uint64 { return uint64(k+1) << 32 }
	for i, v := range x {
		e.mem[base(0)+8*uint64(i)] = math.Float64bits(v)
	}
	e.ints["rsp"] = stack - 8*uint64(len(rows)+7)
	args := []uint64{0, base(0)} // the return address first
	for r := range rows {
		args = append(args, base(1+r))
	}
	args = append(args, uint64(n), uint64(n), uint64(vectors), 0, 0)
	at := e.ints["rsp"]
	for i, v := range args {
		e.mem[at+8*uint64(i)] = v
	}
	if err := e.run(); err != nil {
		return nil, 0, err
	}
	for r, count := range rows {
		var v []float64
		for i := range count * n {
			bits, written := e.mem[base(1+r)+8*uint64(i)]
			if !written {
				bits = unwritten
			}
			v = append(v, math.Float64frombits(bits))
		}
		results = append(results, v)
	}
	return results, e.mem[at+8*uint64(len(args)-1)], nil
}
