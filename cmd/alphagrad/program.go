package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/frontend/gosource"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/optimize"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// source says which function a verb works on.
type source struct {
	task, graph, function string
	lengths               []string
	merge                 bool
}

func (s *source) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.task, "task", "", "a benchmark task (see alphagrad tasks)")
	cmd.Flags().StringVar(&s.graph, "graph", "", "a graph file in the JSON format")
	s.goFlags(cmd)
	cmd.Flags().BoolVar(&s.merge, "merge", false, "make equal subexpressions of a --task or --graph one vertex first; this numbers vertices anew")
	cmd.MarkFlagsMutuallyExclusive("task", "graph", "go")
	cmd.MarkFlagsOneRequired("task", "graph", "go")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("task", completeTasks))
}

// goFlags are those for ordinary Go functions.
func (s *source) goFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.function, "go", "", "an ordinary Go function, FILE.go:FUNC or FILE.go:TYPE.METHOD")
	cmd.Flags().StringArrayVar(&s.lengths, "len", nil, "length of a slice that a --go function takes, NAME=N; may be repeated")
}

func completeTasks(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	names := tasks.Names()
	for _, t := range tasks.Arrays() {
		names = append(names, t.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// subject is a function ready to be differentiated.
type subject struct {
	name    string
	program *ir.Program
	graph   *elim.Graph
	task    *tasks.Task        // nil for another source
	fn      *gosource.Function // nil for another source
}

// load reads the function.
func (s *source) load() (*subject, error) {
	sub := &subject{}
	var err error
	if len(s.lengths) > 0 && s.function == "" {
		return nil, errors.New("--len: only functions given by --go take slices")
	}
	switch {
	case s.task != "":
		if sub.task, err = tasks.Lookup(s.task); err != nil {
			return nil, err
		}
		sub.program, err = sub.task.Program()
	case s.function != "":
		if sub.fn, err = s.read(); err == nil {
			sub.program = sub.fn.Program
		}
	default:
		sub.program, err = ir.ReadGraphFile(s.graph)
	}
	if err != nil {
		return nil, err
	}
	if s.merge {
		if sub.fn != nil {
			return nil, errors.New("--merge: only for --task and --graph")
		}
		if sub.program, err = optimize.Merge(sub.program); err != nil {
			return nil, err
		}
	}
	if sub.name = sub.program.Name; sub.name == "" {
		sub.name = s.graph
	}
	if sub.graph, err = ad.Graph(sub.program); err != nil {
		if file := s.graph + s.function; file != "" {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return nil, err
	}
	return sub, nil
}

// read reads an ordinary Go function.
func (s *source) read() (*gosource.Function, error) {
	at := strings.LastIndexByte(s.function, ':')
	if at < 1 || at == len(s.function)-1 {
		return nil, fmt.Errorf("--go %s: expected FILE.go:FUNC", s.function)
	}
	lengths := map[string]int{}
	for _, l := range s.lengths {
		name, text, _ := strings.Cut(l, "=")
		n, err := strconv.Atoi(text)
		if err != nil || name == "" || n < 1 {
			return nil, fmt.Errorf("--len %s: expected NAME=N with N at least 1", l)
		}
		lengths[name] = n
	}
	return gosource.Read(s.function[:at], s.function[at+1:], gosource.Options{Lengths: lengths})
}

// orderFlag reads --order: a named order, a list of vertex numbers, or a file of either.
type orderFlag struct{ text string }

func (o *orderFlag) flags(cmd *cobra.Command, value string) {
	cmd.Flags().StringVar(&o.text, "order", value, "forward, reverse, markowitz, published, vertex numbers 1,2,3 or @FILE")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("order", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"forward", "reverse", "markowitz", "published"}, cobra.ShellCompDirectiveNoFileComp
	}))
}

// resolve returns the order with its name: that of the rule, "given" for a list or the file's name.
func (o *orderFlag) resolve(s *subject) (name string, order []int, err error) {
	switch o.text {
	case "forward":
		return o.text, elim.Forward(s.graph), nil
	case "reverse":
		return o.text, elim.Reverse(s.graph), nil
	case "markowitz":
		return o.text, elim.Markowitz(s.graph), nil
	case "published":
		if s.task == nil {
			return "", nil, errors.New("--order published: only tasks have a published order")
		}
		ref := tasks.Reference(s.task.Name)
		if ref == nil || s.graph.CheckOrder(ref.Order) != nil {
			return "", nil, fmt.Errorf("--order published: task %s has no published order for this graph", s.task.Name)
		}
		return o.text, ref.Order, nil
	}
	name, text := "given", o.text
	if len(text) > 0 && text[0] == '@' {
		name = text[1:]
		data, err := os.ReadFile(name)
		if err != nil {
			return "", nil, fmt.Errorf("--order: %w", err)
		}
		text = string(data)
	}
	if order, err = elim.ParseOrder(text); err != nil {
		return "", nil, fmt.Errorf("--order %s: %w; expected forward, reverse, markowitz, published, numbers or @FILE", abbreviate(o.text), err)
	}
	if err = s.graph.CheckOrder(order); err != nil {
		return "", nil, fmt.Errorf("--order %s: %w", abbreviate(o.text), err)
	}
	return name, order, nil
}

func abbreviate(s string) string {
	if len(s) > 40 {
		return s[:32] + "…"
	}
	return s
}

func wantsJSON(cmd *cobra.Command) bool {
	on, err := cmd.Flags().GetBool("json")
	return err == nil && on
}

func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
