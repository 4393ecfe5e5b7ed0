package structure

import "slices"

// An Embedding places the elements of a tensor in a longer list of zeros: the element at labels ℓ at position
// Base + Σ Step·ℓ. No two elements meet, and the elements keep their order, so that padding, cutting and reshaping do it.
type Embedding struct {
	Labels     []int // axes of the tensor, by descending steps
	Sizes      []int // of the labels
	Steps      []int // each is larger than the distance that the later labels span
	Base, Size int   // position of the first element; length of the list
}

// embed plans an embedding, or returns nil where elements meet or change their order.
func embed(sizes, labels, steps []int, base, size int) *Embedding {
	e := &Embedding{Base: base, Size: size}
	order := make([]int, len(labels))
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int { return steps[b] - steps[a] })
	for _, k := range order {
		e.Labels, e.Sizes, e.Steps = append(e.Labels, labels[k]), append(e.Sizes, sizes[labels[k]]), append(e.Steps, steps[k])
	}
	span := 0
	for k := len(labels) - 1; k >= 0; k-- {
		if e.Steps[k] <= span {
			return nil
		}
		span += (e.Sizes[k] - 1) * e.Steps[k]
	}
	return e
}

// A Dense tells how to write a term as the dense tensor with the axes of y, then those of x: by broadcasting the value to
// all labels and embedding it, or by Rounds.
type Dense struct {
	Into *Embedding
	// Rounds lists, for each element of the dense tensor, the element of the value that it is, or −1; where several terms
	// of the sum meet in one entry there are several rounds to add.
	Rounds [][]int32
}

// Densify plans the dense form of a term.
func (t *Term) Densify() Dense {
	if into := t.embedding(); into != nil {
		return Dense{Into: into}
	}
	w := &rewriting{sizes: t.Sizes}
	axes := slices.Concat(t.Out, t.In)
	n := 1
	for _, a := range axes {
		n *= a.Size
	}
	labels := make([]int, len(t.Sizes))
	for l := range labels {
		labels[l] = l
	}
	var rounds [][]int32
	used := make([]int32, n)
	at := make([]int, len(t.Sizes))
	for d := range w.domain(labels) {
		w.coordinates(labels, d, at)
		flat := 0
		for _, a := range axes {
			flat = flat*a.Size + a.Map.At(w.index(a.Labels, at))
		}
		if int(used[flat]) == len(rounds) {
			r := make([]int32, n)
			for i := range r {
				r[i] = -1
			}
			rounds = append(rounds, r)
		}
		rounds[used[flat]][flat] = int32(w.index(t.Value, at))
		used[flat]++
	}
	return Dense{Rounds: rounds}
}

// embedding is that of the term in its dense form, nil where an axis has a table or entries meet.
func (t *Term) embedding() *Embedding {
	axes := slices.Concat(t.Out, t.In)
	steps := make([]int, len(t.Sizes))
	labels := make([]int, len(t.Sizes))
	for l := range labels {
		labels[l] = l
	}
	base, size := 0, 1
	for k := len(axes) - 1; k >= 0; k-- {
		a := axes[k]
		if a.Map.Table != nil {
			return nil
		}
		base += a.Map.Off * size
		step := a.Map.Stride * size
		for i := len(a.Labels) - 1; i >= 0; i-- {
			steps[a.Labels[i]] += step
			step *= t.Sizes[a.Labels[i]]
		}
		size *= a.Size
	}
	return embed(t.Sizes, labels, steps, base, size)
}
