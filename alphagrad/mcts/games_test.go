package mcts_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
)

// treeGame is a random tree: the moves played so far seed the generator that draws what follows. No two states are
// equal, some actions are illegal, games have different lengths.
type treeGame struct {
	seed    uint64
	actions int
	depth   int
	whole   bool // rewards are integers, so that ties are common
	path    []int32
}

func (t *treeGame) rng() *rand.Rand {
	h := t.seed
	for _, a := range t.path {
		h = (h ^ uint64(a+1)) * 0x100000001b3
	}
	return rand.New(rand.NewPCG(h, uint64(len(t.path))))
}
func (t *treeGame) Actions() int { return t.actions }
func (t *treeGame) Legal(buf []int32) []int32 {
	buf = buf[:0]
	if t.Done() {
		return buf
	}
	rng := t.rng()
	for a := range int32(t.actions) {
		if rng.IntN(3) > 0 {
			buf = append(buf, a)
		}
	}
	if len(buf) == 0 {
		buf = append(buf, int32(rng.IntN(t.actions)))
	}
	return buf
}
func (t *treeGame) Apply(a int32) float64 {
	t.path = append(t.path, a)
	r := t.rng().NormFloat64() * 10
	if t.whole {
		r = math.Round(r / 5)
	}
	return r
}
func (t *treeGame) Undo() { t.path = t.path[:len(t.path)-1] }
func (t *treeGame) Done() bool {
	return len(t.path) == t.depth || len(t.path) > 0 && t.rng().Float64() < 0.1
}
func (t *treeGame) Hash() uint64 { return 0 }

// jobs is scheduling on one machine: finishing a job costs its weight times the time passed since the start. The
// cheapest order goes by weight/time (Smith 1956). The state is the set of jobs done.
type jobs struct {
	time, weight []float64
	done         uint64
	clock        float64
	order        []int32
}

func newJobs(seed uint64, n int) *jobs {
	rng := rand.New(rand.NewPCG(seed, 1))
	j := &jobs{}
	for range n {
		j.time = append(j.time, float64(1+rng.IntN(9)))
		j.weight = append(j.weight, float64(1+rng.IntN(9)))
	}
	return j
}
func (j *jobs) best() float64 {
	order := make([]int, len(j.time))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool {
		return j.weight[order[a]]*j.time[order[b]] > j.weight[order[b]]*j.time[order[a]]
	})
	clock, cost := 0.0, 0.0
	for _, i := range order {
		clock += j.time[i]
		cost += clock * j.weight[i]
	}
	return -cost
}
func (j *jobs) Actions() int { return len(j.time) }
func (j *jobs) Legal(buf []int32) []int32 {
	buf = buf[:0]
	for i := range j.time {
		if j.done>>i&1 == 0 {
			buf = append(buf, int32(i))
		}
	}
	return buf
}
func (j *jobs) Apply(a int32) float64 {
	j.done |= 1 << a
	j.clock += j.time[a]
	j.order = append(j.order, a)
	return -j.clock * j.weight[a]
}
func (j *jobs) Undo() {
	a := j.order[len(j.order)-1]
	j.order = j.order[:len(j.order)-1]
	j.clock -= j.time[a]
	j.done &^= 1 << a
}
func (j *jobs) Done() bool   { return len(j.order) == len(j.time) }
func (j *jobs) Hash() uint64 { return j.done + 1 }

// elimination is vertex elimination on a random graph with inputs and outputs, kept as copies of an adjacency matrix:
// removing v joins its predecessors to its successors and costs their product.
type elimination struct {
	inputs, inner int
	edges         [][][]bool // one matrix per move, the current one last
	moves         []int32
}

func newElimination(seed uint64, inner int) *elimination {
	rng := rand.New(rand.NewPCG(seed, 2))
	const ends = 3
	n := ends + inner + ends
	m := make([][]bool, n)
	for i := range m {
		m[i] = make([]bool, n)
		for k := max(i+1, ends); k < n && i < ends+inner; k++ {
			m[i][k] = rng.Float64() < 0.35
		}
	}
	return &elimination{inputs: ends, inner: inner, edges: [][][]bool{m}}
}
func (g *elimination) Actions() int { return g.inner }
func (g *elimination) Legal(buf []int32) []int32 {
	buf = buf[:0]
	for v := range int32(g.inner) {
		if !slices.Contains(g.moves, v) {
			buf = append(buf, v)
		}
	}
	return buf
}
func (g *elimination) Apply(a int32) float64 {
	old, v := g.edges[len(g.edges)-1], g.inputs+int(a)
	m := make([][]bool, len(old))
	in, out := 0, 0
	for i := range old {
		m[i] = slices.Clone(old[i])
		if old[i][v] {
			in++
		}
		if old[v][i] {
			out++
		}
	}
	for i := range m {
		for k := range m {
			m[i][k] = (m[i][k] || old[i][v] && old[v][k]) && i != v && k != v
		}
	}
	g.edges = append(g.edges, m)
	g.moves = append(g.moves, a)
	return -float64(in * out)
}
func (g *elimination) Undo() {
	g.edges = g.edges[:len(g.edges)-1]
	g.moves = g.moves[:len(g.moves)-1]
}
func (g *elimination) Done() bool { return len(g.moves) == g.inner }
func (g *elimination) Hash() uint64 {
	h := uint64(1)
	for _, v := range g.moves {
		h += 2 << v
	}
	return h
}

// bandit ends after one move, whose rewards are given.
type bandit struct {
	rewards []float64
	done    bool
}

func (b *bandit) Actions() int { return len(b.rewards) }
func (b *bandit) Legal(buf []int32) []int32 {
	buf = buf[:0]
	for i := range b.rewards {
		if !b.done {
			buf = append(buf, int32(i))
		}
	}
	return buf
}
func (b *bandit) Apply(a int32) float64 { b.done = true; return b.rewards[a] }
func (b *bandit) Undo()                 { b.done = false }
func (b *bandit) Done() bool            { return b.done }
func (b *bandit) Hash() uint64          { return 0 }

// solve returns the best return from the current state, by trying everything, and the best first actions.
func solve(g mcts.Game, memo map[uint64]float64) (float64, []int32) {
	best, which := math.Inf(-1), []int32(nil)
	for _, a := range g.Legal(nil) {
		v := g.Apply(a) + worth(g, memo)
		g.Undo()
		switch {
		case v > best+1e-9:
			best, which = v, []int32{a}
		case v > best-1e-9:
			which = append(which, a)
		}
	}
	return best, which
}

func worth(g mcts.Game, memo map[uint64]float64) float64 {
	if g.Done() {
		return 0
	}
	h := g.Hash()
	if v, ok := memo[h]; ok && h != 0 {
		return v
	}
	v, _ := solve(g, memo)
	if h != 0 {
		memo[h] = v
	}
	return v
}

// perfect knows the value of every state; its policy adds edge to the logits of optimal actions.
func perfect(edge float32) mcts.Evaluator {
	memo := map[uint64]float64{}
	return mcts.EvaluatorFunc(func(g mcts.Game, legal []int32, logits []float32) (float64, error) {
		v, best := solve(g, memo)
		for i, a := range legal {
			logits[i] = 0
			if slices.Contains(best, a) {
				logits[i] = edge
			}
		}
		return v, nil
	})
}

// noisy is an evaluator whose answers are random numbers determined by the state it sees, through the legal actions and
// the moves played.
func noisy(seed uint64, spread float64) mcts.Evaluator {
	return mcts.EvaluatorFunc(func(g mcts.Game, legal []int32, logits []float32) (float64, error) {
		h := seed + g.Hash()
		if t, ok := g.(*treeGame); ok {
			for _, a := range t.path {
				h = (h ^ uint64(a+1)) * 0x100000001b3
			}
		}
		rng := rand.New(rand.NewPCG(h, uint64(len(legal))))
		for i := range logits {
			logits[i] = float32(rng.NormFloat64() * spread)
		}
		return rng.NormFloat64() * 10, nil
	})
}
