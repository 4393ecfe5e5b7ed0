// Package runs makes an experiment a reproducible set of files.
//
// A run is a strict YAML configuration (config.go, override.go), a seed that splits into independent streams
// (seed.go), a directory that collects results (run.go), a manifest that says what produced them and whether they are
// complete (manifest.go), metrics as JSON lines (metrics.go), and atomic writes underneath (file.go, publish.go).
//
// The rule that holds all of it together: a reader never mistakes an interrupted result for a finished one. Files and
// directories appear under their final name only when they are complete, and a manifest says "running" from the first
// moment until it is replaced at the end.
package runs
