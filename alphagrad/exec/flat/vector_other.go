//go:build !amd64

package flat

var vectors = false

func addVector(d, a, b *float64, n int)             {}
func subVector(d, a, b *float64, n int)             {}
func mulVector(d, a, b *float64, n int)             {}
func addScalar(d, a *float64, y float64, n int)     {}
func mulScalar(d, a *float64, y float64, n int)     {}
func addScaled(y, x *float64, s float64, n int)     {}
func dotVector(s *[4]float64, x, y *float64, n int) {}
