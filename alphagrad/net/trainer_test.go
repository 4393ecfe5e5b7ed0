package net

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

// randomSamples makes samples of random states with random targets.
func randomSamples(t *testing.T, r *rand.Rand, count, vertices int) (samples []Sample) {
	t.Helper()
	for range count {
		p := &Position{}
		NewEncoder().Encode(randomState(r, randomGraph(t, r, 4, vertices), r.IntN(vertices/2)), p)
		target := make([]float32, len(p.Vertices))
		var sum float32
		for i := range target {
			target[i] = r.Float32()
			sum += target[i]
		}
		for i := range target {
			target[i] /= sum
		}
		samples = append(samples, Sample{Position: p, Target: target, Value: float32(r.NormFloat64() * 0.2), Weight: 0.5 + r.Float32()})
	}
	return samples
}

func newTestTrainer(t *testing.T, n *Network, change func(*TrainerConfig)) *Trainer {
	t.Helper()
	config := DefaultTrainerConfig()
	if change != nil {
		change(&config)
	}
	trainer, err := NewTrainer(n, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(trainer.Close)
	return trainer
}

func mustTrain(t *testing.T, trainer *Trainer, samples []Sample) Losses {
	t.Helper()
	l, err := trainer.Train(samples)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// lossOf computes the loss of a batch from the definition, with the hand-written pass.
func lossOf(n *Network, samples []Sample, valueWeight float64) (policy, value float64) {
	e := n.NewEvaluator()
	var weight float64
	for _, s := range samples {
		logits := make([]float32, len(s.Position.Vertices))
		raw := float64(e.network.run(&e.pass, s.Position, logits))
		var sum, cross float64
		for _, l := range logits {
			sum += math.Exp(float64(l))
		}
		for i, l := range logits {
			cross -= float64(s.Target[i]) * (float64(l) - math.Log(sum))
		}
		miss := math.Abs(raw - float64(s.Value)/valueUnit)
		huber := miss * miss / 2
		if miss > 1 {
			huber = miss - 0.5
		}
		weight += float64(s.Weight)
		policy += float64(s.Weight) * cross
		value += float64(s.Weight) * huber
	}
	return policy / weight, value / weight
}

// TestGradient compares the losses with their definition and the gradient with finite differences of it, along random
// directions. The graphs have twins, inputs that nothing uses, so that the maximum over nodes has ties.
func TestGradient(t *testing.T) {
	for _, name := range Models() {
		r := rand.New(rand.NewPCG(1, 4))
		n := randomNetwork(t, Spec{name, 16, 2}, 2)
		samples := randomSamples(t, r, 5, 20)
		trainer := newTestTrainer(t, n, func(c *TrainerConfig) { c.ClipNorm = 0 })
		l := mustTrain(t, trainer, samples)
		policy, value := lossOf(n, samples, trainer.config.ValueWeight)
		near(t, name+" policy loss", float32(l.Policy), float32(policy))
		near(t, name+" value loss", float32(l.Value), float32(value))
		near(t, name+" total", float32(l.Total), float32(policy+0.5*value))

		var norm float64
		for _, g := range trainer.gradient {
			norm += float64(g) * float64(g)
		}
		near(t, name+" norm", float32(math.Sqrt(norm)), float32(l.Gradient))
		start := 0
		for _, p := range n.params {
			const h = 3e-4
			direction := make([]float32, n.Size())
			var want float64
			for i := start; i < start+p.size(); i++ {
				direction[i] = float32(r.NormFloat64() / math.Sqrt(float64(p.size())))
				want += float64(trainer.gradient[i]) * float64(direction[i])
			}
			start += p.size()
			at := func(h float64) float64 {
				w := slices.Clone(n.weights)
				for i := range w {
					w[i] += float32(h) * direction[i]
				}
				policy, value := lossOf(n.with(w), samples, 0.5)
				return policy + 0.5*value
			}
			if got := (at(h) - at(-h)) / (2 * h); math.Abs(got-want) > 2e-3+0.01*math.Abs(want) {
				t.Errorf("%s: derivative along %s is %v, want %v", name, p.name, want, got)
			}
		}
	}
}

// TestLearnsMarkowitz lets an untrained network imitate the choice of the cheapest vertex, and tries it on graphs it
// has not seen.
func TestLearnsMarkowitz(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and a minute under the race detector")
	}
	r := rand.New(rand.NewPCG(11, 4))
	draw := func() Sample {
		vertices := 10 + r.IntN(30)
		return markowitzSample(randomState(r, randomGraph(t, r, 4, vertices), r.IntN(vertices/2)))
	}
	n, err := New(DefaultSpec, 1)
	if err != nil {
		t.Fatal(err)
	}
	trainer := newTestTrainer(t, n, func(c *TrainerConfig) { c.LearningRate, c.Warmup = 4e-3, 5 })
	var first, last float64
	for step := range 40 {
		var batch []Sample
		for range 24 {
			batch = append(batch, draw())
		}
		l := mustTrain(t, trainer, batch)
		if step == 0 {
			first = l.Policy
		}
		last = l.Policy
	}
	e := trainer.Network().NewEvaluator()
	right, total := 0, 0
	for range 300 {
		s := draw()
		if len(s.Target) == 0 {
			continue
		}
		logits := make([]float32, len(s.Target))
		e.EvaluatePosition(s.Position, logits)
		best := 0
		for i, l := range logits {
			if l > logits[best] {
				best = i
			}
		}
		total++
		if s.Target[best] > 0 {
			right++
		}
	}
	t.Logf("loss %.3f to %.3f, right in %d of %d", first, last, right, total)
	if right*100 < 95*total {
		t.Errorf("right in %d of %d unseen positions", right, total)
	}
}

// TestTrainingLowersTheLoss fits both models to a fixed batch, values included.
func TestTrainingLowersTheLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and a minute under the race detector")
	}
	for _, name := range Models() {
		samples := randomSamples(t, rand.New(rand.NewPCG(1, 5)), 8, 12)
		n, err := New(Spec{name, 16, 2}, 3)
		if err != nil {
			t.Fatal(err)
		}
		trainer := newTestTrainer(t, n, func(c *TrainerConfig) { c.LearningRate, c.Warmup, c.ValueWeight = 1e-2, 0, 1 })
		first := mustTrain(t, trainer, samples)
		var last Losses
		for range 30 {
			last = mustTrain(t, trainer, samples)
		}
		if last.Value > first.Value/5 || last.Policy >= first.Policy || last.Step != 31 || trainer.Step() != 31 {
			t.Errorf("%s: step %d, losses from %v and %v to %v and %v", name, last.Step, first.Policy, first.Value, last.Policy, last.Value)
		}
		policy, value := lossOf(trainer.Network(), samples, 1)
		if next := mustTrain(t, trainer, samples); math.Abs(next.Policy-policy) > 1e-4 || math.Abs(next.Value-value) > 1e-4 {
			t.Errorf("%s: trained losses %v and %v, by the hand-written pass %v and %v", name, next.Policy, next.Value, policy, value)
		}
	}
}

// TestTrainingIsDeterministic compares runs with equal seeds, on one and on several goroutines.
func TestTrainingIsDeterministic(t *testing.T) {
	run := func(workers int) []float32 {
		r := rand.New(rand.NewPCG(1, 6))
		samples := append(randomSamples(t, r, 12, 20), randomSamples(t, r, 3, 80)...)
		n, err := New(Spec{"gnn", 16, 2}, 3)
		if err != nil {
			t.Fatal(err)
		}
		trainer := newTestTrainer(t, n, func(c *TrainerConfig) { c.Workers = workers })
		for range 3 {
			mustTrain(t, trainer, samples)
		}
		return trainer.Network().weights
	}
	want := run(1)
	for _, workers := range []int{1, 3} {
		if !slices.Equal(run(workers), want) {
			t.Errorf("other weights with %d workers", workers)
		}
	}
}

// TestMixedSizes checks that a sample's loss does not depend on what else is in its batch, and that its place is kept.
func TestMixedSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	samples := slices.Concat(randomSamples(t, r, 3, 20), randomSamples(t, r, 2, 100), randomSamples(t, r, 9, 30))
	n := randomNetwork(t, Spec{"gnn", 16, 1}, 2)
	together := newTestTrainer(t, n, nil)
	all := mustTrain(t, together, samples)
	for i := range samples {
		alone := mustTrain(t, newTestTrainer(t, n, nil), samples[i:i+1])
		near(t, fmt.Sprintf("policy loss %d", i), all.Each[i].Policy, alone.Each[0].Policy)
		near(t, fmt.Sprintf("value loss %d", i), all.Each[i].Value, alone.Each[0].Value)
	}
}

func TestBuckets(t *testing.T) {
	for _, c := range []struct{ nodes, bucket int }{{0, 64}, {64, 64}, {65, 96}, {384, 384}, {385, 512}, {512, 512}, {513, 640}, {2048, 2048}} {
		if b, err := bucketFor(c.nodes); err != nil || b.nodes != c.bucket || b.batch < 1 {
			t.Errorf("%d nodes: bucket %v, error %v; want %d", c.nodes, b, err, c.bucket)
		}
	}
	if _, err := bucketFor(2049); err == nil || err.Error() != "position of 2049 nodes is too large to train on: at most 2048" {
		t.Errorf("error %v", err)
	}
	sizes := map[int]bool{}
	for n := range MaxTrainingNodes {
		b, _ := bucketFor(n)
		sizes[b.nodes] = true
	}
	if len(sizes) >= 32 {
		t.Errorf("%d sizes; GoMLX keeps the programs of 32", len(sizes))
	}
}

// TestLargeGraph trains on a graph beyond the last bucket, and plays on one that is too large to train on.
func TestLargeGraph(t *testing.T) {
	s := markowitzSample(elim.NewState(randomGraph(t, rand.New(rand.NewPCG(1, 8)), 10, 400)))
	n := randomNetwork(t, Spec{"gnn", 16, 1}, 2)
	l := mustTrain(t, newTestTrainer(t, n, nil), []Sample{s})
	policy, _ := lossOf(n, []Sample{s}, 0.5)
	near(t, "policy loss", float32(l.Policy), float32(policy))

	huge := markowitzSample(elim.NewState(randomGraph(t, rand.New(rand.NewPCG(1, 8)), 10, MaxTrainingNodes)))
	if _, err := plan([]Sample{huge}); err == nil || !strings.Contains(err.Error(), "too large to train on: at most 2048") {
		t.Errorf("%d nodes to train on: %v", huge.Position.Nodes, err)
	}
	logits := make([]float32, len(huge.Position.Vertices))
	value := n.NewEvaluator().EvaluatePosition(huge.Position, logits)
	for i, x := range append(logits, float32(value)) {
		if !finite(x) {
			t.Fatalf("number %d of the answer on %d nodes is %v", i, huge.Position.Nodes, x)
		}
	}
}

func TestBadSamples(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		change func(*Sample)
		want   string
	}{
		{func(s *Sample) { s.Position = nil }, "sample 1: its position is not what Encoder.Encode makes"},
		{func(s *Sample) { s.Target = s.Target[1:] }, "policy target of"},
		{func(s *Sample) { s.Target[0] = nan }, "the probability NaN"},
		{func(s *Sample) { s.Target[0] = -0.5 }, "the probability -0.5"},
		{func(s *Sample) { clear(s.Target); s.Target[0] = 0.5 }, "policy target sums to 0.5, expected 1, or 0 for none"},
		{func(s *Sample) { s.Value = float32(math.Inf(1)) }, "value target is +Inf"},
		{func(s *Sample) { s.Weight = -1 }, "weight is -1"},
		{func(s *Sample) { s.Position.Node[3] = nan }, "a feature is NaN"},
	} {
		n := randomNetwork(t, Spec{"gnn", 16, 1}, 2)
		trainer := newTestTrainer(t, n, nil)
		samples := randomSamples(t, rand.New(rand.NewPCG(1, 9)), 3, 10)
		c.change(&samples[1])
		_, err := trainer.Train(samples)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "training step 1: sample 1: ") {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	trainer := newTestTrainer(t, randomNetwork(t, Spec{"gnn", 16, 1}, 2), nil)
	if _, err := trainer.Train(nil); err == nil || !strings.Contains(err.Error(), "nothing to learn") {
		t.Errorf("empty batch: error %v", err)
	}
}

// TestNotFinite blows a network up and checks that the step says so and changes nothing.
func TestNotFinite(t *testing.T) {
	n := randomNetwork(t, Spec{"gnn", 16, 1}, 2)
	w := n.tensor("policy/out")
	for i := range w {
		w[i] = 1e38
	}
	trainer := newTestTrainer(t, n, nil)
	_, err := trainer.Train(randomSamples(t, rand.New(rand.NewPCG(1, 9)), 3, 10))
	if !errors.Is(err, ErrNotFinite) || !strings.HasPrefix(err.Error(), "training step 1: policy loss of sample ") {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(trainer.Network().weights, n.weights) || trainer.Step() != 0 {
		t.Error("the network has changed")
	}
}

// TestAdam compares the optimiser with GoMLX's on a quadratic function.
func TestAdam(t *testing.T) {
	start, curvature := []float32{1, -2, 3, 0.5}, []float32{1, 10, 0.1, 3}
	const rate, decay, steps = 0.05, 0.1, 20
	if backendError != nil {
		t.Fatal(backendError)
	}
	store := model.NewStore()
	executor, err := model.NewExec(backend, store, func(scope *model.Scope, c *graph.Node) *graph.Node {
		w := scope.VariableWithValue("w", start)
		loss := graph.ReduceAllSum(graph.Mul(c, graph.Square(w.NodeValue(c.Graph()))))
		optimizer.Adam().LearningRate(rate).WeightDecay(decay).Done().UpdateGraph(scope, c.Graph(), loss)
		return w.NodeValue(c.Graph())
	})
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Clone(start)
	a := adam{mean: make([]float32, 4), variance: make([]float32, 4)}
	for range steps {
		gradient := make([]float32, 4)
		for i := range got {
			gradient[i] = 2 * curvature[i] * got[i]
		}
		a.update(got, gradient, []bool{true, true, true, true}, rate, decay)
		want := tensors.MustCopyFlatData[float32](executor.MustCall1(curvature))
		for i := range got {
			near(t, fmt.Sprintf("step %d", a.step), got[i], want[i])
		}
	}
}

func TestSchedule(t *testing.T) {
	c := TrainerConfig{LearningRate: 2, Schedule: "cosine", Warmup: 10, Steps: 110, Floor: 0.1}
	for _, want := range []struct {
		step int
		rate float64
	}{{1, 0.2}, {5, 1}, {10, 2}, {60, 1.1}, {110, 0.2}, {1000, 0.2}} {
		if got := c.rate(want.step); math.Abs(got-want.rate) > 1e-12 {
			t.Errorf("cosine: rate of step %d is %v, want %v", want.step, got, want.rate)
		}
	}
	c.Schedule = "linear"
	if got := c.rate(35); math.Abs(got-(0.2+1.8*0.75)) > 1e-12 {
		t.Errorf("linear: %v", got)
	}
	c.Schedule = "constant"
	if got := c.rate(1000); got != 2 {
		t.Errorf("constant: %v", got)
	}
}

func TestConfigErrors(t *testing.T) {
	n := randomNetwork(t, Spec{"gnn", 16, 1}, 2)
	for _, c := range []struct {
		change func(*TrainerConfig)
		want   string
	}{
		{func(c *TrainerConfig) { c.Schedule = "cosin" }, `unknown learning rate schedule "cosin": expected one of constant, linear, cosine`},
		{func(c *TrainerConfig) { c.Schedule = "cosine" }, "the cosine schedule needs the number of steps it spans"},
		{func(c *TrainerConfig) { c.LearningRate = math.NaN() }, "learning rate NaN: expected a positive number"},
		{func(c *TrainerConfig) { c.Warmup = -1 }, "schedule of 0 steps with -1 of warm-up: neither can be negative"},
		{func(c *TrainerConfig) { c.Floor = 2 }, "final learning rate 2 of the peak: expected 0 to 1"},
		{func(c *TrainerConfig) { c.WeightDecay = -1 }, "weight decay -1: expected a number that is not negative"},
		{func(c *TrainerConfig) { c.ClipNorm = -1 }, "gradient clipped to norm -1: expected a positive number, or 0 for no limit"},
		{func(c *TrainerConfig) { c.ValueWeight = -1 }, "value loss of weight -1: expected a number that is not negative"},
		{func(c *TrainerConfig) { c.Workers = -1 }, "-1 training workers: expected a positive number, or 0 for one per core"},
	} {
		config := DefaultTrainerConfig()
		c.change(&config)
		if _, err := NewTrainer(n, config); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// TestGoMLXErrors checks that what panics inside GoMLX comes back as an error.
func TestGoMLXErrors(t *testing.T) {
	for name, build := range map[string]func(x *graph.Node) *graph.Node{
		"bad shapes":  func(x *graph.Node) *graph.Node { return graph.Reshape(x, 7, 7) },
		"no gradient": func(x *graph.Node) *graph.Node { return graph.Gradient(graph.ReduceAllSum(graph.Rsqrt(x)), x)[0] },
	} {
		executor, err := graph.NewExec(backend, build)
		if err == nil {
			_, err = gomlx.Call(executor, []float32{1, 2})
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestBackendIsSilent starts this program once more: opening the backend must not print among the results.
func TestBackendIsSilent(t *testing.T) {
	out, err := exec.Command(os.Args[0], "-test.run=^$").Output()
	if err != nil || strings.Contains(string(out), "backend") || len(out) == 0 {
		t.Errorf("printed %q, error %v", out, err)
	}
}

// TestManyProductsAtOnce runs independent matrix products, which deadlock GoMLX's default configuration.
func TestManyProductsAtOnce(t *testing.T) {
	executor, err := graph.NewExec(backend, func(x *graph.Node) *graph.Node {
		var sum *graph.Node
		for i := range 16 {
			y := graph.AddScalar(x, float64(i))
			if y = product(y, y); sum == nil {
				sum = y
			} else {
				sum = graph.Add(sum, y)
			}
		}
		return sum
	})
	if err != nil {
		t.Fatal(err)
	}
	x := tensors.FromScalarAndDimensions(float32(0), 4, 32, 32)
	out, err := gomlx.Call(executor, x)
	if err != nil {
		t.Fatal(err)
	}
	// Σ i²·32 for i below 16
	if got := tensors.MustCopyFlatData[float32](out[0])[0]; got != 32*1240 {
		t.Errorf("got %v", got)
	}
}
