package data

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// small returns every kind of task that needs no files, at a size that is quick to make.
func small() map[string]Config {
	pattern := DefaultPatternGeneration()
	pattern.Duration, pattern.Inputs, pattern.Outputs, pattern.Periods = 200, 20, 2, []float64{200, 100, 50}
	evidence := DefaultEvidenceAccumulation()
	evidence.Delay, evidence.Cue, evidence.Interval, evidence.Recall = 100, 30, 50, 50
	match := DefaultDelayedMatch()
	match.Fixation, match.Sample, match.Delay, match.Test, match.Inputs = 50, 60, 40, 50, 30
	store := DefaultStoreRecall()
	store.Symbol, store.GroupSize = 20, 5
	randman := DefaultRandman()
	randman.Classes, randman.Units, randman.Samples, randman.Held = 3, 20, 30, 10
	return map[string]Config{"pattern_generation": pattern, "evidence_accumulation": evidence, "delayed_match": match, "store_recall": store, "randman": randman}
}

func open(t testing.TB, c Config, seed uint64) Task {
	t.Helper()
	task, err := c.Open(runs.Seed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func batch(t testing.TB, task Task, split Split, index, size int) *Batch {
	t.Helper()
	b, err := task.Batch(split, index, size)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestConformance holds for every task: sizes, legal values, and a batch that depends on its number and nothing else.
func TestConformance(t *testing.T) {
	for name, c := range small() {
		t.Run(name, func(t *testing.T) {
			task := open(t, c, 7)
			d := task.Dims()
			inputs := 0
			for _, g := range d.Groups {
				inputs += g.Size
			}
			if inputs != d.Inputs {
				t.Errorf("groups have %d inputs, the task %d", inputs, d.Inputs)
			}
			for split := range Split(3) {
				b := batch(t, task, split, 2, 5)
				checkBatchContents(t, d, b)
				if again := batch(t, open(t, c, 7), split, 2, 5); !reflect.DeepEqual(b, again) {
					t.Error("batch 2 of a fresh task differs")
				}
				if next := batch(t, task, split, 1, 5); name != "pattern_generation" && reflect.DeepEqual(b.Input, next.Input) {
					t.Error("two batches are equal")
				}
				if other := batch(t, open(t, c, 8), split, 2, 5); reflect.DeepEqual(b.Input, other.Input) {
					t.Error("the seed has no effect")
				}
				if other := batch(t, task, (split+1)%3, 2, 5); name != "pattern_generation" && reflect.DeepEqual(b.Input, other.Input) {
					t.Errorf("%v and %v have the same samples", split, (split+1)%3)
				}
			}
			for _, bad := range [][3]int{{3, 0, 1}, {-1, 0, 1}, {0, -1, 1}, {0, 0, 0}, {0, math.MaxInt, 2}, {0, 0, math.MaxInt32}} {
				if b, err := task.Batch(Split(bad[0]), bad[1], bad[2]); err == nil && !(name == "randman" && bad[2] > 0 && bad[0] == 0) {
					t.Errorf("batch %v has %d sequences and no error", bad, b.Size)
				}
			}
		})
	}
}

func checkBatchContents(t *testing.T, d Dims, b *Batch) {
	t.Helper()
	if !reflect.DeepEqual(b.Dims, d) || len(b.Input) != d.Steps*b.Size*d.Inputs || len(b.Target) != d.Steps*b.Size*d.Outputs || len(b.Mask) != d.Steps*b.Size {
		t.Fatalf("sizes: %d inputs, %d targets, %d mask", len(b.Input), len(b.Target), len(b.Mask))
	}
	for _, v := range b.Input {
		if v != 0 && v != 1 {
			t.Fatalf("input %g", v)
		}
	}
	for r, m := range b.Mask {
		target := b.Target[r*d.Outputs:][:d.Outputs]
		sum, ones := 0.0, 0
		for _, v := range target {
			sum += math.Abs(v)
			if v == 1 {
				ones++
			}
			if !(math.Abs(v) <= 1) {
				t.Fatalf("target %g", v)
			}
		}
		switch {
		case m != 0 && m != 1:
			t.Fatalf("mask %g", m)
		case m == 0 && sum != 0:
			t.Fatal("a target where no step counts")
		case m == 1 && d.Kind == Classification && (ones != 1 || sum != 1):
			t.Fatalf("the target %v is not one-hot", target)
		}
	}
	for i := range b.Size {
		counted := 0
		for step := range d.Steps {
			if b.Mask[step*b.Size+i] == 1 {
				counted++
				if b.Labels != nil && b.Target[(step*b.Size+i)*d.Outputs+b.Labels[i]] != 1 {
					t.Fatalf("sequence %d: the label %d is not the target", i, b.Labels[i])
				}
			}
		}
		if counted == 0 {
			t.Fatalf("no step of sequence %d counts", i)
		}
	}
}

// TestSampleDoesNotDependOnBatchSize: eight sequences are the same in one batch as in four.
func TestSampleDoesNotDependOnBatchSize(t *testing.T) {
	task := open(t, small()["evidence_accumulation"], 1)
	whole := batch(t, task, Training, 0, 8)
	for i := range 4 {
		part := batch(t, task, Training, i, 2)
		for j := range 2 {
			wt, wu := whole.Spikes(2*i + j)
			pt, pu := part.Spikes(j)
			if !reflect.DeepEqual(wt, pt) || !reflect.DeepEqual(wu, pu) || whole.Labels[2*i+j] != part.Labels[j] {
				t.Fatalf("sample %d differs", 2*i+j)
			}
		}
	}
}

// TestGoldenBatches keeps the first batch of every task for ever: a change of these numbers changes every stored result.
func TestGoldenBatches(t *testing.T) {
	want := map[string]string{
		"pattern_generation": "81c58b1b9ffb1685", "evidence_accumulation": "a634b77d554207e5", "delayed_match": "98d68c09e34f9218", "store_recall": "39bfb4f39b162845", "randman": "1498ee739451ad25",
	}
	for name, c := range small() {
		b := batch(t, open(t, c, 2024), Training, 3, 4)
		h := fnv.New64a()
		for _, values := range [][]float64{b.Input, b.Target, b.Mask} {
			for _, v := range values {
				h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
			}
		}
		if got := fmt.Sprintf("%016x", h.Sum64()); got != want[name] {
			t.Errorf("%s: %s, want %s", name, got, want[name])
		}
	}
}

// TestConfigsReadFromFiles: the published defaults are legal, and every parameter is a key of a file.
func TestConfigsReadFromFiles(t *testing.T) {
	for _, row := range Table() {
		c, err := New(row.Name)
		if err != nil {
			t.Fatal(err)
		}
		if row.Name != "shd" {
			if err := c.Validate(); err != nil {
				t.Errorf("%s: %v", row.Name, err)
			}
		}
		v := reflect.TypeOf(c).Elem()
		for i := range v.NumField() {
			if v.Field(i).Tag.Get("yaml") == "" {
				t.Errorf("%s: %s has no key", row.Name, v.Field(i).Name)
			}
		}
	}
	c := DefaultEvidenceAccumulation()
	if err := runs.Decode("x.yaml", []byte("cues: 9\ndelay: 500\nbias: 0.2\n"), c); err != nil || c.Cues != 9 || c.Delay != 500 || c.Cue != 100 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := New("nothing"); err == nil || !strings.Contains(err.Error(), "evidence_accumulation") {
		t.Errorf("unknown task: %v", err)
	}
}

func TestBadConfigs(t *testing.T) {
	set := func(name, key string, value any) Config {
		c, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.ValueOf(c).Elem()
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("yaml") == key {
				v.Field(i).Set(reflect.ValueOf(value).Convert(v.Field(i).Type()))
				return c
			}
		}
		t.Fatalf("%s has no key %s", name, key)
		return nil
	}
	for want, c := range map[string]Config{
		"dt is 0 ms; want a number above 0":                                     set("pattern_generation", "dt", 0),
		"dt is NaN ms; want a number above 0":                                   set("store_recall", "dt", math.NaN()),
		"rate is 2000 Hz; with steps of 1 ms want 0 to 1000":                    set("pattern_generation", "rate", 2000),
		"periods has 0 ms; want above 0 and at most the duration of 1000 ms":    set("pattern_generation", "periods", []float64{0}),
		"duration is 0.5 ms; want a whole number of steps of 1 ms, at least 2":  set("pattern_generation", "duration", 0.5),
		"amplitudes are from low 3 to high 2; want 0 < low ≤ high":              set("pattern_generation", "low", 3),
		"cues is 6; want an odd number, so that one side has more":              set("evidence_accumulation", "cues", 6),
		"interval is 50 ms; want a whole number of steps of 1 ms, at least 100": set("evidence_accumulation", "interval", 50),
		"bias is 0.7; want 0 to 0.5":                                            set("evidence_accumulation", "bias", 0.7),
		"group_size is 0; want 1 to 1048576":                                    set("evidence_accumulation", "group_size", 0),
		"directions is 1; want 2 to 1048576":                                    set("delayed_match", "directions", 1),
		"rate + background is 1001 Hz; with steps of 1 ms want 0 to 1000":       set("delayed_match", "rate", 1000),
		"kappa is -1; want 0 to 32":                                             set("delayed_match", "kappa", -1),
		"symbols is 2; a store, another symbol and a recall need 3 to 10000":    set("store_recall", "symbols", 2),
		"command is 0; want a probability above 0":                              set("store_recall", "command", 0),
		"steps is 100000; want 2 to 65535":                                      set("randman", "steps", 100000),
		"alpha is -1; want above 0 and at most 100":                             set("randman", "alpha", -1),
		"randman of 10 classes, 100 units and 1000000 samples is too large":     set("randman", "samples", 1000000),
	} {
		if _, err := c.Open(1); err == nil || err.Error() != want {
			t.Errorf("%T: got %v, want %s", c, err, want)
		}
	}
}

// TestPacked compares the bits with the numbers, one by one.
func TestPacked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Dims{Steps: rapid.IntRange(1, 4).Draw(t, "T"), Inputs: rapid.IntRange(1, 130).Draw(t, "N"), Outputs: 1, DT: 1}
		b := newBatch(d, rapid.IntRange(1, 3).Draw(t, "B"))
		for range rapid.IntRange(0, 40).Draw(t, "spikes") {
			b.Input[rapid.IntRange(0, len(b.Input)-1).Draw(t, "at")] = 1
		}
		bits, err := b.Packed()
		if err != nil {
			t.Fatal(err)
		}
		words := len(bits) / (d.Steps * b.Size)
		for j, v := range b.Input {
			row, n := j/d.Inputs, j%d.Inputs
			if got := bits[row*words+n/64] >> (n % 64) & 1; float64(got) != v {
				t.Fatalf("bit %d is %d, input %g", j, got, v)
			}
		}
	})
	b := newBatch(Dims{Steps: 1, Inputs: 1, Outputs: 1}, 1)
	b.Input[0] = 2
	if _, err := b.Packed(); err == nil {
		t.Error("two spikes fitted into a bit")
	}
}

// TestNumeric checks the reproducible functions against package math.
func TestNumeric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-3, 3).Draw(t, "x")
		if got, want := sinTurns(x), math.Sin(2*math.Pi*x); math.Abs(got-want) > 4e-15 {
			t.Fatalf("sin(2π·%g) = %g, want %g", x, got, want)
		}
		e := rapid.Float64Range(-64, 0).Draw(t, "e")
		if got, want := expStep(e), math.Exp(e); math.Abs(got-want) > 1e-13*want {
			t.Fatalf("exp(%g) = %g, want %g", e, got, want)
		}
	})
}

func BenchmarkEvidenceBatch(b *testing.B) {
	task := open(b, DefaultEvidenceAccumulation(), 1)
	for i := 0; b.Loop(); i++ {
		batch(b, task, Training, i, 64)
	}
}

func BenchmarkOpenRandman(b *testing.B) {
	for b.Loop() {
		open(b, DefaultRandman(), 1)
	}
}
