package net

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// A Spec is the shape of a network.
type Spec struct {
	Model  string // a row of the model table: "gnn" or "transformer"
	Width  int    // numbers per node between layers, a multiple of 16
	Rounds int    // layers
}

// DefaultSpec is the network that plays well at a speed two cores can afford.
var DefaultSpec = Spec{Model: "gnn", Width: 32, Rounds: 3}

// Limits of a Spec: larger networks are too slow to search with.
const (
	widthStep = 16 // the kernels work on this many columns at a time
	maxWidth  = 256
	maxRounds = 16
)

// Check returns an error that says what is wrong with a specification, or nil.
func (s Spec) Check() error {
	if _, err := architectureOf(s.Model); err != nil {
		return err
	}
	if s.Width < widthStep || s.Width > maxWidth || s.Width%widthStep != 0 {
		return fmt.Errorf("network width %d: expected a multiple of %d from %d to %d", s.Width, widthStep, widthStep, maxWidth)
	}
	if s.Rounds < 1 || s.Rounds > maxRounds {
		return fmt.Errorf("network of %d rounds: expected 1 to %d", s.Rounds, maxRounds)
	}
	return nil
}

// Models returns the names a Spec may use.
func Models() []string {
	var names []string
	for _, a := range architectures {
		names = append(names, a.name)
	}
	return names
}

func architectureOf(name string) (*architecture, error) {
	for i := range architectures {
		if architectures[i].name == name {
			return &architectures[i], nil
		}
	}
	return nil, fmt.Errorf("unknown network model %q: expected one of %s", name, strings.Join(Models(), ", "))
}

// A param is one weight tensor. Tensors with one row are vectors.
type param struct {
	name       string
	rows, cols int
	init       initial
}

type initial uint8

const (
	he   initial = iota // normal with variance 2/rows (He et al. 2015), for what feeds a relu
	zero                // the last layers: an untrained network plays uniformly and expects no improvement
	one
)

func (p param) size() int { return p.rows * p.cols }

// paramsOf lists the weights of a network in the order of files.
func paramsOf(s Spec) ([]param, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	a, _ := architectureOf(s.Model)
	return slices.Concat(embedParams(s), a.params(s), headParams(s)), nil
}

// A Network is a policy and a value for every state of every graph. It is immutable and safe for concurrent use;
// a Trainer makes new ones.
type Network struct {
	spec    Spec
	arch    *architecture
	params  []param
	weights []float32 // all tensors, one after the other
}

// New returns an untrained network with weights drawn from a seed. Its policy is uniform and its value zero.
func New(spec Spec, seed uint64) (*Network, error) {
	n, err := blank(spec)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(seed, 0x6e6574))
	for _, p := range n.params {
		w := n.tensor(p.name)
		for i := range w {
			switch p.init {
			case he:
				w[i] = float32(r.NormFloat64() * math.Sqrt(2/float64(p.rows)))
			case one:
				w[i] = 1
			}
		}
	}
	return n, nil
}

// blank is a network of zeros.
func blank(spec Spec) (*Network, error) {
	params, err := paramsOf(spec)
	if err != nil {
		return nil, err
	}
	n := &Network{spec: spec, params: params}
	n.arch, _ = architectureOf(spec.Model)
	size := 0
	for _, p := range params {
		size += p.size()
	}
	n.weights = make([]float32, size)
	return n, nil
}

// with is the same network with other weights, which it takes over.
func (n *Network) with(weights []float32) *Network {
	other := *n
	other.weights = weights
	return &other
}

// Spec is the shape of the network.
func (n *Network) Spec() Spec { return n.spec }

// Size is the number of weights.
func (n *Network) Size() int { return len(n.weights) }

// tensor is the weights of a name.
func (n *Network) tensor(name string) []float32 {
	at := 0
	for _, p := range n.params {
		if p.name == name {
			return n.weights[at : at+p.size() : at+p.size()]
		}
		at += p.size()
	}
	panic("net: no tensor " + name)
}
