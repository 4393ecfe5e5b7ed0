package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// tinyRules is a search of seconds by every method that has state of its own.
func tinyRules() *Rules {
	c := DefaultRules()
	c.Size = rules.Size{Model: "lif", Neurons: 4, Iterations: 3}
	c.Methods, c.Searches, c.Evaluations, c.Simulations = []string{"random", "anneal", "mcts", "alphazero"}, 1, 6, 4
	c.Space = append(c.Space, rules.Choice{Edge: "feedback", Options: []string{"keep", "random"}})
	return c
}

// TestRulesResume: a search that is interrupted keeps what it has, and goes on to the same end as one that was not.
func TestRulesResume(t *testing.T) {
	run := func(c *Rules, stop int) (string, error) {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		config, err := runs.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, runs.ConfigName), config, 0o600); err != nil {
			t.Fatal(err)
		}
		steps := 0
		err = c.Run(ctx, Env{Dir: dir, Progress: func(string, int, int) {
			if steps++; steps == stop {
				cancel()
			}
		}})
		return dir, err
	}
	whole, err := run(tinyRules(), -1)
	if err != nil {
		t.Fatal(err)
	}
	for _, stop := range []int{1, 4, 20} { // before any evaluation, in the first search, in the last one
		part, err := run(tinyRules(), stop)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d steps: %v", stop, err)
		}
		if stop > 1 {
			evaluations, err := runs.ReadMetrics(filepath.Join(part, EvaluationsName))
			if err != nil || len(evaluations) == 0 {
				t.Errorf("stopped after %d steps: %d evaluations, %v", stop, len(evaluations), err)
			}
			for _, name := range []string{FrontName, BestName, "README.md", "pareto.svg"} {
				if _, err := os.Stat(filepath.Join(part, name)); err != nil {
					t.Errorf("stopped after %d steps: %v", stop, err)
				}
			}
		}
		c := tinyRules()
		if err := c.Resume(part); err != nil {
			t.Fatal(err)
		}
		again, err := run(c, -1)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{BestName, FrontName, "searches.json", EvaluationsName} {
			want, got := untimed(t, filepath.Join(whole, name)), untimed(t, filepath.Join(again, name))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("stopped after %d steps and resumed: %s is\n%v, without interruption\n%v", stop, name, got, want)
			}
		}
	}
	for want, change := range map[string]func(c *Rules){
		"seed is 1, here 2":            func(c *Rules) { c.Seed = 2 },
		"rates is [0.02], here [0.03]": func(c *Rules) { c.Rates = []float64{0.03} },
		"size":                         func(c *Rules) { c.Size.Neurons = 5 },
	} {
		c := tinyRules()
		change(c)
		if err := c.Resume(whole); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("resumed: %v, expected %q", err, want)
		}
	}
	// A torn last line, as a crash leaves it, is measured again; a damaged one is named.
	path := filepath.Join(whole, EvaluationsName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, torn := range []struct {
		data string
		ok   bool
	}{{string(data[:len(data)-20]), true}, {"{]\n" + string(data), false}} {
		if err := os.WriteFile(path, []byte(torn.data), 0o600); err != nil {
			t.Fatal(err)
		}
		c := tinyRules()
		c.Methods = []string{"random"}
		if err := c.Resume(whole); err != nil {
			t.Fatal(err)
		}
		if _, err := run(c, -1); (err == nil) != torn.ok || err != nil && !strings.Contains(err.Error(), EvaluationsName+":1") {
			t.Errorf("evaluations that begin with %.20q: %v", torn.data, err)
		}
	}
}

// untimed reads JSON, or lines of it, without what the clock says.
func untimed(t *testing.T, path string) (list []any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	for d.More() {
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range []string{"seconds", "judging", "network"} {
				delete(v, k)
			}
			for _, x := range v {
				strip(x)
			}
		case []any:
			for _, x := range v {
				strip(x)
			}
		}
	}
	strip(list)
	return list
}
