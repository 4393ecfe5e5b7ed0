package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const signature = "\x89HDF\r\n\x1a\n"

// undefined is an address that leads nowhere.
const undefined = ^uint64(0)

// File is an open file.
type File struct {
	name    string
	r       io.ReaderAt
	size    uint64 // bytes
	base    uint64 // what addresses are relative to
	offset  int    // bytes of an address
	length  int    // bytes of a length
	root    uint64 // address of the root group's object header
	closing io.Closer
}

// Open opens a file. Errors name it.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is not a file", path), f.Close())
	}
	h, err := NewFile(path, f, info.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	h.closing = f
	return h, nil
}

// NewFile opens size bytes of r as a file; name stands for it in errors.
func NewFile(name string, r io.ReaderAt, size int64) (*File, error) {
	f := &File{name: name, r: r, size: uint64(size), offset: 8, length: 8}
	if err := f.superblock(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Close closes a file that Open opened.
func (f *File) Close() error {
	if f.closing == nil {
		return nil
	}
	return f.closing.Close()
}

// Root returns the root group.
func (f *File) Root() (*Group, error) { return f.group("/", f.root) }

// errorf names the file and the object.
func (f *File) errorf(path, format string, args ...any) error {
	return fmt.Errorf("%s: %s: %w", f.name, path, fmt.Errorf(format, args...))
}

// bytes reads n bytes at an address.
func (f *File) bytes(address, n uint64) ([]byte, error) {
	at := f.base + address
	if address == undefined || at < address || at > f.size || n > f.size-at {
		return nil, fmt.Errorf("%d bytes at address %#x lie outside the file of %d bytes", n, address, f.size)
	}
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, int64(at)); err != nil && !(errors.Is(err, io.EOF) && n == 0) {
		return nil, err
	}
	return b, nil
}

// upTo reads at most n bytes at an address: what there is until the end of the file.
func (f *File) upTo(address, n uint64) ([]byte, error) {
	if at := f.base + address; at >= address && at < f.size {
		n = min(n, f.size-at)
	}
	return f.bytes(address, n)
}

// address reads a field that holds an address; all ones mean undefined in every width.
func (f *File) address(c *cursor) uint64 {
	a := c.uint(f.offset)
	if a == undefined>>(64-8*f.offset) {
		return undefined
	}
	return a
}

// superblock finds and reads the superblock ("Format Signature and Superblock").
func (f *File) superblock() error {
	// A user block may come first; the superblock then begins at 512, 1024, 2048, …
	for at := uint64(0); ; at = max(512, 2*at) {
		b, err := f.upTo(at, 112)
		if err != nil || at > 1<<30 {
			return fmt.Errorf("not an HDF5 file%s", f.resembles())
		}
		c := cursor{b: b}
		if !c.expect(signature) {
			continue
		}
		return f.parseSuperblock(&c, b, at)
	}
}

// resembles says what a file that is no HDF5 file looks like.
func (f *File) resembles() string {
	b, err := f.upTo(0, 2)
	switch {
	case f.size == 0:
		return ": it is empty"
	case err == nil && string(b) == "\x1f\x8b":
		return ": it is compressed with gzip; decompress it with gunzip first"
	}
	return ""
}

func (f *File) parseSuperblock(c *cursor, b []byte, at uint64) error {
	version := c.uint(1)
	var end uint64
	switch version {
	case 0, 1:
		c.take(4)
		f.offset, f.length = int(c.uint(1)), int(c.uint(1))
		c.take(1 + 2 + 2 + 4)
		if version == 1 {
			c.take(4)
		}
	case 2, 3:
		f.offset, f.length = int(c.uint(1)), int(c.uint(1))
		c.take(1)
	default:
		return fmt.Errorf("superblock version %d is not supported", version)
	}
	for _, n := range []int{f.offset, f.length} {
		if n != 4 && n != 8 {
			return fmt.Errorf("damaged superblock: addresses of %d bytes", n)
		}
	}
	base := f.address(c)
	f.address(c) // free space, or the extension
	end = f.address(c)
	if version < 2 {
		f.address(c) // driver information
		f.address(c) // name of the root group
	}
	f.root = f.address(c)
	if version >= 2 {
		n := len(b) - len(c.b)
		if sum := uint32(c.uint(4)); !c.bad && sum != lookup3(b[:n]) {
			return errors.New("damaged superblock: its checksum is wrong")
		}
	}
	switch {
	case c.bad:
		return fmt.Errorf("truncated: the superblock is not complete")
	case base != 0 && base != at:
		return fmt.Errorf("damaged superblock: base address %#x in a superblock at %#x", base, at)
	case end > f.size:
		return fmt.Errorf("truncated: the file has %d bytes and should have %d", f.size, end)
	}
	f.base = base
	return nil
}

// checked returns the bytes of a block that ends with its checksum, without it.
func checked(b []byte) ([]byte, error) {
	n := len(b) - 4
	if n < 0 || binary.LittleEndian.Uint32(b[n:]) != lookup3(b[:n]) {
		return nil, errors.New("a checksum is wrong")
	}
	return b[:n], nil
}
