package mcts_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"pgregory.net/rapid"
)

// reference is a second search, written for clarity alone: nodes point to their children, every number is computed
// from its definition over all legal actions, values are means of a list of returns (but see latest).
type reference struct {
	o      mcts.Options
	g      mcts.Game
	e      mcts.Evaluator
	noise  []float64 // of the search to compare with
	totals []float64 // all returns met, from the root
	root   *refNode
	shared map[uint64]*refNode // with transpositions: nodes by hash
}

type refNode struct {
	legal    []int32
	logits   []float64
	raw      float64
	returns  []float64 // every return seen from here, the evaluation first
	latest   float64   // with transpositions, where returns are not enough: V when last passed
	children []*refNode
	rewards  []float64
	visits   []int
}

func mean(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total / float64(len(x))
}

func softmax(x []float64) []float64 {
	top, total := slices.Max(x), 0.0
	out := make([]float64, len(x))
	for i := range x {
		out[i] = math.Exp(x[i] - top)
		total += out[i]
	}
	for i := range out {
		out[i] /= total
	}
	return out
}

func (s *reference) node() *refNode {
	n := &refNode{returns: []float64{0}}
	if s.shared != nil {
		s.shared[s.g.Hash()] = n
	}
	if s.g.Done() {
		return n
	}
	n.legal = s.g.Legal(nil)
	logits := make([]float32, len(n.legal))
	n.raw, _ = s.e.Evaluate(s.g, n.legal, logits)
	n.returns[0], n.latest = n.raw, n.raw
	for _, l := range logits {
		n.logits = append(n.logits, float64(l))
	}
	k := len(n.legal)
	n.children, n.rewards, n.visits = make([]*refNode, k), make([]float64, k), make([]int, k)
	return n
}

func (s *reference) value(n *refNode) float64 {
	if s.shared != nil {
		return n.latest
	}
	return mean(n.returns)
}

// completed returns the completed Q-values of a node: appendix D.
func (s *reference) completed(n *refNode) (q []float64, most int) {
	prior := softmax(n.logits)
	sum, mass, weighted := 0, 0.0, 0.0
	q = make([]float64, len(n.legal))
	for i := range q {
		if n.visits[i] > 0 {
			q[i] = n.rewards[i] + s.o.Discount*s.value(n.children[i])
			sum += n.visits[i]
			most = max(most, n.visits[i])
			mass += prior[i]
			weighted += prior[i] * q[i]
		}
	}
	mixed := n.raw
	if sum > 0 {
		mixed = (n.raw + float64(sum)*weighted/mass) / float64(1+sum)
	}
	for i := range q {
		if n.visits[i] == 0 {
			q[i] = mixed
		}
	}
	return q, most
}

// transformed returns σ of the completed Q-values.
func (s *reference) transformed(n *refNode, weight float64) []float64 {
	q, most := s.completed(n)
	low, unit := slices.Min(q), 1.0
	switch s.o.Normalisation {
	case mcts.ByNode:
		unit = 1 / max(slices.Max(q)-low, s.o.MinRange)
	case mcts.ByTree:
		unit = weight / max(slices.Max(s.totals)-slices.Min(s.totals), s.o.MinRange)
	}
	for i := range q {
		q[i] = (s.o.VisitOffset + float64(most)) * s.o.ValueScale * (q[i] - low) * unit
	}
	return q
}

func (s *reference) improved(n *refNode, weight float64) []float64 {
	x := s.transformed(n, weight)
	for i := range x {
		x[i] += n.logits[i]
	}
	return softmax(x)
}

// argmax returns the index of the highest score; among scores equal but for rounding, that of the highest logit.
func argmax(score, logits []float64) int {
	best := 0
	for i := range score {
		if score[i] > score[best]+1e-12 || score[i] > score[best]-1e-12 && logits[i] > logits[best] {
			best = i
		}
	}
	return best
}

func (s *reference) interior(n *refNode, weight float64) int {
	if s.o.Algorithm == mcts.PUCT {
		return s.puct(n, softmax(n.logits), n.logits, weight)
	}
	score, sum := s.improved(n, weight), 0
	for _, v := range n.visits {
		sum += v
	}
	for i, v := range n.visits {
		score[i] -= float64(v) / float64(1+sum)
	}
	return argmax(score, n.logits)
}

func (s *reference) puct(n *refNode, prior, ties []float64, weight float64) int {
	q, _ := s.completed(n)
	low, high, sum := s.value(n), s.value(n), 1
	for i, v := range n.visits {
		if v > 0 {
			low, high = min(low, q[i]), max(high, q[i])
			sum += v
		}
	}
	unit := 1.0
	switch s.o.Normalisation {
	case mcts.ByNode:
		unit = 1 / max(high-low, s.o.MinRange)
	case mcts.ByTree:
		unit = weight / max(slices.Max(s.totals)-slices.Min(s.totals), s.o.MinRange)
	}
	score := make([]float64, len(q))
	for i, v := range n.visits {
		score[i] = math.Sqrt(float64(sum)) * prior[i] / float64(1+v) *
			(s.o.PUCTInit + math.Log((float64(sum)+s.o.PUCTBase+1)/s.o.PUCTBase))
		if v > 0 {
			score[i] += (q[i] - low) * unit
		}
	}
	return argmax(score, ties)
}

// simulate plays action i of node n and then on, and returns the return behind n.
func (s *reference) simulate(n *refNode, i int, before, weight float64) float64 {
	r := s.g.Apply(n.legal[i])
	defer s.g.Undo()
	n.rewards[i] = r
	c := n.children[i]
	if c == nil {
		c = s.shared[s.g.Hash()]
		n.children[i] = c
	}
	var below float64
	switch {
	case c == nil:
		c = s.node()
		n.children[i] = c
		below = c.returns[0]
	case len(c.legal) == 0:
		c.returns = append(c.returns, 0)
	default:
		w := weight * s.o.Discount
		below = s.simulate(c, s.interior(c, w), before+weight*r, w)
	}
	n.visits[i]++
	n.returns = append(n.returns, r+s.o.Discount*below)
	total, sum := n.raw, 0
	for k, v := range n.visits {
		if v > 0 {
			total += float64(v) * (n.rewards[k] + s.o.Discount*s.value(n.children[k]))
			sum += v
		}
	}
	n.latest = total / float64(1+sum)
	s.totals = append(s.totals, before+weight*(r+s.o.Discount*s.value(c)))
	return r + s.o.Discount*below
}

// run searches and returns the index of the action to play.
func (s *reference) run() int {
	s.root = s.node()
	s.totals = []float64{s.root.raw}
	n := s.root
	if s.o.Algorithm == mcts.PUCT {
		for range s.o.Simulations {
			none := make([]float64, len(n.legal))
			s.simulate(n, s.puct(n, s.noise, none, 1), 0, 1)
		}
		return 0
	}
	best := func(visits int) int {
		score := s.transformed(n, 1)
		for i := range score {
			score[i] += s.noise[i] + n.logits[i]
			if n.visits[i] != visits {
				score[i] = math.Inf(-1)
			}
		}
		return argmax(score, score)
	}
	for _, v := range consideredVisits(min(s.o.Considered, len(n.legal)), s.o.Simulations) {
		s.simulate(n, best(v), 0, 1)
	}
	return best(slices.Max(n.visits))
}

// compare checks a node of a tree and all below against the reference.
func (s *reference) compare(tree mcts.Tree, at int, n *refNode, weight float64) error {
	got := tree.Nodes[at]
	if len(got.Edges) != len(n.legal) || got.Terminal != (len(n.legal) == 0) || !near(got.Value, s.value(n)) || got.Raw != n.raw {
		return fmt.Errorf("node %d is %+v, expected value %v, raw %v, actions %v", at, got, s.value(n), n.raw, n.legal)
	}
	if len(n.legal) == 0 {
		return nil
	}
	q, _ := s.completed(n)
	improved, prior := s.improved(n, weight), softmax(n.logits)
	for i, e := range got.Edges {
		if e.Action != n.legal[i] || e.Visits != n.visits[i] || !near(e.Q, q[i]) || !near(e.Prior, prior[i]) || !near(e.Policy, improved[i]) ||
			e.Reward != n.rewards[i] || (e.Child < 0) != (n.children[i] == nil) {
			return fmt.Errorf("edge %d of node %d is %+v, expected action %d visits %d q %v prior %v policy %v reward %v",
				i, at, e, n.legal[i], n.visits[i], q[i], prior[i], improved[i], n.rewards[i])
		}
		if e.Child >= 0 {
			if err := s.compare(tree, e.Child, n.children[i], weight*s.o.Discount); err != nil {
				return err
			}
		}
	}
	return nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(a)+math.Abs(b)) }

func drawOptions(t *rapid.T) mcts.Options {
	o := mcts.DefaultOptions()
	o.Algorithm = rapid.SampledFrom([]mcts.Algorithm{mcts.Gumbel, mcts.PUCT}).Draw(t, "algorithm")
	o.Normalisation = rapid.SampledFrom([]mcts.Normalisation{mcts.ByNode, mcts.ByTree, mcts.Raw}).Draw(t, "normalisation")
	o.Simulations = rapid.IntRange(0, 100).Draw(t, "simulations")
	o.Considered = rapid.IntRange(1, 12).Draw(t, "considered")
	o.GumbelScale = rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "gumbel scale")
	o.Discount = rapid.SampledFrom([]float64{1, 0.9}).Draw(t, "discount")
	o.MinRange = rapid.SampledFrom([]float64{1e-8, 1, 30}).Draw(t, "minimum range")
	o.DirichletFraction = rapid.SampledFrom([]float64{0, 0.25}).Draw(t, "dirichlet")
	o.Temperature = rapid.SampledFrom([]float64{0, 0.5, 1, 3}).Draw(t, "temperature")
	return o
}

// TestSearchEqualsReference compares whole trees with the reference.
func TestSearchEqualsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		seed := rapid.Uint64().Draw(t, "seed")
		var g mcts.Game = &treeGame{seed: seed, actions: rapid.IntRange(1, 9).Draw(t, "actions"), depth: rapid.IntRange(1, 8).Draw(t, "depth")}
		if o.Transpositions = rapid.Bool().Draw(t, "transpositions"); o.Transpositions {
			o.Discount = 1 // a shared node has no depth, so the reference could not tell the weight of its values
			g = newJobs(seed, rapid.IntRange(2, 7).Draw(t, "jobs"))
		}
		e := noisy(seed, 1.5)
		s, r := search(t, e, o, seed), mcts.Result{}
		if err := s.Run(g, &r); err != nil {
			t.Fatal(err)
		}
		if r.Forced {
			return
		}
		ref := &reference{o: o, g: g, e: e, noise: s.Noise()}
		if o.Transpositions {
			ref.shared = map[uint64]*refNode{}
		}
		action := ref.run()
		if err := ref.compare(s.Tree(), 0, ref.root, 1); err != nil {
			t.Fatal(err)
		}
		if o.Algorithm == mcts.Gumbel {
			if r.Action != ref.root.legal[action] {
				t.Fatalf("action %d, expected %d", r.Action, ref.root.legal[action])
			}
			for i, p := range ref.improved(ref.root, 1) {
				if !near(p, r.Policy[i]) {
					t.Fatalf("policy %v, expected %v at %d", r.Policy[i], p, i)
				}
			}
		}
	})
}
