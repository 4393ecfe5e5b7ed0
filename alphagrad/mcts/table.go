package mcts

// table finds the node of a state by its hash: open addressing with linear probing, at most half full. Hash 0 is
// never stored.
type table struct {
	keys  []uint64 // a power of two of them; 0 where empty
	nodes []int32
	used  int
}

func (t *table) reset() {
	clear(t.keys)
	t.used = 0
}

// slot returns where key is, or the empty place where it belongs. Hashes need not be well mixed: multiplication by
// 2⁶⁴/φ spreads them (Knuth, The Art of Computer Programming, vol. 3, section 6.4).
func (t *table) slot(key uint64) int {
	mask := len(t.keys) - 1
	i := int(key*0x9e3779b97f4a7c15>>32) & mask
	for t.keys[i] != 0 && t.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

func (t *table) get(key uint64) int32 {
	if t.used == 0 {
		return none
	}
	if i := t.slot(key); t.keys[i] == key {
		return t.nodes[i]
	}
	return none
}

func (t *table) put(key uint64, node int32) {
	if 2*(t.used+1) > len(t.keys) {
		keys, nodes := t.keys, t.nodes
		size := max(256, 2*len(keys))
		t.keys, t.nodes, t.used = make([]uint64, size), make([]int32, size), 0
		for i, k := range keys {
			if k != 0 {
				t.put(k, nodes[i])
			}
		}
	}
	i := t.slot(key)
	if t.keys[i] == 0 {
		t.used++
	}
	t.keys[i], t.nodes[i] = key, node
}
