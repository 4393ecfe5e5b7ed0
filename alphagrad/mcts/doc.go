// Package mcts plans in single-player, deterministic, finite games by tree search guided by a policy and a
// value. It knows nothing of any particular game: a Game is played through six methods, and an Evaluator, as a
// rule a neural network, judges the states the search reaches.
//
// # Algorithms
//
// Gumbel is Gumbel AlphaZero: Danihelka, Guez, Schrittwieser, Silver, "Policy improvement by planning with
// Gumbel", ICLR 2022. The root draws actions without replacement by the Gumbel-top-k trick and spends its
// simulations on them by sequential halving (Algorithm 2; see HalvingSchedule); interior nodes follow their
// improved policy deterministically (section 5, equation 14); the policy target is the improved policy from
// completed Q-values (section 4), in which actions never tried have the mixed value of appendix D.
//
// PUCT is AlphaZero with the constants of MuZero: Schrittwieser et al., "Mastering Atari, Go, chess and shogi by
// planning with a learned model", Nature 2020, appendix B; Dirichlet noise at the root, visit counts as target.
//
// # Values
//
// A state is worth the discounted sum of the rewards still to come, a finished game 0, and
//
//	Q(s,a) = r(s,a) + γ V(s′)
//	V(s)   = (v̂(s) + Σ N(s,a) Q(s,a)) / (1 + Σ N(s,a))
//
// where v̂ is the evaluator's value and N(s,a) counts how often the search took a in s. In a tree the second line
// is the usual mean of all returns seen below s. Values may have any scale; see Normalisation.
//
// # Transpositions
//
// With Options.Transpositions the tree becomes a directed acyclic graph: states of equal Hash are one node, with
// one evaluation, one value and one set of edges, while the visit count of an edge belongs to that edge alone.
// This is the graph of Czech, Korus, Kersting, "Improving AlphaZero using Monte-Carlo graph search", ICAPS 2021,
// with the second line above computed afresh, from the children's current values, for every node on the path of
// a simulation. Because it is a function of the children and not a running sum, no return is counted twice
// however many parents a node has. A simulation does not stop where it meets a known state but walks on until it
// finds a new or a finished one, so that each buys new information. Parents off the path see a child's new value
// when they are next visited.
//
// # Memory
//
// Nodes and edges live in flat arrays that Search keeps, so that after the first searches have grown them a
// search allocates nothing. A new node costs one pass over its legal actions; walking through a node costs only
// its visited edges, because unvisited actions share one completed value and only the likeliest of them can be
// next.
package mcts
