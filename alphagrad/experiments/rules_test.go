package experiments

import (
	"context"
	"encoding/json"
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
