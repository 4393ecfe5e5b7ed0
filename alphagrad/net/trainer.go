package net

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// A TrainerConfig says how a network learns.
type TrainerConfig struct {
	LearningRate float64 // at its peak
	Schedule     string  // how it falls after the warm-up: "constant", "linear" or "cosine"
	Warmup       int     // steps over which it rises from 0
	Steps        int     // by which it has fallen, warm-up included; it stays there
	Floor        float64 // where it ends, relative to the peak
	WeightDecay  float64 // of matrices, per step and unit of learning rate
	ClipNorm     float64 // the gradient is scaled down to this norm if longer; 0: never
	ValueWeight  float64 // of the value loss relative to the policy loss
	Workers      int     // goroutines; 0: one per core
}

// DefaultTrainerConfig suits batches of a few hundred samples.
func DefaultTrainerConfig() TrainerConfig {
	return TrainerConfig{LearningRate: 2e-3, Schedule: "constant", Warmup: 50, Floor: 0.1, WeightDecay: 1e-4, ClipNorm: 5, ValueWeight: 0.5}
}

// Losses reports one training step. Means are weighted by the samples' weights.
type Losses struct {
	Step     int          // from 1
	Policy   float64      // mean cross entropy of the policy target and the policy, nats
	Value    float64      // mean Huber loss of the value: ½e² for |e| ≤ 1, else |e|−½, of the error e in tenths
	Total    float64      // Policy + ValueWeight·Value
	Gradient float64      // norm of the gradient of Total before clipping
	Rate     float64      // learning rate used
	Each     []SampleLoss // per sample, in the order given; overwritten by the next step
}

// A SampleLoss is one sample's part of Losses, before weighting.
type SampleLoss struct{ Policy, Value float32 }

// ErrNotFinite is wrapped by the error of a step whose losses or gradient are not finite numbers. The weights are
// then as before the step.
var ErrNotFinite = errors.New("not a finite number")

// A Trainer improves a network. It is not safe for concurrent use, but the networks it returns are its own no more.
type Trainer struct {
	network *Network // whose weights change from step to step
	config  TrainerConfig
	adam    adam
	decays  []bool // [weights]
	exec    *graph.Exec
	workers []*worker

	gradient  []float32 // [weights]
	gradients []float32 // [runs][weights]
	each      []SampleLoss
}

// A worker runs samples through the network and back on its goroutine.
type worker struct {
	flat   *tensors.Tensor // [weights]; GoMLX changes a tensor it reads, so they cannot share one
	frames map[bucket]*frame
}

// NewTrainer starts to train a network, which it leaves as it is.
func NewTrainer(n *Network, config TrainerConfig) (*Trainer, error) {
	size := n.Size()
	return newTrainer(n, config, adam{mean: make([]float32, size), variance: make([]float32, size)})
}

func newTrainer(n *Network, config TrainerConfig, a adam) (*Trainer, error) {
	if backendError != nil {
		return nil, backendError
	}
	if err := config.Check(); err != nil {
		return nil, err
	}
	t := &Trainer{network: n.with(slices.Clone(n.weights)), config: config, adam: a,
		gradient: make([]float32, n.Size())}
	for _, p := range n.params {
		t.decays = append(t.decays, slices.Repeat([]bool{p.rows > 1}, p.size())...)
	}
	count := config.Workers
	if count == 0 {
		count = runtime.GOMAXPROCS(0)
	}
	for range count {
		flat := tensors.FromShape(shapes.Make(dtypes.Float32, n.Size()))
		t.workers = append(t.workers, &worker{flat: flat, frames: map[bucket]*frame{}})
	}
	var err error
	t.exec, err = graph.NewExec(backend, t.build)
	if err != nil {
		return nil, fmt.Errorf("training graph of the %s network: %w", n.spec.Model, err)
	}
	return t, nil
}

// Network is the network as it is now.
func (t *Trainer) Network() *Network { return t.network.with(slices.Clone(t.network.weights)) }

// Step is the number of steps taken so far.
func (t *Trainer) Step() int { return t.adam.step }

// Config is how the network learns.
func (t *Trainer) Config() TrainerConfig { return t.config }

// Close frees what GoMLX holds. The trainer cannot step afterwards.
func (t *Trainer) Close() { t.exec.Finalize() }

// build makes the GoMLX graph of losses and their gradient for one bucket. Its outputs are the policy and the value
// loss of every sample and the gradient of their weighted sum.
func (t *Trainer) build(in []*graph.Node) []*graph.Node {
	tape := newTape(t.network, in)
	target, value, weight := in[batchInputs], in[batchInputs+1], in[batchInputs+2]
	logits, v := buildNetwork(t.network, tape)

	// Not the masked log-softmax of GoMLX: it is −∞ for what is masked, and 0·(−∞) is NaN.
	nothing := graph.ZerosLike(logits)
	logits = graph.Where(graph.GreaterThan(tape.masked, nothing), logits, graph.AddScalar(nothing, -1e9))
	policyLoss := graph.Neg(graph.ReduceSum(graph.Mul(target, graph.LogSoftmax(logits)), -1))

	e := graph.Abs(graph.Sub(v, value))
	near := graph.MinScalar(e, 1)
	valueLoss := graph.Mul(near, graph.Sub(e, graph.MulScalar(near, 0.5))) // ½e² up to 1, then e − ½

	each := graph.Add(policyLoss, graph.MulScalar(valueLoss, t.config.ValueWeight))
	loss := graph.ReduceAllSum(graph.Mul(weight, each))
	return []*graph.Node{policyLoss, valueLoss, graph.Gradient(loss, tape.flat)[0]}
}

// A run is up to a bucket's batch of samples that go through the network together.
type run struct {
	bucket  bucket
	indices []int // into the samples
	err     error
}

// plan sorts samples into runs.
func plan(samples []Sample) ([]run, error) {
	byBucket := map[bucket][]int{}
	var weight float64
	for i := range samples {
		if err := samples[i].check(); err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		b, err := bucketFor(samples[i].Position.Nodes)
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		byBucket[b] = append(byBucket[b], i)
		weight += float64(samples[i].Weight)
	}
	if weight == 0 {
		return nil, fmt.Errorf("%d samples without any weight: there is nothing to learn", len(samples))
	}
	var runs []run
	for b, indices := range byBucket {
		for part := range slices.Chunk(indices, b.batch) {
			runs = append(runs, run{bucket: b, indices: part})
		}
	}
	// Large ones first, so that no core waits long for another at the end; and in a fixed order.
	slices.SortFunc(runs, func(a, b run) int {
		if a.bucket.nodes != b.bucket.nodes {
			return b.bucket.nodes - a.bucket.nodes
		}
		return a.indices[0] - b.indices[0]
	})
	return runs, nil
}

// Train takes one step on a batch of samples of any sizes. On an error the network is as before; one that wraps
// ErrNotFinite names the samples that are to blame. The result does not depend on the number of workers.
func (t *Trainer) Train(samples []Sample) (Losses, error) {
	l, err := t.train(samples)
	if err != nil {
		return Losses{}, fmt.Errorf("training step %d: %w", t.adam.step+1, err)
	}
	return l, nil
}

func (t *Trainer) train(samples []Sample) (Losses, error) {
	runs, err := plan(samples)
	if err != nil {
		return Losses{}, err
	}
	for _, w := range t.workers {
		if err := tensors.MutableFlatData(w.flat, func(flat []float32) { copy(flat, t.network.weights) }); err != nil {
			return Losses{}, err
		}
	}
	size := t.network.Size()
	t.gradients = resize(t.gradients, len(runs)*size)
	t.each = resize(t.each, len(samples))
	var next atomic.Int64
	var group sync.WaitGroup
	for _, w := range t.workers[:min(len(t.workers), len(runs))] {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(runs); i = int(next.Add(1)) - 1 {
				runs[i].err = t.back(w, &runs[i], samples, t.gradients[i*size:(i+1)*size])
			}
		})
	}
	group.Wait()
	for _, r := range runs {
		if r.err != nil {
			return Losses{}, r.err
		}
	}
	return t.finish(samples, len(runs))
}

// back computes the losses and the gradient of a run.
func (t *Trainer) back(w *worker, r *run, samples []Sample, gradient []float32) error {
	f := w.frames[r.bucket]
	if f == nil {
		f = newFrame(r.bucket)
		w.frames[r.bucket] = f
	}
	chosen := make([]*Sample, len(r.indices))
	for i, k := range r.indices {
		chosen[i] = &samples[k]
	}
	if err := f.fill(chosen); err != nil {
		return err
	}
	outputs, err := gomlx.Call(t.exec, slices.Concat([]any{w.flat}, f.positions(), []any{f.target, f.value, f.weight})...)
	if err != nil {
		return err
	}
	read := func(i int, use func([]float32)) {
		if err == nil {
			err = tensors.ConstFlatData(outputs[i], use)
		}
		outputs[i].FinalizeAll()
	}
	read(0, func(losses []float32) {
		for i, k := range r.indices {
			t.each[k].Policy = losses[i]
		}
	})
	read(1, func(losses []float32) {
		for i, k := range r.indices {
			t.each[k].Value = losses[i]
		}
	})
	read(2, func(g []float32) { copy(gradient, g) })
	if err != nil {
		return err
	}
	for _, k := range r.indices {
		if !finite(t.each[k].Policy) {
			return fmt.Errorf("policy loss of sample %d (%d nodes) is %v: %w", k, samples[k].Position.Nodes, t.each[k].Policy, ErrNotFinite)
		}
		if !finite(t.each[k].Value) {
			return fmt.Errorf("value loss of sample %d (%d nodes) is %v: %w", k, samples[k].Position.Nodes, t.each[k].Value, ErrNotFinite)
		}
	}
	for _, g := range gradient {
		if !finite(g) {
			return fmt.Errorf("gradient of samples %v is %v: %w", r.indices, g, ErrNotFinite)
		}
	}
	return nil
}

// finish sums up losses and gradients and takes the step.
func (t *Trainer) finish(samples []Sample, runs int) (Losses, error) {
	size := t.network.Size()
	l := Losses{Step: t.adam.step + 1, Rate: t.config.rate(t.adam.step + 1), Each: t.each}
	var weight float64
	for i, s := range samples {
		weight += float64(s.Weight)
		l.Policy += float64(s.Weight) * float64(t.each[i].Policy)
		l.Value += float64(s.Weight) * float64(t.each[i].Value)
	}
	l.Policy /= weight
	l.Value /= weight
	l.Total = l.Policy + t.config.ValueWeight*l.Value

	var squares float64
	for i := range t.gradient {
		var sum float64
		for r := range runs {
			sum += float64(t.gradients[r*size+i])
		}
		sum /= weight
		squares += sum * sum
		t.gradient[i] = float32(sum)
	}
	l.Gradient = math.Sqrt(squares)
	if math.IsNaN(l.Gradient) || math.IsInf(l.Gradient, 0) {
		return Losses{}, fmt.Errorf("norm of the gradient is %v: %w", l.Gradient, ErrNotFinite)
	}
	if c := t.config.ClipNorm; c > 0 && l.Gradient > c {
		for i := range t.gradient {
			t.gradient[i] *= float32(c / l.Gradient)
		}
	}
	t.adam.update(t.network.weights, t.gradient, t.decays, l.Rate, t.config.WeightDecay)
	return l, nil
}
