package hdf5

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
)

// Group is a set of named groups and datasets.
type Group struct {
	f     *File
	path  string
	names []string
	links map[string]uint64 // address of the object header; undefined for links that are not hard
}

// Path returns the absolute path of the group.
func (g *Group) Path() string { return g.path }

// Errorf makes an error that names the file and the group.
func (g *Group) Errorf(format string, args ...any) error { return g.f.errorf(g.path, format, args...) }

// Names returns the names of everything in the group, sorted.
func (g *Group) Names() []string { return slices.Clone(g.names) }

// Has reports whether the group holds an object of that name.
func (g *Group) Has(name string) bool { _, ok := g.links[name]; return ok }

// Group opens a group in this one.
func (g *Group) Group(name string) (*Group, error) {
	address, err := g.find(name)
	if err != nil {
		return nil, err
	}
	return g.f.group(path.Join(g.path, name), address)
}

// IsGroup reports whether name is a group rather than a dataset.
func (g *Group) IsGroup(name string) bool {
	address, err := g.find(name)
	if err != nil {
		return false
	}
	h, err := g.f.header(address)
	return err == nil && isGroup(h)
}

// find returns the address of an object.
func (g *Group) find(name string) (uint64, error) {
	address, ok := g.links[name]
	at := path.Join(g.path, name)
	switch {
	case !ok:
		return 0, g.f.errorf(at, "not there; the group holds %q", g.names)
	case address == undefined:
		return 0, g.f.errorf(at, "soft and external links are not supported")
	}
	return address, nil
}

func isGroup(h header) bool {
	_, table := h.first(msgSymbolTable)
	_, info := h.first(msgLinkInfo)
	return table || info
}

// group opens the group whose header is at an address.
func (f *File) group(at string, address uint64) (*Group, error) {
	g := &Group{f: f, path: at, links: map[string]uint64{}}
	h, err := f.header(address)
	if err != nil {
		return nil, f.errorf(at, "%w", err)
	}
	if !isGroup(h) {
		return nil, f.errorf(at, "not a group")
	}
	for _, m := range h {
		switch m.kind {
		case msgSymbolTable:
			c := cursor{b: m.data}
			err = g.symbolTable(f.address(&c), f.address(&c))
		case msgLink:
			err = g.link(m.data)
		case msgLinkInfo:
			c := cursor{b: m.data}
			c.take(1)
			if c.uint(1)&1 != 0 {
				c.take(8)
			}
			if heap := f.address(&c); heap != undefined && !c.bad {
				err = errors.New("dense storage of links is not supported; write the file with h5py's default libver='earliest'")
			}
		}
		if err != nil {
			return nil, f.errorf(at, "%w", err)
		}
	}
	for name := range g.links {
		g.names = append(g.names, name)
	}
	slices.Sort(g.names)
	return g, nil
}

func (g *Group) add(name string, address uint64) error {
	if name == "" || bytes.IndexByte([]byte(name), 0) >= 0 {
		return errors.New("damaged group: a link without a proper name")
	}
	if _, twice := g.links[name]; twice {
		return fmt.Errorf("damaged group: two objects are named %q", name)
	}
	g.links[name] = address
	return nil
}

// link reads a Link message.
func (g *Group) link(data []byte) error {
	c := cursor{b: data}
	if version := c.uint(1); version != 1 {
		return fmt.Errorf("link version %d is not supported", version)
	}
	flags := c.uint(1)
	kind := uint64(0)
	if flags&8 != 0 {
		kind = c.uint(1)
	}
	if flags&4 != 0 {
		c.take(8) // order of creation
	}
	if flags&16 != 0 {
		c.take(1) // character set
	}
	name := string(c.take(c.uint(1 << (flags & 3))))
	address := undefined
	if kind == 0 {
		address = g.f.address(&c)
	}
	if c.bad {
		return errors.New("damaged group: a link message is too short")
	}
	return g.add(name, address)
}

// symbolTable reads a group of the old format: names in a local heap, entries in the leaves of a B-tree of type 0.
func (g *Group) symbolTable(tree, heap uint64) error {
	f := g.f
	b, err := f.bytes(heap, uint64(8+2*f.length+f.offset))
	if err != nil {
		return fmt.Errorf("names of a group: %w", err)
	}
	c := cursor{b: b}
	if !c.expect("HEAP") || c.uint(1) != 0 {
		return errors.New("damaged group: there is no local heap where one should be")
	}
	c.take(3)
	size := c.uint(f.length)
	c.uint(f.length)
	names, err := f.bytes(f.address(&c), size)
	if err != nil {
		return fmt.Errorf("names of a group: %w", err)
	}
	return f.tree(tree, 0, f.length, func(key []byte, child uint64) error {
		return g.symbols(child, names)
	})
}

// symbols reads a symbol table node.
func (g *Group) symbols(address uint64, names []byte) error {
	f := g.f
	b, err := f.bytes(address, 8)
	if err != nil {
		return err
	}
	c := cursor{b: b}
	if !c.expect("SNOD") || c.uint(1) != 1 {
		return errors.New("damaged group: there is no symbol table node where one should be")
	}
	c.take(1)
	n, entry := c.uint(2), uint64(2*f.offset+24)
	if b, err = f.bytes(address+8, n*entry); err != nil {
		return err
	}
	for c = (cursor{b: b}); n > 0; n-- {
		at, object := c.uint(f.offset), f.address(&c)
		cache := c.uint(4)
		c.take(20)
		if at >= uint64(len(names)) {
			return errors.New("damaged group: a name lies outside the heap")
		}
		name, _, ended := bytes.Cut(names[at:], []byte{0})
		if !ended {
			return errors.New("damaged group: a name does not end")
		}
		if cache == 2 { // a symbolic link
			object = undefined
		}
		if err := g.add(string(name), object); err != nil {
			return err
		}
	}
	return nil
}

// maxDepth bounds the height of a B-tree; a tree of half-full nodes this high would not fit on any disk.
const maxDepth = 32

// tree calls visit for every child of the leaves of a version 1 B-tree of the given type; keys have a fixed size.
func (f *File) tree(address uint64, kind uint64, key int, visit func(key []byte, child uint64) error) error {
	seen := map[uint64]bool{}
	var walk func(address uint64, level int) error
	walk = func(address uint64, level int) error {
		if seen[address] {
			return errors.New("damaged index: a node of a B-tree has two parents")
		}
		seen[address] = true
		b, err := f.bytes(address, uint64(8+2*f.offset))
		if err != nil {
			return err
		}
		c := cursor{b: b}
		if !c.expect("TREE") || c.uint(1) != kind {
			return errors.New("damaged index: there is no node of a B-tree where one should be")
		}
		own, entries := int(c.uint(1)), c.uint(2)
		if own > maxDepth || level >= 0 && own != level {
			return errors.New("damaged index: the levels of a B-tree are not in order")
		}
		step := uint64(key + f.offset)
		if b, err = f.bytes(address+uint64(8+2*f.offset), entries*step); err != nil {
			return err
		}
		for c = (cursor{b: b}); entries > 0; entries-- {
			k := c.take(uint64(key))
			child := f.address(&c)
			if own > 0 {
				err = walk(child, own-1)
			} else {
				err = visit(k, child)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return walk(address, -1)
}
