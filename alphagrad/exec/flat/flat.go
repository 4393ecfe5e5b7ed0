// Package flat runs array programs fast, one sample at a time: a program is compiled once into a list of loops over
// buffers that are allocated beforehand. Operations on arrays of one shape run together row by row, so that what lies
// between them stays in the cache; products with vectors skip their zeros, of which spikes have many; an output that
// replaces an input is written in its place.
package flat

import (
	"fmt"
	"maps"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Program is a compiled program. It is immutable and safe for concurrent use; every goroutine runs it on a [Machine] of
// its own.
type Program struct {
	name    string
	code    []instr
	sizes   []int             // elements of every buffer
	consts  map[int][]float64 // buffers with constants
	in, out map[string]int    // buffers by name
	shapes  map[string]ir.Shape
	rowMax  int           // longest row of a group
	temps   int           // most temporary rows of a group
	alias   map[int]int   // buffers that are another one
	aliases map[int][]int // the other way round
	feeds   [][2]int      // copies at the end
}

// An instr is one loop over buffers.
type instr struct {
	run    func(m *Machine)
	reads  []int
	writes int
	group  *group // nil: not a group
}

// A Machine holds the buffers of one execution of a program.
type Machine struct {
	p      *Program
	buf    [][]float64
	rows   [][]float64 // temporary rows
	active []int32     // positions of nonzero elements
	lines  []line      // operands of the group that runs
}

// Compile prepares a program. Every output that has the name of an input replaces it: after a run the input's buffer holds
// the output.
func Compile(p *ir.Program) (*Program, error) {
	if err := ir.Verify(p); err != nil {
		return nil, err
	}
	q, err := ir.Optimize(p)
	if err != nil {
		return nil, err
	}
	return newCompiler(q).compile()
}

// New allocates a machine.
func (p *Program) New() *Machine {
	m := &Machine{p: p, buf: make([][]float64, len(p.sizes)), active: make([]int32, 0, 64)}
	total := 0
	own := func(b int) bool { _, other := p.alias[b]; return p.consts[b] == nil && !other }
	for b, n := range p.sizes {
		if own(b) {
			total += n
		}
	}
	block := make([]float64, total)
	for b, n := range p.sizes {
		switch {
		case own(b):
			m.buf[b], block = block[:n:n], block[n:]
		case p.consts[b] != nil:
			m.buf[b] = p.consts[b]
		}
	}
	for b, of := range p.alias {
		m.buf[b] = m.buf[of]
	}
	m.rows = make([][]float64, p.temps)
	for k := range m.rows {
		m.rows[k] = make([]float64, p.rowMax)
	}
	return m
}

// Has reports whether the program has an input of that name.
func (p *Program) Has(input string) bool { _, ok := p.in[input]; return ok }

// Outputs lists the names of the outputs, sorted.
func (p *Program) Outputs() []string { return slices.Sorted(maps.Keys(p.out)) }

// Shape is the shape of an input or output, nil if there is none of that name.
func (p *Program) Shape(name string) ir.Shape { return p.shapes[name] }

// Slot finds the buffer of an input, −1 if the program has no such input: for [Machine.At] and [Machine.BindAt].
func (p *Program) Slot(input string) int {
	if b, ok := p.in[input]; ok {
		return b
	}
	return -1
}

// OutputSlot finds the buffer of an output, −1 if there is none.
func (p *Program) OutputSlot(output string) int {
	if b, ok := p.out[output]; ok {
		return b
	}
	return -1
}

// At is a buffer by its slot.
func (m *Machine) At(slot int) []float64 { return m.buf[slot] }

// BindAt makes a slot use memory of the caller, of the right length: shared parameters, or data that need no copy.
func (m *Machine) BindAt(slot int, data []float64) {
	m.buf[slot] = data
	for _, a := range m.p.aliases[slot] {
		m.buf[a] = data
	}
}

// Input is the buffer of an input, row-major: write it before a run.
func (m *Machine) Input(name string) []float64 { return m.named(m.p.in, name) }

// Output is the buffer of an output, row-major: valid until the next run.
func (m *Machine) Output(name string) []float64 { return m.named(m.p.out, name) }

func (m *Machine) named(of map[string]int, name string) []float64 {
	b, ok := of[name]
	if !ok {
		panic(fmt.Sprintf("flat: program %q has no %q", m.p.name, name))
	}
	return m.buf[b]
}

// Bind makes an input use memory of the caller.
func (m *Machine) Bind(input string, data []float64) error {
	b, ok := m.p.in[input]
	if !ok {
		return fmt.Errorf("program %q has no input %q", m.p.name, input)
	}
	if len(data) != m.p.sizes[b] {
		return fmt.Errorf("program %q: input %q has %d elements, is given %d", m.p.name, input, m.p.sizes[b], len(data))
	}
	m.BindAt(b, data)
	return nil
}

// Run executes the program once.
func (m *Machine) Run() {
	for i := range m.p.code {
		m.p.code[i].run(m)
	}
	for _, f := range m.p.feeds {
		copy(m.buf[f[1]], m.buf[f[0]])
	}
}

// Bytes is the memory of a machine's buffers, constants apart.
func (p *Program) Bytes() int64 {
	n := int64(0)
	for b, size := range p.sizes {
		if _, other := p.alias[b]; p.consts[b] == nil && !other {
			n += 8 * int64(size)
		}
	}
	return n
}
