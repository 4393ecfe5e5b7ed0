// Package alphagrad is the root of a research environment for one idea: a derivative is a program, and the way to compute
// it is a sequence of moves on a graph. The work is done in the packages below it:
//
//   - ir: programs, the op table, the tracer, passes, files
//   - structure: the algebra of structured Jacobians: labels, products, sums
//   - elim: the elimination graph on bit sets, orders, costs, the lower bound
//   - ad: partial derivatives, and derivative programs by vertex elimination
//   - sparse: patterns, colourings and compressed Jacobians
//   - exec/interp, exec/gosrc, exec/gomlx: the interpreter, generated Go, and GoMLX
//   - frontend/gomlx: GoMLX graph functions as programs, and their Jacobians
//   - search: any-time search for cheap orders, with certificates
//   - mcts: Gumbel AlphaZero and PUCT tree search over any game; knows no graph
//   - tasks: benchmark functions with published results
//   - bench: interleaved timing of compiled derivative programs
//   - runs: configurations, seeds, manifests, atomic results
//   - report, view: tables, figures, drawings; and how they are made of programs and searches
//   - experiments: what the command line runs
//   - notebook: headless execution of the notebooks
package alphagrad
