package ir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// GraphFormat marks graph files of this version.
const GraphFormat = "alphagrad-graph/1"

// MaxGraphBytes bounds the size of a graph file.
const MaxGraphBytes = 256 << 20

type graphFile struct {
	Format  string       `json:"format"`
	Name    string       `json:"name"`
	Inputs  []inputDecl  `json:"inputs"`
	Nodes   []nodeDecl   `json:"nodes"`
	Outputs []outputDecl `json:"outputs"`
}

type inputDecl struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

type nodeDecl struct {
	Name  string                     `json:"name"`
	Op    string                     `json:"op"`
	Args  []json.RawMessage          `json:"args"`
	Attrs map[string]json.RawMessage `json:"attrs"`
}

// outputDecl is a node's name, or {"name": …, "node": …} where the output is called otherwise.
type outputDecl struct{ name, node string }

func (o *outputDecl) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &o.node); err == nil {
		o.name = o.node
		return nil
	}
	var long struct {
		Name *string `json:"name"`
		Node *string `json:"node"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&long); err != nil || long.Name == nil || long.Node == nil {
		return fmt.Errorf(`an output is a node's name or {"name": …, "node": …}, not %s`, abbreviate(string(data)))
	}
	o.name, o.node = *long.Name, *long.Node
	return nil
}

// ReadGraphFile reads a graph file; errors name the file.
func ReadGraphFile(path string) (*Program, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > MaxGraphBytes {
		return nil, fmt.Errorf("%s: %d MB; a graph file has at most %d MB", path, info.Size()>>20, MaxGraphBytes>>20)
	}
	p, err := ReadGraph(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// ReadGraph reads a program in the JSON graph format. Nodes stand in evaluation order; a numeric argument is a constant.
// Unknown ops and names, cycles, duplicate names, wrong arities, attributes and shapes are errors that name the node.
func ReadGraph(r io.Reader) (*Program, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxGraphBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxGraphBytes {
		return nil, fmt.Errorf("a graph has at most %d MB", MaxGraphBytes>>20)
	}
	var f graphFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("no graph file: %w", positioned(data, dec.InputOffset(), err))
	}
	if dec.More() {
		return nil, fmt.Errorf("no graph file: text after the graph, at byte %d", dec.InputOffset())
	}
	return f.program()
}

// positioned adds the line to a JSON error.
func positioned(data []byte, offset int64, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		offset = typ.Offset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the file ends in the middle (%w)", err)
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:min(int(offset), len(data))], []byte("\n")), err)
}

func (f *graphFile) program() (*Program, error) {
	if f.Format != GraphFormat {
		return nil, fmt.Errorf("format is %q, expected %q", f.Format, GraphFormat)
	}
	if len(f.Nodes)+len(f.Inputs) > MaxNodes {
		return nil, fmt.Errorf("%d nodes; a graph has at most %d", len(f.Nodes), MaxNodes)
	}
	b := NewBuilder(f.Name)
	at := make(map[string]*Value, len(f.Inputs)+len(f.Nodes))
	declare := func(name, op string, v *Value) error {
		if b.err == nil && at[name] != nil {
			return &NodeError{Node: name, Op: op, Err: errors.New("the name is used twice")}
		}
		if v.Named(name); b.err != nil {
			var e *NodeError
			if errors.As(b.err, &e) {
				return &NodeError{Node: name, Op: op, Err: e.Err}
			}
			return &NodeError{Node: name, Op: op, Err: b.err}
		}
		at[name] = v
		return nil
	}
	for _, in := range f.Inputs {
		if at[in.Name] != nil {
			return nil, &NodeError{Node: in.Name, Op: "input", Err: errors.New("the name is used twice")}
		}
		v := b.Input(in.Name, in.Shape...)
		if b.err != nil {
			return nil, &NodeError{Node: in.Name, Op: "input", Err: b.err}
		}
		at[in.Name] = v
	}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		v, err := f.node(b, n, at)
		if err != nil {
			return nil, &NodeError{Node: n.Name, Op: n.Op, Err: err}
		}
		if err := declare(n.Name, n.Op, v); err != nil {
			return nil, err
		}
	}
	for _, o := range f.Outputs {
		v := at[o.node]
		if v == nil {
			return nil, fmt.Errorf("output %q: there is no node %q", o.name, o.node)
		}
		b.p.Outputs = append(b.p.Outputs, Output{Name: o.name, Node: v.id})
	}
	return b.Build()
}

// node records one declared node; b never fails half-way since its error is returned at once.
func (f *graphFile) node(b *Builder, n *nodeDecl, at map[string]*Value) (*Value, error) {
	op, known := Op(n.Op)
	switch {
	case n.Name == "":
		return nil, errors.New("has no name")
	case op == OpConst:
		return constNode(b, n)
	case op == OpInput:
		return nil, errors.New(`inputs are declared under "inputs"`)
	case !known:
		return nil, fmt.Errorf("unknown op%s", Suggest(n.Op, opNames()))
	}
	args := make([]*Value, len(n.Args))
	for k, raw := range n.Args {
		text := string(raw)
		var name string
		if json.Unmarshal(raw, &name) == nil && text != "null" {
			if args[k] = at[name]; args[k] == nil {
				return nil, f.unresolved(name)
			}
			continue
		}
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("argument %d is %s; expected a name or a number", k, abbreviate(text))
		}
		args[k] = Const(b, x)
	}
	attrs, err := decodeAttrs(op, n.Attrs)
	if err != nil {
		return nil, err
	}
	if err := checkAttrs(op, attrs); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, errors.New("takes arguments, has none")
	}
	return Apply(op, attrs, args...), nil
}

// unresolved explains a name that no earlier node has: unknown, on a cycle, or declared too late.
func (f *graphFile) unresolved(name string) error {
	decl := make(map[string]*nodeDecl, len(f.Nodes))
	names := make([]string, 0, len(f.Nodes)+len(f.Inputs))
	for i := range f.Nodes {
		decl[f.Nodes[i].Name] = &f.Nodes[i]
		names = append(names, f.Nodes[i].Name)
	}
	for _, in := range f.Inputs {
		names = append(names, in.Name)
	}
	if decl[name] == nil {
		return fmt.Errorf("argument %q is no input and no node%s", name, Suggest(name, names))
	}
	if cycle := findCycle(decl, name); cycle != nil {
		return fmt.Errorf("argument %q lies on a cycle: %s", name, abbreviate(strings.Join(cycle, " → ")))
	}
	return fmt.Errorf("argument %q is declared only later; nodes stand in evaluation order", name)
}

// findCycle walks arguments from a node depth first, without recursion, and returns the first cycle met.
func findCycle(decl map[string]*nodeDecl, start string) []string {
	type frame struct {
		name string
		args []json.RawMessage
	}
	const active, done = 1, 2
	state := map[string]int{start: active}
	stack := []frame{{start, decl[start].Args}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.args) == 0 {
			state[top.name] = done
			stack = stack[:len(stack)-1]
			continue
		}
		var next string
		raw := top.args[0]
		top.args = top.args[1:]
		if json.Unmarshal(raw, &next) != nil || decl[next] == nil {
			continue
		}
		switch state[next] {
		case active:
			var cycle []string
			for _, fr := range stack {
				if len(cycle) > 0 || fr.name == next {
					cycle = append(cycle, fr.name)
				}
			}
			return append(cycle, next)
		case 0:
			state[next] = active
			stack = append(stack, frame{next, decl[next].Args})
		}
	}
	return nil
}

// constNode reads {"op": "const", "attrs": {"shape": [2], "value": [1, 2]}}; "inf", "-inf" and "nan" stand for what JSON
// numbers cannot say.
func constNode(b *Builder, n *nodeDecl) (*Value, error) {
	if len(n.Args) > 0 {
		return nil, errors.New("a constant takes no arguments")
	}
	shape := []int{}
	if raw, ok := n.Attrs["shape"]; ok {
		if err := json.Unmarshal(raw, &shape); err != nil {
			return nil, fmt.Errorf("attribute \"shape\": %w", err)
		}
	}
	var items []json.RawMessage
	if raw := n.Attrs["value"]; json.Unmarshal(raw, &items) != nil {
		items = []json.RawMessage{raw}
	}
	for name := range n.Attrs {
		if name != "shape" && name != "value" {
			return nil, fmt.Errorf("takes no attribute %q", name)
		}
	}
	data := make([]float64, len(items))
	for i, raw := range items {
		x, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
		if err != nil {
			return nil, fmt.Errorf("element %d is %s; expected a number, \"inf\", \"-inf\" or \"nan\"", i, abbreviate(string(raw)))
		}
		data[i] = x
	}
	return ConstTensor(b, shape, data), nil
}

func opNames() []string {
	var names []string
	for _, o := range Ops() {
		names = append(names, o.Name)
	}
	return names
}

// Suggest phrases the nearest known name as "; did you mean …?", or nothing when none is near (edit distance at most a
// third of the length).
func Suggest(name string, known []string) string {
	best, bestDist := "", len(name)/3+1
	for _, k := range known {
		if d := len(k) - len(name); d > bestDist || -d > bestDist || len(name) > 64 {
			continue
		}
		if d := editDistance(name, k); d < bestDist || (d == bestDist && best == "") {
			best, bestDist = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

func editDistance(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range a {
		cur := make([]int, len(b)+1)
		cur[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j]+cost, prev[j+1]+1, cur[j]+1)
		}
		prev = cur
	}
	return prev[len(b)]
}

func abbreviate(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:60]) + " … " + string(r[len(r)-16:])
	}
	return s
}

// WriteGraph writes a program in the JSON graph format; [ReadGraph] reads it back to an equal program.
func WriteGraph(w io.Writer, p *Program) error {
	if err := Verify(p); err != nil {
		return err
	}
	names := p.DisplayNames()
	var b bytes.Buffer
	quote := func(s string) string {
		q, err := json.Marshal(s)
		if err != nil {
			panic("ir: " + err.Error()) // strings always encode
		}
		return string(q)
	}
	fmt.Fprintf(&b, "{\"format\": %s, \"name\": %s,\n \"inputs\":  [", quote(GraphFormat), quote(p.Name))
	for i, id := range p.Inputs {
		if i > 0 {
			b.WriteString(",\n             ")
		}
		fmt.Fprintf(&b, "{\"name\": %s, \"shape\": %v}", quote(names[id]), p.Nodes[id].Shape)
	}
	b.WriteString("],\n \"nodes\":   [")
	used := usedAsOutput(p)
	first := true
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Op == OpInput || (n.Op == OpConst && inlineConst(n) && !used[i]) {
			continue
		}
		if !first {
			b.WriteString(",\n             ")
		}
		first = false
		fmt.Fprintf(&b, "{\"name\": %s, \"op\": %s", quote(names[i]), quote(n.Op.Name))
		if n.Op == OpConst {
			fmt.Fprintf(&b, ", \"attrs\": {\"shape\": %v, \"value\": [", n.Shape)
			for k, x := range n.Value {
				if k > 0 {
					b.WriteString(", ")
				}
				b.WriteString(jsonNumber(x))
			}
			b.WriteString("]}}")
			continue
		}
		b.WriteString(", \"args\": [")
		for k, a := range n.Args {
			if k > 0 {
				b.WriteString(", ")
			}
			if m := &p.Nodes[a]; m.Op == OpConst && inlineConst(m) && !used[a] {
				b.WriteString(jsonNumber(m.Value[0]))
			} else {
				b.WriteString(quote(names[a]))
			}
		}
		b.WriteString("]")
		if attrs := encodeAttrs(n.Op, n.Attrs); attrs != "" {
			fmt.Fprintf(&b, ", \"attrs\": %s", attrs)
		}
		b.WriteString("}")
	}
	b.WriteString("],\n \"outputs\": [")
	for i, o := range p.Outputs {
		if i > 0 {
			b.WriteString(", ")
		}
		if o.Name == names[o.Node] {
			b.WriteString(quote(o.Name))
		} else {
			fmt.Fprintf(&b, "{\"name\": %s, \"node\": %s}", quote(o.Name), quote(names[o.Node]))
		}
	}
	b.WriteString("]}\n")
	_, err := w.Write(b.Bytes())
	return err
}

// inlineConst reports whether a constant is written as a number where it is used.
func inlineConst(n *Node) bool {
	return n.Name == "" && len(n.Shape) == 0 && !math.IsNaN(n.Value[0]) && !math.IsInf(n.Value[0], 0)
}

func usedAsOutput(p *Program) []bool {
	used := make([]bool, len(p.Nodes))
	for _, o := range p.Outputs {
		used[o.Node] = true
	}
	return used
}

func jsonNumber(x float64) string {
	switch {
	case math.IsNaN(x):
		return `"nan"`
	case math.IsInf(x, 1):
		return `"inf"`
	case math.IsInf(x, -1):
		return `"-inf"`
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// Equal reports whether two programs compute the same thing in the same way: equal names of program, inputs and outputs
// and equal nodes in the same order. Names of intermediate nodes and the placing of constants do not count.
func Equal(p, q *Program) bool {
	if p.Name != q.Name || !slices.Equal(p.InputNames(), q.InputNames()) || !slices.Equal(p.OutputNames(), q.OutputNames()) {
		return false
	}
	// Constants move to the node that first uses them, so they are compared where they are used.
	match := make(map[ID]ID)
	var pn, qn []ID
	collect := func(p *Program) (ids []ID) {
		for i := range p.Nodes {
			if p.Nodes[i].Op != OpConst {
				ids = append(ids, ID(i))
			}
		}
		return ids
	}
	if pn, qn = collect(p), collect(q); len(pn) != len(qn) {
		return false
	}
	same := func(a, b ID) bool {
		m, n := &p.Nodes[a], &q.Nodes[b]
		if m.Op != OpConst || n.Op != OpConst {
			other, ok := match[a]
			return ok && other == b
		}
		return m.Shape.Equal(n.Shape) && slices.EqualFunc(m.Value, n.Value, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) || x != x && y != y })
	}
	for i := range pn {
		m, n := &p.Nodes[pn[i]], &q.Nodes[qn[i]]
		if m.Op != n.Op || !m.Shape.Equal(n.Shape) || !sameAttrs(m.Op, m.Attrs, n.Attrs) || !slices.EqualFunc(m.Args, n.Args, same) {
			return false
		}
		match[pn[i]] = qn[i]
	}
	return slices.EqualFunc(p.Outputs, q.Outputs, func(a, b Output) bool { return same(a.Node, b.Node) })
}
