package net

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

// A Sample is one position to learn from.
type Sample struct {
	Position *Position
	Target   []float32 // [left]: probability of each of Position.Vertices; sums to 1, or all 0 to learn no policy here
	Value    float32   // what play from here was worth, as defined at CheapCost
	Weight   float32   // importance relative to the other samples of the batch
}

// A bucket is a size to which positions are padded, and how many of them go through the network at a time. GoMLX
// compiles a program for every size it meets, so there must be few. More than a handful at a time gains nothing on a
// processor and wastes what the last batch is short of.
type bucket struct{ nodes, batch int }

var buckets = []bucket{{64, 8}, {96, 8}, {128, 4}, {192, 4}, {256, 2}, {384, 2}}

// Beyond the last bucket, sizes grow in steps up to the limit; there the matrix of edges, whose size is the square of
// this number, fills 32 MiB. A program is kept for every size: 19 of them, below the 32 GoMLX keeps.
const (
	bucketStep       = 128
	MaxTrainingNodes = 2048
)

// bucketFor is the smallest bucket for positions of a number of nodes.
func bucketFor(nodes int) (bucket, error) {
	for _, b := range buckets {
		if nodes <= b.nodes {
			return b, nil
		}
	}
	if nodes > MaxTrainingNodes {
		return bucket{}, fmt.Errorf("position of %d nodes is too large to train on: at most %d", nodes, MaxTrainingNodes)
	}
	return bucket{nodes: (nodes + bucketStep - 1) / bucketStep * bucketStep, batch: 1}, nil
}

// check returns an error if a sample cannot be learned from.
func (s *Sample) check() error {
	p := s.Position
	if p == nil || len(p.Node) != p.Nodes*NodeFeatures || len(p.Game) != GameFeatures || len(p.Rows) != len(p.Vertices) ||
		len(p.PredStart) != p.Nodes+1 || len(p.SuccStart) != p.Nodes+1 {
		return fmt.Errorf("its position is not what Encoder.Encode makes")
	}
	if len(s.Target) != len(p.Vertices) {
		return fmt.Errorf("policy target of %d probabilities for %d vertices that can be eliminated", len(s.Target), len(p.Vertices))
	}
	var sum float64
	for i, q := range s.Target {
		if !(q >= 0 && q <= 1.001) {
			return fmt.Errorf("policy target gives vertex %d the probability %v", p.Vertices[i], q)
		}
		sum += float64(q)
	}
	if math.Abs(sum-1) > 1e-3 && sum != 0 {
		return fmt.Errorf("policy target sums to %v, expected 1, or 0 for none", sum)
	}
	if !finite(s.Value) {
		return fmt.Errorf("value target is %v", s.Value)
	}
	if !finite(s.Weight) || s.Weight < 0 {
		return fmt.Errorf("weight is %v, expected a number that is not negative", s.Weight)
	}
	for _, values := range [][]float32{p.Node, p.Game} {
		for _, x := range values {
			if !finite(x) {
				return fmt.Errorf("a feature is %v", x)
			}
		}
	}
	return nil
}

func finite(x float32) bool { return math.Abs(float64(x)) <= math.MaxFloat32 }

// A frame is the input of one run through the network, for positions padded to one bucket. It is filled in place.
type frame struct {
	bucket
	x, edges, live, masked *tensors.Tensor // the fields of a tape
	target, value, weight  *tensors.Tensor // [batch][nodes], [batch], [batch]
}

func newFrame(b bucket) *frame {
	tensor := func(dims ...int) *tensors.Tensor { return tensors.FromShape(shapes.Make(dtypes.Float32, dims...)) }
	return &frame{
		bucket: b,
		x:      tensor(b.batch, b.nodes, NodeFeatures+GameFeatures),
		edges:  tensor(b.batch, 2*b.nodes, b.nodes),
		live:   tensor(b.batch, b.nodes),
		masked: tensor(b.batch, b.nodes),
		target: tensor(b.batch, b.nodes),
		value:  tensor(b.batch),
		weight: tensor(b.batch),
	}
}

// positions lists the inputs that describe positions.
func (f *frame) positions() []any { return []any{f.x, f.edges, f.live, f.masked} }

// fill writes up to f.batch samples; the rest of the frame is padding of weight 0.
func (f *frame) fill(samples []*Sample) error {
	for _, t := range []struct {
		tensor *tensors.Tensor
		write  func(to []float32, s *Sample)
	}{
		{f.x, f.writeFeatures},
		{f.edges, f.writeEdges},
		{f.live, func(to []float32, s *Sample) {
			for i := range s.Position.Nodes {
				to[i] = 1
			}
		}},
		{f.masked, func(to []float32, s *Sample) {
			for _, row := range s.Position.Rows {
				to[row] = 1
			}
		}},
		{f.target, func(to []float32, s *Sample) {
			for i, row := range s.Position.Rows {
				to[row] = s.Target[i]
			}
		}},
		{f.value, func(to []float32, s *Sample) { to[0] = s.Value / valueUnit }},
		{f.weight, func(to []float32, s *Sample) { to[0] = s.Weight }},
	} {
		err := tensors.MutableFlatData(t.tensor, func(flat []float32) {
			clear(flat)
			size := len(flat) / f.batch
			for i, s := range samples {
				t.write(flat[i*size:(i+1)*size], s)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *frame) writeFeatures(to []float32, s *Sample) {
	for i := range s.Position.Nodes {
		to = to[copy(to, s.Position.Node[i*NodeFeatures:(i+1)*NodeFeatures]):]
		to = to[copy(to, s.Position.Game):]
	}
}

func (f *frame) writeEdges(to []float32, s *Sample) {
	p := s.Position
	write := func(row []float32, nodes []int32) {
		share := float32(1 / math.Sqrt(float64(max(1, len(nodes)))))
		for _, u := range nodes {
			row[u] = share
		}
	}
	for i := range p.Nodes {
		write(to[2*i*f.nodes:], p.Preds[p.PredStart[i]:p.PredStart[i+1]])
		write(to[(2*i+1)*f.nodes:], p.Succs[p.SuccStart[i]:p.SuccStart[i+1]])
	}
}
