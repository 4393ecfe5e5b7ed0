package runs

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Seed is a splittable source of randomness: a value, not a stream. A seed derives children by name and by index, so
// that the randomness of one task or repetition depends only on its own path and never on what ran before it, how many
// goroutines there were, or which other tasks were selected.
//
// Children are the first 64 bits of SHA-256 over the parent and the step, the hash construction of Claessen and Pałka,
// "Splittable pseudorandom number generators using cryptographic hashing" (Haskell Symposium 2013). The seed of
// repetition 3 of a task in an experiment is
//
//	root.Sub("poster").Sub("RoeFlux_1d").At(3)
type Seed uint64

// seedDomain keeps these hashes apart from any other use of SHA-256 on the same bytes; its version changes when the
// derivation does, because that changes every result.
const seedDomain = "alphagrad-seed/1"

// Sub returns the child seed named label. Every label, including the empty one, gives a different child.
func (s Seed) Sub(label string) Seed {
	h := s.derive('s', []byte(label))
	return Seed(binary.BigEndian.Uint64(h[:8]))
}

// At returns the i-th child seed; it shares no child with Sub.
func (s Seed) At(i int) Seed {
	h := s.derive('i', binary.BigEndian.AppendUint64(nil, uint64(i)))
	return Seed(binary.BigEndian.Uint64(h[:8]))
}

// Rand returns a generator whose stream is determined by the seed and is independent of the seed's children.
func (s Seed) Rand() *rand.Rand {
	h := s.derive('r', nil)
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(h[:8]), binary.BigEndian.Uint64(h[8:16])))
}

// derive hashes one step. The parent has a fixed width and the kind a fixed position, so no two steps share an input.
func (s Seed) derive(kind byte, step []byte) [sha256.Size]byte {
	data := []byte(seedDomain)
	data = binary.BigEndian.AppendUint64(data, uint64(s))
	data = append(data, kind)
	return sha256.Sum256(append(data, step...))
}
