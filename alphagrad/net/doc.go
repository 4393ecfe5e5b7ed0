// Package net is the policy and value network that plays the vertex elimination game on graphs of any size.
//
// # What it sees
//
// An Encoder turns an elim.State into a Position: the nodes still there (inputs, vertices left, ends), the edges
// between them, a row of features per node and one for the game. Features returns the tables with the scale and the
// meaning of every number. Features are invariant under renumbering of the vertices, except those derived from the
// Markowitz completion, which breaks ties by number and is marked so.
//
// # What it says
//
// A logit for every vertex that can be eliminated, and the value of the state: the expected improvement over a cheap
// completion (the better of reverse and Markowitz from here) relative to its cost. Values are near zero and mean the
// same on all graphs; CheapCost has the definition, Value and Cost convert.
//
// # Twice the same network
//
// A Trainer learns with GoMLX, whose graphs give the gradient. An Evaluator computes the same network by hand-written
// code over sparse edges, one position at a time, which is what search needs: on a processor batches gain nothing, and
// one game per goroutine uses all cores. Tests keep the two equal to 1e-5. Matrix products have assembly for AVX-512
// and AVX2, and portable Go that is tested equal; Kernel says which is used.
//
// Models are rows of one table: "gnn" passes messages along edges in both directions, "transformer" attends along
// edges and to the whole graph.
//
// A Network is immutable and safe for concurrent use. An Evaluator, an Encoder, a Completion and a Trainer each belong
// to one goroutine at a time.
package net
