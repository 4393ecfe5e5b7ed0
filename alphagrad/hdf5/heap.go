package hdf5

import (
	"errors"
	"fmt"
)

// heaps reads objects of the global heap. Every collection is read once.
type heaps struct {
	f       *File
	known   map[uint64]map[uint64][]byte // collection, object
	scanned uint64                       // bytes of collections
}

// heaped reads elements of variable length, which the dataset refers to by length, collection and object
// ("Disk Format: Level 1F - Global Heap" and "Variable-length"); base is the size of their items.
func (d *Dataset) heaped(base uint64) ([][]byte, error) {
	raw, err := d.raw()
	if err != nil {
		return nil, err
	}
	h := &heaps{f: d.f, known: map[uint64]map[uint64][]byte{}}
	out := make([][]byte, 0, d.Len())
	for c := (cursor{b: raw}); len(c.b) > 0; {
		n := c.uint(4)
		address, object := d.f.address(&c), c.uint(4)
		if n == 0 {
			out = append(out, nil)
			continue
		}
		b, err := h.object(address, object)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", len(out), err)
		}
		if n*base > uint64(len(b)) {
			return nil, fmt.Errorf("element %d: %d items of %d bytes do not fit into an object of %d bytes", len(out), n, base, len(b))
		}
		out = append(out, b[:n*base])
	}
	return out, nil
}

func (h *heaps) object(address, object uint64) ([]byte, error) {
	collection, ok := h.known[address]
	if !ok {
		var err error
		if collection, err = h.collection(address); err != nil {
			return nil, err
		}
		h.known[address] = collection
	}
	b, ok := collection[object]
	if !ok {
		return nil, fmt.Errorf("the heap collection at %#x has no object %d", address, object)
	}
	return b, nil
}

func (h *heaps) collection(address uint64) (map[uint64][]byte, error) {
	f := h.f
	const head = 16 // of a collection and of an object, both padded to a multiple of 8
	b, err := f.bytes(address, head)
	if err != nil {
		return nil, err
	}
	c := cursor{b: b}
	if !c.expect("GCOL") || c.uint(1) != 1 {
		return nil, errors.New("there is no heap collection where one should be")
	}
	c.take(3)
	size := c.uint(f.length)
	// Collections do not overlap, so that together they are no larger than the file.
	if h.scanned += size; size < head || size > f.size || h.scanned > f.size {
		return nil, errors.New("damaged heap: its collections are larger than the file")
	}
	if b, err = f.bytes(address, size); err != nil {
		return nil, err
	}
	objects := map[uint64][]byte{}
	c = cursor{b: b[head:]}
	for uint64(len(c.b)) >= head {
		id := c.uint(2)
		c.take(6)
		n := c.uint(f.length)
		c.take(uint64(8 - f.length))
		if id == 0 { // free space, which comes last
			break
		}
		objects[id] = c.take(n)
		if c.bad {
			return nil, errors.New("damaged heap: an object runs over the end of its collection")
		}
		c.take(min((8-n%8)%8, uint64(len(c.b))))
	}
	return objects, nil
}
