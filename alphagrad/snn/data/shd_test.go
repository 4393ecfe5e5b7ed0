package data

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/hdf5"
)

// shdSample is what h5py or PyTables was given.
type shdSample struct {
	Times []float64 // seconds
	Units []int
	Label int
}

func shdExpected(t testing.TB) map[string][]shdSample {
	t.Helper()
	data, err := os.ReadFile("testdata/shd_expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]shdSample
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

func shdConfig() *SHD {
	c := DefaultSHD()
	c.Directory = "testdata"
	return c
}

// bins counts the spikes of a sample in steps of 14 ms the plain way.
func (s shdSample) bins(steps, channels int, duration float64) []float64 {
	x := make([]float64, steps*channels)
	for i, t := range s.Times {
		if step := int(t * 1000 / (duration / float64(steps))); step < steps {
			x[step*channels+s.Units[i]]++
		}
	}
	return x
}

// TestSHD compares every sample of both files, and of one that PyTables wrote, with what was written.
func TestSHD(t *testing.T) {
	want := shdExpected(t)
	for _, training := range []string{"shd_train.h5", "shd_pytables.h5"} {
		c := shdConfig()
		c.Training = training
		task := open(t, c, 1)
		d := task.Dims()
		if d.Steps != 100 || d.Inputs != 700 || d.Outputs != 20 || d.DT != 14 {
			t.Errorf("%+v", d)
		}
		n := len(want[training])
		if tr, va, te := task.Batches(Training, 1), task.Batches(Validation, 1), task.Batches(Test, 1); tr+va != n || va != n/10 || te != 40 {
			t.Errorf("%d, %d and %d samples of %d", tr, va, te, n)
		}
		left := map[string]int{} // samples that were not met yet, by their contents
		key := func(x []float64, label int) string {
			spikes := ""
			for i, v := range x {
				if v != 0 {
					spikes += fmt.Sprintf(" %d×%g", i, v)
				}
			}
			return fmt.Sprint(label, spikes)
		}
		for _, s := range want[training] {
			left[key(s.bins(100, 700, 1400), s.Label)]++
		}
		for _, split := range []Split{Training, Validation} {
			for i := range task.Batches(split, 1) {
				b := batch(t, task, split, i, 1)
				left[key(b.Input, b.Labels[0])]--
				for s := range 100 {
					if b.Mask[s] != 1 || b.Target[s*20+b.Labels[0]] != 1 {
						t.Fatal("the class is not the target of every step")
					}
				}
			}
		}
		for k, n := range left {
			if n != 0 {
				t.Errorf("%s: a sample of label %s was met %d times too few", training, strings.Fields(k)[0], n)
			}
		}
		b := batch(t, task, Test, 0, 100)
		if b.Size != 40 {
			t.Fatalf("%d test samples", b.Size)
		}
		for i, s := range want["shd_test.h5"] {
			x := s.bins(100, 700, 1400)
			for step := range 100 {
				if !reflect.DeepEqual(b.Input[(step*40+i)*700:][:700], x[step*700:][:700]) || b.Labels[i] != s.Label {
					t.Fatalf("test sample %d differs in step %d", i, step)
				}
			}
		}
	}
	one, other := open(t, shdConfig(), 1), open(t, shdConfig(), 2)
	if a, b := batch(t, one, Validation, 0, 6), batch(t, other, Validation, 0, 6); slices.Equal(a.Labels, b.Labels) {
		t.Error("the seed does not choose what is held back")
	}
}

// TestSHDBins: sizes of steps are configurable, late spikes are left out, and several in a step count or not.
func TestSHDBins(t *testing.T) {
	c := shdConfig()
	c.Steps, c.Duration = 5, 600
	b := batch(t, open(t, c, 1), Test, 0, 40)
	c.Binary = true
	binary := batch(t, open(t, c, 1), Test, 0, 40)
	several := false
	for i, s := range shdExpected(t)["shd_test.h5"] {
		x := s.bins(5, 700, 600)
		for step := range 5 {
			for u, v := range x[step*700:][:700] {
				at := (step*40+i)*700 + u
				if b.Input[at] != v || binary.Input[at] != math.Min(v, 1) {
					t.Fatalf("sample %d, step %d, unit %d: %g and %g, want %g", i, step, u, b.Input[at], binary.Input[at], v)
				}
				several = several || v > 1
			}
		}
		times, units := b.Spikes(i)
		total := 0.0
		for _, v := range x {
			total += v
		}
		if len(times) != int(total) || len(units) != len(times) || !slices.IsSorted(times) {
			t.Fatalf("%d spikes listed of %g", len(times), total)
		}
	}
	if !several {
		t.Error("no step has several spikes of a channel")
	}
	if _, err := binary.Packed(); err != nil {
		t.Error(err)
	}
	if _, err := b.Packed(); err == nil {
		t.Error("counts fitted into bits")
	}
}

// badSHD writes a file without h5py, as far as package hdf5 can.
func badSHD(t *testing.T, fill func(w *hdf5.Writer) error) string {
	t.Helper()
	var w hdf5.Writer
	if err := fill(&w); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shd_train.h5"), w.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSHDErrors(t *testing.T) {
	where := "Download shd_train.h5.gz and shd_test.h5.gz from https://zenkelab.org/datasets/"
	layout := "/spikes/times (for every sample a sequence of seconds), /spikes/units (a sequence of channels, 0 to 699) and /labels (0 to 19)"
	empty := t.TempDir()
	zipped := t.TempDir()
	if err := os.WriteFile(filepath.Join(zipped, "shd_train.h5"), []byte("\x1f\x8b\x08"), 0o644); err != nil {
		t.Fatal(err)
	}
	lacking := badSHD(t, func(w *hdf5.Writer) error { return w.Floats("spikes/units", []int{1}, []float64{1}) })
	flat := badSHD(t, func(w *hdf5.Writer) error { return w.Floats("spikes/times", []int{1}, []float64{1}) })
	for _, c := range []struct {
		change func(*SHD)
		want   []string
	}{
		{func(c *SHD) { c.Directory = "" }, []string{"directory is empty; want the one that holds shd_train.h5 and shd_test.h5", where, layout}},
		{func(c *SHD) { c.Directory = empty }, []string{filepath.Join(empty, "shd_train.h5") + " is not there", where, layout}},
		{func(c *SHD) { c.Test = "absent.h5" }, []string{filepath.Join("testdata", "absent.h5") + " is not there", where}},
		{func(c *SHD) { c.Training = "shd_expected.json" }, []string{"shd_expected.json: not an HDF5 file"}},
		{func(c *SHD) { c.Directory = zipped }, []string{"shd_train.h5: not an HDF5 file: it is compressed with gzip; decompress it with gunzip first"}},
		{func(c *SHD) { c.Directory = lacking }, []string{`shd_train.h5: /spikes/times: not there; the group holds ["units"]`, layout}},
		{func(c *SHD) { c.Directory = flat }, []string{"shd_train.h5: /spikes/times: float64 instead of sequences of numbers", layout}},
		{func(c *SHD) { c.Channels = 400 }, []string{"shd_train.h5: sample ", " is of unit ", "; want 0 to 399"}},
		{func(c *SHD) { c.Classes = 10 }, []string{"shd_train.h5: sample 10: label 10; want 0 to 9"}},
		{func(c *SHD) { c.Held = 0.999 }, []string{"held is 0.999; no sample of 60 is left to train with"}},
		{func(c *SHD) { c.Held = 1 }, []string{"held is 1; want a fraction from 0 to below 1"}},
		{func(c *SHD) { c.Steps = 0 }, []string{"steps is 0; want 1 to 65536"}},
		{func(c *SHD) { c.Channels = 0 }, []string{"channels is 0; want 1 to 65536"}},
		{func(c *SHD) { c.Duration = math.NaN() }, []string{"duration is NaN ms; want a number above 0"}},
	} {
		config := shdConfig()
		c.change(config)
		_, err := config.Open(1)
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("want %q, got %v", c.want, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("want %q in %v", part, err)
			}
		}
	}
}

// loadSHD reads bytes as a training file; the test file is a proper one.
func loadSHD(t testing.TB, dir string, data []byte) error {
	t.Helper()
	path := filepath.Join(dir, "train.h5")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	c := shdConfig()
	c.Directory, c.Training, c.Test = dir, "train.h5", "test.h5"
	_, err := c.Open(1)
	return err
}

func shdDirectory(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile("testdata/shd_test.h5")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "test.h5"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestDamagedSHD cuts the files off and flips bits: every result is a task or one line that names the file.
func TestDamagedSHD(t *testing.T) {
	dir := shdDirectory(t)
	for _, name := range []string{"shd_train.h5", "shd_test.h5"} {
		whole, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := loadSHD(t, dir, whole); err != nil {
			t.Fatal(err)
		}
		noticed := 0
		for i := 0; i < len(whole); i += 211 {
			if err := loadSHD(t, dir, whole[:i]); err == nil || !strings.Contains(err.Error(), "train.h5") {
				t.Fatalf("cut off at %d: %v", i, err)
			}
			data := bytes.Clone(whole)
			data[i] ^= 0xff
			if err := loadSHD(t, dir, data); err != nil {
				noticed++
				if !strings.Contains(err.Error(), "train.h5") || strings.Contains(err.Error(), "\n") {
					t.Fatalf("byte %d flipped: %v", i, err)
				}
			}
		}
		if noticed == 0 {
			t.Error("no flipped byte was noticed")
		}
	}
}

func FuzzSHD(f *testing.F) {
	for _, name := range []string{"shd_train.h5", "shd_test.h5", "shd_pytables.h5"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	dir := shdDirectory(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := loadSHD(t, dir, data); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %v", err)
		}
	})
}
