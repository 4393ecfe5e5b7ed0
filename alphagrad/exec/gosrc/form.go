package gosrc

import (
	"fmt"
	"regexp"
	"strings"
)

// Form is a signature for the single-sample function in the caller's own types. The function's name is then printed as
// it is, and results of a program that are the constant 0 are left to Go's zero values.
type Form struct {
	Params  string   // parameters as in a declaration: "l, r State"
	Results string   // named results likewise: "f State, jac [3][6]float64"
	Setup   []string // statements to begin with
	In      []string // the expression of every input: "l.Rho"
	Out     []string // the place of every output: "jac[0][1]"
	Doc     []string // further lines of the comment
	Imports []string // packages that the types come from
	NoBatch bool     // print this function alone
}

// Reserved reports whether a parameter or result of a [Form] may not have this name, since generated code uses it.
func Reserved(name string) bool { return reserved.MatchString(name) }

var reserved = regexp.MustCompile(`^(v[0-9]+|_|math|len|make|new|panic|float64)$`)

// form prints the function of one sample whose signature is given.
func (e *emitter) form(f Function, name string) error {
	if len(f.Form.In) != len(e.p.Inputs) || len(f.Form.Out) != len(e.p.Outputs) {
		return fmt.Errorf("the form has %d inputs and %d outputs, the program %d and %d", len(f.Form.In), len(f.Form.Out), len(e.p.Inputs), len(e.p.Outputs))
	}
	fmt.Fprintf(e.w, "\n// %s %s\n", name, sentence(f.Doc))
	if len(f.Form.Doc) > 0 {
		e.w.WriteString("//\n")
	}
	for _, line := range f.Form.Doc {
		fmt.Fprintf(e.w, "// %s\n", line)
	}
	fmt.Fprintf(e.w, "func %s(%s) (%s) {\n", name, f.Form.Params, f.Form.Results)
	for _, statement := range f.Form.Setup {
		e.w.WriteString(statement + "\n")
	}
	if e.long {
		e.callPortable(f)
		return e.portable(name)
	}
	split := e.results
	e.results = []Result{{Len: len(f.Form.Out)}}
	err := e.body(func(j int) string { return f.Form.In[j] }, func(_ string, i int) string { return f.Form.Out[i] }, true)
	e.results = split
	if err != nil {
		return err
	}
	// body leaves out the constants.
	for i, o := range e.p.Outputs {
		if c, ok := e.p.ConstScalar(o.Node); ok && c != 0 {
			fmt.Fprintf(e.w, "%s = %s\n", f.Form.Out[i], e.operand(o.Node))
		}
	}
	e.w.WriteString("return\n}\n")
	return nil
}

// callPortable prints the rest of a form that leaves the work to a function on arrays.
func (e *emitter) callPortable(f Function) {
	fmt.Fprintf(e.w, "v0 := [...]float64{%s}\n", strings.Join(f.Form.In, ", "))
	call := e.sample + "(&v0"
	for k, r := range e.results {
		fmt.Fprintf(e.w, "var v%d [%d]float64\n", k+1, r.Len)
		call += fmt.Sprintf(", &v%d", k+1)
	}
	e.w.WriteString(call + ")\n")
	at := 0
	for k, r := range e.results {
		for i := range r.Len {
			fmt.Fprintf(e.w, "%s = v%d[%d]\n", f.Form.Out[at], k+1, i)
			at++
		}
	}
	e.w.WriteString("return\n}\n")
}
