package hdf5

import (
	"encoding/binary"
	"math/bits"
)

// lookup3 is the checksum of HDF5 metadata: Bob Jenkins' hashlittle (lookup3.c, 2006) with initial value 0.
func lookup3(b []byte) uint32 {
	a := 0xdeadbeef + uint32(len(b))
	x := [3]uint32{a, a, a}
	for ; len(b) > 12; b = b[12:] {
		for i := range x {
			x[i] += binary.LittleEndian.Uint32(b[4*i:])
		}
		mix(&x)
	}
	if len(b) == 0 {
		return x[2]
	}
	var last [12]byte
	copy(last[:], b)
	for i := range x {
		x[i] += binary.LittleEndian.Uint32(last[4*i:])
	}
	final(&x)
	return x[2]
}

func mix(x *[3]uint32) {
	for i, k := range [...]int{4, 6, 8, 16, 19, 4} {
		a, b, c := &x[i%3], &x[(i+1)%3], &x[(i+2)%3]
		*a -= *c
		*a ^= bits.RotateLeft32(*c, k)
		*c += *b
	}
}

func final(x *[3]uint32) {
	for i, k := range [...]int{14, 11, 25, 16, 4, 14, 24} {
		c, b := &x[(i+2)%3], &x[(i+1)%3]
		*c ^= *b
		*c -= bits.RotateLeft32(*b, k)
	}
}
