// Package rules describes, measures and searches learning rules for recurrent networks.
//
// A [Rule] is data: what becomes of the local Jacobian on each edge of the graph of one time step, and how each state carries
// time. The gradient that it computes is the sum over the paths that survive of products of edited Jacobians, through all
// steps (Bauer's formula on the unrolled graph). Backpropagation through time edits nothing; e-prop drops two edges.
//
// What a rule costs, what it carries and whether it is local is read off the program that it becomes ([Meaning]); how good
// it is is measured where it leads the network ([Evaluator]); a [Space] offers edits as choices and [Search] looks for the
// best of them, by methods that are rows of a table.
package rules
