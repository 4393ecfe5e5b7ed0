package snn

import "math"

// An Optimizer changes parameters by their gradient.
type Optimizer interface {
	// Step subtracts the step for a gradient from the parameter of that name.
	Step(name string, param, gradient []float64)
	// Advance counts an iteration; call it before the steps of all parameters.
	Advance()
	// SetRate changes the learning rate.
	SetRate(rate float64)
	// State is what a checkpoint keeps: flat arrays by name, the number of iterations among them.
	State() Values
	// Restore takes over what State gave.
	Restore(state Values)
}

// SGD is gradient descent.
type SGD struct {
	Rate float64
	t    float64
}

func (o *SGD) Step(_ string, param, gradient []float64) {
	for i, g := range gradient {
		param[i] -= o.Rate * g
	}
}
func (o *SGD) Advance()             { o.t++ }
func (o *SGD) SetRate(rate float64) { o.Rate = rate }
func (o *SGD) State() Values        { return Values{"t": {o.t}} }
func (o *SGD) Restore(s Values)     { o.t = s["t"][0] }

// Adam is the method of Kingma & Ba 2015 in the form of the end of its section 2, which adds epsilon to the root of the
// uncorrected second moment.
type Adam struct {
	Rate, Beta1, Beta2, Epsilon float64
	t                           float64
	m, v                        Values
}

// NewAdam is Adam with its usual constants.
func NewAdam(rate float64) *Adam {
	return &Adam{Rate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, m: Values{}, v: Values{}}
}

func (o *Adam) Step(name string, param, gradient []float64) {
	if o.m[name] == nil {
		o.m[name], o.v[name] = make([]float64, len(param)), make([]float64, len(param))
	}
	m, v := o.m[name], o.v[name]
	rate := o.Rate * math.Sqrt(1-math.Pow(o.Beta2, o.t)) / (1 - math.Pow(o.Beta1, o.t))
	for i, g := range gradient {
		m[i] = o.Beta1*m[i] + (1-o.Beta1)*g
		v[i] = o.Beta2*v[i] + (1-o.Beta2)*g*g
		param[i] -= rate * m[i] / (math.Sqrt(v[i]) + o.Epsilon)
	}
}
func (o *Adam) Advance()             { o.t++ }
func (o *Adam) SetRate(rate float64) { o.Rate = rate }

func (o *Adam) State() Values {
	s := Values{"t": {o.t}}
	for name := range o.m {
		s["m/"+name], s["v/"+name] = o.m[name], o.v[name]
	}
	return s
}

func (o *Adam) Restore(s Values) {
	o.t, o.m, o.v = s["t"][0], Values{}, Values{}
	for name, v := range s {
		if len(name) > 2 && name[:2] == "m/" {
			o.m[name[2:]] = append([]float64(nil), v...)
		} else if len(name) > 2 && name[:2] == "v/" {
			o.v[name[2:]] = append([]float64(nil), v...)
		}
	}
}
