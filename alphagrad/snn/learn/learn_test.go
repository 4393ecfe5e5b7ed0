package learn_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/learn"
)

// tiny is an evidence accumulation that trains in a moment.
func tiny() *learn.Config {
	c := learn.Default()
	c.Task, c.Parameters = "evidence_accumulation", learn.Parameters{EvidenceAccumulation: data.DefaultEvidenceAccumulation()}
	e := c.Parameters.EvidenceAccumulation
	e.GroupSize, e.Cues, e.Cue, e.Interval, e.Delay, e.Recall, e.CueRate, e.RecallRate = 5, 3, 10, 15, 10, 15, 300, 300
	c.Layers[0].Size, c.Layers[0].Adaptive = 20, 10
	c.Layers[0].Params = map[string]float64{"tau_m": 10, "threshold": 0.6, "tau_a": 60, "beta": 0.1}
	c.Rates.Cost = 1
	c.Batch, c.Iterations, c.Evaluate, c.Validation = 16, 20, 10, 32
	return c
}

// record collects metrics without times.
func record(to *[]map[string]any) func(map[string]any) error {
	return func(r map[string]any) error {
		delete(r, "seconds")
		*to = append(*to, r)
		return nil
	}
}

// TestResume: an interrupted and resumed training has the curve of an uninterrupted one, to the last bit, with every
// optimiser; the schedule and adaptive feedback go on where they were.
func TestResume(t *testing.T) {
	for _, optimizer := range []string{"adam", "sgd"} {
		c := tiny()
		c.Optimizer.Name, c.Optimizer.Schedule, c.Rule.Feedback, c.Rule.Decay = optimizer, "cosine", snn.Adaptive, 0.01
		var whole, parts []map[string]any
		outcome, err := c.Run(context.Background(), learn.Env{Dir: t.TempDir(), Metrics: record(&whole)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		first := t.TempDir()
		_, err = c.Run(ctx, learn.Env{Dir: first, Metrics: record(&parts), Progress: func(_ string, done, _ int) {
			if done == 7 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		resumed, err := c.Run(context.Background(), learn.Env{Dir: t.TempDir(), Metrics: record(&parts), Resume: first})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(whole, parts) {
			t.Errorf("%s: the curves differ: %v, %v", optimizer, whole, parts)
		}
		if outcome.Test != resumed.Test {
			t.Errorf("%s: test scores %v and %v", optimizer, outcome.Test, resumed.Test)
		}
	}
}

// TestDamaged: a damaged checkpoint is passed over for the one before, one of another training is refused.
func TestDamaged(t *testing.T) {
	c, dir := tiny(), t.TempDir()
	if _, err := c.Run(context.Background(), learn.Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.json"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	good, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	var warnings []string
	env := learn.Env{Dir: t.TempDir(), Resume: dir, Warn: func(format string, args ...any) { warnings = append(warnings, format) }}
	for name, bad := range map[string][]byte{"truncated": good[:len(good)/2], "changed": []byte(strings.Replace(string(good), `"iteration":20`, `"iteration":19`, 1)), "empty": nil} {
		warnings = nil
		if err := os.WriteFile(files[1], bad, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Run(context.Background(), env); err != nil || len(warnings) != 1 {
			t.Errorf("%s: %v, %d warnings", name, err, len(warnings))
		}
	}
	if err := os.WriteFile(files[1], good, 0o666); err != nil {
		t.Fatal(err)
	}
	other := tiny()
	other.Seed = 2
	if _, err := other.Run(context.Background(), env); err == nil || !strings.Contains(err.Error(), "of another training") {
		t.Error(err)
	}
	if _, err := c.Run(context.Background(), learn.Env{Resume: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "resume") {
		t.Error(err)
	}
}

// TestLearns: every rule makes the loss smaller on a task that is learned in a moment, training the readout alone only a
// little.
func TestLearns(t *testing.T) {
	for _, rule := range []learn.Rule{
		{Name: "bptt"}, {Name: "tbptt", Window: 20}, {Name: "eprop", Feedback: snn.Symmetric}, {Name: "eprop", Feedback: snn.Random},
		{Name: "eprop", Feedback: snn.Adaptive, Decay: 0.01}, {Name: "readout"},
		{Name: "edits", Edits: []ad.Edit{{From: "rec.z", To: "rec.recurrent", Kind: "scale", Factor: 0.5}}},
	} {
		c := tiny()
		c.Rule, c.Iterations, c.Evaluate, c.Validation = rule, 60, 60, 128
		c.Optimizer.Rate = 0.01
		var records []map[string]any
		outcome, err := c.Run(context.Background(), learn.Env{Metrics: record(&records)})
		if err != nil {
			t.Fatalf("%+v: %v", rule, err)
		}
		first := records[0]["loss"].(float64)
		bound := 0.7
		if rule.Name == "readout" {
			bound = 0.98
		}
		if last := outcome.Validation; !(last.Loss < bound*first) {
			t.Errorf("%+v: loss from %.3f to %.3f, error %.2f", rule, first, last.Loss, last.Error)
		} else {
			t.Logf("%s %s: loss from %.3f to %.3f, error %.2f, %.0f Hz", rule.Name, rule.Feedback, first, last.Loss, last.Error, last.Rate)
		}
	}
}

// TestForward: training by carrying influences forward is training backward, up to rounding.
func TestForward(t *testing.T) {
	c := tiny()
	c.Iterations, c.Evaluate = 3, 3
	back, err := c.Run(context.Background(), learn.Env{})
	if err != nil {
		t.Fatal(err)
	}
	c.Rule.Forward = true
	forward, err := c.Run(context.Background(), learn.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(back.Test.Loss-forward.Test.Loss) > 1e-9 {
		t.Errorf("test losses %v backward, %v forward", back.Test.Loss, forward.Test.Loss)
	}
}

// TestTasks: every task trains, and signals have no error.
func TestTasks(t *testing.T) {
	for _, row := range data.Table() {
		c := learn.Default()
		c.Task = row.Name
		c.Layers[0].Size, c.Layers[0].Adaptive = 4, 2
		if row.Name == "shd" { // files in the layout of the data set
			c.Parameters.Fill(row.Name)
			c.Parameters.SHD.Directory = filepath.Join("..", "data", "testdata")
		}
		if row.Name == "randman" { // its points are found when it opens
			c.Parameters.Fill(row.Name)
			c.Parameters.Randman.Units, c.Parameters.Randman.Samples, c.Parameters.Randman.Held = 10, 2, 1
		}
		c.Batch, c.Iterations, c.Evaluate, c.Validation = 1, 1, 1, 1
		outcome, err := c.Run(context.Background(), learn.Env{})
		if err != nil {
			t.Errorf("%s: %v", row.Name, err)
			continue
		}
		if frozen, err := c.Frozen(); err != nil || frozen != (row.Name == "pattern_generation") {
			t.Errorf("%s: %v, frozen %v", row.Name, err, frozen)
		}
		if signal := row.Name == "pattern_generation"; signal != math.IsNaN(outcome.Test.Error) {
			t.Errorf("%s: error %v", row.Name, outcome.Test.Error)
		}
	}
}

// TestBadConfig: what is wrong is named by its key.
func TestBadConfig(t *testing.T) {
	for want, change := range map[string]func(c *learn.Config){
		`kind is "epop"`:                   func(c *learn.Config) { c.Kind = "epop" },
		`unknown spiking task "evidence"`:  func(c *learn.Config) { c.Task = "evidence" },
		`parameters.evidence_accumulation`: func(c *learn.Config) { c.Parameters.EvidenceAccumulation.Cues = 4 },
		`the task is randman`:              func(c *learn.Config) { c.Task = "randman" },
		`rule.name is "eprob"`:             func(c *learn.Config) { c.Rule.Name = "eprob" },
		`rule.feedback is "symetric"`:      func(c *learn.Config) { c.Rule.Feedback = "symetric" },
		`rule.window is 0`:                 func(c *learn.Config) { c.Rule.Name = "tbptt" },
		`optimizer.name is "adamw"`:        func(c *learn.Config) { c.Optimizer.Name = "adamw" },
		`optimizer.schedule is "cosin"`:    func(c *learn.Config) { c.Optimizer.Schedule = "cosin" },
		`there is no such edge`: func(c *learn.Config) {
			c.Rule = learn.Rule{Name: "edits", Edits: []ad.Edit{{From: "rec.z", To: "rec.v", Kind: "drop"}}}
		},
		`a training has "out.B" only`: func(c *learn.Config) {
			c.Rule = learn.Rule{Name: "edits", Edits: []ad.Edit{{From: "rec.z", To: "rec.recurrent", Kind: "mask", Matrix: "M"}}}
		},
		`batch, iterations, evaluate and v`: func(c *learn.Config) { c.Batch = 0 },
		`unknown neuron model "alf"`:        func(c *learn.Config) { c.Layers[0].Model = "alf" },
	} {
		c := tiny()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// TestDiverged: a training that leaves the numbers stops and says where.
func TestDiverged(t *testing.T) {
	c, dir := tiny(), t.TempDir()
	c.Evaluate, c.Optimizer = 1, learn.Optimizer{Name: "sgd", Rate: 1e308, Schedule: "constant"}
	_, err := c.Run(context.Background(), learn.Env{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "iteration") || !(strings.Contains(err.Error(), "neuron") || strings.Contains(err.Error(), "loss")) {
		t.Fatal(err)
	}
	t.Log(err)
}

// TestKeepsCheckpoint: a training whose weights are lost stops and names neuron, step and variable; its last checkpoint
// stays and is continued from.
func TestKeepsCheckpoint(t *testing.T) {
	c, dir := tiny(), t.TempDir()
	c.Iterations, c.Evaluate = 5, 1
	var trainer *learn.Trainer
	var broken []map[string]any
	trainer, err := learn.New(c, learn.Env{Dir: dir, Metrics: record(&broken), Progress: func(_ string, done, _ int) {
		if done == 3 {
			trainer.Shared()["rec.W_in"][0] = math.NaN() // of neuron 0
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = trainer.Run(context.Background())
	var where *snn.NonFiniteError
	if !errors.As(err, &where) || where.Variable != "rec.v" || where.Neuron != 0 {
		t.Fatalf("%v; expected neuron, step and variable", err)
	}
	for _, want := range []string{"iteration 4: rec.v of neuron 0 is NaN in step ", "; the last checkpoint is "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v; expected %q", err, want)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.json"))
	if err != nil || len(files) != 2 || !strings.Contains(files[1], "3") {
		t.Errorf("%v, %v", files, err)
	}
	var whole, rest []map[string]any
	want, err := c.Run(context.Background(), learn.Env{Metrics: record(&whole)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Run(context.Background(), learn.Env{Resume: dir, Metrics: record(&rest)})
	if err != nil || got.Test != want.Test || !reflect.DeepEqual(append(broken, rest...), whole) {
		t.Errorf("%v: continued to %v, without the accident %v", err, got, want)
	}
}

// TestReadNetwork: the network that a training leaves is read back, and what is none is refused by name.
func TestReadNetwork(t *testing.T) {
	c, dir := tiny(), t.TempDir()
	c.Iterations, c.Evaluate = 1, 1
	trainer, err := learn.New(c, learn.Env{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, learn.NetworkName)
	n, params, err := learn.ReadNetwork(path)
	if err != nil || n.Layers[0].Size != 20 || !reflect.DeepEqual(params, trainer.Shared()) {
		t.Errorf("%v, %+v", err, n)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for want, text := range map[string]string{
		"not a network":                       string(good[:100]),
		`unknown field "Imputs"`:              strings.Replace(string(good), "Inputs", "Imputs", 1),
		"it has no network":                   "{}",
		`"rec.W_in" has 400 values, expected`: strings.Replace(string(good), `"Inputs":20`, `"Inputs":21`, 1),
		"unknown neuron model":                strings.Replace(string(good), `"alif"`, `"elif"`, 1),
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := learn.ReadNetwork(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v, expected %q and the path", err, want)
		}
	}
}

// FuzzReadNetwork: whatever stands in a file, reading it ends in an error or in a network that can be used.
func FuzzReadNetwork(f *testing.F) {
	f.Add([]byte(`{"network":{"Inputs":1,"Layers":[{"Name":"a","Model":"lif","Size":1}],"Readout":{"Size":1},"Loss":"squared_error"},"parameters":{"a.W_in":[1],"out.W":[1]}}`))
	f.Add([]byte(`{"network":{"Inputs":1,"Layers":[{"Name":"a","Model":"alif","Size":2,"Recurrent":true,"Refractory":3}],"Readout":{"Size":1,"Tau":3},"Loss":"cross_entropy","Steps":5}}`))
	f.Add([]byte(`{"network":{"Layers":[{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), learn.NetworkName)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		n, params, err := learn.ReadNetwork(path)
		if err != nil || len(data) > 2000 {
			return
		}
		if _, err := n.Simulate(params, make([]float64, 2*n.Inputs)); err != nil && !strings.Contains(err.Error(), "step") {
			t.Errorf("%v", err)
		}
	})
}

// TestScore: a score without an error is written without one.
func TestScore(t *testing.T) {
	text, err := json.Marshal(learn.Score{Loss: 1, Error: math.NaN(), Rate: 2})
	if err != nil || string(text) != `{"loss":1,"rate":2}` {
		t.Errorf("%s, %v", text, err)
	}
	var s learn.Score
	if err := json.Unmarshal(text, &s); err != nil || s.Loss != 1 || !math.IsNaN(s.Error) || s.Rate != 2 {
		t.Errorf("%v, %v", s, err)
	}
}

// TestFeedback: adaptive feedback takes the readout's steps and decays with it, so that what lies between them shrinks by
// the decay alone; random feedback stays as it was drawn.
func TestFeedback(t *testing.T) {
	for _, feedback := range []snn.Feedback{snn.Adaptive, snn.Random} {
		c := tiny()
		c.Rule.Feedback, c.Rule.Decay, c.Iterations, c.Evaluate, c.Validation = feedback, 0.1, 7, 7, 1
		trainer, err := learn.New(c, learn.Env{})
		if err != nil {
			t.Fatal(err)
		}
		w, b := trainer.Shared()[snn.ReadoutWeight], trainer.Shared()[snn.FeedbackMatrix]
		w0, b0 := slices.Clone(w), slices.Clone(b)
		if _, err := trainer.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if slices.Equal(w, w0) {
			t.Fatalf("%s: the readout did not learn", feedback)
		}
		shrunk := math.Pow(0.9, 7)
		for i := range b {
			got, want := b[i], b0[i]
			if feedback == snn.Adaptive {
				got, want = b[i]-w[i], shrunk*(b0[i]-w0[i])
			}
			if math.Abs(got-want) > 1e-12 {
				t.Errorf("%s, element %d: %v, expected %v", feedback, i, got, want)
			}
		}
	}
}

// TestSchedules compares the learning rates that a training reports with those of the schedules by hand.
func TestSchedules(t *testing.T) {
	for _, o := range []struct {
		optimizer learn.Optimizer
		want      []float64
	}{
		{learn.Optimizer{Schedule: "constant", Warmup: 4}, []float64{0.25, 0.5, 0.75, 1, 1, 1}},
		{learn.Optimizer{Schedule: "step", Every: 2, Factor: 0.5}, []float64{1, 1, 0.5, 0.5, 0.25, 0.25}},
		{learn.Optimizer{Schedule: "exponential", Every: 1, Factor: 0.5}, []float64{1, 0.5, 0.25, 0.125, 0.0625, 0.03125}},
		{learn.Optimizer{Schedule: "cosine", Factor: 0.2, Warmup: 1}, []float64{1, 0.6 + 0.4*math.Sqrt(0.75), 0.8, 0.6, 0.4, 0.6 - 0.4*math.Sqrt(0.75)}},
	} {
		c := tiny()
		c.Optimizer = o.optimizer
		c.Optimizer.Name, c.Optimizer.Rate, c.Iterations, c.Evaluate, c.Validation = "sgd", 0.02, len(o.want), len(o.want), 1
		var records []map[string]any
		if _, err := c.Run(context.Background(), learn.Env{Metrics: record(&records)}); err != nil {
			t.Fatal(err)
		}
		for i, want := range o.want {
			if got := records[i]["learning_rate"].(float64); math.Abs(got-0.02*want) > 1e-15 {
				t.Errorf("%s, iteration %d: rate %v, expected %v", c.Optimizer.Schedule, i, got, 0.02*want)
			}
		}
	}
}
