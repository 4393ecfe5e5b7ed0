// Package snn builds networks of spiking neurons as programs of one time step and trains them through time.
//
// A neuron model is a row of [Models] with a step function over values of package ir: everything else, learning rules
// included, is derived from it. A [Network] puts models, weights, a readout and a loss together into an [ad.Recurrence]; a
// [Method] says which gradient of it is wanted and how time is carried; a [Gradient] computes it on batches of sequences.
package snn
