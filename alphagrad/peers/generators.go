package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// float32Maths makes the names of math.h work on floats in code that was generated without a thought for them.
const float32Maths = "#ifdef SINGLE\n#include <tgmath.h>\n#endif\n#include <math.h>\n"

// sampleMajorLoop calls one sample after the other: inputs, and values followed by entries, lie side by side.
const sampleMajorLoop = `
void UNIT_NAME_batch(long n, const void *x, void *y, void *jac)
{
	for (long k = 0; k < n; k++) sample((const REAL *)x + k * INPUTS, (REAL *)y + k * RESULTS, (REAL *)y + k * RESULTS + VALUES);
}
void UNIT_NAME_one(const void *x, void *y, void *jac) { sample(x, y, jac); }
`

func (p *Problem) loop(entries int) string {
	return strings.NewReplacer("INPUTS", fmt.Sprint(len(p.Value.Inputs)), "RESULTS", fmt.Sprint(len(p.Value.Outputs)+entries), "VALUES", fmt.Sprint(len(p.Value.Outputs))).Replace(sampleMajorLoop)
}

func realOf(t Type) string {
	if t == Float32 {
		return "float"
	}
	return "double"
}

// casadi lets CasADi write its C and returns the methods made of it, for a problem and a type.
func (b *Build) casadi(ctx context.Context) (func(Problem, Type) []cMethod, error) {
	if b.env.Python == "" {
		return nil, errors.New("there is no environment with the Python peers")
	}
	if _, err := run(ctx, "", b.env.Python, b.env.source("casadi_peer.py"), b.work(), b.dir); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(b.dir, "casadi.json"))
	if err != nil {
		return nil, err
	}
	var made map[string]struct {
		At    []int `json:"at"`
		Work  int   `json:"work"`
		Dense int   `json:"dense_work"`
	}
	if err := json.Unmarshal(data, &made); err != nil {
		return nil, fmt.Errorf("casadi.json: %w", err)
	}
	return func(p Problem, t Type) []cMethod {
		c := made[p.Name]
		unit := func(form string, work, entries int) string {
			return fmt.Sprintf("%s#define REAL %s\n#define CASADI_SYMBOL_EXPORT static\n#define CASADI_CODEGEN_PREFIX\n#define CODEGEN_PREFIX UNIT_NAME_\n#include \"%s/casadi_%s_%s_%s.inc\"\n"+
				"static inline void sample(const REAL *restrict x, REAL *restrict y, REAL *restrict jac)\n"+
				"{\n\tREAL w[%d];\n\tconst REAL *arg[] = {x};\n\tREAL *res[] = {y, jac};\n\tcasadi_function(arg, res, 0, w, 0);\n}\n%s",
				float32Maths, realOf(t), b.dir, form, p.Name, t, work+1, p.loop(entries))
		}
		all := len(p.Value.Outputs) * len(p.Value.Inputs)
		return []cMethod{
			{name: "casadi", source: unit("sparse", c.Work, len(c.At)), entries: c.At, sampleMajor: true, peer: "CasADi"},
			{name: "casadi-dense", source: unit("dense", c.Dense, all), sampleMajor: true, peer: "CasADi"},
		}
	}, nil
}

// cppad lets CppADCodeGen write its C and returns the method made of it.
func (b *Build) cppad(ctx context.Context) (func(Problem, Type) []cMethod, error) {
	if b.env.Python == "" || b.env.CXX == "" {
		return nil, errors.New("it needs a C++ compiler and the environment with the Python peers")
	}
	prefixes, err := filepath.Glob(filepath.Join(b.env.venv(), "lib", "python3.*", "site-packages", "cmeel.prefix"))
	if err != nil || len(prefixes) != 1 {
		return nil, errors.New("its headers are not in the environment with the Python peers")
	}
	lib := filepath.Join(prefixes[0], "lib")
	generator := filepath.Join(b.env.venv(), "cppad-generator")
	if newer(generator, b.env.source("cppad.cpp")) {
		// Only once for an environment: the headers take a compiler ten seconds.
		if _, err := run(ctx, "", b.env.CXX, "-std=c++14", "-w", "-I", filepath.Join(prefixes[0], "include"), b.env.source("cppad.cpp"),
			"-o", generator, "-L", lib, "-lcppad_lib", "-Wl,-rpath,"+lib, "-ldl"); err != nil {
			return nil, err
		}
	}
	var text strings.Builder
	for _, p := range b.problems {
		if err := cppadText(&text, p); err != nil {
			return nil, err
		}
	}
	out, err := run(ctx, text.String(), generator, b.dir)
	if err != nil {
		return nil, err
	}
	at := map[string][]int{}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		at[words[0]] = []int{}
		for _, w := range words[1:] {
			i, err := strconv.Atoi(w)
			if err != nil {
				return nil, fmt.Errorf("CppADCodeGen's generator printed %q", line)
			}
			at[words[0]] = append(at[words[0]], i)
		}
	}
	return func(p Problem, t Type) []cMethod {
		source := fmt.Sprintf("%s#define REAL %s\n#define cppad_function UNIT_NAME_function\n#include \"%s/cppad_%s_%s.inc\"\n"+
			"static inline void sample(const REAL *restrict x, REAL *restrict y, REAL *restrict jac)\n"+
			"{\n\tconst REAL *in[] = {x};\n\tREAL *out[] = {y};\n\tcppad_function(in, out, (struct LangCAtomicFun){0});\n}\n%s",
			float32Maths, realOf(t), b.dir, p.Name, t, p.loop(len(at[p.Name])))
		return []cMethod{{name: "cppad", source: source, entries: at[p.Name], sampleMajor: true, peer: "CppADCodeGen"}}
	}, nil
}

// newer reports whether a file must be made again because the source is newer.
func newer(file, source string) bool {
	f, err := os.Stat(file)
	if err != nil {
		return true
	}
	s, err := os.Stat(source)
	return err != nil || s.ModTime().After(f.ModTime())
}

// cppadText prints a problem in the form that cppad.cpp reads.
func cppadText(w *strings.Builder, p Problem) error {
	q, err := ir.Optimize(p.Value)
	if err != nil {
		return err
	}
	number := map[ir.ID]int{}
	for j, id := range q.Inputs {
		number[id] = j
	}
	var nodes []*ir.Node
	for i := range q.Nodes {
		if q.Nodes[i].Op.Class != ir.Leaf {
			number[ir.ID(i)] = len(q.Inputs) + len(nodes)
			nodes = append(nodes, &q.Nodes[i])
		}
	}
	operand := func(id ir.ID) string {
		if c, constant := q.ConstScalar(id); constant {
			return " c" + strconv.FormatFloat(c, 'x', -1, 64)
		}
		return " " + strconv.Itoa(number[id])
	}
	fmt.Fprintf(w, "problem %s %d %d\n", p.Name, len(q.Inputs), len(nodes))
	for _, v := range p.Points[0] {
		w.WriteString(strconv.FormatFloat(v, 'x', -1, 64) + " ")
	}
	w.WriteByte('\n')
	for _, n := range nodes {
		w.WriteString(n.Op.Name)
		for _, a := range n.Args {
			w.WriteString(operand(a))
		}
		w.WriteByte('\n')
	}
	w.WriteString("outputs")
	for _, o := range q.Outputs {
		w.WriteString(operand(o.Node))
	}
	w.WriteByte('\n')
	return nil
}
