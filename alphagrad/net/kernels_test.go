package net

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func randomMatrix(r *rand.Rand, size int) []float32 {
	m := make([]float32, size)
	for i := range m {
		m[i] = float32(r.NormFloat64())
	}
	return m
}

// TestProduct compares every kernel this processor can run, and the choice among them, with the definition of a
// matrix product in float64, for matrices inside larger ones.
func TestProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "numbers"), 1))
		rows := rowBlock * rapid.IntRange(0, 4).Draw(t, "blocks")
		k, cols := rapid.IntRange(0, 40).Draw(t, "k"), widthStep*rapid.IntRange(1, 5).Draw(t, "column blocks")
		ldx, ldy := k+rapid.IntRange(0, 9).Draw(t, "gap in x"), cols+rapid.IntRange(0, 9).Draw(t, "gap in y")
		x, w, y := randomMatrix(r, rows*ldx), randomMatrix(r, k*cols), randomMatrix(r, rows*ldy)
		want := make([]float64, len(y))
		for i := range y {
			want[i] = float64(y[i])
			if row, col := i/ldy, i%ldy; col < cols {
				for l := range k {
					want[i] += float64(x[row*ldx+l]) * float64(w[l*cols+col])
				}
			}
		}
		check := func(name string, add func(y []float32, ldy int, x []float32, ldx int, w []float32, rows, k, cols int)) {
			got := append([]float32(nil), y...)
			add(got, ldy, x, ldx, w, rows, k, cols)
			for i := range got {
				if math.Abs(float64(got[i])-want[i]) > 1e-4 {
					t.Fatalf("%s: element %d of %d×%d×%d is %v, want %v", name, i, rows, k, cols, got[i], want[i])
				}
			}
		}
		check("go", addBlocks)
		check("chosen", addProduct)
		for _, v := range vectorKernels {
			if v.usable && cols%v.cols == 0 {
				check(v.name, v.add)
			}
		}
	})
}

// TestNorm compares the layer normalisation with its definition.
func TestNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, rectified := range []bool{false, true} {
		x, gain, offset, y := randomMatrix(r, 48), randomMatrix(r, 48), randomMatrix(r, 48), randomMatrix(r, 48)
		in := make([]float64, len(x))
		var mean, variance float64
		for i := range x {
			in[i] = float64(x[i])
			if rectified {
				in[i] = max(0, in[i])
			}
			mean += in[i] / 48
		}
		for _, v := range in {
			variance += (v - mean) * (v - mean) / 48
		}
		before := append([]float32(nil), y...)
		addNorm(y, x, gain, offset, rectified)
		for i := range y {
			near(t, "normalised", y[i], before[i]+float32((in[i]-mean)/math.Sqrt(variance+normEpsilon)*float64(gain[i])+float64(offset[i])))
		}
	}
}
