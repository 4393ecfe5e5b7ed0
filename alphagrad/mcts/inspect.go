package mcts

import (
	"cmp"
	"slices"
)

// Tree is a copy of a search tree, for drawings and tests. With transpositions a node can have several parents.
type Tree struct {
	Nodes []Node `json:"nodes"` // the root first, then breadth first
}

// Node is a state.
type Node struct {
	Visits   int     `json:"visits"` // its evaluation and all visits of its edges
	Value    float64 `json:"value"`  // V
	Raw      float64 `json:"raw"`    // the evaluator's value
	Terminal bool    `json:"terminal,omitempty"`
	Edges    []Edge  `json:"edges,omitempty"` // by ascending action, one for every legal one
}

// Edge is a legal action in a state.
type Edge struct {
	Action int32   `json:"action"`
	Child  int     `json:"child"` // index of a node, or −1
	Visits int     `json:"visits"`
	Reward float64 `json:"reward"` // 0 without a child
	Q      float64 `json:"q"`      // v_mix without a child
	Prior  float64 `json:"prior"`
	Policy float64 `json:"policy"` // the improved policy
}

// Tree copies the tree of the last search, or of what Advance kept of it; without nodes if there was none.
func (s *Search) Tree() Tree {
	if s.root == none {
		return Tree{}
	}
	type found struct {
		node   int32
		weight float64
	}
	queue := []found{{s.root, 1}}
	index := map[int32]int{s.root: 0}
	var out Tree
	for len(queue) > 0 {
		n, weight := queue[0].node, queue[0].weight
		queue = queue[1:]
		from, count := s.t.first[n], s.t.count[n]
		policy, q := make([]float64, count), make([]float64, count)
		s.improve(n, weight, policy, q)
		node := Node{Visits: int(1 + s.t.sum[n]), Value: s.t.value[n], Raw: s.t.raw[n], Terminal: count == 0}
		for i := range count {
			e := from + i
			node.Edges = append(node.Edges, Edge{
				Action: s.t.action[e], Child: int(s.t.child[e]), Visits: int(s.t.visits[e]),
				Reward: s.t.reward[e], Q: q[i], Prior: s.t.prior[e], Policy: policy[i],
			})
		}
		slices.SortFunc(node.Edges, func(a, b Edge) int { return cmp.Compare(a.Action, b.Action) })
		for i, e := range node.Edges {
			c := int32(e.Child)
			if c == none {
				continue
			}
			at, known := index[c]
			if !known {
				at = len(index)
				index[c] = at
				queue = append(queue, found{c, weight * s.opts.Discount})
			}
			node.Edges[i].Child = at
		}
		out.Nodes = append(out.Nodes, node)
	}
	return out
}

// Line returns the moves from the root along the most visited edges, the better Q and then the smaller action among
// equals, until nothing was visited.
func (t Tree) Line() []int32 {
	var line []int32
	for n := 0; n < len(t.Nodes); {
		best := Edge{Child: -1}
		for _, e := range t.Nodes[n].Edges {
			if e.Visits > best.Visits || e.Visits > 0 && e.Visits == best.Visits && e.Q > best.Q {
				best = e
			}
		}
		if best.Visits == 0 {
			break
		}
		line = append(line, best.Action)
		n = best.Child
	}
	return line
}

// Phase is a stage of sequential halving as it happened. Slices are parallel to Actions.
type Phase struct {
	Stage
	Actions []int32   // survivors, in the order in which they were first simulated
	Visits  []int32   // by the whole search, when the stage ended
	Q       []float64 // when the stage ended
	Scores  []float64 // Gumbel + logit + σ(Q) when the stage ended, up to a shared term; the highest survive
}

// Phases returns the stages of sequential halving of the last search; none for PUCT, or if nothing was searched.
func (s *Search) Phases() []Phase {
	var out []Phase
	h := &s.halved
	begin := 0
	for i, end := range h.ends {
		out = append(out, Phase{
			Stage: h.stages[i], Actions: slices.Clone(h.actions[begin:end]), Visits: slices.Clone(h.visits[begin:end]),
			Q: slices.Clone(h.q[begin:end]), Scores: slices.Clone(h.scores[begin:end]),
		})
		begin = end
	}
	return out
}

// Trace returns the root action of every simulation of the last search, in order.
func (s *Search) Trace() []int32 {
	var out []int32
	for _, i := range s.trace {
		out = append(out, s.t.action[s.t.first[s.root]+i])
	}
	return out
}

// halving records stages as they end: stage i has the entries before ends[i] and after those of the stages before.
type halving struct {
	stages  []Stage
	ends    []int
	actions []int32
	visits  []int32
	q       []float64
	scores  []float64
}

func (h *halving) reset() {
	h.stages, h.ends = h.stages[:0], h.ends[:0]
	h.actions, h.visits, h.q, h.scores = h.actions[:0], h.visits[:0], h.q[:0], h.scores[:0]
}

// recordStage notes a stage that has just ended; simulated are the root actions of its first round, as indices among
// the legal ones.
func (s *Search) recordStage(stage Stage, simulated []int32) {
	h := &s.halved
	k := s.know(s.root)
	scale, top := s.sigma(k, 1)
	for _, i := range simulated {
		h.actions = append(h.actions, s.t.action[s.t.first[s.root]+i])
		h.visits = append(h.visits, s.visits[i])
		h.q = append(h.q, s.q[i])
		h.scores = append(h.scores, s.score(i, k, scale, top))
	}
	h.stages = append(h.stages, stage)
	h.ends = append(h.ends, len(h.actions))
}
