package data

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// within fails unless k successes of n trials agree with a probability p: the binomial standard deviation times five.
func within(t *testing.T, what string, k, n int, p float64) {
	t.Helper()
	if n == 0 {
		t.Fatalf("%s: no trials", what)
	}
	if sd := math.Sqrt(float64(n) * p * (1 - p)); math.Abs(float64(k)-float64(n)*p) > 5*sd+1e-9 {
		t.Errorf("%s: %d of %d, want %.4f ± %.4f of them", what, k, n, p, 5*sd/float64(n))
	}
}

// count adds up the spikes of inputs [first, last) in steps [from, to) of a sequence.
func (b *Batch) count(sample, from, to, first, last int) (spikes, cells int) {
	for t := from; t < to; t++ {
		for n := first; n < last; n++ {
			spikes += int(b.Input[(t*b.Size+sample)*b.Inputs+n])
			cells++
		}
	}
	return spikes, cells
}

// TestPoisson: rate, variance of counts, and geometric intervals between spikes.
func TestPoisson(t *testing.T) {
	const steps, inputs, rate, dt = 4000, 200, 60, 0.5
	p := rate * dt / 1000
	b := newBatch(Dims{Steps: steps, Inputs: inputs, Outputs: 1, DT: dt}, 1)
	b.fire(rand.New(rand.NewPCG(1, 2)), 0, 0, steps, 0, inputs, poisson(rate, dt))
	k, n := b.count(0, 0, steps, 0, inputs)
	within(t, "spikes", k, n, p)
	mean, variance := float64(k)/inputs, 0.0
	after, apart := 0, 0 // spikes followed by another in the next step
	for i := range inputs {
		c, _ := b.count(0, 0, steps, i, i+1)
		variance += (float64(c) - mean) * (float64(c) - mean) / (inputs - 1)
		for s := range steps - 1 {
			if b.Input[s*inputs+i] == 1 {
				apart++
				after += int(b.Input[(s+1)*inputs+i])
			}
		}
	}
	// The variance of the sample variance of nearly normal counts is 2σ⁴/(n−1).
	want := steps * p * (1 - p)
	if math.Abs(variance-want) > 5*want*math.Sqrt(2.0/(inputs-1)) {
		t.Errorf("variance of counts %.1f, want %.1f", variance, want)
	}
	within(t, "spikes after a spike", after, apart, p)
}

// TestPatternNoise: noise leaves the rate of spikes and changes the share of them that it says, differently in every sequence.
func TestPatternNoise(t *testing.T) {
	const noise = 0.25
	frozen := &PatternGeneration{DT: 1, Inputs: 100, Outputs: 1, Duration: 1000, Rate: 100, Periods: []float64{1000}, Low: 1, High: 1}
	noisy := *frozen
	noisy.Noise = noise
	a, b := batch(t, open(t, frozen, 3), Training, 0, 1), batch(t, open(t, &noisy, 3), Test, 0, 2)
	if !reflect.DeepEqual(a.Target, batch(t, open(t, &noisy, 3), Test, 0, 1).Target) {
		t.Error("noise changes the target")
	}
	spikes, cells, kept, met, same := 0, 0, 0, 0, 0
	for k, v := range a.Input {
		for s := range 2 {
			w := b.Input[(k/100*2+s)*100+k%100]
			spikes, cells = spikes+int(w), cells+1
			if v == 1 {
				kept, met = kept+int(w), met+1
			}
		}
		if b.Input[k/100*200+k%100] == b.Input[k/100*200+100+k%100] {
			same++
		}
	}
	within(t, "spikes", spikes, cells, 0.1)
	within(t, "kept", kept, met, 1-noise+noise*0.1)
	if same == len(a.Input) {
		t.Error("two sequences are the same")
	}
}

// TestProbabilityExtremes: never and always mean that.
func TestProbabilityExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		if probability(0).happens(r) || !probability(1).happens(r) {
			t.Fatal("a probability of 0 happened, or one of 1 did not")
		}
	}
}

// TestPattern: the spikes are frozen, the target is a sum of sines of the given periods only, shifted and scaled.
func TestPattern(t *testing.T) {
	c := DefaultPatternGeneration()
	c.Outputs = 3
	task := open(t, c, 5)
	b := batch(t, task, Training, 0, 2)
	other := batch(t, task, Test, 9, 2)
	if !reflect.DeepEqual(b.Input, other.Input) || !reflect.DeepEqual(b.Target, other.Target) {
		t.Error("the pattern is not frozen")
	}
	k, n := b.count(0, 0, b.Steps, 0, b.Inputs)
	within(t, "spikes", k, n, 0.05)
	for o := range c.Outputs {
		y := make([]float64, b.Steps)
		greatest := 0.0
		for s := range y {
			y[s] = b.Target[s*b.Size*b.Outputs+o]
			greatest = math.Max(greatest, math.Abs(y[s]))
		}
		if y[0] != 0 || math.Abs(greatest-1) > 1e-15 {
			t.Errorf("output %d starts at %g and reaches %g", o, y[0], greatest)
		}
		// Projected out of the span of a constant and the sines and cosines of the four periods, nothing is left. The last
		// step closes the period, so all but it are samples of whole periods, where the components are orthogonal.
		rest := append([]float64(nil), y[:b.Steps-1]...)
		m := float64(len(rest))
		mean := 0.0
		for _, v := range rest {
			mean += v / m
		}
		for i := range rest {
			rest[i] -= mean
		}
		for _, turns := range []float64{1, 2, 3, 5} { // ⌊1000/period⌋
			for _, f := range []func(float64) float64{math.Sin, math.Cos} {
				dot := 0.0
				for i, v := range rest {
					dot += v * f(2*math.Pi*turns*float64(i)/m)
				}
				if f(0) == 0 && dot == 0 {
					t.Errorf("output %d lacks the component of %g turns", o, turns)
				}
				for i := range rest {
					rest[i] -= 2 * dot / m * f(2*math.Pi*turns*float64(i)/m)
				}
			}
		}
		for i, v := range rest {
			if math.Abs(v) > 1e-12 {
				t.Fatalf("output %d has %g in step %d beside its sines", o, v, i)
			}
		}
	}
}

// TestEvidence reads the cues back from the spikes: the side with more of them is the label, half of the sequences lean
// to each side, and every group has its rate where it should and is silent elsewhere.
func TestEvidence(t *testing.T) {
	c := DefaultEvidenceAccumulation()
	c.Delay, c.CueRate = 200, 100 // so that no cue is without spikes
	task := open(t, c, 11)
	const size = 150
	b := batch(t, task, Training, 0, size)
	g, recallFrom := c.GroupSize, 7*150+200
	if b.Steps != recallFrom+150 {
		t.Fatalf("%d steps", b.Steps)
	}
	if full := open(t, DefaultEvidenceAccumulation(), 1).Dims(); full.Steps != 2250 || full.Inputs != 40 {
		t.Errorf("published sizes: %d steps, %d inputs", full.Steps, full.Inputs)
	}
	var cue, cues, silent, recalled, recalls, noise, noises, rights, lean int
	for i := range size {
		right := 0
		for k := range 7 {
			from, to := k*150+50, (k+1)*150
			l, n := b.count(i, from, to, 0, g)
			r, _ := b.count(i, from, to, g, 2*g)
			if (l > 0) == (r > 0) {
				t.Fatalf("sequence %d, cue %d: %d spikes left, %d right", i, k, l, r)
			}
			if r > 0 {
				right++
			}
			cue, cues = cue+l+r, cues+n
			s, _ := b.count(i, k*150, from, 0, 2*g)
			silent += s
		}
		if want := right > 3; (b.Labels[i] == 1) != want {
			t.Fatalf("sequence %d: %d cues of 7 from the right, label %d", i, right, b.Labels[i])
		}
		rights += right
		if right >= 4 {
			lean++
		}
		s, _ := b.count(i, 0, recallFrom, 2*g, 3*g)
		silent += s
		s, _ = b.count(i, 7*150, b.Steps, 0, 2*g)
		silent += s
		r, n := b.count(i, recallFrom, b.Steps, 2*g, 3*g)
		recalled, recalls = recalled+r, recalls+n
		r, n = b.count(i, 0, b.Steps, 3*g, 4*g)
		noise, noises = noise+r, noises+n
		for s := range b.Steps {
			if (b.Mask[s*size+i] == 1) != (s >= recallFrom) {
				t.Fatal("the answer counts outside the recall")
			}
		}
	}
	within(t, "cue spikes", cue, cues, 0.1)
	within(t, "recall spikes", recalled, recalls, 0.04)
	within(t, "noise spikes", noise, noises, 0.01)
	within(t, "sequences with more from the right", lean, size, 0.5)
	if silent > 0 {
		t.Errorf("%d spikes where a group is silent", silent)
	}
	// The number of cues from the right is a mixture of two binomials, of p = 0.3 and of p = 0.7.
	sd := math.Sqrt(size * (7*0.21 + 49*0.2*0.2))
	if math.Abs(float64(rights)-3.5*size) > 5*sd {
		t.Errorf("%d cues from the right, want %g ± %g", rights, 3.5*size, 5*sd)
	}
}

// TestDelayedMatch decodes the two directions from the spike counts of the input: equal ones are matches.
func TestDelayedMatch(t *testing.T) {
	c := DefaultDelayedMatch()
	task := open(t, c, 3)
	const size = 60
	b := batch(t, task, Training, 0, size)
	if b.Steps != 2500 || b.Inputs != 100 {
		t.Fatalf("%d steps, %d inputs", b.Steps, b.Inputs)
	}
	decode := func(i, from, to int) int {
		x, y := 0.0, 0.0
		for n := range b.Inputs {
			k, _ := b.count(i, from, to, n, n+1)
			angle := 2 * math.Pi * float64(n) / float64(b.Inputs)
			x, y = x+float64(k)*math.Cos(angle), y+float64(k)*math.Sin(angle)
		}
		return int(math.Round(math.Atan2(y, x)/(2*math.Pi)*8)+8) % 8
	}
	matches := 0
	seen := map[int]bool{}
	var background, cells int
	for i := range size {
		first, second := decode(i, 500, 1000), decode(i, 2000, 2500)
		seen[first] = true
		if (first == second) != (b.Labels[i] == 1) {
			t.Fatalf("sequence %d: directions %d and %d, label %d", i, first, second, b.Labels[i])
		}
		matches += b.Labels[i]
		for _, span := range [][2]int{{0, 500}, {1000, 2000}} {
			k, n := b.count(i, span[0], span[1], 0, b.Inputs)
			background, cells = background+k, cells+n
		}
	}
	within(t, "matches", matches, size, 0.5)
	within(t, "background", background, cells, 0.001)
	if len(seen) != 8 {
		t.Errorf("%d directions shown of 8", len(seen))
	}
	// Rate of a neuron at its preferred direction, and opposite to it.
	peak, peaks, far, fars := 0, 0, 0, 0
	for i := range size {
		if decode(i, 500, 1000) != 0 {
			continue
		}
		k, n := b.count(i, 500, 1000, 0, 1)
		peak, peaks = peak+k, peaks+n
		k, n = b.count(i, 500, 1000, 50, 51)
		far, fars = far+k, fars+n
	}
	within(t, "preferred direction", peak, peaks, 0.101)
	within(t, "opposite direction", far, fars, 0.001+0.1*math.Exp(-16))
}

// TestStoreRecall replays the stream as a memory of one bit would.
func TestStoreRecall(t *testing.T) {
	c := DefaultStoreRecall()
	c.GroupSize = 5
	task := open(t, c, 9)
	const size = 80
	b := batch(t, task, Training, 0, size)
	g, commands := c.GroupSize, 0
	if b.Labels != nil || b.Steps != 2400 {
		t.Fatalf("%d steps, labels %v", b.Steps, b.Labels)
	}
	var fired, cells, ones, bits int
	delays := map[int]int{}
	for i := range size {
		memory, stored, at, recalls := -1, false, 0, 0
		for s := range c.Symbols {
			from, to := s*200, (s+1)*200
			var active [4]bool
			for k := range active {
				n, total := b.count(i, from, to, k*g, (k+1)*g)
				active[k] = n > 0
				if active[k] {
					fired, cells = fired+n, cells+total
				}
			}
			counts := b.Mask[from*size+i] == 1
			if counts != active[3] || (active[0] != active[1]) == active[3] || active[2] && active[3] {
				t.Fatalf("sequence %d, symbol %d: groups %v, counts: %v", i, s, active, counts)
			}
			if !active[3] {
				bits++
				if active[1] {
					ones++
				}
			}
			switch {
			case active[2]:
				if stored {
					t.Fatal("two stores without a recall")
				}
				stored, at, commands = true, s, commands+1
				memory = 0
				if active[1] {
					memory = 1
				}
			case active[3]:
				if !stored || s == at+1 {
					t.Fatalf("sequence %d: recall at symbol %d after a store at %d (%v)", i, s, at, stored)
				}
				stored, recalls = false, recalls+1
				delays[s-at]++
				for step := from; step < to; step++ {
					if b.Target[(step*size+i)*2+memory] != 1 {
						t.Fatalf("sequence %d: stored %d is not the target at the recall", i, memory)
					}
				}
			}
		}
		if stored || recalls == 0 {
			t.Fatalf("sequence %d: %d recalls, one to come: %v", i, recalls, stored)
		}
	}
	within(t, "spikes of groups that fire", fired, cells, 0.05)
	within(t, "ones", ones, bits, 0.5)
	if len(delays) < 4 {
		t.Errorf("delays %v do not vary", delays)
	}
	// A command that almost never comes still makes a sequence with one store and one recall.
	c.Command = 1e-9
	b = batch(t, open(t, c, 1), Training, 0, 1)
	if k, _ := b.count(0, 0, 200, 2*g, 3*g); k == 0 || b.Mask[b.Steps-1] != 1 || b.Mask[0] != 0 {
		t.Error("no store and recall")
	}
}

// TestRandman: one spike a unit; a manifold is smooth, so neighbours in the latent space fire at nearly the same times,
// nearer ones more so; and the value follows the published formula.
func TestRandman(t *testing.T) {
	c := DefaultRandman()
	c.Classes, c.Samples, c.Held = 3, 200, 20
	task := open(t, c, 4)
	for split, n := range map[Split]int{Training: 600, Validation: 60, Test: 60} {
		b := batch(t, task, split, 0, n)
		perClass := map[int]int{}
		for i := range b.Size {
			perClass[b.Labels[i]]++
			for u := range b.Inputs {
				if k, _ := b.count(i, 0, b.Steps, u, u+1); k != 1 {
					t.Fatalf("unit %d fires %d times", u, k)
				}
			}
		}
		for class := range 3 {
			if perClass[class] != n/3 {
				t.Errorf("%v: class %d has %d samples of %d", split, class, perClass[class], n)
			}
		}
	}
	// The training samples of a class use the whole range of time for every unit.
	b := batch(t, task, Training, 0, 600)
	for u := range b.Inputs {
		first, last := b.Steps, 0
		for i := range b.Size {
			for s := range b.Steps {
				if b.Labels[i] == 0 && b.Input[(s*b.Size+i)*b.Inputs+u] == 1 {
					first, last = min(first, s), max(last, s)
				}
			}
		}
		if first != 0 || last != b.Steps-1 {
			t.Fatalf("unit %d fires from step %d to %d", u, first, last)
		}
	}

	m := newManifold(rand.New(rand.NewPCG(3, 1)), 40, 2, 2)
	if m.modes != 32 { // ⌈√1000⌉
		t.Errorf("%d modes", m.modes)
	}
	r := rand.New(rand.NewPCG(1, 1))
	var spread [3]float64
	for range 200 {
		x := []float64{r.Float64(), r.Float64()}
		y, z := make([]float64, 40), make([]float64, 40)
		m.at(y, x)
		for k, h := range []float64{1e-3, 1e-2, 0.3} {
			m.at(z, []float64{x[0] + h, x[1] - h})
			for u := range y {
				spread[k] += math.Abs(z[u]-y[u]) / (200 * 40)
			}
		}
		for u := range y { // the formula, from the parameters, with the standard sine
			want := 1.0
			for d, v := range x {
				sum := 0.0
				for i := range m.modes {
					theta := m.theta[((u*2+d)*m.modes+i)*3:]
					sum += theta[0] * math.Sin(2*math.Pi*(theta[1]*v+theta[2]))
				}
				want *= sum
			}
			if math.Abs(want-y[u]) > 1e-12 {
				t.Fatalf("unit %d at %v: %g, want %g", u, x, y[u], want)
			}
		}
	}
	if !(spread[0] < spread[1]/5 && spread[1] < spread[2]/3) {
		t.Errorf("distances of neighbours %v do not shrink with their distance in the latent space", spread)
	}
	// α makes manifolds smoother: less of the variation is in high frequencies.
	rough, smooth := roughness(1), roughness(3)
	if rough < 1.5*smooth {
		t.Errorf("roughness %g at α = 1, %g at α = 3", rough, smooth)
	}
}

// roughness is the mean change over a short distance relative to that over a long one.
func roughness(alpha float64) float64 {
	m := newManifold(rand.New(rand.NewPCG(8, 1)), 60, 1, alpha)
	r := rand.New(rand.NewPCG(1, 1))
	near, far := 0.0, 0.0
	x, y := make([]float64, 60), make([]float64, 60)
	for range 30 {
		v := r.Float64()
		m.at(x, []float64{v})
		for _, h := range []float64{0.01, 0.5} {
			m.at(y, []float64{v + h})
			for u := range x {
				if h < 0.1 {
					near += math.Abs(x[u] - y[u])
				} else {
					far += math.Abs(x[u] - y[u])
				}
			}
		}
	}
	return near / far
}

// TestEpochs: an epoch of a finite training set has every sample once, in an order of its own; validation is in order.
func TestEpochs(t *testing.T) {
	f := &finite{dims: Dims{Steps: 1, Inputs: 1, Outputs: 50, Kind: Classification}, seed: 1, sizes: [3]int{23, 7, 3}}
	f.load = func(split Split, k int, b *Batch, i int) int { b.answer(i, 0, 1, k); return k }
	epoch := func(e int) []int {
		var all []int
		for i := range f.Batches(Training, 5) {
			all = append(all, batch(t, f, Training, e*f.Batches(Training, 5)+i, 5).Labels...)
		}
		return all
	}
	seen := map[int]bool{}
	for _, k := range epoch(0) {
		if seen[k] || k < 0 || k >= 23 {
			t.Fatalf("sample %d twice", k)
		}
		seen[k] = true
	}
	if len(seen) != 20 || reflect.DeepEqual(epoch(0), epoch(1)) || !reflect.DeepEqual(epoch(3), epoch(3)) {
		t.Errorf("%d samples in an epoch of four batches of five", len(seen))
	}
	if b := batch(t, f, Training, 2, 100); b.Size != 23 {
		t.Errorf("a batch of 100 has %d of 23 samples", b.Size)
	}
	var valid []int
	for i := range f.Batches(Validation, 5) {
		valid = append(valid, batch(t, f, Validation, i, 5).Labels...)
	}
	if !reflect.DeepEqual(valid, []int{0, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("validation %v", valid)
	}
	if _, err := f.Batch(Validation, 2, 5); err == nil || err.Error() != "validation batch 2: the 7 samples make 2 batches of 5" {
		t.Errorf("past the end: %v", err)
	}
}
