// Package peers times our derivative programs against other ways to get the same Jacobians. Every competitor runs in a
// worker, a process that stays alive and does one turn at a time when asked over a pipe, so that all of them alternate on
// the same machine within moments. Their results are compared before anything is timed.
package peers

import (
	"fmt"
	"math"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Problem is a function of scalars whose value and Jacobian are computed.
type Problem struct {
	Name       string      // an identifier in Go, C and Python
	Value      *ir.Program // the function: what peers differentiate
	Derivative *ir.Program // ours: the values, then the Jacobian row by row
	Points     [][]float64 // [Points][inputs] samples; sample k of a batch is point k mod Points
}

// Points is how many points a problem has: a power of two, so that going round costs an AND.
const Points = 256

// At says what is computed in a turn: batch samples of a problem.
type At struct {
	Problem string
	Type    Type
	Batch   int
}

// Type is a type of numbers.
type Type string

// The types of numbers.
const (
	Float64 Type = "float64"
	Float32 Type = "float32"
)

// Worker computes Jacobians when asked. Its methods have names such as "jax-forward".
type Worker interface {
	// Methods prepares a place, which may compile, and lists the methods there, and those it cannot offer with the reason.
	Methods(at At) (methods []string, refused map[string]string, err error)
	// Results computes the batch and returns what [Shown] samples of it gave: values, then the Jacobian row by row.
	Results(method string, at At) ([][]float64, error)
	// Time computes the batch calls times, each time value and Jacobian, and returns how long it took.
	Time(method string, at At, calls int) (time.Duration, error)
	// Close ends the worker.
	Close() error
}

// Shown lists the samples of a batch whose results are compared: up to 16, evenly spread, first and last among them.
func Shown(batch int) []int {
	n := min(batch, 16)
	s := make([]int, n)
	for i := range s {
		if n > 1 {
			s[i] = i * (batch - 1) / (n - 1)
		}
	}
	return s
}

// Difference is the largest deviation of results from a reference, entry by entry, relative to the entry or to a
// thousandth of the sample's largest one if that is more. It is +Inf where only one of both is a number.
func Difference(results, reference [][]float64) (float64, error) {
	if len(results) != len(reference) {
		return 0, fmt.Errorf("%d samples, expected %d", len(results), len(reference))
	}
	worst := 0.0
	for k, row := range results {
		ref := reference[k]
		if len(row) != len(ref) {
			return 0, fmt.Errorf("sample %d has %d results, expected %d", k, len(row), len(ref))
		}
		scale := 0.0
		for _, v := range ref {
			scale = math.Max(scale, math.Abs(v))
		}
		for i, v := range row {
			switch d := math.Abs(v - ref[i]); {
			case v == ref[i] || math.IsNaN(v) && math.IsNaN(ref[i]):
			case math.IsNaN(d):
				return math.Inf(1), nil
			default:
				worst = math.Max(worst, d/math.Max(math.Abs(ref[i]), scale/1000))
			}
		}
	}
	return worst, nil
}

// Tolerance is the difference at which a method's results are refused. Finite differences and single precision are what
// they are; single precision also meets inputs rounded to it.
func Tolerance(method string, t Type) float64 {
	switch {
	case t == Float32:
		return 0.05
	case method == "gonum-fd":
		return 1e-2
	}
	return 1e-9
}
