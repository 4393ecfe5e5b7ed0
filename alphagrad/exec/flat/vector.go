package flat

// The loops that take most of the time, in the processor's vector instructions where there are any: each works on a
// multiple of four elements, Go does the rest. Results are the same to the last bit, products being rounded before they are
// added.

func addRows(d, a, b []float64) {
	a, b = a[:len(d)], b[:len(d)]
	i := 0
	if vectors && len(d) >= 4 {
		i = len(d) &^ 3
		addVector(&d[0], &a[0], &b[0], i)
	}
	for ; i < len(d); i++ {
		d[i] = a[i] + b[i]
	}
}

func subRows(d, a, b []float64) {
	a, b = a[:len(d)], b[:len(d)]
	i := 0
	if vectors && len(d) >= 4 {
		i = len(d) &^ 3
		subVector(&d[0], &a[0], &b[0], i)
	}
	for ; i < len(d); i++ {
		d[i] = a[i] - b[i]
	}
}

func mulRows(d, a, b []float64) {
	a, b = a[:len(d)], b[:len(d)]
	i := 0
	if vectors && len(d) >= 4 {
		i = len(d) &^ 3
		mulVector(&d[0], &a[0], &b[0], i)
	}
	for ; i < len(d); i++ {
		d[i] = a[i] * b[i]
	}
}

func addNumber(d, a []float64, y float64) {
	a = a[:len(d)]
	i := 0
	if vectors && len(d) >= 4 {
		i = len(d) &^ 3
		addScalar(&d[0], &a[0], y, i)
	}
	for ; i < len(d); i++ {
		d[i] = a[i] + y
	}
}

func mulNumber(d, a []float64, y float64) {
	a = a[:len(d)]
	i := 0
	if vectors && len(d) >= 4 {
		i = len(d) &^ 3
		mulScalar(&d[0], &a[0], y, i)
	}
	for ; i < len(d); i++ {
		d[i] = a[i] * y
	}
}

// axpy adds s·x to y.
func axpy(y, x []float64, s float64) {
	x = x[:len(y)]
	i := 0
	if vectors && len(y) >= 4 {
		i = len(y) &^ 3
		addScaled(&y[0], &x[0], s, i)
	}
	for ; i < len(y); i++ {
		y[i] += float64(s * x[i])
	}
}

// dot is Σ x·y, in four partial sums.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var s [4]float64
	i := len(x) &^ 3
	if vectors && i > 0 {
		dotVector(&s, &x[0], &y[0], i)
	} else {
		for k := 0; k < i; k += 4 {
			s[0] += float64(x[k] * y[k])
			s[1] += float64(x[k+1] * y[k+1])
			s[2] += float64(x[k+2] * y[k+2])
			s[3] += float64(x[k+3] * y[k+3])
		}
	}
	for ; i < len(x); i++ {
		s[0] += float64(x[i] * y[i])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}
