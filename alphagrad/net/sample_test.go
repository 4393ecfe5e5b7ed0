package net

import "github.com/alphagrad/alphagrad-go/alphagrad/elim"

// markowitzSample asks for the cheapest vertices of a state, all alike, and for no improvement.
func markowitzSample(s *elim.State) Sample {
	p := &Position{}
	NewEncoder().Encode(s, p)
	target := make([]float32, len(p.Vertices))
	best, count := -1, 0
	for _, v := range p.Vertices {
		if c := s.Cost(int(v)); best < 0 || c < best {
			best, count = c, 1
		} else if c == best {
			count++
		}
	}
	for i, v := range p.Vertices {
		if s.Cost(int(v)) == best {
			target[i] = 1 / float32(count)
		}
	}
	return Sample{Position: p, Target: target, Weight: 1}
}
