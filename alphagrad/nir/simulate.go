package nir

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Method is how an equation dx/dt = (x∞ − x)/τ is carried over a step of length Δt in which x∞ does not change:
// x ← λx + (1 − λ)x∞.
type Method string

// The methods.
const (
	Exponential Method = ""      // λ = exp(−Δt/τ), the exact solution
	Euler       Method = "euler" // λ = 1 − Δt/τ, as most simulators that read NIR do it
)

// decay returns λ.
func (m Method) decay(dt, tau float64) (float64, error) {
	switch m {
	case Exponential:
		return math.Exp(-dt / tau), nil
	case Euler:
		if dt >= tau {
			return 0, fmt.Errorf("a step of %g is not shorter than the time constant %g, which Euler's method needs", dt, tau)
		}
		return 1 - dt/tau, nil
	}
	return 0, fmt.Errorf("unknown method %q; known: \"\" (exponential), %s", string(m), Euler)
}

// Simulation evaluates a graph step by step, straight from the equations of its nodes: a reference to compare other
// implementations with, not a fast one.
//
// A signal passes from the inputs through all nodes in one step. Where edges form a circle, the edge by which a neuron feeds
// back is late by one step: it carries what the neuron put out in the step before, at first nothing.
type Simulation struct {
	g     *Graph
	order []string
	late  map[Edge]bool
	in    map[string][]Edge
	run   map[string]func(x []float64) []float64
	out   map[string][]float64 // of every node, in this step or, before its turn, the one before
}

// Simulate prepares a graph for steps of length dt, in the unit of its time constants. Nested graphs are put in line.
func (g *Graph) Simulate(dt float64, m Method) (*Simulation, error) {
	if !(dt > 0) || math.IsInf(dt, 0) {
		return nil, fmt.Errorf("a step of %g; want a positive number", dt)
	}
	flat, err := g.Inline()
	if err != nil {
		return nil, err
	}
	s := &Simulation{g: flat, run: map[string]func([]float64) []float64{}, in: map[string][]Edge{}, out: map[string][]float64{}}
	if s.late, s.order, err = flat.schedule(); err != nil {
		return nil, err
	}
	for _, e := range flat.Edges {
		s.in[e.To] = append(s.in[e.To], e)
	}
	for name, n := range flat.Nodes {
		if s.run[name], err = equation(n, dt, m); err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", name, n.Type(), err)
		}
		_, out := n.shapes()
		s.out[name] = make([]float64, size(out))
	}
	return s, nil
}

// Step takes what goes into every [Input] and returns what all nodes put out, by name. Neurons put out spikes, 0 or 1.
func (s *Simulation) Step(inputs map[string][]float64) (map[string][]float64, error) {
	for name, n := range s.g.Nodes {
		in, _ := n.shapes()
		if x, given := inputs[name]; n.Type() == "Input" && len(x) != size(in) {
			return nil, fmt.Errorf("input %q got %d numbers; want %d", name, len(x), size(in))
		} else if given && n.Type() != "Input" {
			return nil, fmt.Errorf("node %q is a %s and no input", name, n.Type())
		}
	}
	for name := range inputs {
		if s.g.Nodes[name] == nil {
			return nil, fmt.Errorf("there is no input %q", name)
		}
	}
	before := maps.Clone(s.out)
	for _, name := range s.order {
		in, _ := s.g.Nodes[name].shapes()
		x := make([]float64, size(in))
		copy(x, inputs[name])
		for _, e := range s.in[name] {
			from := s.out[e.From]
			if s.late[e] {
				from = before[e.From]
			}
			for i := range x {
				x[i] += from[i]
			}
		}
		s.out[name] = s.run[name](x)
	}
	return maps.Clone(s.out), nil
}

// equation returns the function of one step of a node, which keeps the node's state.
func equation(n Node, dt float64, m Method) (func(x []float64) []float64, error) {
	// leaky carries x towards x∞, element by element.
	leaky := func(tau Array) (func(i int, x *float64, goal float64), error) {
		decay := make([]float64, len(tau.Data))
		for i, t := range tau.Data {
			var err error
			if decay[i], err = m.decay(dt, t); err != nil {
				return nil, err
			}
		}
		return func(i int, x *float64, goal float64) { *x = decay[i]**x + (1-decay[i])*goal }, nil
	}
	fire := func(v []float64, threshold, reset Array) []float64 {
		z := make([]float64, len(v))
		for i := range v {
			if v[i] > threshold.Data[i] {
				z[i], v[i] = 1, reset.Data[i]
			}
		}
		return z
	}
	// current is I of the current-based models.
	current := func(tau, weight Array) (func(x []float64) []float64, error) {
		carry, err := leaky(tau)
		state := make([]float64, len(tau.Data))
		return func(x []float64) []float64 {
			for i := range state {
				carry(i, &state[i], weight.Data[i]*x[i])
			}
			return state
		}, err
	}
	// membrane is v of all neurons.
	membrane := func(tau, r, rest Array) (func(x []float64) []float64, error) {
		carry, err := leaky(tau)
		v := make([]float64, len(tau.Data))
		return func(x []float64) []float64 {
			for i := range v {
				carry(i, &v[i], rest.Data[i]+r.Data[i]*x[i])
			}
			return v
		}, err
	}
	switch n := n.(type) {
	case *Input, *Output:
		return slices.Clone[[]float64], nil
	case *Linear:
		return func(x []float64) []float64 { return multiply(n.Weight, x) }, nil
	case *Affine:
		return func(x []float64) []float64 {
			y := multiply(n.Weight, x)
			for i := range y {
				y[i] += n.Bias.Data[i]
			}
			return y
		}, nil
	case *Scale:
		return func(x []float64) []float64 {
			y := slices.Clone(x)
			for i := range y {
				y[i] *= n.Scale.Data[i]
			}
			return y
		}, nil
	case *LI:
		v, err := membrane(n.Tau, n.R, n.VLeak)
		return func(x []float64) []float64 { return slices.Clone(v(x)) }, err
	case *LIF:
		v, err := membrane(n.Tau, n.R, n.VLeak)
		return func(x []float64) []float64 { return fire(v(x), n.VThreshold, n.VReset) }, err
	case *CubaLI:
		i, err := current(n.TauSyn, n.WIn)
		v, err2 := membrane(n.TauMem, n.R, n.VLeak)
		return func(x []float64) []float64 { return slices.Clone(v(i(x))) }, errors.Join(err, err2)
	case *CubaLIF:
		i, err := current(n.TauSyn, n.WIn)
		v, err2 := membrane(n.TauMem, n.R, n.VLeak)
		return func(x []float64) []float64 { return fire(v(i(x)), n.VThreshold, n.VReset) }, errors.Join(err, err2)
	}
	return nil, errors.New("no equation") // nested graphs are in line
}

// multiply returns W·x.
func multiply(w Array, x []float64) []float64 {
	y := make([]float64, w.Shape[0])
	for i := range y {
		for j, v := range x {
			y[i] += w.Data[i*w.Shape[1]+j] * v
		}
	}
	return y
}

// stateful reports whether a node remembers, so that what it puts out may be late.
func stateful(n Node) bool {
	switch n.(type) {
	case *LI, *LIF, *CubaLI, *CubaLIF:
		return true
	}
	return false
}

// schedule returns the edges that are late by a step and an order in which all others lead forward.
//
// The late edges are those that leave a neuron, lie on a circle, and lead, through nodes without state, to a neuron that is
// no farther from the inputs.
func (g *Graph) schedule() (late map[Edge]bool, order []string, err error) {
	next := map[string][]string{}
	distance := map[string]int{}
	var queue []string
	for _, name := range g.Names() {
		if g.Nodes[name].Type() == "Input" {
			distance[name] = 0
			queue = append(queue, name)
		}
	}
	for _, e := range g.Edges {
		next[e.From] = append(next[e.From], e.To)
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, to := range next[queue[0]] {
			if _, known := distance[to]; !known {
				distance[to] = distance[queue[0]] + 1
				queue = append(queue, to)
			}
		}
	}
	for _, name := range g.Names() {
		if _, reached := distance[name]; !reached {
			return nil, nil, fmt.Errorf("node %q (%s) is not reached from any input", name, g.Nodes[name].Type())
		}
	}
	late = map[Edge]bool{}
	for _, e := range g.Edges {
		if !stateful(g.Nodes[e.From]) || !reaches(next, e.To, e.From, nil) {
			continue
		}
		// The neurons that the edge leads to first.
		through := func(n string) bool { return !stateful(g.Nodes[n]) }
		for name, n := range g.Nodes {
			if stateful(n) && distance[name] <= distance[e.From] && reaches(next, name, e.From, nil) && (name == e.To || through(e.To) && reaches(next, e.To, name, through)) {
				late[e] = true
			}
		}
	}
	// Kahn's algorithm over the edges that are not late, by name.
	waiting := map[string]int{}
	for _, e := range g.Edges {
		if !late[e] {
			waiting[e.To]++
		}
	}
	for len(order) < len(g.Nodes) {
		found := false
		for _, name := range g.Names() {
			if waiting[name] != 0 {
				continue
			}
			waiting[name], found = -1, true
			order = append(order, name)
			for _, to := range next[name] {
				if !late[Edge{name, to}] {
					waiting[to]--
				}
			}
			break
		}
		if !found {
			for _, name := range g.Names() {
				if waiting[name] > 0 {
					return nil, nil, fmt.Errorf("node %q (%s) is on a circle, or behind one, without a neuron that could delay it", name, g.Nodes[name].Type())
				}
			}
		}
	}
	return late, order, nil
}

// reaches reports whether edges lead from one node to another, the same one included; nodes on the way must satisfy through.
func reaches(next map[string][]string, from, to string, through func(string) bool) bool {
	seen := map[string]bool{from: true}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			return true
		}
		if through != nil && !through(queue[0]) {
			continue
		}
		for _, n := range next[queue[0]] {
			if !seen[n] {
				seen[n] = true
				queue = append(queue, n)
			}
		}
	}
	return false
}
