package ir

import "slices"

// Schedules returns programs with the nodes of p in other orders of evaluation, each made to hold few values at once by a
// different rule, p itself first. They compute bit for bit the same.
func Schedules(p *Program) []*Program {
	all := []*Program{p}
	for _, order := range [][]ID{downwards(p), upwards(p), depthFirst(p)} {
		all = append(all, reorder(p, order))
	}
	return all
}

// Schedule returns the one of [Schedules] that holds the fewest elements at once ([PeakLive]).
func Schedule(p *Program) (*Program, error) {
	best, peak := p, PeakLive(p)
	for _, q := range Schedules(p)[1:] {
		if m := PeakLive(q); m < peak {
			best, peak = q, m
		}
	}
	return best, Verify(best)
}

// reorder puts the nodes of p into an order of evaluation, which names every node once.
func reorder(p *Program, order []ID) *Program {
	q := &Program{Name: p.Name, Nodes: make([]Node, 0, len(order))}
	at := make([]ID, len(p.Nodes))
	for i, id := range order {
		at[id] = ID(i)
	}
	for _, id := range order {
		n := p.Nodes[id]
		n.Args = slices.Clone(n.Args)
		for k, a := range n.Args {
			n.Args[k] = at[a]
		}
		q.Nodes = append(q.Nodes, n)
	}
	for _, id := range p.Inputs {
		q.Inputs = append(q.Inputs, at[id])
	}
	for _, o := range p.Outputs {
		q.Outputs = append(q.Outputs, Output{o.Name, at[o.Node]})
	}
	return q
}

// A worklist hands out the node whose evaluation lets the number of values held grow least, of equal ones the one entered
// last, so that chains are followed. Growth only ever falls; a node enters anew when its own does.
type worklist struct {
	buckets [][]ID // by growth, from the least
	growth  func(ID) int
	least   int
	done    []bool
}

func newWorklist(nodes, least, most int, growth func(ID) int) *worklist {
	return &worklist{buckets: make([][]ID, most-least+1), growth: growth, least: least, done: make([]bool, nodes)}
}

func (w *worklist) push(id ID) {
	k := min(max(w.growth(id)-w.least, 0), len(w.buckets)-1)
	w.buckets[k] = append(w.buckets[k], id)
}

func (w *worklist) pop() (ID, bool) {
	for k := range w.buckets {
		for b := w.buckets[k]; len(b) > 0; b = w.buckets[k] {
			id := b[len(b)-1]
			w.buckets[k] = b[:len(b)-1]
			if !w.done[id] && min(max(w.growth(id)-w.least, 0), len(w.buckets)-1) == k {
				w.done[id] = true
				return id, true
			}
		}
	}
	return 0, false
}

// leaves starts an order: constants and inputs take part in none.
func (p *Program) leaves() (order []ID) {
	for i := range p.Nodes {
		if p.Nodes[i].Op.Class == Leaf {
			order = append(order, ID(i))
		}
	}
	return order
}

// users lists the nodes that read each node, a node once however often it reads.
func (p *Program) users() [][]ID {
	users := make([][]ID, len(p.Nodes))
	for i := range p.Nodes {
		for k, a := range p.Nodes[i].Args {
			if !slices.Contains(p.Nodes[i].Args[:k], a) {
				users[a] = append(users[a], ID(i))
			}
		}
	}
	return users
}

// downwards evaluates, among the nodes whose arguments are there, always the one that ends the most values.
func downwards(p *Program) []ID {
	users, out := p.users(), usedAsOutput(p)
	readers := make([]int, len(p.Nodes)) // still to come
	missing := make([]int, len(p.Nodes)) // arguments still to come
	for i := range p.Nodes {
		readers[i] = len(users[i])
		for _, u := range users[i] {
			missing[u]++
		}
	}
	w := newWorklist(len(p.Nodes), -3, 1, func(id ID) int {
		growth := 1
		args := p.Nodes[id].Args
		for k, a := range args {
			if readers[a] == 1 && !out[a] && p.Nodes[a].Op != OpConst && !slices.Contains(args[:k], a) {
				growth--
			}
		}
		return growth
	})
	order := p.leaves()
	evaluated := func(id ID) {
		for _, u := range users[id] {
			if missing[u]--; missing[u] == 0 {
				w.push(u)
			}
		}
	}
	for _, id := range slices.Clone(order) {
		evaluated(id)
	}
	for id, ok := w.pop(); ok; id, ok = w.pop() {
		order = append(order, id)
		args := p.Nodes[id].Args
		for k, a := range args {
			if slices.Contains(args[:k], a) {
				continue
			}
			if readers[a]--; readers[a] == 1 { // its last reader now ends it
				for _, u := range users[a] {
					if missing[u] == 0 && !w.done[u] {
						w.push(u)
					}
				}
			}
		}
		evaluated(id)
	}
	return order
}

// upwards builds the order from its end: among the nodes whose users are all placed, always the one that needs the fewest
// arguments that are not held there anyway.
func upwards(p *Program) []ID {
	users := p.users()
	left := make([]int, len(p.Nodes)) // users still to be placed
	held := make([]bool, len(p.Nodes))
	w := newWorklist(len(p.Nodes), -1, 2, func(id ID) int {
		growth := -1
		args := p.Nodes[id].Args
		for k, a := range args {
			if !held[a] && p.Nodes[a].Op != OpConst && !slices.Contains(args[:k], a) {
				growth++
			}
		}
		return growth
	})
	for i := range p.Nodes {
		if left[i] = len(users[i]); left[i] == 0 && p.Nodes[i].Op.Class != Leaf {
			w.push(ID(i))
		}
	}
	var order []ID
	for id, ok := w.pop(); ok; id, ok = w.pop() {
		order = append(order, id)
		args := p.Nodes[id].Args
		for k, a := range args {
			if slices.Contains(args[:k], a) {
				continue
			}
			left[a]--
			if !held[a] {
				held[a] = true
				for _, u := range users[a] {
					if left[u] == 0 && !w.done[u] {
						w.push(u)
					}
				}
			}
			if left[a] == 0 && p.Nodes[a].Op.Class != Leaf {
				w.push(a)
			}
		}
	}
	slices.Reverse(order)
	return append(p.leaves(), order...)
}

// depthFirst evaluates the outputs one after the other, of the arguments of a node first the one that needs more room, as
// for the registers of an expression tree (Sethi and Ullman 1970).
func depthFirst(p *Program) []ID {
	room := make([]int, len(p.Nodes))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Op.Class == Leaf {
			room[i] = 1
			continue
		}
		needs := make([]int, len(n.Args))
		for k, a := range n.Args {
			needs[k] = room[a]
		}
		slices.SortFunc(needs, func(x, y int) int { return y - x })
		for k, r := range needs {
			room[i] = max(room[i], r+k)
		}
	}
	order := p.leaves()
	done := make([]bool, len(p.Nodes))
	for _, id := range order {
		done[id] = true
	}
	var stack []ID
	visit := func(root ID) {
		stack = append(stack, root)
		for len(stack) > 0 {
			id := stack[len(stack)-1]
			if done[id] {
				stack = stack[:len(stack)-1]
				continue
			}
			var missing []ID
			for _, a := range p.Nodes[id].Args {
				if !done[a] {
					missing = append(missing, a)
				}
			}
			if len(missing) == 0 {
				done[id] = true
				order = append(order, id)
				stack = stack[:len(stack)-1]
				continue
			}
			// The one on top is evaluated first.
			slices.SortStableFunc(missing, func(x, y ID) int { return room[x] - room[y] })
			stack = append(stack, missing...)
		}
	}
	for _, o := range p.Outputs {
		visit(o.Node)
	}
	for i := range p.Nodes { // what no output needs stays
		visit(ID(i))
	}
	return order
}
