// Package train teaches a network to play the elimination game by self-play, after AlphaZero (Silver et al. 2018) with the
// search of Gumbel AlphaZero (Danihelka et al. 2022).
//
// One iteration plays a batch of games with the network as it is, one game a goroutine, adds them to a replay memory and
// takes a number of training steps on positions drawn from it. The policy learns the improved policy that the search found;
// the value learns what the game cost from there on, relative to a cheap completion, so that graphs of all sizes are
// comparable. One trainer serves a single task, several tasks and generated graphs. What is made small is a row of the table
// of objectives; the default is multiplications.
//
// On request, positions of earlier games are searched again with the newest network, which renews their targets. Now and then
// the network plays without noise against the best so far, and takes its place if it is better.
//
// All randomness comes from the root seed by name and number, never from a stream that runs through the training: the same
// configuration gives the same games on any number of cores, and a training resumed from a checkpoint continues exactly.
package train
