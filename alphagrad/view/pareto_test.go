package view_test

import (
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

func point(name string, cost int64, skill float64, local bool) *rules.Point {
	return &rules.Point{Rule: &rules.Rule{Name: name}, Meaning: &rules.Meaning{Cost: cost, Memory: 1, Causal: local, Local: local}, Quality: &rules.Quality{Skill: skill}}
}

// TestPareto: every rule is drawn once by its sort, the front goes from cheap to dear and leaves dominated rules out, and what
// diverged stands at the border.
func TestPareto(t *testing.T) {
	found := []*rules.Point{point("", 50, 0.9, true), point("", 10, 0.2, true), point("", 60, 0.5, true), point("", 20, -9, false)}
	f := view.Pareto("rules", view.ByCost, found, []*rules.Point{point("bptt", 30, 1, false)})
	want := map[string][2][]float64{
		"causal, local, no hops":        {{10, 50, 60}, {0.2, 0.9, 0.5}},
		"others":                        {{20}, {-0.5}},
		"not dominated among the local": {{10, 50}, {0.2, 0.9}},
		"published":                     {{30}, {1}},
	}
	if len(f.Series) != len(want) {
		t.Errorf("%d series, expected %d", len(f.Series), len(want))
	}
	for _, s := range f.Series {
		if w := want[s.Name]; !slices.Equal(s.X, w[0]) || !slices.Equal(s.Y, w[1]) {
			t.Errorf("%s: %v by %v, expected %v", s.Name, s.X, s.Y, w)
		}
	}
	if _, err := report.SVG(f); err != nil {
		t.Error(err)
	}
	if _, err := report.SVG(view.Pareto("one", view.ByMemory, found[:1], nil)); err != nil {
		t.Errorf("a single rule: %v", err)
	}
	ladder := view.Ladder("published", view.ByCost, []*rules.Point{point("bptt", 1, 1, false), point("rtrl", 9, 1, false), point("e-prop random", 2, 0.5, true), point("readout only", 3, 0, true), point("new", 4, 0, true)})
	n, names := 0, []string{}
	for _, s := range ladder.Series {
		n, names = n+len(s.X), append(names, s.Name)
	}
	if n != 5 || !slices.Equal(names, []string{"exact", "e-prop random", "others"}) {
		t.Errorf("%d points in %q", n, names)
	}
}
