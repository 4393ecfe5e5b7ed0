package mcts

import (
	"errors"
	"math"
)

// none stands for "no node".
const none int32 = -1

// tinyPrior keeps the prior of an action above zero, so that sums of priors can be divided by.
const tinyPrior = 1e-300

var errTreeFull = errors.New("mcts: the search tree has more than 2³¹ edges; use fewer simulations")

// tree is the search tree, or graph, as arrays; a node or an edge is an index into them. The edges of node n are
// first[n] … first[n]+count[n]−1, one for every legal action. Nodes are in order of their creation and so are
// their blocks of edges.
//
// Within a block, all visited edges are among the first seen[n], and behind them comes the likeliest of the
// rest. The search visits likelier actions first (see selectGumbel), so this holds without ever sorting a block:
// when the likeliest edge is visited for the first time, the next likeliest is swapped behind it. The root,
// where noise decides, is exempt: its seen is its count.
type tree struct {
	// Nodes.
	first []int32   // first edge
	count []int32   // edges; 0 if the game is over
	seen  []int32   // length of the prefix that holds all visited edges
	sum   []int32   // Σ visits of its edges
	raw   []float64 // v̂, the evaluator's value; 0 if the game is over
	value []float64 // V
	hash  []uint64  // of the state; 0 if never shared
	stamp []uint32  // the last simulation that passed

	// Edges.
	action []int32
	child  []int32   // node, or none
	visits []int32   // N(s,a)
	reward []float64 // r(s,a), known if there is a child
	logp   []float64 // log π(a|s), the evaluator's
	prior  []float64 // π(a|s), at least tinyPrior
}

func (t *tree) reset() {
	t.cutNodes(0)
	t.cutEdges(0)
}

func (t *tree) cutNodes(n int) {
	t.first, t.count, t.seen, t.sum = t.first[:n], t.count[:n], t.seen[:n], t.sum[:n]
	t.raw, t.value, t.hash, t.stamp = t.raw[:n], t.value[:n], t.hash[:n], t.stamp[:n]
}

func (t *tree) cutEdges(n int) {
	t.action, t.child, t.visits = t.action[:n], t.child[:n], t.visits[:n]
	t.reward, t.logp, t.prior = t.reward[:n], t.logp[:n], t.prior[:n]
}

// add appends a node for a state with the given legal actions and evaluation, without legal actions for a state
// in which the game is over, and returns it.
func (t *tree) add(hash uint64, legal []int32, logits []float32, value float64) (int32, error) {
	if len(t.action) > math.MaxInt32-len(legal) {
		return none, errTreeFull
	}
	n, from := int32(len(t.first)), len(t.action)
	t.first = append(t.first, int32(from))
	t.count = append(t.count, int32(len(legal)))
	t.seen = append(t.seen, 0)
	t.sum = append(t.sum, 0)
	t.raw = append(t.raw, value)
	t.value = append(t.value, value)
	t.hash = append(t.hash, hash)
	t.stamp = append(t.stamp, 0)
	if len(legal) == 0 {
		return n, nil
	}

	t.action = append(t.action, legal...)
	top := float64(logits[0])
	for _, l := range logits {
		top = max(top, float64(l))
	}
	total := 0.0
	for _, l := range logits {
		x := float64(l) - top
		p := math.Exp(x)
		total += p
		t.logp = append(t.logp, x)
		t.prior = append(t.prior, p)
		t.child = append(t.child, none)
		t.visits = append(t.visits, 0)
		t.reward = append(t.reward, 0)
	}
	shift, factor := math.Log(total), 1/total
	for e := from; e < len(t.logp); e++ {
		t.logp[e] -= shift
		t.prior[e] = max(tinyPrior, t.prior[e]*factor)
	}
	t.bringLikeliest(n)
	return n, nil
}

// bringLikeliest swaps the likeliest edge behind the visited ones to the place right after them; the smaller
// action among equals.
func (t *tree) bringLikeliest(n int32) {
	at, end := t.first[n]+t.seen[n], t.first[n]+t.count[n]
	if at == end {
		return
	}
	best := at
	for e := at + 1; e < end; e++ {
		if t.logp[e] > t.logp[best] || t.logp[e] == t.logp[best] && t.action[e] < t.action[best] {
			best = e
		}
	}
	t.swap(at, best)
}

func (t *tree) swap(a, b int32) {
	t.action[a], t.action[b] = t.action[b], t.action[a]
	t.child[a], t.child[b] = t.child[b], t.child[a]
	t.visits[a], t.visits[b] = t.visits[b], t.visits[a]
	t.reward[a], t.reward[b] = t.reward[b], t.reward[a]
	t.logp[a], t.logp[b] = t.logp[b], t.logp[a]
	t.prior[a], t.prior[b] = t.prior[b], t.prior[a]
}

// visit counts a visit of edge e of node n; the edge keeps its place.
func (t *tree) visit(n, e int32) {
	t.visits[e]++
	t.sum[n]++
	if e == t.first[n]+t.seen[n] {
		t.seen[n]++
		t.bringLikeliest(n)
	}
}

// q returns Q of an edge that has a child.
func (t *tree) q(e int32, discount float64) float64 {
	return t.reward[e] + discount*t.value[t.child[e]]
}

// refresh computes V of a node from the current values of its children.
func (t *tree) refresh(n int32, discount float64) {
	total := t.raw[n]
	for e := t.first[n]; e < t.first[n]+t.seen[n]; e++ {
		if v := t.visits[e]; v > 0 {
			total += float64(v) * t.q(e, discount)
		}
	}
	t.value[n] = total / float64(1+t.sum[n])
}

// open prepares a node to be the root: its edges in ascending order of actions, all of them in the prefix. It
// reports whether its actions are the given ones, which ascend.
func (t *tree) open(n int32, legal []int32) bool {
	if int(t.count[n]) != len(legal) {
		return false
	}
	for i, a := range legal {
		at := t.first[n] + int32(i)
		for t.action[at] != a {
			to := indexOf(legal, t.action[at])
			if to <= i || t.action[t.first[n]+int32(to)] == legal[to] { // not a legal action, or its place is taken
				return false
			}
			t.swap(at, t.first[n]+int32(to))
		}
	}
	t.seen[n] = t.count[n]
	return true
}

// indexOf returns where an action is in an ascending list, or −1.
func indexOf(legal []int32, action int32) int {
	low, high := 0, len(legal)
	for low < high {
		mid := (low + high) / 2
		if legal[mid] < action {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(legal) && legal[low] == action {
		return low
	}
	return -1
}

// keep drops every node that root does not reach and returns the new index of root. places and stack are memory
// to work in, returned for the next time.
func (t *tree) keep(root int32, places, stack []int32) (int32, []int32, []int32) {
	places = places[:0]
	for range t.first {
		places = append(places, none)
	}
	stack = append(stack[:0], root)
	places[root] = 0
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for e := t.first[n]; e < t.first[n]+t.seen[n]; e++ {
			if c := t.child[e]; c != none && places[c] == none {
				places[c] = 0
				stack = append(stack, c)
			}
		}
	}

	// Nodes and blocks keep their order, so nothing is written that has yet to be read.
	nodes, edges := int32(0), int32(0)
	for n := range int32(len(places)) {
		if places[n] == none {
			continue
		}
		from, count := t.first[n], t.count[n]
		places[n] = nodes
		t.first[nodes], t.count[nodes] = edges, count
		t.seen[nodes], t.sum[nodes] = t.seen[n], t.sum[n]
		t.raw[nodes], t.value[nodes] = t.raw[n], t.value[n]
		t.hash[nodes], t.stamp[nodes] = t.hash[n], t.stamp[n]
		nodes++
		copy(t.action[edges:], t.action[from:from+count])
		copy(t.child[edges:], t.child[from:from+count])
		copy(t.visits[edges:], t.visits[from:from+count])
		copy(t.reward[edges:], t.reward[from:from+count])
		copy(t.logp[edges:], t.logp[from:from+count])
		copy(t.prior[edges:], t.prior[from:from+count])
		edges += count
	}
	t.cutNodes(int(nodes))
	t.cutEdges(int(edges))
	for e, c := range t.child {
		if c != none {
			t.child[e] = places[c]
		}
	}
	return places[root], places, stack
}
