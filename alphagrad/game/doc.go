// Package game is vertex elimination as a game for one player, for tree search and self-play.
//
// # Rules
//
// The board is the elimination graph of a program (package elim). A move eliminates a vertex; the game is over when
// every eliminable vertex is gone. The reward of a move is minus its cost under the game's [Objective], so that the
// return of a whole game is minus the cost of the order played. Action a, counted from 0, is the a-th eliminable
// vertex in ascending order of vertex numbers: a policy needs one logit per vertex that can ever be played, and
// orders, files and renderings keep the published vertex numbers. [Game.Vertex] and [Game.Action] convert.
//
// A [Game] has the methods a search asks of a game (Actions, Legal, Apply, Undo, Done, Hash); package gametest checks
// that contract on any environment.
//
// # States
//
// The graph after eliminating a set of vertices does not depend on their order, nor does what is still to be paid
// under muls and ops. So [Game.Hash] is a Zobrist hash (Zobrist 1970) of the set, and states reached by different
// orders of the same moves merge. An objective known only at the end may depend on the order, and then the hash does.
//
// # Shorter games
//
// [Reduction] lists rules that leave out moves without losing the optimum, each with its proof. With them on, forced
// moves are made at once after Reset and Apply and are part of the same move: their cost is in its reward, and Undo
// takes them back with it.
//
// # A measure for returns
//
// Returns of different graphs differ by orders of magnitude. [Game.Baseline] is what a cheap completion would still
// earn from the current state; a return less the baseline is near zero everywhere and comparable across graphs.
package game
