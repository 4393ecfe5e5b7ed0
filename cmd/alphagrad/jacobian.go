package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/frontend/gosource"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// jacobianResult is what jacobian prints: every tensor as nested row-major lists, a scalar as a number; the entry of
// output y and input x has y's axes, then x's.
type jacobianResult struct {
	Inputs   named            `json:"inputs"`
	Outputs  named            `json:"outputs"`
	Jacobian map[string]named `json:"jacobian"`
}

type named map[string]any

func newJacobian() *cobra.Command {
	var src source
	var order orderFlag
	var at string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "jacobian",
		Short: "Evaluate a function and its Jacobian at a point",
		Long: `Evaluate a function and its Jacobian. The point is a JSON object of input names and values ({"nu": 1.5, …}) or the list
of values in declaration order, for a Go function one for each parameter: arrays as lists, structs as objects; without --at, a task is evaluated at a random point of its domain.`,
		Example: `  alphagrad jacobian --task Lighthouse --at x.json
  echo '[1.5, 2.5, 0.7, 0.8]' | alphagrad jacobian --task Lighthouse --at - --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sub, err := src.load()
			if err != nil {
				return err
			}
			_, ord, err := order.resolve(sub)
			if err != nil {
				return err
			}
			var x []ir.Tensor
			switch {
			case at != "":
				x, err = readPoint(sub, at, cmd.InOrStdin())
			case sub.task != nil:
				x, err = sub.task.Sample(rand.New(rand.NewPCG(seed, 0)))
			default:
				err = errors.New("--at is needed: a JSON file with the inputs")
			}
			if err != nil {
				return err
			}
			res, err := evaluate(sub, ord, x)
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				if sub.fn != nil {
					res = res.nested(sub.fn)
				}
				return printJSON(cmd, res)
			}
			return res.print(cmd.OutOrStdout(), sub.program)
		},
	}
	src.flags(cmd)
	order.flags(cmd, "reverse")
	cmd.Flags().StringVar(&at, "at", "", "JSON file with the point, - for standard input")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the random point of a task")
	return cmd
}

// evaluate runs the derivative program at a point; results that are not finite are an error that names them.
func evaluate(sub *subject, order []int, x []ir.Tensor) (*jacobianResult, error) {
	d, err := ad.ValueAndJacobian(sub.program, order)
	if err != nil {
		return nil, err
	}
	out, err := interp.Eval(d, x)
	if err != nil {
		return nil, err
	}
	if bad := interp.NonFinite(d, out); len(bad) > 0 {
		const most = 20
		more := ""
		if len(bad) > most {
			more = fmt.Sprintf(" and %d more", len(bad)-most)
			bad = bad[:most]
		}
		return nil, failure{fmt.Errorf("%s: not finite at this point: %s%s", sub.name, strings.Join(bad, ", "), more)}
	}
	p := sub.program
	res := &jacobianResult{Inputs: named{}, Outputs: named{}, Jacobian: map[string]named{}}
	for i, id := range p.Inputs {
		res.Inputs[p.Nodes[id].Name] = nest(x[i])
	}
	for i, y := range p.Outputs {
		res.Outputs[y.Name] = nest(out[i])
		res.Jacobian[y.Name] = named{}
		for j, id := range p.Inputs {
			res.Jacobian[y.Name][p.Nodes[id].Name] = nest(out[len(p.Outputs)+i*len(p.Inputs)+j])
		}
	}
	return res, nil
}

// nest arranges a tensor as nested row-major lists.
func nest(t ir.Tensor) any {
	if len(t.Shape) == 0 {
		return t.Data[0]
	}
	step := len(t.Data) / t.Shape[0]
	list := make([]any, t.Shape[0])
	for i := range list {
		list[i] = nest(ir.Tensor{Shape: t.Shape[1:], Data: t.Data[i*step : (i+1)*step]})
	}
	return list
}

// flatten undoes nest, checking the shape.
func flatten(shape ir.Shape, v any) ([]float64, error) {
	if len(shape) == 0 {
		x, ok := v.(float64)
		if !ok {
			return nil, fmt.Errorf("expected a number, found %v", v)
		}
		return []float64{x}, nil
	}
	list, ok := v.([]any)
	if !ok || len(list) != shape[0] {
		return nil, fmt.Errorf("expected nested lists of shape %v", shape)
	}
	var data []float64
	for _, item := range list {
		d, err := flatten(shape[1:], item)
		if err != nil {
			return nil, err
		}
		data = append(data, d...)
	}
	return data, nil
}

// nested arranges the numbers of an ordinary function as its own variables: arrays as lists, structs as objects.
func (r *jacobianResult) nested(f *gosource.Function) *jacobianResult {
	out := &jacobianResult{Inputs: named{}, Outputs: named{}, Jacobian: map[string]named{}}
	for _, x := range f.Params {
		names := x.Layout.Paths(x.Name)
		out.Inputs[x.Name] = x.Layout.Nest(func(j int) any { return r.Inputs[names[j]] })
	}
	for _, y := range f.Results {
		rows := y.Layout.Paths(y.Name)
		out.Outputs[y.Name] = y.Layout.Nest(func(i int) any { return r.Outputs[rows[i]] })
		out.Jacobian[y.Name] = named{}
		for _, x := range f.Params {
			columns := x.Layout.Paths(x.Name)
			out.Jacobian[y.Name][x.Name] = y.Layout.Nest(func(i int) any {
				return x.Layout.Nest(func(j int) any { return r.Jacobian[rows[i]][columns[j]] })
			})
		}
	}
	return out
}

// spread takes nested values apart into those of the inputs x[0], x[1].f, …
func spread(name string, v any, known []string, into map[string]any) {
	if !slices.Contains(known, name) {
		switch v := v.(type) {
		case []any:
			for i, e := range v {
				spread(fmt.Sprintf("%s[%d]", name, i), e, known, into)
			}
			return
		case map[string]any:
			for f, e := range v {
				spread(name+"."+f, e, known, into)
			}
			return
		}
	}
	into[name] = v
}

// readPoint reads the inputs by name or in declaration order.
func readPoint(sub *subject, path string, stdin io.Reader) ([]ir.Tensor, error) {
	p := sub.program
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("--at: %w", err)
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&v); err != nil || dec.More() {
		return nil, fmt.Errorf("--at %s: not one JSON value (%v)", path, err)
	}
	byName := map[string]any{}
	switch v := v.(type) {
	case map[string]any:
		byName = v
		if sub.fn != nil {
			byName = map[string]any{}
			for name, e := range v {
				spread(name, e, p.InputNames(), byName)
			}
		}
	case []any:
		if sub.fn != nil && len(v) == len(sub.fn.Params) {
			for i, x := range sub.fn.Params {
				spread(x.Name, v[i], p.InputNames(), byName)
			}
			break
		}
		if len(v) != len(p.Inputs) {
			return nil, fmt.Errorf("--at %s: %d values for %d inputs %v", path, len(v), len(p.Inputs), p.InputNames())
		}
		for i, name := range p.InputNames() {
			byName[name] = v[i]
		}
	default:
		return nil, fmt.Errorf("--at %s: expected an object or a list of the inputs %v", path, p.InputNames())
	}
	x := make([]ir.Tensor, len(p.Inputs))
	for i, id := range p.Inputs {
		n := &p.Nodes[id]
		v, ok := byName[n.Name]
		if !ok {
			return nil, fmt.Errorf("--at %s: input %q is missing; the inputs are %v", path, n.Name, p.InputNames())
		}
		delete(byName, n.Name)
		d, err := flatten(n.Shape, v)
		if err != nil {
			return nil, fmt.Errorf("--at %s: input %q: %w", path, n.Name, err)
		}
		x[i] = ir.Tensor{Shape: n.Shape, Data: d}
	}
	if len(byName) > 0 {
		name := slices.Sorted(maps.Keys(byName))[0]
		return nil, fmt.Errorf("--at %s: there is no input %q%s", path, name, ir.Suggest(name, p.InputNames()))
	}
	return x, nil
}

// print writes the outputs, and the Jacobian as a table where everything is scalar.
func (r *jacobianResult) print(out io.Writer, p *ir.Program) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tvalue\t")
	for _, x := range p.InputNames() {
		fmt.Fprintf(w, "∂/∂%s\t", x)
	}
	fmt.Fprintln(w)
	for _, y := range p.OutputNames() {
		fmt.Fprintf(w, "%s\t%v\t", y, short(r.Outputs[y]))
		for _, x := range p.InputNames() {
			fmt.Fprintf(w, "%v\t", short(r.Jacobian[y][x]))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func short(v any) string {
	if x, ok := v.(float64); ok {
		return fmt.Sprintf("%.6g", x)
	}
	return fmt.Sprint(v)
}
