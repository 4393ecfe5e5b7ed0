package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/frontend/gosource"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

func newGenerate() *cobra.Command {
	var src source
	var order orderFlag
	var pkg, out string
	var emit []string
	var evaluations int64
	var vector, compact bool
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Generate Go code for a function and its Jacobian",
		Long: `Generate gofmt'd Go that computes a function and its Jacobian without allocating, for one sample and for a batch in
structure-of-arrays layout:

  func NameJacobian(x *[N]float64, y *[M]float64, jac *[M*N]float64)   // jac[i*N+j] = ∂y[i]/∂x[j]
  func NameJacobianBatch(n int, x, y, jac []float64)                   // x[j*n+k] is input j of sample k

Arrays are written out: their elements follow each other, row-major, in the order of the declarations.

An ordinary Go function keeps its own types. For func F(x X) Y in file.go, --go file.go:F writes what --emit lists, into the
package of the file:

  func FJacobian(x X) (y Y, jac [M][N]float64)                         // and FJacobianBatch as above
  func FJVP(x, dx X) (y, dy Y)                                         // the Jacobian times dx
  func FVJP(x X, dy Y) (y Y, dx X)                                     // the transposed Jacobian times dy
  func FHessian(x X) (y Y, jac [M][N]float64, hess [M][N][N]float64)

[M] is left out where the only result is one number.

With --vector, assembly for amd64 comes along (out_amd64.go, out_amd64.s, out_noasm.go): AVX-512 or AVX2, whichever the
machine has when the program runs, and Go code elsewhere or with the build tag purego. Inputs and results of a batch must
then not overlap. The files import golang.org/x/sys/cpu; "go mod tidy" adds it to your module.`,
		Example: `  alphagrad generate --task Lighthouse --package optics -o lighthouse_jacobian.go
  alphagrad generate --graph my.json --order @best.json -o my_jacobian.go
  alphagrad generate --task RoeFlux_1d --vector --package flux -o roe_jacobian.go
  alphagrad generate --go flux.go:Flux --emit jacobian,vjp -o flux_jacobian.go
  //go:generate go tool alphagrad generate --go $GOFILE:Flux -o flux_jacobian.go`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := mayOverwrite(out); err != nil {
				return err
			}
			sub, err := src.load()
			if err != nil {
				return err
			}
			name, ord, err := order.resolve(sub)
			if err == nil && evaluations != 0 {
				if cmd.Flags().Changed("order") {
					return errors.New("--order and --evaluations: give one of them")
				}
				name, ord, err = searched(cmd.Context(), sub, evaluations)
			}
			if err != nil {
				return err
			}
			if sub.fn == nil && len(emit) > 0 {
				return errors.New("--emit: only functions given by --go have other derivatives than the Jacobian")
			}
			if vector && !strings.HasSuffix(out, ".go") {
				return fmt.Errorf("--output %s: must end in .go, so that the files of assembly can be named after it", out)
			}
			if sub.fn != nil && compact {
				return errors.New("--compact: functions given by --go keep the shape of their results; it works with --task and --graph")
			}
			if sub.fn != nil {
				em := gosource.Emission{Path: out, Package: pkg, Order: ord, OrderName: name, Emit: emit}
				if vector {
					files, err := sub.fn.GenerateVector(em)
					if err != nil {
						return err
					}
					return write(files...)
				}
				code, err := sub.fn.Generate(em)
				if err != nil {
					return err
				}
				return write(gosrc.NamedFile{Name: out, Content: code})
			}
			if pkg == "" {
				pkg = "main"
			}
			d, err := ad.Flat(sub.program, ord)
			if err != nil {
				return err
			}
			values := 0
			for _, y := range sub.program.Outputs {
				values += sub.program.Nodes[y.Node].Shape.Size()
			}
			doc := fmt.Sprintf("writes the outputs to y and the Jacobian to jac, row-major: jac[i*%d+j] = ∂y[i]/∂x[j] (vertex elimination, %s order).", len(d.Inputs), name)
			if compact {
				var at []int
				if d, at, err = gosrc.Compact(d, values); err != nil {
					return err
				}
				places := strings.Trim(strings.ReplaceAll(fmt.Sprint(at), " ", ", "), "[]")
				doc = fmt.Sprintf("writes the outputs to y and the entries ∂y[i]/∂x[j] of the Jacobian that can differ from zero to jac, those with i*%d+j = %s (vertex elimination, %s order).", len(d.Inputs), places, name)
			}
			function := gosrc.Function{
				Name:    sub.name + " Jacobian",
				Doc:     doc,
				Program: d,
				Results: []gosrc.Result{{Name: "y", Len: values}, {Name: "jac", Len: len(d.Outputs) - values}}, Derivatives: len(d.Outputs) - values,
			}
			if !vector {
				code, err := gosrc.File(pkg, function)
				if err != nil {
					return err
				}
				return write(gosrc.NamedFile{Name: out, Content: code})
			}
			files, err := gosrc.Files(pkg, strings.TrimSuffix(out, ".go"), function)
			if err != nil {
				return err
			}
			return write(files...)
		},
	}
	src.flags(cmd)
	order.flags(cmd, "reverse")
	cmd.Flags().Int64Var(&evaluations, "evaluations", 0, "instead of --order: search with so many evaluations, the same answer every time")
	cmd.Flags().StringVar(&pkg, "package", "", "package of the generated file (default: main; with --go that of the directory)")
	cmd.Flags().StringSliceVar(&emit, "emit", nil, "with --go: "+strings.Join(gosource.Kinds(), ", ")+", separated by commas (default jacobian)")
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write")
	cmd.Flags().BoolVar(&compact, "compact", false, "leave out the entries of the Jacobian that are zero everywhere")
	cmd.Flags().BoolVar(&vector, "vector", false, "add vector kernels for amd64, chosen at run time")
	cobra.CheckErr(cmd.MarkFlagRequired("output"))
	return cmd
}

// searched finds a cheap order, the same at every call.
func searched(ctx context.Context, sub *subject, evaluations int64) (name string, order []int, err error) {
	if evaluations < 0 {
		return "", nil, fmt.Errorf("--evaluations %d: must not be negative", evaluations)
	}
	r, err := search.Run(ctx, "portfolio", search.Problem{Graph: sub.graph, Objective: search.Ops}, search.Settings{Evaluations: evaluations, Seed: 1})
	if err != nil {
		return "", nil, failure{err}
	}
	return "searched", r.Order, nil
}

// write writes generated files, none of them if one may not be overwritten. A file alone replaces one that had kernels:
// they are removed.
func write(files ...gosrc.NamedFile) error {
	for _, f := range files {
		if err := mayOverwrite(f.Name); err != nil {
			return err
		}
	}
	if len(files) == 1 {
		for _, name := range gosrc.Companions(files[0].Name) {
			if mayOverwrite(name) != nil {
				continue // not ours
			}
			if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
				return failure{err}
			}
		}
	}
	for _, f := range files {
		if err := runs.WriteFile(f.Name, f.Content); err != nil {
			return failure{err}
		}
	}
	return nil
}

// mayOverwrite refuses files that alphagrad has not generated.
func mayOverwrite(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	first, err := bufio.NewReader(f).ReadString('\n')
	if err != nil || !strings.HasPrefix(first, gosrc.Generated) {
		return fmt.Errorf("%s exists and was not generated by alphagrad; it is left alone", path)
	}
	return nil
}
