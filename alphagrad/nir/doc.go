// Package nir reads and writes networks in the Neuromorphic Intermediate Representation (NIR) and converts them from and to
// networks of package snn.
//
// A NIR file is an HDF5 file that holds a graph of primitives, each defined by an equation in continuous time, and edges
// between them: /version, and /node with a type, nodes and edges. Simulators and chips exchange networks in it. This package
// knows the primitives of [Types]; a file with others is refused by the name and type of the node. A [Simulation] evaluates a
// graph straight from the equations.
//
// Source: Pedersen et al., "Neuromorphic intermediate representation: a unified instruction set for interoperable
// brain-inspired computing", Nature Communications 2024, and version 1.0.8 of its reference implementation.
package nir
