package net

import "github.com/gomlx/gomlx/core/graph"

// An architecture is what a model does between the embedding of the features and the heads, which all models share.
// It is written twice: for GoMLX, which derives the gradient, and by hand, which is several times faster; a test keeps
// the two equal.
type architecture struct {
	name   string
	params func(Spec) []param

	// lanes is how many times the network's width a row of the state takes in the hand-written pass. The embedding
	// of a node is its first width numbers.
	lanes int

	// build maps embeddings [batch][nodes][width] to embeddings of the same shape.
	build func(t *tape, h *graph.Node) *graph.Node

	// prepare returns the hand-written pass for a network's weights, which does the same to pass.h in place.
	prepare func(n *Network) func(*pass)
}

// architectures is the model table. To add a model, add a row.
var architectures = []architecture{
	{name: "gnn", params: gnnParams, lanes: 3, build: gnnBuild, prepare: gnnPrepare},
	{name: "transformer", params: transformerParams, lanes: 1, build: transformerBuild, prepare: transformerPrepare},
}
