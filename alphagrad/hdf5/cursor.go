package hdf5

import "encoding/binary"

// cursor takes little-endian fields off a block of bytes. Reading past the end gives zeros and sets bad, so that a parser
// checks once.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return nil
	}
	t := c.b[:n]
	c.b = c.b[n:]
	return t
}

// uint reads an unsigned number of at most 8 bytes.
func (c *cursor) uint(n int) uint64 {
	var buf [8]byte
	copy(buf[:], c.take(uint64(n)))
	return binary.LittleEndian.Uint64(buf[:])
}

// expect reads a signature.
func (c *cursor) expect(s string) bool { return string(c.take(uint64(len(s)))) == s }
