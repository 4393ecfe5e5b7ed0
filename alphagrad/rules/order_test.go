package rules

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// TestOrder: the order of elimination is part of a rule. It changes the cost and no gradient, and a search can choose it.
func TestOrder(t *testing.T) {
	rec := recurrence(t, "alif", 3, 5)
	rule, err := LadderRule(rec, "rtrl")
	if err != nil {
		t.Fatal(err)
	}
	at := func(o Order) (*Rule, *Build, *Meaning) {
		r := *rule
		r.Order = o
		b, err := r.Build(rec)
		if err != nil {
			t.Fatal(err)
		}
		m, err := b.Meaning(rec, 10)
		if err != nil {
			t.Fatalf("%s: %v", o, err)
		}
		return &r, b, m
	}
	_, _, cheapest := at(Order{})
	vertices := slices.Clone(cheapest.Order)
	rnd := rand.New(rand.NewPCG(8, 8))
	rnd.Shuffle(len(vertices), func(i, j int) { vertices[i], vertices[j] = vertices[j], vertices[i] })
	values := snn.Values{}
	for _, p := range rec.Params {
		for range rec.Shape(p).Size() {
			values[p] = append(values[p], 0.6*rnd.NormFloat64())
		}
	}
	batch := &snn.Batch{Steps: 12, Size: 1}
	for range batch.Steps {
		batch.Weight = append(batch.Weight, 1)
		batch.Target = append(batch.Target, rnd.NormFloat64(), rnd.NormFloat64())
		batch.Input = append(batch.Input, rnd.Float64(), rnd.Float64(), rnd.Float64())
	}
	reverse, err := snn.NewGradient(rec, snn.BPTT()) // the oracle: no forward order is in it
	if err != nil {
		t.Fatal(err)
	}
	want, err := reverse.Compute(values, batch)
	if err != nil {
		t.Fatal(err)
	}
	costs := map[string]int64{}
	for _, o := range []Order{{}, {Name: "forward"}, {Name: "reverse"}, {Name: "markowitz"}, {Name: "searched"}, {Vertices: vertices}} {
		r, b, m := at(o)
		costs[o.String()] = m.Cost
		if m.Cost < cheapest.Cost {
			t.Errorf("order %s takes %d multiplications, the cheapest %d", o, m.Cost, cheapest.Cost)
		}
		if o.Vertices != nil && !slices.Equal(m.Order, vertices) {
			t.Errorf("order %v became %v", vertices, m.Order)
		}
		// Spelling the order out makes no difference to the cost.
		if _, _, again := at(Order{Vertices: m.Order}); again.Cost != m.Cost {
			t.Errorf("order %s costs %d, spelled out %d", o, m.Cost, again.Cost)
		}
		if r.GradientKey(rec) != rule.GradientKey(rec) || (r.Key(rec) == rule.Key(rec)) != o.IsZero() {
			t.Errorf("order %s: keys %q, %q", o, r.GradientKey(rec), r.Key(rec))
		}
		g, err := snn.NewGradient(rec, b.Method)
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.Compute(values, batch)
		if err != nil {
			t.Fatal(err)
		}
		for p, x := range want.Gradient {
			for i := range x {
				if math.Abs(got.Gradient[p][i]-x[i]) > 1e-10*math.Max(1, math.Abs(x[i])) {
					t.Fatalf("order %s: gradient by %s[%d] is %v, backwards %v", o, p, i, got.Gradient[p][i], x[i])
				}
			}
		}
	}
	if costs["reverse"] <= costs["cheapest"] {
		t.Errorf("costs are %v: the order makes no difference", costs)
	}
	// What carries time in reverse has no other order.
	back := &Rule{Time: Carrier{Mode: Reverse}, Order: Order{Name: "markowitz"}}
	if c := back.Canonical(rec); !c.Order.IsZero() {
		t.Errorf("%s has the canonical form %s", back.Formula(), c.Formula())
	}

	// A search that pays for multiplications alone takes the cheapest.
	space, err := NewSpace(rec, []Choice{{Edge: "order", Options: []string{"reverse", "forward", "markowitz", "cheapest"}}, {Edge: "time", Options: []string{"forward"}}})
	if err != nil {
		t.Fatal(err)
	}
	s := &Search{Space: space, Evaluations: 4, Seed: 1, Judge: func(_ context.Context, r *Rule) (*Point, error) {
		b, err := r.Build(rec)
		if err != nil {
			return nil, err
		}
		m, err := b.Meaning(rec, 10)
		return &Point{Rule: r, Meaning: m, Quality: &Quality{}, Score: -float64(m.Cost)}, err
	}}
	found, err := s.Run(context.Background(), "exhaustive")
	if err != nil || found.Best.Meaning.Cost != cheapest.Cost || len(found.Points) != 4 {
		t.Errorf("%d rules, the best costs %v, %v; the cheapest order %d", len(found.Points), found.Best, err, cheapest.Cost)
	}
}

// TestBadOrder: orders that are none are named.
func TestBadOrder(t *testing.T) {
	rec := recurrence(t, "lif", 2, 3)
	for order, want := range map[string]string{
		`"markovitz"`:   `order "markovitz"; did you mean "markowitz"?; known: cheapest`,
		`{"a":1}`:       `expected cheapest, forward, markowitz, reverse, searched, or a list of vertices`,
		`[1,2]`:         `not a permutation`,
		`[1,1,2,99999]`: `not a permutation`,
	} {
		r, err := Parse([]byte(`{"format":"alphagrad-rule/1","edits":[],"time":"forward","order":` + order + `}`))
		if err == nil {
			var b *Build
			if b, err = r.Build(rec); err == nil {
				_, err = b.Meaning(rec, 10)
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", order, err, want)
		}
	}
	if _, err := NewSpace(rec, []Choice{{Edge: "order", Options: []string{"fastest"}}}); err == nil || !strings.Contains(err.Error(), `order "fastest"; known: cheapest`) {
		t.Errorf("an order that is none: %v", err)
	}
}
