package hdf5

import (
	"errors"
	"fmt"
	"math"
	"path"
	"strings"
)

// Dataset is an array in a file.
type Dataset struct {
	f      *File
	path   string
	Shape  []int // empty for a scalar
	Type   Type
	layout layout
	filter []filter
}

// layout says where the elements are.
type layout struct {
	class   uint64 // 0 in the header, 1 contiguous, 2 chunked
	data    []byte // class 0
	address uint64 // of the elements, of the B-tree of chunks, or of the only chunk
	chunk   []uint64
	single  bool   // there is one chunk and no B-tree
	size    uint64 // of the only chunk, if it is filtered
	mask    uint64 // filters that the only chunk skips
}

// Path returns the absolute path of the dataset.
func (d *Dataset) Path() string { return d.path }

// Errorf makes an error that names the file and the dataset.
func (d *Dataset) Errorf(format string, args ...any) error {
	return d.f.errorf(d.path, format, args...)
}

// Len returns the number of elements.
func (d *Dataset) Len() int {
	n := 1
	for _, s := range d.Shape {
		n *= s
	}
	return n
}

// Dataset opens a dataset in the group; its elements are read later.
func (g *Group) Dataset(name string) (*Dataset, error) {
	address, err := g.find(name)
	if err != nil {
		return nil, err
	}
	d := &Dataset{f: g.f, path: path.Join(g.path, name)}
	if err := d.open(address); err != nil {
		return nil, g.f.errorf(d.path, "%w", err)
	}
	return d, nil
}

func (d *Dataset) open(address uint64) error {
	h, err := d.f.header(address)
	if err != nil {
		return err
	}
	if isGroup(h) {
		return errors.New("a group, not a dataset")
	}
	for _, part := range []struct {
		kind int
		name string
		read func(*cursor) error
	}{
		{msgDataspace, "dataspace", d.dataspace},
		{msgDatatype, "datatype", func(c *cursor) (err error) { d.Type, err = d.f.datatype(c, true); return err }},
		{msgPipeline, "filters", d.pipeline},
		{msgLayout, "layout", d.readLayout},
	} {
		m, ok := h.first(part.kind)
		if !ok && part.kind == msgPipeline {
			continue
		}
		if !ok {
			return fmt.Errorf("no dataset: its %s is missing", part.name)
		}
		if m.shared {
			return fmt.Errorf("a %s that is stored elsewhere is not supported", part.name)
		}
		c := cursor{b: m.data}
		if err := part.read(&c); err != nil {
			return err
		}
		if c.bad {
			return fmt.Errorf("damaged %s", part.name)
		}
	}
	return nil
}

// maxElements bounds the shape, so that products of sizes do not overflow.
const maxElements = 1 << 40

// dataspace reads the shape ("The Dataspace Message").
func (d *Dataset) dataspace(c *cursor) error {
	version, rank, flags := c.uint(1), c.uint(1), c.uint(1)
	kind := uint64(1)
	switch version {
	case 1:
		c.take(5)
	case 2:
		kind = c.uint(1)
	default:
		return fmt.Errorf("dataspace version %d is not supported", version)
	}
	if kind == 2 {
		return errors.New("it has no elements (a null dataspace)")
	}
	if rank > 32 || kind > 2 || kind == 0 && rank > 0 || flags > 3 {
		return errors.New("damaged dataspace")
	}
	product := uint64(1)
	for range rank {
		n := c.uint(d.f.length)
		if n > maxElements/product {
			return fmt.Errorf("its shape has more than %d elements", uint64(maxElements))
		}
		product *= max(n, 1)
		d.Shape = append(d.Shape, int(n))
	}
	return nil
}

// readLayout reads where the elements are ("The Data Layout Message").
func (d *Dataset) readLayout(c *cursor) error {
	f, l := d.f, &d.layout
	version := c.uint(1)
	if version < 3 || version > 5 { // 4 is of HDF5 1.10, 5 of HDF5 2.0
		return fmt.Errorf("data layout version %d is not supported", version)
	}
	l.class = c.uint(1)
	switch l.class {
	case 0:
		l.data = c.take(c.uint(2))
	case 1:
		l.address = f.address(c)
		c.uint(f.length)
	case 2:
		width, flags := 4, uint64(0)
		if version > 3 {
			flags = c.uint(1)
		}
		rank := int(c.uint(1))
		if version == 3 {
			l.address = f.address(c)
		} else {
			width = int(c.uint(1))
		}
		if rank != len(d.Shape)+1 || width < 1 || width > 8 {
			return errors.New("damaged layout: chunks and dataset have another number of dimensions")
		}
		product := uint64(1)
		for range rank {
			n := c.uint(width)
			if n == 0 || n > maxElements/product {
				return fmt.Errorf("damaged layout: a chunk is %d elements long", n)
			}
			product *= n
			l.chunk = append(l.chunk, n)
		}
		if l.chunk[rank-1] != uint64(d.Type.Size) {
			return errors.New("damaged layout: chunks and dataset have elements of another size")
		}
		if version > 3 {
			if index := c.uint(1); index != 1 {
				return errors.New("this index of chunks (HDF5 1.10) is not supported; write the file with h5py's default libver='earliest'")
			}
			l.single = true
			if flags&2 != 0 {
				l.size, l.mask = c.uint(f.length), c.uint(4)
			}
			l.address = f.address(c)
		}
	default:
		return fmt.Errorf("data layout class %d is not supported", l.class)
	}
	return nil
}

// raw reads the bytes of all elements in row-major order.
func (d *Dataset) raw() ([]byte, error) {
	n := uint64(d.Len()) * uint64(d.Type.Size)
	if n == 0 {
		return nil, nil
	}
	switch d.layout.class {
	case 0:
		if uint64(len(d.layout.data)) < n {
			return nil, fmt.Errorf("damaged: %d bytes of %d are there", len(d.layout.data), n)
		}
		return d.layout.data[:n], nil
	case 1:
		if d.layout.address == undefined {
			return nil, errors.New("no elements were ever written")
		}
		return d.f.bytes(d.layout.address, n)
	}
	return d.chunks(n)
}

// Floats reads numbers of any type, in row-major order.
func (d *Dataset) Floats() ([]float64, error) {
	if d.Type.Class != Integer && d.Type.Class != Float {
		return nil, d.Errorf("%v instead of numbers", d.Type)
	}
	raw, err := d.raw()
	if err != nil {
		return nil, d.Errorf("%w", err)
	}
	return d.Type.Floats(make([]float64, 0, d.Len()), raw)
}

// Ints reads whole numbers of any type, in row-major order; numbers with a fraction and such beyond 2^53 are refused.
func (d *Dataset) Ints() ([]int, error) {
	v, err := d.Floats()
	if err != nil {
		return nil, err
	}
	out := make([]int, len(v))
	for i, x := range v {
		if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return nil, d.Errorf("%g is not a whole number", x)
		}
		out[i] = int(x)
	}
	return out, nil
}

// Strings reads strings of fixed or variable length, in row-major order.
func (d *Dataset) Strings() ([]string, error) {
	var out []string
	switch d.Type.Class {
	case VString:
		values, err := d.heaped(1)
		if err != nil {
			return nil, d.Errorf("%w", err)
		}
		for _, v := range values {
			out = append(out, strings.TrimRight(string(v), "\x00"))
		}
	case String:
		raw, err := d.raw()
		if err != nil {
			return nil, d.Errorf("%w", err)
		}
		for ; len(raw) > 0; raw = raw[d.Type.Size:] {
			s, _, _ := strings.Cut(string(raw[:d.Type.Size]), "\x00")
			out = append(out, strings.TrimRight(s, " "))
		}
	default:
		return nil, d.Errorf("%v instead of strings", d.Type)
	}
	return out, nil
}

// Sequences reads sequences of variable length: the bytes of each, elements of type Type.Base. They share memory.
func (d *Dataset) Sequences() ([][]byte, error) {
	if d.Type.Class != Sequence {
		return nil, d.Errorf("%v instead of sequences of numbers", d.Type)
	}
	values, err := d.heaped(uint64(d.Type.Base.Size))
	if err != nil {
		return nil, d.Errorf("%w", err)
	}
	return values, nil
}
