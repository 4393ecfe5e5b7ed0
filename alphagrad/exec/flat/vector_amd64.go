package flat

import "golang.org/x/sys/cpu"

// vectors says whether this processor has the instructions of vector_amd64.s.
var vectors = cpu.X86.HasAVX2

//go:noescape
func addVector(d, a, b *float64, n int)

//go:noescape
func subVector(d, a, b *float64, n int)

//go:noescape
func mulVector(d, a, b *float64, n int)

//go:noescape
func addScalar(d, a *float64, y float64, n int)

//go:noescape
func mulScalar(d, a *float64, y float64, n int)

//go:noescape
func addScaled(y, x *float64, s float64, n int)

//go:noescape
func dotVector(s *[4]float64, x, y *float64, n int)
