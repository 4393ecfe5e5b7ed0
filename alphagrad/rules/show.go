package rules

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// A Description is all that can be said of a rule on a problem without training.
type Description struct {
	Name        string       `json:"name,omitempty"`
	Formula     string       `json:"formula"`
	Update      string       `json:"update"`
	Edges       []ShownEdge  `json:"edges"`
	Meaning     *Meaning     `json:"meaning"`
	Certificate *Certificate `json:"certificate"`
	Canonical   *Rule        `json:"canonical"`
}

// A ShownEdge is an edge of the step or of its loss, parameters aside, with what a rule makes of its Jacobian.
type ShownEdge struct {
	From string `json:"from"`
	To   string `json:"to"`
	Edit string `json:"edit"` // what stands for the Jacobian J in formulas; J where it is kept
	Dead bool   `json:"dead"` // not edited, but no path from a parameter to a loss uses it any more
}

// Describe reads off what a rule is on a problem; its certificate is that of one training sequence with the weights that a
// seed draws.
func (p *Problem) Describe(r *Rule, seed runs.Seed) (*Description, error) {
	b, err := r.Build(p.Recurrence)
	if err != nil {
		return nil, err
	}
	c := r.Canonical(p.Recurrence)
	lean, err := c.Build(p.Recurrence)
	if err != nil {
		return nil, err
	}
	m, err := lean.Meaning(p.Recurrence, p.Steps())
	if err != nil {
		return nil, err
	}
	d := &Description{Name: r.Name, Formula: r.Formula(), Update: m.Update(), Meaning: m, Canonical: c, Edges: shownEdges(p.Recurrence, r, c)}
	task, err := p.Config.Open(seed.Sub("task"))
	if err != nil {
		return nil, err
	}
	batch, err := task.Batch(data.Training, 0, 1)
	if err != nil {
		return nil, err
	}
	shared := p.weights(seed.Sub("weights"))
	b.Draw(shared, seed.Sub("rule"))
	d.Certificate, err = b.Certify(p.Recurrence, shared, batchOf(batch))
	return d, err
}

func shownEdges(rec *ad.Recurrence, r, canonical *Rule) (list []ShownEdge) {
	own := func(r *Rule, e ad.Edge) int {
		return slices.IndexFunc(r.Edits, func(x Edit) bool { return x.From == e.From && x.To == e.To })
	}
	for _, e := range rec.Edges() {
		if slices.Contains(rec.Params, e.From) {
			continue
		}
		x := ShownEdge{From: e.From, To: e.To, Edit: "J"}
		switch k := own(r, e); {
		case k >= 0:
			x.Edit = r.Edits[k].short()
		case slices.Contains(rec.States, e.From) && r.Of(e.From).Mode == None:
			x.Edit = "0"
		case own(canonical, e) >= 0:
			x.Dead = true
		}
		list = append(list, x)
	}
	return list
}

// MarshalJSON writes a bound that there is none as null.
func (c Certificate) MarshalJSON() ([]byte, error) {
	type plain Certificate
	var bound *float64
	if c.Valid {
		bound = &c.Bound
	}
	return json.Marshal(struct {
		plain
		Bound *float64 `json:"bound"`
	}{plain(c), bound})
}

// String says in a line what the certificate is worth.
func (c Certificate) String() string {
	if !c.Valid {
		if c.Lambda > 0 {
			return fmt.Sprintf("no certificate: the edited step is no contraction, alone or with those after it, λ = %.3g", c.Lambda)
		}
		return "no certificate: the rule is no edit of the step's Jacobian"
	}
	if c.Bound == 0 {
		return "exact: the Jacobian of the step is not edited"
	}
	return fmt.Sprintf("influences differ from the exact ones by at most %.3g (λ = %.3g over %d steps); by %.3g where it was measured", c.Bound, c.Lambda, c.Steps, c.Error)
}
