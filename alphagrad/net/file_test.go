package net

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func encoded(t testing.TB, n *Network) []byte {
	var buffer bytes.Buffer
	if err := n.Write(&buffer); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestSaveAndLoad(t *testing.T) {
	for _, name := range Models() {
		path := filepath.Join(t.TempDir(), "model")
		for seed := range uint64(2) { // the second replaces the first
			n := randomNetwork(t, Spec{name, 32, 3}, seed)
			if err := n.Save(path); err != nil {
				t.Fatal(err)
			}
			got, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.Spec() != n.Spec() || !slices.Equal(got.weights, n.weights) {
				t.Errorf("%s: another network came back", name)
			}
		}
		got, err := Read(bytes.NewReader(encoded(t, randomNetwork(t, Spec{name, 32, 3}, 5))))
		if err != nil || !slices.Equal(got.weights, randomNetwork(t, Spec{name, 32, 3}, 5).weights) {
			t.Errorf("%s: by a stream: %v", name, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes", name, info.Size())
		if info.Size() > 200<<10 {
			t.Errorf("%s: %d bytes", name, info.Size())
		}
		if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
			t.Errorf("left behind: %v", files)
		}
	}
}

// TestResume continues from a checkpoint and compares with an uninterrupted run.
func TestResume(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	first, second := randomSamples(t, r, 6, 12), randomSamples(t, r, 6, 12)
	n := randomNetwork(t, Spec{"gnn", 16, 1}, 2)
	through := newTestTrainer(t, n, nil)
	mustTrain(t, through, first)
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := through.Save(path); err != nil {
		t.Fatal(err)
	}
	resumed, err := LoadTrainer(path, DefaultTrainerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer resumed.Close()
	for range 2 {
		a, b := mustTrain(t, through, second), mustTrain(t, resumed, second)
		if a.Step != b.Step || a.Total != b.Total || a.Gradient != b.Gradient || a.Rate != b.Rate {
			t.Errorf("resumed %+v, uninterrupted %+v", b, a)
		}
	}
	if !slices.Equal(through.Network().weights, resumed.Network().weights) {
		t.Error("other weights after resuming")
	}
	if m, err := Load(path); err != nil || m.Spec() != n.Spec() {
		t.Errorf("checkpoint as a model: %v", err)
	}
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadTrainer(path, DefaultTrainerConfig()); err == nil || !strings.Contains(err.Error(), "not the state of its training") {
		t.Errorf("model as a checkpoint: error %v", err)
	}
}

// resealed makes the checksum right again after a change of the contents.
func resealed(data []byte) []byte {
	sum := sha256.Sum256(data[:len(data)-sha256.Size])
	return append(slices.Clone(data[:len(data)-sha256.Size]), sum[:]...)
}

func TestBadFiles(t *testing.T) {
	good := encoded(t, randomNetwork(t, Spec{"gnn", 16, 1}, 1))
	replaced := func(old, with string) []byte {
		changed := bytes.Replace(good, []byte(old), []byte(with), 1)
		if bytes.Equal(changed, good) {
			t.Fatalf("no %s in the file", old)
		}
		return resealed(changed)
	}
	flipped := slices.Clone(good)
	flipped[len(good)-500] ^= 4
	infinite := slices.Clone(good)
	copy(infinite[len(good)-sha256.Size-4:], []byte{0, 0, 0x80, 0x7f})
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "truncated: it ends after 0 bytes"},
		{"a word", good[:8], "truncated: it ends after 8 bytes"},
		{"half a header", good[:100], "truncated: it ends within the header"},
		{"half", good[:len(good)/2], "bytes are missing"},
		{"one byte less", good[:len(good)-1], "truncated: 1 of "},
		{"one byte more", append(slices.Clone(good), 0), "1 bytes too long"},
		{"a flipped bit", flipped, "damaged: its contents do not match their checksum"},
		{"text", []byte("hello\nworld\n"), `not a model file: expected it to begin with "alphagrad-net/1"`},
		{"next version", replaced("alphagrad-net/1", "alphagrad-net/2"), `format version "2": this program reads version 1`},
		{"other features", replaced(`"features":1`, `"features":7`), "trained on version 7 of the features, this program computes version 1"},
		{"other width", replaced(`"width":16`, `"width":32`), "header: tensor 0 is embed/weights of shape"},
		{"bad width", replaced(`"width":16`, `"width":17`), "network width 17"},
		{"huge width", replaced(`"width":16`, `"width":1000000000`), "network width 1000000000"},
		{"more rounds", replaced(`"rounds":1`, `"rounds":2`), "expected round1/weights"},
		{"unknown model", replaced(`"model":"gnn"`, `"model":"cnn"`), `unknown network model "cnn"`},
		{"unknown field", replaced(`"model"`, `"modal"`), `header: json: unknown field "modal"`},
		{"not JSON", replaced(`{"model"`, `["model"`), "header: "},
		{"infinite weight", resealed(infinite), "tensor value/shift: number 0 is +Inf"},
	} {
		path := filepath.Join(t.TempDir(), "model")
		if err := os.WriteFile(path, c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "model file "+path+": ") {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
		if err != nil && (len(err.Error()) > 300 || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: not one clear line: %v", c.name, err)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error for a missing file")
	}
	if err := randomNetwork(t, Spec{"gnn", 16, 1}, 1).Save(filepath.Join(t.TempDir(), "none", "model")); err == nil {
		t.Error("no error for a missing directory")
	}
}

// FuzzRead checks that no file makes the reader panic, and that what it accepts it writes the same again.
func FuzzRead(f *testing.F) {
	n, err := New(Spec{"gnn", 16, 1}, 1)
	if err != nil {
		f.Fatal(err)
	}
	good := encoded(f, n)
	checkpoint := encodeFile(n, &adam{step: 3, mean: make([]float32, n.Size()), variance: make([]float32, n.Size())})
	for _, data := range [][]byte{good, checkpoint, good[:len(good)/2], good[:40], []byte("alphagrad-net/1\n{}\n"), []byte("alphagrad-net/1\n[")} {
		f.Add(data, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal && len(data) > sha256.Size {
			data = resealed(data) // get past the checksum
		}
		n, a, err := readFile(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, b, err := readFile(bytes.NewReader(encodeFile(n, a)))
		if err != nil || again.spec != n.spec || !slices.Equal(again.weights, n.weights) || (a == nil) != (b == nil) || a != nil && b.step != a.step {
			t.Errorf("written again it reads differently: %v", err)
		}
	})
}
