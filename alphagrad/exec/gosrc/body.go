package gosrc

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// tile is how many samples of a batch are buffered: those of one cache line.
const tile = 8

// maxStreams is how many result rows a loop may write straight away. Rows lie a power of two apart more often than not, so
// that beyond the ways of a first-level cache they evict each other's lines at every sample: a buffer of a few samples then
// leaves row by row, which was measured to halve the time of 52 rows and to cost a tenth at 10.
const maxStreams = 24

// loop prints the loop over the samples of a batch.
func (e *emitter) loop() error {
	var rows []string // the slices of the results that vary
	row := map[string]int{}
	e.eachOutput(func(r string, i int, node ir.ID) {
		if _, constant := e.p.ConstScalar(node); !constant {
			name := r + strconv.Itoa(i)
			row[name] = len(rows)
			rows = append(rows, name)
		}
	})
	switch {
	case len(rows) == 0:
		return nil
	case len(rows) <= maxStreams:
		e.w.WriteString("for k := range n {\n")
		err := e.body(func(j int) string { return fmt.Sprintf("x%d[k]", j) }, func(r string, i int) string { return fmt.Sprintf("%s%d[k]", r, i) }, true)
		e.w.WriteString("}\n")
		return err
	}
	fmt.Fprintf(e.w, "const tile = %d\nvar buffer [%d][tile]float64\n", tile, len(rows))
	e.w.WriteString("for start := 0; start < n; start += tile {\nsize := min(tile, n-start)\nfor k := range size {\nb := k & (tile - 1) // known to be in range\n")
	err := e.body(func(j int) string { return fmt.Sprintf("x%d[start+k]", j) }, func(r string, i int) string {
		return fmt.Sprintf("buffer[%d][b]", row[r+strconv.Itoa(i)])
	}, true)
	e.w.WriteString("}\n")
	for i, name := range rows {
		fmt.Fprintf(e.w, "copy(%s[start:], buffer[%d][:size])\n", name, i)
	}
	e.w.WriteString("}\n")
	return err
}

// emitter prints the statements of one program.
type emitter struct {
	w       *bytes.Buffer
	p       *ir.Program
	prefix  string // of helpers, one for the file
	local   string // the function's name, not exported
	results []Result
	long    bool   // to be split
	sample  string // the function of one sample on arrays, in Go
	*uses
}

// uses collects what a file needs besides its functions.
type uses struct {
	math    bool // the import
	helpers map[string]bool
}

// arguments lists the parameters.
func (e *emitter) arguments() string {
	names := "x"
	for _, r := range e.results {
		names += ", " + r.Name
	}
	return names
}

// single declares the parameters for one sample.
func (e *emitter) single() string {
	list := fmt.Sprintf("x *[%d]float64", len(e.p.Inputs))
	for _, r := range e.results {
		list += fmt.Sprintf(", %s *[%d]float64", r.Name, r.Len)
	}
	return list
}

// rows prints the slices of the rows that the loop reads and writes, each cut to some samples.
func (e *emitter) rows(samples string) {
	for j, used := range e.usedInputs() {
		if used {
			fmt.Fprintf(e.w, "x%d := x[%d*n:][%s]\n", j, j, samples)
		}
	}
	e.eachOutput(func(r string, i int, node ir.ID) {
		if _, fixed := e.p.ConstScalar(node); !fixed {
			fmt.Fprintf(e.w, "%s%d := %s[%d*n:][%s]\n", r, i, r, i, samples)
		}
	})
}

// cut prints the slices cut to a batch, so that one that is too short panics at once.
func (e *emitter) cut() {
	fmt.Fprintf(e.w, "x = x[:%d*n]\n", len(e.p.Inputs))
	for _, r := range e.results {
		fmt.Fprintf(e.w, "%s = %s[:%d*n]\n", r.Name, r.Name, r.Len)
	}
}

// fixedRows are neighbouring rows of a batch that hold the same constant.
type fixedRows struct {
	result     string
	first, end int
	value      ir.ID
}

// fixed lists the rows that do not vary, the zeros of a sparse Jacobian among them.
func (e *emitter) fixed() (rows []fixedRows) {
	e.eachOutput(func(r string, i int, node ir.ID) {
		if _, ok := e.p.ConstScalar(node); !ok {
			return
		}
		if k := len(rows) - 1; k >= 0 && rows[k].result == r && rows[k].end == i && rows[k].value == node {
			rows[k].end++
		} else {
			rows = append(rows, fixedRows{r, i, i + 1, node})
		}
	})
	return rows
}

// fill prints what fills the rows that do not vary.
func (e *emitter) fill() {
	for _, r := range e.fixed() {
		at := fmt.Sprintf("%s[%d*n:%d*n]", r.result, r.first, r.end)
		if c, _ := e.p.ConstScalar(r.value); c == 0 {
			fmt.Fprintf(e.w, "clear(%s)\n", at)
		} else {
			fmt.Fprintf(e.w, "for k, row := 0, %s; k < len(row); k++ {\nrow[k] = %s\n}\n", at, e.operand(r.value))
		}
	}
}

// describe lists the meaning of the arguments; names are quoted, so that no text can end the comment.
func (e *emitter) describe(f Function) {
	list := func(names []string) string {
		const most = 12
		q := make([]string, 0, most+1)
		for i, n := range names {
			if i == most {
				q = append(q, fmt.Sprintf("… (%d in all)", len(names)))
				break
			}
			q = append(q, strconv.QuoteToASCII(n))
		}
		return strings.Join(q, ", ")
	}
	fmt.Fprintf(e.w, "//   - x: %s\n", list(e.p.InputNames()))
	at := 0
	for _, r := range f.Results {
		fmt.Fprintf(e.w, "//   - %s: %s\n", r.Name, list(e.p.OutputNames()[at:at+r.Len]))
		at += r.Len
	}
}

func (e *emitter) usedInputs() []bool {
	need := make([]bool, len(e.p.Nodes))
	for i := range e.p.Nodes {
		for _, a := range e.p.Nodes[i].Args {
			need[a] = true
		}
	}
	for _, o := range e.p.Outputs {
		need[o.Node] = true
	}
	used := make([]bool, len(e.p.Inputs))
	for j, id := range e.p.Inputs {
		used[j] = need[id]
	}
	return used
}

// eachOutput calls f with every output's place in the results.
func (e *emitter) eachOutput(f func(result string, i int, node ir.ID)) {
	at := 0
	for _, r := range e.results {
		for i := range r.Len {
			f(r.Name, i, e.p.Outputs[at].Node)
			at++
		}
	}
}

// body prints the statements: inputs, operations, outputs, those without constant ones if asked for.
func (e *emitter) body(in func(j int) string, out func(r string, i int) string, varying bool) error {
	used := e.usedInputs()
	for j, id := range e.p.Inputs {
		if used[j] {
			fmt.Fprintf(e.w, "v%d := %s\n", id, in(j))
		}
	}
	for i := range e.p.Nodes {
		n := &e.p.Nodes[i]
		if n.Op.Class == ir.Leaf {
			continue
		}
		expr, err := e.expression(n)
		if err != nil {
			return &ir.NodeError{Node: e.p.DisplayNames()[i], Op: n.Op.Name, Err: err}
		}
		fmt.Fprintf(e.w, "v%d := %s\n", i, expr)
	}
	e.eachOutput(func(r string, i int, node ir.ID) {
		if _, constant := e.p.ConstScalar(node); !constant || !varying {
			fmt.Fprintf(e.w, "%s = %s\n", out(r, i), e.operand(node))
		}
	})
	return nil
}

func (e *emitter) expression(n *ir.Node) (string, error) {
	form, ok := forms[n.Op]
	if !ok {
		return "", errors.New("has no Go form")
	}
	args := make([]any, len(n.Args), len(n.Args)+1)
	for k, a := range n.Args {
		args[k] = e.operand(a)
	}
	if n.Op == ir.OpHeaviside {
		args = append(args, literal(n.Op.Scalar(n.Attrs, 0)))
	}
	if name, isHelper := helperOf[n.Op]; isHelper {
		e.helpers[name] = true
		form = e.prefix + form
	}
	e.math = e.math || strings.HasPrefix(form, "math.")
	return fmt.Sprintf(form, args...), nil
}

func (e *emitter) operand(id ir.ID) string {
	if c, ok := e.p.ConstScalar(id); ok {
		lit := literal(c)
		e.math = e.math || strings.HasPrefix(lit, "math.")
		return lit
	}
	return "v" + strconv.Itoa(int(id))
}

// literal prints a float64 that Go reads back to the same bits.
func literal(x float64) string {
	switch {
	case math.IsNaN(x):
		return "math.NaN()"
	case math.IsInf(x, 1):
		return "math.Inf(1)"
	case math.IsInf(x, -1):
		return "math.Inf(-1)"
	case x == 0 && math.Signbit(x):
		return "math.Copysign(0, -1)"
	case x < 0:
		return "(" + strconv.FormatFloat(x, 'g', -1, 64) + ")"
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

func sentence(doc string) string {
	if doc == "" {
		doc = "evaluates the program"
	}
	printable := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' ' // nothing that could end the comment
	}, doc)
	return strings.TrimSuffix(strings.Join(strings.Fields(printable), " "), ".") + "."
}
