package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// cMethod is a way to compute a problem's Jacobians in C.
type cMethod struct {
	name        string
	source      string   // the unit that defines UNIT_NAME_one and UNIT_NAME_batch
	flags       []string // more flags
	entries     []int    // places of the entries that are written; nil: all in order
	sampleMajor bool
	peer        string // what is left out if the unit does not compile; empty: our own, which must
}

// cUnit is a method for a type: a row of the driver's table.
type cUnit struct {
	cMethod
	problem *Problem
	single  bool
	prefix  string
	file    string
	failed  error
}

// makeC generates and compiles the C worker.
func (b *Build) makeC(ctx context.Context) error {
	if b.env.CC == "" {
		return nil
	}
	generators := []func(Problem, Type) []cMethod{}
	for name, g := range map[string]func(context.Context) (func(Problem, Type) []cMethod, error){"casadi": b.casadi, "cppad": b.cppad} {
		methods, err := g(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.LeftOut[name] = err.Error()
			continue
		}
		generators = append(generators, methods)
	}
	var units []*cUnit
	for i := range b.problems {
		p := &b.problems[i]
		own, err := cDerivative("UNIT_NAME", p.Derivative, len(p.Value.Outputs))
		if err != nil {
			return fmt.Errorf("problem %s: %w", p.Name, err)
		}
		for _, t := range []Type{Float64, Float32} {
			methods := []cMethod{{name: "c", source: cPrelude + own}, {name: "c-fast", source: cPrelude + own, flags: b.flags.Fast}}
			for _, g := range generators {
				methods = append(methods, g(*p, t)...)
			}
			for _, m := range methods {
				prefix := strings.ReplaceAll(m.name, "-", "_") + "_" + p.Name + "_" + string(t)
				units = append(units, &cUnit{cMethod: m, problem: p, single: t == Float32, prefix: prefix, file: filepath.Join(b.dir, prefix+".c")})
			}
		}
	}
	if err := b.compile(ctx, units); err != nil {
		return err
	}
	table := filepath.Join(b.dir, "table.c")
	var compiled []*cUnit
	for _, u := range units {
		switch {
		case u.failed == nil:
			compiled = append(compiled, u)
		case u.peer == "":
			return u.failed
		default:
			b.LeftOut[u.peer+", "+u.problem.Name] = u.failed.Error()
		}
	}
	if err := os.WriteFile(table, []byte(b.cTable(compiled)), 0o644); err != nil {
		return err
	}
	b.c = filepath.Join(b.dir, "c-worker")
	link := append([]string{b.env.CC, "-std=gnu11", "-o", b.c, "-pthread", "-I", filepath.Dir(b.env.source("driver.h")), table, b.env.source("driver.c")}, b.flags.C...)
	for _, u := range compiled {
		link = append(link, u.file+".o")
	}
	_, err := run(ctx, "", append(link, "-lm")...)
	return err
}

// compile compiles the units, one for each processor at a time.
func (b *Build) compile(ctx context.Context, units []*cUnit) error {
	jobs := make(chan *cUnit)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for u := range jobs {
				words := append([]string{b.env.CC, "-std=gnu11", "-w", "-c", u.file, "-o", u.file + ".o"}, b.flags.C...)
				if u.single {
					words = append(words, "-DSINGLE", "-fsingle-precision-constant")
				}
				if u.failed = os.WriteFile(u.file, []byte(strings.ReplaceAll(u.source, "UNIT_NAME", u.prefix)), 0o644); u.failed == nil {
					_, u.failed = run(ctx, "", append(words, u.flags...)...)
				}
			}
		})
	}
	for _, u := range units {
		jobs <- u
	}
	close(jobs)
	wg.Wait()
	return ctx.Err()
}

// cTable prints the driver's table of methods, and the points.
func (b *Build) cTable(units []*cUnit) string {
	var head, rows strings.Builder
	for _, p := range b.problems {
		fmt.Fprintf(&head, "static const double points_%s[] = {", p.Name)
		for _, x := range p.Points {
			for _, v := range x {
				head.WriteString(strconv.FormatFloat(v, 'x', -1, 64) + ",")
			}
		}
		head.WriteString("};\n")
	}
	number := map[bool]int{true: 1}
	for _, u := range units {
		fmt.Fprintf(&head, "void %s_one(const void *, void *, void *);\nvoid %s_batch(long, const void *, void *, void *);\n", u.prefix, u.prefix)
		at, entries := "0", len(u.problem.Value.Outputs)*len(u.problem.Value.Inputs)
		if u.entries != nil {
			at, entries = "at_"+u.prefix, len(u.entries)
			fmt.Fprintf(&head, "static const int %s[] = {", at)
			for _, e := range u.entries {
				fmt.Fprintf(&head, "%d,", e)
			}
			head.WriteString("0};\n")
		}
		fmt.Fprintf(&rows, "{%q, %q, %d, %d, %d, %d, %s, %d, %s_one, %s_batch, points_%s},\n", u.name, u.problem.Name, number[u.single],
			len(u.problem.Value.Inputs), len(u.problem.Value.Outputs), entries, at, number[u.sampleMajor], u.prefix, u.prefix, u.problem.Name)
	}
	return fmt.Sprintf("#include \"driver.h\"\n%sconst method methods[] = {\n%s};\nconst int method_count = sizeof methods / sizeof methods[0];\n", &head, &rows)
}
