package optimize

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A fakeClock makes up times: speed gives a program's, noise is multiplied on every turn, drift on all candidates of a turn,
// place on one compiled copy.
type fakeClock struct {
	rng                 *rand.Rand
	speed               func(c bench.Candidate) float64
	noise, drift, place float64
	rounds              []int // candidates in each round
	batched             bool
}

func (f *fakeClock) measure(_ context.Context, c bench.Case, s bench.Settings) ([]bench.Timing, error) {
	f.rounds = append(f.rounds, len(c.Candidates))
	places := make([]float64, len(c.Candidates))
	timings := make([]bench.Timing, len(c.Candidates))
	for i := range places {
		places[i] = math.Exp(f.place * f.rng.NormFloat64())
	}
	for range s.Repetitions {
		drift := math.Exp(f.drift * f.rng.NormFloat64())
		for i, cand := range c.Candidates {
			ns := 100 * f.speed(cand) * drift * places[i] * math.Exp(f.noise*f.rng.NormFloat64())
			single, batch := ns, 1e9 // the form that is not asked for is no use
			if f.batched {
				single, batch = batch, single
			}
			timings[i].Single, timings[i].Batch = append(timings[i].Single, single), append(timings[i].Batch, batch)
		}
	}
	return timings, nil
}

func timed(t *testing.T, name string, f *fakeClock, batch int) *Result {
	t.Helper()
	pr, task := taskProblem(t, name)
	pr.Objective = Time
	var err error
	if pr.Points, err = task.Points(rand.New(rand.NewPCG(1, 1)), 2); err != nil {
		t.Fatal(err)
	}
	s := limited(20_000, 1)
	s.Clock.Measure, s.Clock.Batch, f.batched = f.measure, batch, batch > 1
	r, err := Run(context.Background(), pr, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// total is the speed of a machine that takes as long for every operation.
func total(c bench.Candidate) float64 {
	ops, err := ir.Count(c.Program)
	if err != nil {
		panic(err)
	}
	return float64(ops.Total()) / 1000
}

// TestFasterOrderIsChosen under noise larger than the difference between turns, singly and in batches.
func TestFasterOrderIsChosen(t *testing.T) {
	for _, batch := range []int{1, 64} {
		f := &fakeClock{rng: rand.New(rand.NewPCG(1, 2)), speed: total, noise: 0.02, drift: 0.5}
		r := timed(t, "BlackScholes_Jacobian", f, batch)
		var plain float64 = math.Inf(1)
		for _, c := range r.Compared {
			if isPlain(&c) {
				plain = min(plain, float64(c.Ops.Total()))
			}
		}
		want := float64(r.Best.Ops.Total()) / plain
		if x := r.Timing; !x.Faster || x.Ratio.Excludes(want) || !x.Ratio.Excludes(1) || want > 0.95 || isPlain(&r.Best) || r.Cost != int64(math.Round(1000*x.Ratio.Median)) {
			t.Errorf("chose %s at %v, in truth %.3f", r.Best.Name, x, want)
		}
		if !slices.Equal(f.rounds, []int{8, 18}) { // two plain orders twice and two others, three times over
			t.Errorf("%v candidates were measured", f.rounds)
		}
		if s := r.Timing.String(); !strings.Contains(s, "of the time of the "+r.Timing.Baseline+" order") || strings.Contains(s, "in batches of 64") != (batch == 64) {
			t.Errorf("%s", s)
		}
	}
}

// TestNoiseWinsRarely: where all programs take the same time, forward or reverse is chosen, whatever the noise says; so too if
// the place in memory makes a difference that repetition does not remove.
func TestNoiseWinsRarely(t *testing.T) {
	for _, place := range []float64{0, 0.01} {
		wins := 0
		const runs = 60
		for seed := range uint64(runs) {
			f := &fakeClock{rng: rand.New(rand.NewPCG(seed, 3)), speed: func(bench.Candidate) float64 { return 1 }, noise: 0.05, drift: 0.2, place: place}
			r := timed(t, "Helmholtz", f, 1)
			if r.Timing.Faster {
				wins++
			} else if x := r.Timing.Ratio; !isPlain(&r.Best) || x.Low != 1 || x.High != 1 || r.Cost != 1000 {
				t.Fatalf("nothing is faster, and yet %s is chosen at %v", r.Best.Name, x)
			}
		}
		if wins > runs/10 {
			t.Errorf("place %v: %d of %d runs declared a winner among equals", place, wins, runs)
		}
	}
}

// TestTheNullWidensIntervals: a bias between equal programs is no reason to prefer one.
func TestTheNullWidensIntervals(t *testing.T) {
	calls := 0
	f := &fakeClock{rng: rand.New(rand.NewPCG(4, 5)), noise: 0.002}
	f.speed = func(c bench.Candidate) float64 {
		calls++
		return 1
	}
	r := timed(t, "Helmholtz", f, 1)
	if r.Timing.Null.Excludes(1) || r.Timing.Faster {
		t.Fatalf("without a bias: %v", r.Timing)
	}
	k := DefaultClock()
	picked := k.pick(r.Compared)
	// The last program of each copy, the rival, is 5 % slower than itself; the second one looks 3 % faster.
	k.Measure = func(_ context.Context, c bench.Case, s bench.Settings) ([]bench.Timing, error) {
		timings := make([]bench.Timing, len(c.Candidates))
		n := len(c.Candidates) / k.Copies
		for i := range timings {
			v := []float64{100, 97, 100, 105}[min(i%n, 3)]
			if i%n == n-1 {
				v = 105
			}
			for r := range s.Repetitions {
				timings[i].Single = append(timings[i].Single, v+0.01*float64(r%5))
			}
		}
		return timings, nil
	}
	base := slices.IndexFunc(picked, isPlain)
	other := slices.IndexFunc(picked, func(c *Candidate) bool { return !isPlain(c) })
	x, err := k.compare(context.Background(), Problem{Program: picked[0].Program, Points: [][]float64{{1}}}, []*Candidate{picked[base], picked[other]})
	if err != nil {
		t.Fatal(err)
	}
	if !x.Null.Excludes(1) || x.Round2[1].Ratio.Excludes(1) || math.Abs(x.Round2[1].Ratio.Median-0.97) > 0.01 {
		t.Errorf("null %v, ratio %v", x.Null, x.Round2[1].Ratio)
	}
}

// TestMeasured: the real clock, of which nothing is asserted but that it ran.
func TestMeasured(t *testing.T) {
	pr, task := taskProblem(t, "Lighthouse")
	pr.Objective = Time
	var err error
	if pr.Points, err = task.Points(rand.New(rand.NewPCG(1, 1)), 4); err != nil {
		t.Fatal(err)
	}
	s := limited(20_000, 1)
	s.Clock.Repetitions, s.Clock.Milliseconds, s.Clock.Candidates, s.Clock.Copies = 11, 0.1, 4, 2
	r, err := Run(context.Background(), pr, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range slices.Concat(r.Timing.Round1, r.Timing.Round2) {
		if !(m.Nanoseconds > 0.1 && m.Nanoseconds < 1e6) || !(m.Ratio.Low <= m.Ratio.Median && m.Ratio.Median <= m.Ratio.High) {
			t.Errorf("%+v", m)
		}
	}
	if r.Timing.Faster != (r.Timing.Ratio.High < 1) {
		t.Errorf("%+v", r.Timing)
	}
}

// TestReloads: of values kept longer than there are registers for, counted by hand.
func TestReloads(t *testing.T) {
	build := func(values int) *ir.Program {
		b := ir.NewBuilder("p")
		x := b.Input("x")
		var all []*ir.Value
		for k := range values {
			all = append(all, ir.AddScalar(ir.Sin(x), float64(k+1)))
		}
		sum := all[0]
		for _, v := range all[1:] {
			sum = ir.Mul(sum, v)
		}
		b.Output("y", sum)
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if n := reloads(build(10)); n != 0 {
		t.Errorf("ten values are reloaded %d times", n)
	}
	// Twenty values, each used once, with room for fifteen: five wait in memory. While they are made, the sine takes a place
	// of its own for a moment.
	if n := reloads(build(20)); n < 5 || n > 6 {
		t.Errorf("twenty values are reloaded %d times", n)
	}
}
