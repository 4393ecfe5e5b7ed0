package view

import (
	"cmp"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
)

// A Price is what a rule costs, on an axis.
type Price struct {
	Label string
	Of    func(m *rules.Meaning) float64 // above 0
}

// The prices of rules.
var (
	ByCost   = Price{"multiplications a step", func(m *rules.Meaning) float64 { return float64(m.Cost) }}
	ByMemory = Price{"1 + numbers kept from step to step", func(m *rules.Meaning) float64 { return float64(1 + m.Memory) }}
)

// lowest is the skill below which rules are drawn at the border: what diverges would press the others together.
const lowest = -0.5

// Pareto draws learning rules by a price and skill: those that a synapse could follow apart from the others, those
// among them that none dominates joined by a line, and published ones beside.
func Pareto(title string, axis Price, found, published []*rules.Point) report.LinePlot {
	f := plane(title, axis)
	var local, other []*rules.Point
	for _, p := range found {
		if p.Meaning.Synaptic() {
			local = append(local, p)
		} else {
			other = append(other, p)
		}
	}
	for _, s := range []report.Series{
		axis.scatter("causal, local, no hops", local, report.Points), axis.scatter("others", other, report.Points),
		axis.scatter("not dominated among the local", rules.Pareto(local), report.LinesMarkers), axis.scatter("published", published, report.Points)} {
		if len(s.X) > 0 {
			f.Series = append(f.Series, s)
		}
	}
	return f
}

// families are the published rules that one colour stands for.
var families = []struct {
	name  string
	holds func(rule string) bool
}{
	{"exact", func(r string) bool { return r == "bptt" || r == "rtrl" }},
	{"truncated", func(r string) bool { return strings.HasPrefix(r, "tbptt") }},
	{"SnAp", func(r string) bool { return strings.HasPrefix(r, "snap") }},
	{"e-prop", func(r string) bool { return strings.HasPrefix(r, "e-prop") }},
	{"RFLO, OTTT", func(r string) bool { return r == "rflo" || r == "ottt" }},
	{"fixed feedback, local losses", func(r string) bool {
		return strings.Contains(r, "feedback") || r == "local losses"
	}},
	{"others", func(string) bool { return true }},
}

// Ladder draws published learning rules by a price and skill, a colour a family.
func Ladder(title string, axis Price, published []*rules.Point) report.LinePlot {
	f := plane(title, axis)
	left := published
	for _, family := range families {
		var mine, rest []*rules.Point
		for _, p := range left {
			if family.holds(p.Rule.Name) {
				mine = append(mine, p)
			} else {
				rest = append(rest, p)
			}
		}
		name := family.name
		if len(mine) == 1 {
			name = mine[0].Rule.Name
		}
		if left = rest; len(mine) > 0 {
			f.Series = append(f.Series, axis.scatter(name, mine, report.Points))
		}
	}
	return f
}

func plane(title string, axis Price) report.LinePlot {
	return report.LinePlot{Title: title, Subtitle: "skill: 0 readout only, 1 backpropagation through time", X: report.Axis{Label: axis.Label, Log: true}, Y: report.Axis{Label: "skill"}}
}

func (a Price) scatter(name string, points []*rules.Point, style report.Style) report.Series {
	s := report.Series{Name: name, Style: style}
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(p, q *rules.Point) int { return cmp.Compare(a.Of(p.Meaning), a.Of(q.Meaning)) })
	for _, p := range points {
		s.X, s.Y = append(s.X, a.Of(p.Meaning)), append(s.Y, max(lowest, p.Quality.Skill))
	}
	return s
}
