// Package graphgen makes random scalar programs to train on: the operators of the benchmark tasks, in shapes that
// scientific code has, of any size from 8 vertices.
//
// A program belongs to a [Family], a row of a table that says how values are reused and how inputs and outputs relate.
// The same family, size and seed always give the same program. Every program is legal ([ir.Verify]), has exactly the
// vertices asked for, uses every input, and has no dead code: every vertex depends on an input and some output on it.
// No point is promised at which all operations are defined: a square root may get a negative argument. Elimination only
// looks at the graph.
//
// [Describe] measures the shape of any program of scalars, for comparison and for display.
package graphgen
