package net

import "github.com/alphagrad/alphagrad-go/alphagrad/elim"

// A Completion finishes games cheaply, which is the yardstick of all values. It owns the memory that takes: after the
// first call for a graph it allocates nothing. It is not safe for concurrent use.
type Completion struct {
	scratch *elim.State
	left    []int   // vertices still to be eliminated, ascending
	prices  []int32 // [len(left)]: their current price, for Markowitz
	at      []int32 // [vertices+1]: where a vertex is in left, −1 if it is gone
}

// CheapCost is the number of multiplications that complete the game from a state in the better of two cheap ways:
// in reverse trace order, or always taking the vertex of the lowest price, the lowest number where several have it
// (Markowitz). The state is left as it is.
//
// A value is relative to this number: the value of a state from which play goes on to spend cost multiplications is
//
//	(CheapCost − cost) / CheapCost
//
// and 0 if CheapCost is 0. It is 0 for play no better than the cheap completion, 0.1 for a tenth saved, and negative
// for worse play; 1 is never reached, for all that is left would have to be free.
func (c *Completion) CheapCost(s *elim.State) int64 {
	return min(c.reverse(s, nil), c.markowitz(s, nil, nil))
}

// Value is the value of spending cost multiplications where the cheap completion spends cheap.
func Value(cheap, cost int64) float64 {
	if cheap == 0 {
		return 0
	}
	return float64(cheap-cost) / float64(cheap)
}

// Cost is the inverse of Value: what play of the given value spends where the cheap completion spends cheap.
func Cost(cheap int64, value float64) float64 { return float64(cheap) * (1 - value) }

// start copies the state into the scratch state and lists the vertices left.
func (c *Completion) start(s *elim.State) {
	if c.scratch == nil || c.scratch.Graph() != s.Graph() {
		c.scratch = elim.NewState(s.Graph())
		n := s.Graph().Vertices() + 1
		c.at = resize(c.at, n)
		c.left, c.prices = resize(c.left, n)[:0], resize(c.prices, n)[:0]
	}
	c.scratch.CopyFrom(s)
	c.left = c.left[:0]
	for v := range s.Remaining() {
		c.left = append(c.left, v)
	}
}

// forward completes in trace order. If price is not nil, price[v] becomes what vertex v cost.
func (c *Completion) forward(s *elim.State, price []int64) (total int64) {
	c.start(s)
	for _, v := range c.left {
		total += c.apply(v, price)
	}
	return total
}

// reverse completes in reverse trace order.
func (c *Completion) reverse(s *elim.State, price []int64) (total int64) {
	c.start(s)
	for i := len(c.left) - 1; i >= 0; i-- {
		total += c.apply(c.left[i], price)
	}
	return total
}

func (c *Completion) apply(v int, price []int64) int64 {
	cost := int64(c.scratch.Apply(v))
	if price != nil {
		price[v] = cost
	}
	return cost
}

// markowitz always takes the cheapest vertex. If turn is not nil, turn[v] becomes the number of vertices taken before
// vertex v.
func (c *Completion) markowitz(s *elim.State, price []int64, turn []int32) (total int64) {
	c.start(s)
	g := s.Graph()
	c.prices = c.prices[:len(c.left)]
	for i, v := range c.left {
		c.prices[i] = int32(c.scratch.Cost(v))
		c.at[v] = int32(i)
	}
	const gone = 1<<31 - 1 // a price above all others, which are at most MaxNodes²/4
	for taken := range c.left {
		best := 0
		for i, p := range c.prices {
			if p < c.prices[best] {
				best = i
			}
		}
		v := c.left[best]
		c.prices[best] = gone
		c.at[v] = -1
		total += c.apply(v, price)
		if turn != nil {
			turn[v] = int32(taken)
		}
		for u := range c.scratch.Pred(g.Node(v)) {
			c.reprice(g.Vertex(u))
		}
		for u := range c.scratch.Succ(g.Node(v)) {
			c.reprice(g.Vertex(u))
		}
	}
	return total
}

// reprice brings the price of a neighbour of an eliminated vertex up to date.
func (c *Completion) reprice(v int) {
	if p := c.scratch.Cost(v); p >= 0 {
		c.prices[c.at[v]] = int32(p)
	}
}

// resize returns a slice of n elements, the given one if it is large enough. Its contents are arbitrary.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
