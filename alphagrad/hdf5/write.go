package hdf5

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
)

// Writer collects datasets and makes a file of them. The zero value is an empty file.
type Writer struct {
	root entry
	heap heapWriter
	buf  []byte
}

// entry is a group, or a dataset if data is set.
type entry struct {
	children map[string]*entry
	shape    []int
	datatype []byte
	data     []byte
	strings  []string
}

// Floats adds a dataset of float64; groups on its path are made as needed. An empty shape is a scalar.
func (w *Writer) Floats(at string, shape []int, values []float64) error {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return w.add(at, len(values), &entry{shape: shape, data: data, datatype: typeFloat64})
}

// Ints adds a dataset of int64.
func (w *Writer) Ints(at string, shape []int, values []int) error {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, uint64(v))
	}
	return w.add(at, len(values), &entry{shape: shape, data: data, datatype: typeInt64})
}

// Strings adds a dataset of UTF-8 strings of any length. They must not contain the byte 0, at which readers end them.
func (w *Writer) Strings(at string, shape []int, values []string) error {
	for _, s := range values {
		if strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("%s: the string %q has a zero byte in it", at, s)
		}
	}
	return w.add(at, len(values), &entry{shape: shape, strings: values, datatype: typeString})
}

// Group adds a group without datasets; it may be there already.
func (w *Writer) Group(at string) error { return w.add(at, 0, nil) }

// add puts a dataset, or a group if e is nil, at a path.
func (w *Writer) add(at string, n int, e *entry) error {
	names := strings.Split(strings.Trim(at, "/"), "/")
	if path.Clean("/"+at) != "/"+strings.Join(names, "/") || strings.IndexByte(at, 0) >= 0 || names[0] == "" {
		return fmt.Errorf("%q is not a path", at)
	}
	if e != nil {
		elements := 1
		for _, s := range e.shape {
			if s < 0 || s > maxElements/max(elements, 1) {
				return fmt.Errorf("%s: %v is not a shape", at, e.shape)
			}
			elements *= s
		}
		if elements != n || len(e.shape) > 32 {
			return fmt.Errorf("%s: %d values do not have the shape %v", at, n, e.shape)
		}
	}
	g := &w.root
	for i, name := range names {
		if len(name) > math.MaxUint16/2 {
			return fmt.Errorf("%s: a name of %d bytes is too long", at, len(name))
		}
		if g.children == nil {
			g.children = map[string]*entry{}
		}
		next, there := g.children[name]
		last := i == len(names)-1
		switch {
		case there && (next.datatype != nil || last && e != nil):
			return fmt.Errorf("%s: there is a dataset or group %q already", at, path.Join(names[:i+1]...))
		case !there && last && e != nil:
			next = e
		case !there:
			next = &entry{}
		}
		g.children[name] = next
		g = next
	}
	return nil
}

// Bytes returns the file. The same content gives the same bytes.
func (w *Writer) Bytes() []byte {
	w.heap = heapWriter{}
	w.root.gather(&w.heap)
	w.buf = make([]byte, superblockSize)
	for _, c := range w.heap.collections {
		c.address = uint64(len(w.buf))
		w.buf = append(w.buf, c.bytes()...)
	}
	root := w.write(&w.root)

	s := append([]byte(signature), 2, 8, 8, 0)
	for _, address := range []uint64{0, undefined, uint64(len(w.buf)), root} {
		s = binary.LittleEndian.AppendUint64(s, address)
	}
	copy(w.buf, binary.LittleEndian.AppendUint32(s, lookup3(s)))
	return w.buf
}

// superblockSize is that of version 2.
const superblockSize = 8 + 4 + 4*8 + 4

// gather puts all strings below e onto the heap.
func (e *entry) gather(h *heapWriter) {
	for _, s := range e.strings {
		h.add(s)
	}
	for _, name := range slices.Sorted(maps.Keys(e.children)) {
		e.children[name].gather(h)
	}
}

// write appends e, what is below it first, and returns the address of its header.
func (w *Writer) write(e *entry) uint64 {
	var messages []byte
	if e.datatype == nil {
		for _, name := range slices.Sorted(maps.Keys(e.children)) {
			child := w.write(e.children[name])
			messages = appendMessage(messages, msgLink, linkMessage(name, child))
		}
		info := binary.LittleEndian.AppendUint64([]byte{0, 0}, undefined)
		info = binary.LittleEndian.AppendUint64(info, undefined)
		// As many links as there are may stay in the header, so that no library moves them into a heap when it adds one.
		messages = append(appendMessage(appendMessage(nil, msgLinkInfo, info), msgGroupInfo, []byte{0, 1, 0xFF, 0xFF, 0, 0}), messages...)
	} else {
		address, size := undefined, uint64(0)
		if data := w.elements(e); len(data) > 0 {
			address, size = w.append(data), uint64(len(data))
		}
		layout := binary.LittleEndian.AppendUint64([]byte{3, 1}, address)
		layout = binary.LittleEndian.AppendUint64(layout, size)
		messages = appendMessage(messages, msgDataspace, dataspaceMessage(e.shape))
		messages = appendMessage(messages, msgDatatype, e.datatype)
		messages = appendMessage(messages, msgFillValue, []byte{3, 0x0A}) // allocated late, written when set; the default
		messages = appendMessage(messages, msgLayout, layout)
	}
	h := append([]byte("OHDR"), 2, 2) // the size of the messages takes 4 bytes
	h = binary.LittleEndian.AppendUint32(h, uint32(len(messages)))
	h = append(h, messages...)
	return w.append(binary.LittleEndian.AppendUint32(h, lookup3(h)))
}

// append writes a block at a multiple of 8 bytes and returns its address.
func (w *Writer) append(b []byte) uint64 {
	w.buf = append(w.buf, make([]byte, -len(w.buf)&7)...)
	address := uint64(len(w.buf))
	w.buf = append(w.buf, b...)
	return address
}

// elements returns the bytes of a dataset; strings are references to the heap, in the order in which they were gathered.
func (w *Writer) elements(e *entry) []byte {
	if e.strings == nil {
		return e.data
	}
	var data []byte
	for _, s := range e.strings {
		collection, object := w.heap.next(s)
		data = binary.LittleEndian.AppendUint32(data, uint32(len(s)))
		data = binary.LittleEndian.AppendUint64(data, collection)
		data = binary.LittleEndian.AppendUint32(data, object)
	}
	return data
}

func appendMessage(to []byte, kind byte, data []byte) []byte {
	to = append(to, kind)
	to = binary.LittleEndian.AppendUint16(to, uint16(len(data)))
	return append(append(to, 0), data...)
}

// linkMessage is a hard link with a UTF-8 name of at most 65535 bytes.
func linkMessage(name string, address uint64) []byte {
	m := binary.LittleEndian.AppendUint16([]byte{1, 0x11, 1}, uint16(len(name)))
	return binary.LittleEndian.AppendUint64(append(m, name...), address)
}

func dataspaceMessage(shape []int) []byte {
	kind := byte(1)
	if len(shape) == 0 {
		kind = 0
	}
	m := []byte{2, byte(len(shape)), 0, kind}
	for _, n := range shape {
		m = binary.LittleEndian.AppendUint64(m, uint64(n))
	}
	return m
}

// Datatype messages of what is written: class and version, bits, size, properties.
var (
	typeFloat64 = []byte{0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xFF, 3, 0, 0}
	typeInt64   = []byte{0x10, 0x08, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0}
	typeString  = []byte{0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0} // UTF-8, ended by zero
)

// heapWriter distributes strings over collections of the global heap.
type heapWriter struct {
	collections []*heapCollection
	current     int
	taken       uint32
}

type heapCollection struct {
	address uint64
	objects uint32
	data    []byte
}

// Limits of a collection: object numbers have 16 bits; a collection that is not huge is read in one go.
const (
	maxObjects    = 1<<16 - 1
	maxCollection = 1 << 20
	minCollection = 4096
)

// add appends a string; the empty one needs no object.
func (h *heapWriter) add(s string) {
	if s == "" {
		return
	}
	n := len(h.collections)
	if n == 0 || h.collections[n-1].objects == maxObjects || len(h.collections[n-1].data)+len(s) > maxCollection {
		h.collections = append(h.collections, &heapCollection{})
		n++
	}
	c := h.collections[n-1]
	c.objects++
	c.data = binary.LittleEndian.AppendUint16(c.data, uint16(c.objects))
	c.data = append(c.data, make([]byte, 6)...)
	c.data = binary.LittleEndian.AppendUint64(c.data, uint64(len(s)))
	c.data = append(c.data, s...)
	c.data = append(c.data, make([]byte, -len(s)&7)...)
}

// next returns where the strings lie, one after another in the order of add.
func (h *heapWriter) next(s string) (collection uint64, object uint32) {
	if s == "" {
		return 0, 0
	}
	for h.taken == h.collections[h.current].objects {
		h.current, h.taken = h.current+1, 0
	}
	h.taken++
	return h.collections[h.current].address, h.taken
}

// bytes returns the collection; what its objects leave free is object 0.
func (c *heapCollection) bytes() []byte {
	size := max(minCollection, 16+len(c.data)+16)
	b := append([]byte("GCOL"), 1, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	b = append(b, c.data...)
	free := uint64(size - len(b))
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint64(b, free)
	return append(b, make([]byte, size-len(b))...)
}
