package tasks

import (
	_ "embed"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// gText is the random function g as a program text: 105 operations in their published order. Two of its published inputs
// are the constant 1.
//
//go:embed g.txt
var gText string

func randomG() (*ir.Program, error) { return ir.Parse(gText) }

// gDomain is a box around a point where all of g's logarithms, roots, powers and inverse functions are defined; most of
// its points are finite.
var gDomain = around(0.1, 1.25, -0.27, -1.82, 0.24, 0.78, -0.81, -1.42, 0.88, 0.75, 1.29, 3.14, 0.36, 3.35, 1.16, 0.65)

// around makes intervals of the given half-width about each centre.
func around(half float64, centres ...float64) []Interval {
	d := make([]Interval, len(centres))
	for i, c := range centres {
		d[i] = Interval{c - half, c + half}
	}
	return d
}
