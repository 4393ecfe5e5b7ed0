// Package hdf5 reads and writes the part of HDF5 that spiking data sets and network descriptions use, without C.
//
// It reads files of superblock versions 0 to 3: groups (symbol tables and compact links), and datasets of integers,
// floating-point numbers of 16, 32 and 64 bits, strings and variable-length sequences, contiguous, compact or chunked,
// compressed with gzip or LZF, shuffled or not. It writes superblock version 2 with contiguous datasets of float64,
// int64 and strings. Anything else in a file is refused with an error that names it.
//
// Files come from strangers. Every address and length is checked against the size of the file before memory is taken for
// it, every tree is followed downwards only, and what is inflated is bounded by what the file can hold; a damaged file
// gives one error. The general-purpose library github.com/scigolib/hdf5 reads more kinds of files but a single flipped
// bit can make it ask for all memory there is, which nothing can recover from; the tests use it as the oracle of this
// package, in both directions.
//
// Source: the HDF5 File Format Specification, versions 2.0 and 3.0, The HDF Group. Section names are given at the code.
package hdf5
