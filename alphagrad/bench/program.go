package bench

// mainSource is the timing program. A turn repeats one candidate for a fixed number of calls, found beforehand so that it
// takes about the wanted time; all candidates take a turn in every repetition, each time starting with another one.
const mainSource = `package main

import (
	"encoding/json"
	"os"
	"runtime/debug"
	"strconv"
	"time"
)

const (
	batch       = BATCH
	repetitions = REPETITIONS
	turn        = time.Duration(MILLISECONDS * float64(time.Millisecond))
)

var points = [...][INPUTS]float64{
POINTS}

// The results are package variables, so that no computation is dead.
var (
	y   [VALUES]float64
	jac [ENTRIES]float64
	xs  = make([]float64, INPUTS*batch)
	ys  = make([]float64, VALUES*batch)
	js  = make([]float64, ENTRIES*batch)
)

var candidates = []struct {
	one   func(point int)
	batch func()
	loop  func(calls int)
}{
TABLE}

type line struct {
	Candidate, Point int
	Results          []string
	Single, Batch    float64
}

func elapsed(f func(calls int), calls int) time.Duration {
	start := time.Now()
	f(calls)
	return time.Since(start)
}

// calibrate finds how many calls fill a turn.
func calibrate(f func(calls int)) int {
	calls := 1
	for {
		d := elapsed(f, calls)
		if d >= turn {
			return calls
		}
		if d > turn/16 {
			return int(float64(calls)*float64(turn)/float64(d)) + 1
		}
		calls *= 4
	}
}

func main() {
	debug.SetGCPercent(-1) // nothing allocates while timing
	out := json.NewEncoder(os.Stdout)
	for j := range INPUTS {
		for k := range batch {
			xs[j*batch+k] = points[k%len(points)][j]
		}
	}
	for c, f := range candidates {
		for p := range points {
			f.one(p)
			l := line{Candidate: c, Point: p, Results: []string{}}
			for _, v := range append(append([]float64{}, y[:]...), jac[:]...) {
				l.Results = append(l.Results, strconv.FormatFloat(v, 'g', -1, 64))
			}
			out.Encode(l)
		}
	}
	type loops struct{ single, batch int }
	calls := make([]loops, len(candidates))
	batched := func(c int) func(int) {
		return func(n int) {
			for range n {
				candidates[c].batch()
			}
		}
	}
	for c, f := range candidates {
		calls[c] = loops{calibrate(f.loop), calibrate(batched(c))}
	}
	for r := range repetitions {
		for k := range candidates {
			c := (k + r) % len(candidates)
			single := elapsed(candidates[c].loop, calls[c].single)
			many := elapsed(batched(c), calls[c].batch)
			out.Encode(line{Candidate: c,
				Single: float64(single.Nanoseconds()) / float64(calls[c].single),
				Batch:  float64(many.Nanoseconds()) / float64(calls[c].batch) / batch})
		}
	}
}
`
