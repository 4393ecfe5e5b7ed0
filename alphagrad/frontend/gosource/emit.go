package gosource

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Emission says what to generate and where.
type Emission struct {
	Path      string   // of the file to be written, which decides its package
	Package   string   // its name; "" for that of the directory, or of the source where there is none yet
	Order     []int    // of elimination; nil means reverse
	OrderName string   // for the comment; "" means reverse
	Emit      []string // of [Kinds]; nil means the Jacobian
}

// A kind of derivative: one row an entry of Emission.Emit.
type kind struct {
	name, suffix string
	batch        bool
	build        func(g *generator) (gosrc.Function, error)
}

var kinds = []kind{
	{"jacobian", "Jacobian", true, (*generator).jacobian},
	{"jvp", "JVP", false, (*generator).jvp},
	{"vjp", "VJP", false, (*generator).vjp},
	{"hessian", "Hessian", false, (*generator).hessian},
}

// Kinds lists what [Emission.Emit] may hold.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// suffixes are what the names of generated functions end with.
func suffixes() []string {
	var s []string
	for _, k := range kinds {
		if s = append(s, k.suffix); k.batch {
			s = append(s, k.suffix+"Batch")
		}
	}
	return s
}

// Generate returns a gofmt'd Go file with the derivatives of the function in its own types. For func F(x X) Y it has
//
//	func FJacobian(x X) (y Y, jac [M][N]float64)                    // jac[i][j] = ∂y_i/∂x_j
//	func FJacobianBatch(n int, x, y, jac []float64)                 // x[j*n+k] is input j of sample k, results likewise
//	func FJVP(x, dx X) (y, dy Y)                                    // dy = J·dx
//	func FVJP(x X, dy Y) (y Y, dx X)                                // dx = Jᵀ·dy
//	func FHessian(x X) (y Y, jac [M][N]float64, hess [M][N][N]float64)
//
// with N numbers in the parameters and M in the results, in order of declaration. Where the only result is one number, jac is
// [N]float64 and hess [N][N]float64. Names that the package has already and code that does not type-check are errors.
func (f *Function) Generate(em Emission) ([]byte, error) {
	files, err := f.generate(em, false)
	if err != nil {
		return nil, err
	}
	return files[0].Content, nil
}

// GenerateVector is [Function.Generate] with vector kernels for batches, in files beside the first ([gosrc.Files]), all
// named with the directory of em.Path.
func (f *Function) GenerateVector(em Emission) ([]gosrc.NamedFile, error) {
	return f.generate(em, true)
}

func (f *Function) generate(em Emission, vector bool) ([]gosrc.NamedFile, error) {
	to, err := f.destination(em)
	if err != nil {
		return nil, err
	}
	imports := to.imports(f)
	if em.OrderName == "" {
		em.OrderName = "reverse"
	}
	g := &generator{f: f, em: em, to: to}
	var fns []gosrc.Function
	if len(em.Emit) == 0 {
		em.Emit = Kinds()[:1]
	}
	for i, name := range em.Emit {
		k := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
		if k < 0 {
			return nil, fmt.Errorf("unknown derivative %q%s; known: %s", name, ir.Suggest(name, Kinds()), strings.Join(Kinds(), ", "))
		}
		if slices.Contains(em.Emit[:i], name) {
			return nil, fmt.Errorf("derivative %s is asked for twice", name)
		}
		fn, err := kinds[k].build(g)
		if err != nil {
			return nil, err
		}
		fn.Name = f.base() + kinds[k].suffix
		fn.Form.NoBatch = !kinds[k].batch
		fn.Form.Imports = imports
		for _, v := range f.Params {
			if v.Layout.slice {
				n := len(v.Layout.Elems)
				fn.Form.Setup = append(fn.Form.Setup, fmt.Sprintf("if len(%s) != %d {\npanic(\"%s: %s must have %d elements\")\n}", g.name(v.Name), n, fn.Name, v.Name, n))
			}
		}
		fn.Form.Setup = append(g.setup, fn.Form.Setup...)
		g.setup = nil
		fns = append(fns, fn)
	}
	files := []gosrc.NamedFile{{Name: em.Path}}
	if vector {
		files, err = gosrc.Files(to.name, strings.TrimSuffix(em.Path, ".go"), fns...)
	} else {
		files[0].Content, err = gosrc.File(to.name, fns...)
	}
	if err != nil {
		return nil, err
	}
	return files, to.check(f, files)
}

// places are the Go expressions of the numbers of a variable that has the given name.
func (v Variable) places(name string) []string {
	if v.Layout.number && v.Layout.pointer {
		return []string{"*" + name}
	}
	return v.Layout.Paths(name)
}

func (f *Function) base() string { return strings.ReplaceAll(f.Name, ".", "") }

// A generator makes the signatures of the functions around their programs.
type generator struct {
	f     *Function
	em    Emission
	to    *destination
	names map[string]string // of variables, where the function's own would clash
	setup []string          // statements that make slices
}

// name is the name that a variable of the source has in generated code.
func (g *generator) name(own string) string {
	if n, ok := g.names[own]; ok {
		return n
	}
	return own
}

// begin chooses names: variables of the source keep theirs unless generated code needs them. extra are further variables, by
// the names wanted; their names are returned.
func (g *generator) begin(extra ...string) []string {
	g.names = map[string]string{}
	used := map[string]bool{}
	pick := func(want string) string {
		for token.IsKeyword(want) || gosrc.Reserved(want) || used[want] || g.to.hides(want) {
			want += "_"
		}
		used[want] = true
		return want
	}
	for _, v := range g.f.Params {
		g.names[v.Name] = pick(v.Name)
	}
	for _, v := range g.f.Results {
		g.names["result "+v.Name] = pick(v.Name)
	}
	var chosen []string
	for _, want := range extra {
		chosen = append(chosen, pick(want))
	}
	return chosen
}

// declare writes variables as parameters or results of a declaration.
func (g *generator) declare(vs []Variable, names []string) string {
	var b strings.Builder
	for i, v := range vs {
		b.WriteString(names[i])
		if i+1 == len(vs) || !types.Identical(v.Type, vs[i+1].Type) {
			b.WriteString(" " + types.TypeString(v.Type, g.to.qualify))
		}
		if i+1 < len(vs) {
			b.WriteString(", ")
		}
	}
	return b.String()
}

func (g *generator) params() (decl string, names, paths []string) {
	for _, v := range g.f.Params {
		names = append(names, g.name(v.Name))
		paths = append(paths, v.places(g.name(v.Name))...)
	}
	return g.declare(g.f.Params, names), names, paths
}

func (g *generator) results() (decl string, paths []string) {
	var names []string
	for _, v := range g.f.Results {
		name := g.names["result "+v.Name]
		names = append(names, name)
		paths = append(paths, v.places(name)...)
		g.make(v, name)
	}
	return g.declare(g.f.Results, names), paths
}

// make remembers to make a result that is a slice, or points somewhere.
func (g *generator) make(v Variable, name string) {
	switch t := types.TypeString(v.Type, g.to.qualify); {
	case v.Layout.slice:
		g.setup = append(g.setup, fmt.Sprintf("%s = make(%s, %d)", name, t, len(v.Layout.Elems)))
	case v.Layout.pointer:
		g.setup = append(g.setup, fmt.Sprintf("%s = new(%s)", name, strings.TrimPrefix(t, "*")))
	}
}

// matrix declares the Jacobian, or with second the Hessian, and gives the places of its entries.
func (g *generator) matrix(name string, second bool) (decl string, paths []string) {
	n, m := len(g.f.Program.Inputs), len(g.f.Program.Outputs)
	single := m == 1 && len(g.f.Results) == 1 && g.f.Results[0].Layout.number
	decl = name + " "
	if !single {
		decl += fmt.Sprintf("[%d]", m)
	}
	decl += fmt.Sprintf("[%d]", n)
	if second {
		decl += fmt.Sprintf("[%d]", n)
	}
	for i := range m {
		row := fmt.Sprintf("%s[%d]", name, i)
		if single {
			row = name
		}
		for j := range n {
			at := fmt.Sprintf("%s[%d]", row, j)
			if !second {
				paths = append(paths, at)
				continue
			}
			for k := range n {
				paths = append(paths, fmt.Sprintf("%s[%d]", at, k))
			}
		}
	}
	return decl + "float64", paths
}

// legend explains the rows and columns of a matrix.
func (g *generator) legend(matrix string) []string {
	list := func(names []string) string {
		const most = 12
		if len(names) > most {
			names = append(slices.Clone(names[:most]), fmt.Sprintf("… (%d in all)", len(names)))
		}
		return strings.Join(names, ", ")
	}
	return []string{
		"Elimination order: " + g.em.OrderName + ".",
		"  - columns of " + matrix + ": " + list(g.f.Program.InputNames()),
		"  - rows of " + matrix + ": " + list(g.f.Program.OutputNames()),
	}
}

func (g *generator) jacobian() (gosrc.Function, error) {
	extra := g.begin("jac")
	d, err := ad.ValueAndJacobian(g.f.Program, g.em.Order)
	if err != nil {
		return gosrc.Function{}, err
	}
	params, _, in := g.params()
	results, out := g.results()
	matrix, entries := g.matrix(extra[0], false)
	m := len(g.f.Program.Outputs)
	return gosrc.Function{
		Doc:     fmt.Sprintf("returns what %s returns and its Jacobian, derivatives of results by rows and parameters by columns", g.f.Name),
		Program: d,
		Results: []gosrc.Result{{Name: "y", Len: m}, {Name: "jac", Len: len(d.Outputs) - m}}, Derivatives: len(d.Outputs) - m,
		Form: &gosrc.Form{Params: params, Results: results + ", " + matrix, In: in, Out: append(out, entries...), Doc: g.legend(extra[0])},
	}, nil
}

func (g *generator) hessian() (gosrc.Function, error) {
	extra := g.begin("jac", "hess")
	d, err := ad.Hessian(g.f.Program, g.em.Order)
	if err != nil {
		return gosrc.Function{}, err
	}
	params, _, in := g.params()
	results, out := g.results()
	jac, first := g.matrix(extra[0], false)
	hess, second := g.matrix(extra[1], true)
	return gosrc.Function{
		Doc:     fmt.Sprintf("returns what %s returns, its Jacobian and the second derivatives of every result", g.f.Name),
		Program: d, Derivatives: len(d.Outputs) - len(g.f.Program.Outputs),
		Form: &gosrc.Form{Params: params, Results: results + ", " + jac + ", " + hess, In: in, Out: slices.Concat(out, first, second), Doc: g.legend(extra[0])},
	}, nil
}

// along are the variables that hold derivatives: "dx" for x, in the type of x.
func along(vs []Variable) (wanted []string) {
	for _, v := range vs {
		wanted = append(wanted, "d"+v.Name)
	}
	return wanted
}

func (g *generator) jvp() (gosrc.Function, error) {
	return g.product(ad.JVP, g.f.Params, g.f.Results, func(directions string) string {
		return fmt.Sprintf("returns what %s returns and its derivative along a direction: the Jacobian times %s", g.f.Name, directions)
	})
}

func (g *generator) vjp() (gosrc.Function, error) {
	return g.product(ad.VJP, g.f.Results, g.f.Params, func(weights string) string {
		return fmt.Sprintf("returns what %s returns and the derivatives of its results weighted by %s: the transposed Jacobian times them", g.f.Name, weights)
	})
}

// product writes a function that also takes a derivative of each variable of from and returns one of each of to.
func (g *generator) product(derive func(*ir.Program) (*ir.Program, error), from, to []Variable, doc func(given string) string) (gosrc.Function, error) {
	extra := g.begin(append(along(from), along(to)...)...)
	given, wanted := extra[:len(from)], extra[len(from):]
	d, err := derive(g.f.Program)
	if err != nil {
		return gosrc.Function{}, err
	}
	params, _, in := g.params()
	results, out := g.results()
	for i, v := range from {
		in = append(in, v.places(given[i])...)
		if v.Layout.slice {
			g.setup = append(g.setup, fmt.Sprintf("_ = %s[%d]", given[i], len(v.Layout.Elems)-1))
		}
	}
	for i, v := range to {
		out = append(out, v.places(wanted[i])...)
		g.make(v, wanted[i])
	}
	return gosrc.Function{
		Doc:     doc(strings.Join(given, ", ")),
		Program: d, Derivatives: len(d.Outputs) - len(g.f.Program.Outputs),
		Form: &gosrc.Form{Params: params + ", " + g.declare(from, given), Results: results + ", " + g.declare(to, wanted), In: in, Out: out},
	}, nil
}
