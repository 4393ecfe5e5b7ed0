package experiments

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
)

// tiny is a network that trains in a moment.
var tiny = rules.Size{Model: "lif", Neurons: 4, Iterations: 3}

// TestRulesCompareSmall: rules are tuned, measured on fresh seeds and compared with the first one, which an equal one ties.
func TestRulesCompareSmall(t *testing.T) {
	c := DefaultRulesCompare()
	c.Size, c.Rates, c.Widen = tiny, []float64{1e-3, 2e-3, 4e-3}, 1
	c.Rules = append(c.Rules, ComparedRule{Name: "again", Base: "e-prop symmetric"}, ComparedRule{Name: "exact", Base: "bptt"})
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	var trained map[string][]*rules.Trained
	readJSON(t, filepath.Join(dir, "trained.json"), &trained)
	first, again, exact := trained["pattern_generation/false/e-prop"], trained["pattern_generation/false/again"], trained["pattern_generation/false/exact"]
	if len(first) != c.Seeds || len(again) != c.Seeds || len(exact) != c.Seeds {
		t.Fatalf("%d, %d and %d trainings, expected %d each", len(first), len(again), len(exact), c.Seeds)
	}
	for i := range first {
		if first[i].Loss != again[i].Loss {
			t.Errorf("seed %d: the same rule has losses %v and %v", i, first[i].Loss, again[i].Loss)
		}
		for k, cos := range exact[i].Cos {
			if cos < 1-1e-9 || first[i].Cos[k] > 1-1e-9 {
				t.Errorf("seed %d, checkpoint %d: cosine of the exact gradient %v, of e-prop's %v", i, k, cos, first[i].Cos[k])
			}
		}
	}
	page := readText(t, filepath.Join(dir, "README.md"))
	for _, want := range []string{"+0.0000", "0 of 2", "1.00 → 1.00 → 1.00 → 1.00", "interior"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(readText(t, path)), v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// small is a search of a moment, with all that a run does.
func small() *Rules {
	c := DefaultRules()
	c.Size, c.Rates, c.Evaluations, c.Simulations = tiny, []float64{1e-3, 4e-3}, 5, 4
	c.Methods, c.Enumerate, c.Target = []string{"random", "mcts"}, true, "e-prop symmetric"
	c.Confirm = Confirm{Finalists: 2, Rates: []float64{1e-3, 2e-3, 4e-3}, Widen: 1, Tuning: 1, Seeds: 3, Iterations: 5, Transfer: []string{"delayed_match"}, Controls: []int{1}}
	return c
}

// TestRulesSmall: a search with everything leaves the files that it promises, and what they say agrees.
func TestRulesSmall(t *testing.T) {
	c := small()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"search.md", "rules.md", "weights.md", "confirmed.md", "alignment.md", "curves.svg", "pareto.svg", "pareto_memory.svg", "confirmed_cost.svg", "confirmed_memory.svg", "best.svg", "best.json", "front.json", "searches.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	best, err := rules.Read(filepath.Join(dir, "best.json"))
	if err != nil {
		t.Fatal(err)
	}
	var searches []*rules.Result
	readJSON(t, filepath.Join(dir, "searches.json"), &searches)
	top := searches[0].Best
	for _, r := range searches {
		if len(r.Curve) > c.Evaluations || r.Curve[len(r.Curve)-1] != r.Best.Score {
			t.Errorf("%s: curve %v, best %v", r.Method, r.Curve, r.Best.Score)
		}
		if r.Best.Score > top.Score {
			top = r.Best
		}
	}
	if best.Formula() != top.Formula {
		t.Errorf("best.json is %s, the best of the searches %s", best.Formula(), top.Formula)
	}
	var confirmed struct {
		Tasks []string
		Rules []struct {
			Name           string
			Found, Control bool
			Losses         [][]float64
		}
	}
	readJSON(t, filepath.Join(dir, "confirmed.json"), &confirmed)
	found, controls := 0, 0
	for _, r := range confirmed.Rules {
		if r.Found {
			found++
		}
		if r.Control {
			controls++
		}
		if len(r.Losses) != 2 || len(r.Losses[1]) != c.Confirm.Seeds {
			t.Errorf("%s: losses %v; expected two tasks of %d seeds", r.Name, r.Losses, c.Confirm.Seeds)
		}
	}
	if found == 0 || found > 2 || controls != 1 {
		t.Errorf("%d found rules and %d controls confirmed", found, controls)
	}
	if text := readText(t, filepath.Join(dir, "README.md")); !strings.Contains(text, fmt.Sprintf("Of %d found rules that were confirmed, ", found)) {
		t.Errorf("the page has no verdict:\n%s", text)
	}
	// The same again, from what has been measured: nothing is trained for the search, and everything comes out the same.
	again := small()
	again.Reuse, again.Confirm = filepath.Join(dir, EvaluationsName), Confirm{}
	other := t.TempDir()
	if err := again.Run(context.Background(), Env{Dir: other}); err != nil {
		t.Fatal(err)
	}
	if text := readText(t, filepath.Join(other, "README.md")); !strings.Contains(text, " 0 of the gradients in this run") {
		t.Errorf("a reused search trained again:\n%s", text)
	}
	if readText(t, filepath.Join(dir, "best.json")) != readText(t, filepath.Join(other, "best.json")) {
		t.Error("a reused search finds another rule")
	}
}

// TestRulesDiverge: a rule whose gradient explodes is scored as failed and logged with the reason, and the search goes on.
func TestRulesDiverge(t *testing.T) {
	c := small()
	c.Confirm, c.Methods, c.Enumerate, c.Target = Confirm{}, []string{"exhaustive"}, false, ""
	c.Space = []rules.Choice{{Edge: "recurrent", Options: []string{"scale(1e300)", "keep", "drop"}}, {Edge: "reset", Options: []string{"keep", "drop"}}}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	log := readText(t, filepath.Join(dir, "failed.jsonl"))
	for _, want := range []string{"rec.recurrent/∂rec.z := 1e+300·J", "pattern_generation: rate 0.001: iteration 0: the gradient by rec."} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	var front []*rules.Point
	readJSON(t, filepath.Join(dir, "front.json"), &front)
	failed, worked := 0, 0
	for line := range strings.Lines(readText(t, filepath.Join(dir, EvaluationsName))) {
		var r struct {
			Key     string
			Quality rules.Quality
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		switch q := r.Quality.Tasks[0]; {
		case !strings.Contains(r.Key, "1e+300"):
			if worked++; q.Failed != "" || len(q.Losses) == 0 {
				t.Errorf("%s: %+v", r.Key, q)
			}
		default:
			if failed++; q.Failed == "" || q.Skill != 0 || q.Align != 0 {
				t.Errorf("%s: %+v", r.Key, q)
			}
		}
	}
	if failed != 2 || worked < 4 {
		t.Errorf("%d rules failed and %d worked; expected 2 and at least 4", failed, worked)
	}
}

// TestRulesConfiguration: settings that cannot be run have one error that says why.
func TestRulesConfiguration(t *testing.T) {
	for want, change := range map[string]func(c *Rules){
		"unknown task \"nonesuch\"":                          func(c *Rules) { c.Tasks = []string{"nonesuch"} },
		"a list is empty":                                    func(c *Rules) { c.Rates = nil },
		"the search uses pattern_generation":                 func(c *Rules) { c.Confirm.Transfer = []string{"pattern_generation"} },
		"unknown \"nonesuch\"; known: exhaustive, random":    func(c *Rules) { c.Methods = []string{"nonesuch"} },
		"k = 4; expected 1 to 3":                             func(c *Rules) { c.Confirm.Controls = []int{4} },
		"confirm: rates: -1":                                 func(c *Rules) { c.Confirm.Rates = []float64{-1} },
		"finalists need at least 2 seeds":                    func(c *Rules) { c.Confirm.Seeds = 1 },
		"tuning and iterations are numbers from 0":           func(c *Rules) { c.Confirm.Widen = -1 },
		"target: unknown rule":                               func(c *Rules) { c.Target = "nonesuch" },
		"space: no edge to \"nonesuch\"; edges lead to":      func(c *Rules) { c.Space[0].Edge = "nonesuch" },
		"space: recurrent: option \"nonesuch\"; expected a ": func(c *Rules) { c.Space[0].Options = []string{"nonesuch"} },
	} {
		c := small()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; expected %q", err, want)
		}
	}
	for want, change := range map[string]func(c *RulesCompare){
		"widen is -1":                          func(c *RulesCompare) { c.Widen = -1 },
		"\"e-prop\" needs either base or file": func(c *RulesCompare) { c.Rules[0].Base = "" },
		"the rule edits no edge to \"leak\"":   func(c *RulesCompare) { c.Rules[1].Keep = []string{"leak"} },
		"two seeds and two rules":              func(c *RulesCompare) { c.Rules = c.Rules[:1] },
	} {
		c := DefaultRulesCompare()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; expected %q", err, want)
		}
	}
}
