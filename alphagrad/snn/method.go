package snn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
)

// A Feedback says how the error of the readout reaches neurons.
type Feedback string

// The feedbacks of e-prop (Bellec et al. 2020).
const (
	Symmetric Feedback = "symmetric" // through the readout weights
	Random    Feedback = "random"    // through a fixed random matrix
	Adaptive  Feedback = "adaptive"  // through a matrix that learns as the readout weights do
)

// FeedbackMatrix is the name of the matrix of random and adaptive feedback, [outputs][neurons of the last layer].
const FeedbackMatrix = "out.B"

// BPTT is backpropagation through time: the exact gradient.
func BPTT() Method { return Method{Name: "bptt"} }

// RTRL is real-time recurrent learning: the exact gradient, carried forward.
func RTRL() Method { return Method{Name: "rtrl", Forward: true} }

// TruncatedBPTT is backpropagation through windows of the given number of steps.
func TruncatedBPTT(window int) Method {
	return Method{Name: fmt.Sprintf("tbptt(%d)", window), Window: window}
}

// Eprop is e-prop: no derivative through recurrent weights and through resets. Carried forward it has eligibility traces;
// backward it gives the same gradient with less work and a memory of the sequence.
func Eprop(r *ad.Recurrence, f Feedback, forward bool) Method {
	m := Method{Name: "eprop_" + string(f), Forward: forward, Edits: slices.Concat(Drop(r, "recurrent"), Drop(r, "reset"))}
	if f != Symmetric {
		m.Edits = append(m.Edits, ad.Edit{From: ReadoutState, To: ReadoutValue, Kind: "replace", Matrix: FeedbackMatrix})
	}
	return m
}

// Drop drops the edges through which what neurons show of themselves, in the step before, enters the nodes of that name in
// all layers: "recurrent", "reset".
func Drop(r *ad.Recurrence, node string) (edits []ad.Edit) {
	for _, e := range r.Edges() {
		layer, at := strings.CutSuffix(e.To, "."+node)
		if !at || !slices.Contains(r.States, e.From) || node == "reset" && e.From != layer+".z" { // a reset may read the potential too
			continue
		}
		edits = append(edits, ad.Edit{From: e.From, To: e.To, Kind: "drop"})
	}
	return edits
}
