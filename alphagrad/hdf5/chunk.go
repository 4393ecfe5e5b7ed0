package hdf5

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// Filters that can be undone ("The Data Storage - Filter Pipeline Message" and the list of registered filters).
const (
	filterDeflate = 1
	filterShuffle = 2
	filterLZF     = 32000
)

type filter struct {
	id     uint64
	values []uint64
}

// pipeline reads the filters of a dataset, in the order in which they were applied.
func (d *Dataset) pipeline(c *cursor) error {
	version, n := c.uint(1), c.uint(1)
	switch version {
	case 1:
		c.take(6)
	case 2:
	default:
		return fmt.Errorf("filter pipeline version %d is not supported", version)
	}
	for range n {
		id := c.uint(2)
		name := uint64(0)
		if version == 1 || id >= 256 {
			name = c.uint(2)
		}
		c.take(2)
		count := c.uint(2)
		if version == 1 {
			name = (name + 7) / 8 * 8
		}
		label := string(bytes.TrimRight(c.take(name), "\x00"))
		flt := filter{id: id}
		for range count {
			flt.values = append(flt.values, c.uint(4))
		}
		if version == 1 && count%2 == 1 {
			c.take(4)
		}
		switch {
		case c.bad:
			return nil // reported by the caller
		case id != filterDeflate && id != filterShuffle && id != filterLZF:
			return fmt.Errorf("filter %d %q is not supported; compress with gzip", id, label)
		}
		d.filter = append(d.filter, flt)
	}
	return nil
}

// maxInflation bounds what a byte of a file may become: deflate at its best makes 1032 of one.
const maxInflation = 1100

// chunks reads a chunked dataset of n bytes.
func (d *Dataset) chunks(n uint64) ([]byte, error) {
	l, rank := d.layout, len(d.Shape)
	size := uint64(1) // bytes of a chunk
	for _, k := range l.chunk {
		size *= k
	}
	expected := uint64(1)
	for i, s := range d.Shape {
		expected *= (uint64(s) + l.chunk[i] - 1) / l.chunk[i]
	}
	if limit := d.f.size * maxInflation; max(n, size) > limit || expected > d.f.size {
		return nil, fmt.Errorf("it claims to have %d bytes in %d chunks, more than a file of %d bytes can hold", n, expected, d.f.size)
	}
	if l.address == undefined {
		return nil, errors.New("no elements were ever written")
	}
	out := make([]byte, n)
	if l.single {
		if expected != 1 {
			return nil, errors.New("damaged layout: one chunk is not enough")
		}
		stored := size
		if len(d.filter) > 0 {
			stored = l.size
		}
		return out, d.chunk(out, make([]uint64, rank), l.address, stored, l.mask, size)
	}
	seen := map[string]bool{}
	err := d.f.tree(l.address, 1, 8+8*(rank+1), func(key []byte, child uint64) error {
		c := cursor{b: key}
		stored, mask := c.uint(4), c.uint(4)
		offsets := string(c.b)
		at := make([]uint64, rank)
		for i := range at {
			at[i] = c.uint(8)
			if at[i]%l.chunk[i] != 0 || at[i] >= uint64(d.Shape[i]) {
				return errors.New("damaged index: a chunk lies outside the dataset")
			}
		}
		if seen[offsets] {
			return errors.New("damaged index: a chunk is there twice")
		}
		seen[offsets] = true
		return d.chunk(out, at, child, stored, mask, size)
	})
	if err != nil {
		return nil, err
	}
	if uint64(len(seen)) != expected {
		return nil, fmt.Errorf("%d of %d chunks were written", len(seen), expected)
	}
	return out, nil
}

// chunk reads the chunk whose first element is at the given indices into its place in out.
func (d *Dataset) chunk(out []byte, at []uint64, address, stored, mask, size uint64) error {
	b, err := d.f.bytes(address, stored)
	if err != nil {
		return fmt.Errorf("chunk at %v: %w", at, err)
	}
	for i := len(d.filter) - 1; i >= 0; i-- {
		if mask>>i&1 == 0 {
			if b, err = d.filter[i].undo(b, size); err != nil {
				return fmt.Errorf("chunk at %v: %w", at, err)
			}
		}
	}
	if uint64(len(b)) != size {
		return fmt.Errorf("chunk at %v: %d bytes instead of %d", at, len(b), size)
	}
	d.place(out, b, at, 0, 0, 0)
	return nil
}

// place copies a chunk, from dimension dim on, to where it belongs; from and to are element numbers in the dimensions
// before.
func (d *Dataset) place(out, chunk []byte, at []uint64, dim int, from, to uint64) {
	element := uint64(d.Type.Size)
	if dim == len(at) { // a scalar
		copy(out[to*element:], chunk[from*element:][:element])
		return
	}
	from, to = from*d.layout.chunk[dim], to*uint64(d.Shape[dim])+at[dim]
	n := min(d.layout.chunk[dim], uint64(d.Shape[dim])-at[dim]) // the last chunk may stick out
	if dim == len(at)-1 {
		copy(out[to*element:], chunk[from*element:][:n*element])
		return
	}
	for i := range n {
		d.place(out, chunk, at, dim+1, from+i, to+i)
	}
}

// undo reverses a filter; the result has at most size bytes.
func (f filter) undo(b []byte, size uint64) ([]byte, error) {
	switch f.id {
	case filterDeflate:
		r, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		out, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		if uint64(len(out)) > size {
			return nil, fmt.Errorf("gzip: more than the %d bytes of a chunk", size)
		}
		return out, nil
	case filterShuffle:
		return unshuffle(b, f.values)
	}
	return unlzf(b, size)
}

// unshuffle puts the bytes of every element together again, which were stored first bytes first.
func unshuffle(b []byte, values []uint64) ([]byte, error) {
	if len(values) < 1 || values[0] < 1 || values[0] > uint64(len(b)) {
		return nil, errors.New("damaged shuffle filter")
	}
	width := int(values[0])
	n := len(b) / width
	out := append([]byte(nil), b...) // what does not fill an element stays in place
	for i := range n {
		for j := range width {
			out[i*width+j] = b[j*n+i]
		}
	}
	return out, nil
}

// unlzf reverses LZF: runs of literals and references to earlier output.
func unlzf(b []byte, size uint64) ([]byte, error) {
	damaged := errors.New("damaged LZF data")
	out := make([]byte, 0, size)
	c := cursor{b: b}
	for len(c.b) > 0 {
		control := c.uint(1)
		if control < 32 {
			out = append(out, c.take(control+1)...)
		} else {
			length := control >> 5
			if length == 7 {
				length += c.uint(1)
			}
			back := int(control&31<<8|c.uint(1)) + 1
			if back > len(out) || uint64(len(out))+length+2 > size {
				return nil, damaged
			}
			for range length + 2 {
				out = append(out, out[len(out)-back])
			}
		}
		if c.bad || uint64(len(out)) > size {
			return nil, damaged
		}
	}
	return out, nil
}
