package rules

import (
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/flat"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// A Certificate bounds what an edited influence differs from the exact one. With the Jacobians D and D~ of a step, exact and
// edited, and the influences J and J~ they carry, the error E = J~ − J obeys E_t = D~ E_{t−1} + (D~ − D) J_{t−1} + (F~ − F)
// where F is what a step adds itself. So if |D~| ≤ λ < 1, |E_t| ≤ (δ sup|J| + φ)/(1 − λ) with δ = sup|D~ − D| and
// φ = sup|F~ − F|, at every step. A step that is no contraction may be one together with those after it: where the products Φ_k
// of k successive D~ have |Φ_m| ≤ λ < 1 for some m, the sum of all |Φ_k| is at most that of the first m over 1 − λ, which then
// stands in place of 1/(1 − λ). Norms of matrices are the largest sums of a row.
type Certificate struct {
	Valid  bool    `json:"valid"`  // λ < 1, or nothing is edited; there is no certificate otherwise
	Steps  int     `json:"steps"`  // m, which are a contraction together
	Lambda float64 `json:"lambda"` // sup |Φ_m|; without a certificate sup |D~|
	Delta  float64 `json:"delta"`  // sup |D~ − D|
	Phi    float64 `json:"phi"`    // sup |F~ − F|
	Sup    float64 `json:"sup"`    // sup |J|
	Bound  float64 `json:"bound"`  // on |J~ − J|; infinite without a certificate
	Error  float64 `json:"error"`  // largest |J~ − J| measured
}

// Tightness is the measured error over its bound.
func (c Certificate) Tightness() float64 { return c.Error / c.Bound }

// matrix is dense and row-major.
type matrix struct {
	rows, cols int
	at         []float64
}

func (m matrix) norm() (norm float64) {
	for i := range m.rows {
		sum := 0.0
		for _, x := range m.at[i*m.cols : (i+1)*m.cols] {
			sum += math.Abs(x)
		}
		norm = math.Max(norm, sum)
	}
	return norm
}

// times computes a·b + c.
func (a matrix) times(b, c matrix) matrix {
	m := matrix{a.rows, b.cols, append([]float64(nil), c.at...)}
	for i := range a.rows {
		for k := range a.cols {
			if x := a.at[i*a.cols+k]; x != 0 {
				for j := range b.cols {
					m.at[i*b.cols+j] += x * b.at[k*b.cols+j]
				}
			}
		}
	}
	return m
}

func (a matrix) less(b matrix) matrix {
	m := matrix{a.rows, a.cols, append([]float64(nil), a.at...)}
	for i, x := range b.at {
		m.at[i] -= x
	}
	return m
}

// Certify computes the certificate of a rule along one sequence: D and F of every step are taken row by row from one step of
// the network's own reverse derivative, edited and exact. Rules whose matrices are drawn anew every step, and masks on
// influences, have none, for they are no edits of D.
func (b *Build) Certify(rec *ad.Recurrence, shared snn.Values, batch *snn.Batch) (*Certificate, error) {
	c := &Certificate{Bound: math.Inf(1)}
	if b.Method.Masks != nil || b.Method.Fresh != nil || b.Method.Windows != nil {
		return c, nil
	}
	exact, err := newStepper(rec, nil)
	if err != nil {
		return nil, err
	}
	edited, err := newStepper(rec, b.Method.Edits)
	if err != nil {
		return nil, err
	}
	primal, err := rec.Primal()
	if err != nil {
		return nil, err
	}
	p, err := flat.Compile(primal)
	if err != nil {
		return nil, err
	}
	m := p.New()
	bindAll(p, m, shared, batch, 0)
	n, params := exact.states, exact.params
	j, k := matrix{n, params, make([]float64, n*params)}, matrix{n, params, make([]float64, n*params)}
	var edits []matrix // D~ of every step
	for t := range batch.Steps {
		state := snn.Values{}
		for _, s := range rec.States {
			state[s] = append([]float64(nil), m.Input(s)...)
		}
		d, f := exact.jacobians(shared, state, batch, t)
		e, g := edited.jacobians(shared, state, batch, t)
		edits = append(edits, e)
		c.Delta = math.Max(c.Delta, e.less(d).norm())
		c.Phi = math.Max(c.Phi, g.less(f).norm())
		c.Sup = math.Max(c.Sup, j.norm()) // before the step
		j, k = d.times(j, f), e.times(k, g)
		c.Error = math.Max(c.Error, k.less(j).norm())
		bindAll(p, m, shared, batch, t)
		m.Run()
	}
	var sum float64 // of the norms of Φ_0 … Φ_m−1
	c.Steps, c.Lambda, sum = contraction(edits)
	switch {
	case c.Delta == 0 && c.Phi == 0: // exact
		c.Valid, c.Bound = true, 0
	case c.Lambda < 1:
		c.Valid, c.Bound = true, (c.Delta*c.Sup+c.Phi)*sum/(1-c.Lambda)
	}
	return c, nil
}

// contraction finds how many steps' Jacobians are a contraction together, wherever in a sequence they begin, with the norm of
// their product and the sum of the norms of all shorter ones, such that the sum over all is bounded most tightly. Windows of more
// than a quarter of the sequence say little about it; where none is found it gives a single step.
func contraction(d []matrix) (steps int, lambda, sum float64) {
	products := slices.Clone(d) // of the steps from t on
	before := 1.0               // |I|
	for m := 1; m == 1 || m <= len(d)/4; m++ {
		norm := 0.0
		for _, p := range products {
			norm = math.Max(norm, p.norm())
		}
		if m == 1 || norm < 1 && !(lambda < 1 && sum/(1-lambda) <= before/(1-norm)) {
			steps, lambda, sum = m, norm, before
		}
		before += norm
		products = products[:len(products)-1]
		for t := range products {
			zero := matrix{d[t].rows, d[t].cols, make([]float64, len(d[t].at))}
			products[t] = d[t+m].times(products[t], zero)
		}
	}
	return steps, lambda, sum
}

// A stepper computes the Jacobians of one step by its reverse derivative, without any loss.
type stepper struct {
	rec            *ad.Recurrence
	p              *flat.Program
	m              *flat.Machine
	states, params int
}

func newStepper(rec *ad.Recurrence, edits []ad.Edit) (*stepper, error) {
	bare := *rec
	bare.Loss, bare.End = nil, nil
	bare.Params = nil
	for _, p := range rec.Params { // those of the readout are no inputs of the step
		if has(rec.Step, p) {
			bare.Params = append(bare.Params, p)
		}
	}
	var own []ad.Edit
	for _, e := range edits {
		if find(rec.Step, e.From, e.To) != nil || e.To == ad.AllEdges {
			own = append(own, e)
		}
	}
	back, err := bare.Reverse(own...)
	if err != nil {
		return nil, err
	}
	s := &stepper{rec: &bare}
	if s.p, err = flat.Compile(back); err != nil {
		return nil, err
	}
	s.m = s.p.New()
	for _, x := range bare.States {
		s.states += rec.Shape(x).Size()
	}
	for _, x := range bare.Params {
		s.params += rec.Shape(x).Size()
	}
	return s, nil
}

func has(p *ir.Program, input string) bool {
	for _, id := range p.Inputs {
		if p.Nodes[id].Name == input {
			return true
		}
	}
	return false
}

// jacobians are those of the states after a step by the states before it and by the parameters.
func (s *stepper) jacobians(shared, state snn.Values, batch *snn.Batch, t int) (d, f matrix) {
	d, f = matrix{s.states, s.states, nil}, matrix{s.states, s.params, nil}
	bindAll(s.p, s.m, shared, batch, t)
	for _, out := range s.rec.States {
		for i := range s.rec.Shape(out).Size() {
			for _, x := range s.rec.States {
				if s.p.Has(x) {
					copy(s.m.Input(x), state[x])
				}
				if s.p.Has(ad.AdjointName(x)) {
					clear(s.m.Input(ad.AdjointName(x)))
				}
			}
			for _, x := range s.rec.Params {
				clear(s.m.Input(ad.GradientName(x)))
			}
			if s.p.Has(ad.AdjointName(out)) {
				s.m.Input(ad.AdjointName(out))[i] = 1
			}
			s.m.Run()
			for _, x := range s.rec.States {
				d.at = append(d.at, s.m.Output(ad.AdjointName(x))...)
			}
			for _, x := range s.rec.Params {
				f.at = append(f.at, s.m.Output(ad.GradientName(x))...)
			}
		}
	}
	return d, f
}

// bindAll points a machine at parameters and at the data of a step of the first sequence.
func bindAll(p *flat.Program, m *flat.Machine, shared snn.Values, b *snn.Batch, t int) {
	for name, v := range shared {
		if slot := p.Slot(name); slot >= 0 {
			m.BindAt(slot, v)
		}
	}
	for _, d := range []struct {
		name string
		from []float64
	}{{snn.InputName, b.Input}, {snn.TargetName, b.Target}, {snn.WeightName, b.Weight}} {
		if slot := p.Slot(d.name); slot >= 0 {
			n := len(d.from) / (b.Steps * b.Size)
			m.BindAt(slot, d.from[t*b.Size*n:(t*b.Size+1)*n])
		}
	}
}
