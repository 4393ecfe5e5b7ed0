package hdf5

import (
	"errors"
	"fmt"
)

// Types of header messages ("Disk Format: Level 2A - Data Object Headers").
const (
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgFillValue    = 0x05
	msgLink         = 0x06
	msgLayout       = 0x08
	msgGroupInfo    = 0x0A
	msgPipeline     = 0x0B
	msgContinuation = 0x10
	msgSymbolTable  = 0x11
)

// message is one header message.
type message struct {
	kind int
	data []byte
	// shared messages hold a reference to where the data is; none that this package uses may be shared.
	shared bool
}

// header is what describes an object.
type header []message

// first returns the first message of a kind.
func (h header) first(kind int) (m message, ok bool) {
	for _, m := range h {
		if m.kind == kind {
			return m, true
		}
	}
	return message{}, false
}

// header reads the object header at an address.
func (f *File) header(address uint64) (header, error) {
	prefix, err := f.upTo(address, 64)
	if err != nil {
		return nil, err
	}
	c := cursor{b: prefix}
	if c.expect("OHDR") {
		return f.headerV2(address, &c, uint64(len(prefix)))
	}
	return f.headerV1(address, &cursor{b: prefix})
}

// block is a part of a header.
type block struct{ address, size uint64 }

// headerV1 reads a version 1 header: a prefix of 16 bytes and messages aligned to 8.
func (f *File) headerV1(address uint64, c *cursor) (header, error) {
	if c.uint(1) != 1 {
		return nil, errors.New("there is no object header where one should be")
	}
	c.take(1 + 2 + 4)
	return f.blocks(block{address + 16, c.uint(4)}, func(b []byte, more *[]block) (header, error) {
		var h header
		for c := (cursor{b: b}); len(c.b) >= 8; {
			kind, size := int(c.uint(2)), c.uint(2)
			flags := c.uint(1)
			c.take(3)
			m := message{kind, c.take(size), flags&2 != 0}
			if c.bad {
				return nil, errors.New("a header message runs over the end of its block")
			}
			h = append(h, f.follow(m, more))
		}
		return h, nil
	})
}

// headerV2 reads a version 2 header: signatures and checksums around packed messages.
func (f *File) headerV2(address uint64, c *cursor, read uint64) (header, error) {
	if version := c.uint(1); version != 2 {
		return nil, fmt.Errorf("object header version %d is not supported", version)
	}
	flags := c.uint(1)
	if flags&0x20 != 0 {
		c.take(16) // times
	}
	if flags&0x10 != 0 {
		c.take(4) // when attributes become dense
	}
	size := c.uint(1 << (flags & 3))
	if c.bad {
		return nil, errors.New("truncated object header")
	}
	start := read - uint64(len(c.b))
	first := true
	return f.blocks(block{address, start + size + 4}, func(b []byte, more *[]block) (header, error) {
		b, err := checked(b)
		if err != nil {
			return nil, fmt.Errorf("damaged object header: %w", err)
		}
		c := cursor{b: b}
		if first {
			c.take(start)
			first = false
		} else if !c.expect("OCHK") {
			return nil, errors.New("a continuation of an object header is not where it should be")
		}
		var h header
		for len(c.b) >= 4 { // less is a gap
			kind, size := int(c.uint(1)), c.uint(2)
			bits := c.uint(1)
			if flags&4 != 0 {
				c.take(2) // order of creation
			}
			m := message{kind, c.take(size), bits&2 != 0}
			if c.bad {
				return nil, errors.New("a header message runs over the end of its block")
			}
			h = append(h, f.follow(m, more))
		}
		return h, nil
	})
}

// maxBlocks bounds the continuations of a header.
const maxBlocks = 1000

// blocks reads a block and those it is continued in.
func (f *File) blocks(first block, parse func(b []byte, more *[]block) (header, error)) (header, error) {
	var all header
	pending := []block{first}
	for n := 0; len(pending) > 0; n++ {
		if n == maxBlocks {
			return nil, errors.New("an object header is continued without end")
		}
		b, err := f.bytes(pending[0].address, pending[0].size)
		if err != nil {
			return nil, err
		}
		pending = pending[1:]
		h, err := parse(b, &pending)
		if err != nil {
			return nil, err
		}
		all = append(all, h...)
	}
	return all, nil
}

// follow notes where a continuation message leads.
func (f *File) follow(m message, more *[]block) message {
	if m.kind == msgContinuation {
		c := cursor{b: m.data}
		*more = append(*more, block{f.address(&c), c.uint(f.length)})
	}
	return m
}
