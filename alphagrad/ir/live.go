package ir

// PeakLive is the largest number of elements held at once while a program executes in its schedule, node after node in the
// order of p.Nodes: its memory, in float64 numbers.
//
// Inputs are there from the start, another value from its node on; each is held until its last use, an output until the
// end. A node's result is held beside its arguments, since no back end writes over one while it reads it. Constants are
// part of the code, and a reshape is its argument under another shape: neither holds elements of its own.
func PeakLive(p *Program) int64 {
	const end = int(^uint(0) >> 1)
	owner := make([]ID, len(p.Nodes)) // of the elements of each node
	last := make([]int, len(p.Nodes)) // step after which an owner's elements are free
	for i := range p.Nodes {
		owner[i], last[i] = ID(i), i
		if p.Nodes[i].Op == OpReshape {
			owner[i] = owner[p.Nodes[i].Args[0]]
		}
		for _, a := range p.Nodes[i].Args {
			last[owner[a]] = i
		}
	}
	for _, o := range p.Outputs {
		last[owner[o.Node]] = end
	}
	size := func(i ID) int64 {
		if owner[i] != i || p.Nodes[i].Op == OpConst {
			return 0
		}
		return int64(p.Nodes[i].Shape.Size())
	}
	var live, peak int64
	for _, i := range p.Inputs {
		live += size(i)
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Op != OpInput {
			live += size(ID(i))
		}
		peak = max(peak, live)
		if last[i] == i { // a value that nothing uses
			live -= size(ID(i))
		}
		for k, a := range n.Args {
			if o := owner[a]; last[o] == i && !ownedBefore(owner, n.Args[:k], o) {
				live -= size(o)
			}
		}
	}
	return peak
}

// ownedBefore reports whether one of the arguments given is held by an owner.
func ownedBefore(owner []ID, args []ID, o ID) bool {
	for _, a := range args {
		if owner[a] == o {
			return true
		}
	}
	return false
}
