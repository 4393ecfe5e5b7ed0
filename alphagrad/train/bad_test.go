package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// copyRun copies the checkpoints and the model of a run.
func copyRun(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func change(t *testing.T, path string, f func(data []byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data = f(data); data == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFallsBackToTheCheckpointBefore: whatever has happened to a file of the newest checkpoint, it is passed over with a
// warning, and the training goes on from the one before as if the newest had never been.
func TestFallsBackToTheCheckpointBefore(t *testing.T) {
	whole := t.TempDir()
	want := trainOnce(t, small(), Env{Dir: whole})[3:] // iterations 3 and 4
	names, err := checkpoints(whole)
	if err != nil || len(names) != 2 {
		t.Fatalf("checkpoints %v, %v", names, err)
	}
	for damage, f := range map[string]func(data []byte) []byte{
		"truncated": func(data []byte) []byte { return data[:len(data)/2] },
		"empty":     func([]byte) []byte { return []byte{} },
		"missing":   func([]byte) []byte { return nil },
		"a bit":     func(data []byte) []byte { data[len(data)/2] ^= 16; return data },
		"another":   func([]byte) []byte { return []byte("{}") },
	} {
		for _, file := range []string{"trainer", "replay", "state.json"} {
			if damage == "a bit" && file == "state.json" {
				continue // one that is still JSON says what it says
			}
			dir := copyRun(t, whole)
			change(t, filepath.Join(dir, "checkpoints", names[1], file), f)
			warned := ""
			env := Env{Dir: t.TempDir(), Resume: dir, Warn: func(format string, args ...any) { warned += fmt.Sprintf(format, args...) }}
			got := trainOnce(t, small(), env)
			if !strings.Contains(warned, names[1]) || !strings.Contains(warned, "trying the one before") {
				t.Errorf("%s %s: warning %q", file, damage, warned)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s %s: goes on with\n%v, want\n%v", file, damage, got, want)
			}
		}
	}

	// Both damaged, or none at all: an error, no training from scratch.
	dir := copyRun(t, whole)
	for _, name := range names {
		change(t, filepath.Join(dir, "checkpoints", name, "trainer"), func(data []byte) []byte { return data[:100] })
	}
	err = small().Run(context.Background(), Env{Dir: t.TempDir(), Resume: dir})
	if err == nil || !strings.Contains(err.Error(), "no checkpoint to continue from: checkpoint ") || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("two truncated checkpoints: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil {
		t.Fatal(err)
	}
	if err := small().Run(context.Background(), Env{Dir: t.TempDir(), Resume: dir}); err == nil || !strings.Contains(err.Error(), "resume") {
		t.Errorf("nothing to resume from: %v", err)
	}
}

// TestDamagedIncumbent: a network takes the place of an incumbent that cannot be read.
func TestDamagedIncumbent(t *testing.T) {
	dir := t.TempDir()
	trainOnce(t, small(), Env{Dir: dir})
	change(t, filepath.Join(dir, ModelName), func(data []byte) []byte { return data[:len(data)-1] })
	c, warned, to := small(), "", t.TempDir()
	c.Iterations = 5
	trainOnce(t, c, Env{Dir: to, Resume: dir, Warn: func(format string, args ...any) { warned += fmt.Sprintf(format, args...) }})
	if !strings.Contains(warned, ModelName+": truncated") || !strings.Contains(warned, "takes its place") {
		t.Errorf("warning %q", warned)
	}
	if _, err := net.Load(filepath.Join(to, ModelName)); err != nil {
		t.Error(err)
	}
}

// TestCheckpointOfOtherFeatures: a checkpoint whose network reads other features is refused by name.
func TestCheckpointOfOtherFeatures(t *testing.T) {
	dir := t.TempDir()
	trainOnce(t, small(), Env{Dir: dir})
	names, err := checkpoints(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		change(t, filepath.Join(dir, "checkpoints", name, "trainer"), func(data []byte) []byte {
			other := strings.Replace(string(data), fmt.Sprintf(`"features":%d`, net.FeatureVersion), `"features":99`, 1)
			return []byte(other)
		})
	}
	err = small().Run(context.Background(), Env{Dir: t.TempDir(), Resume: dir})
	if err == nil || !strings.Contains(err.Error(), "trained on version 99 of the features") {
		t.Errorf("error %v", err)
	}
}

// TestLossesThatAreNotFinite: a learning rate beyond all bounds blows the network up. The training stops and says in which
// batch; the last good checkpoint is as it was, and can be resumed from with better settings.
func TestLossesThatAreNotFinite(t *testing.T) {
	dir := t.TempDir()
	c := small()
	c.Iterations = 2
	trainOnce(t, c, Env{Dir: dir})
	c = small()
	c.Learning.Rate, c.Learning.Warmup, c.Steps = 1e36, 0, 5
	err := c.Run(context.Background(), Env{Dir: dir, Resume: dir})
	if !errors.Is(err, net.ErrNotFinite) || !strings.Contains(err.Error(), "iteration 3, batch 2 of 5: training step ") ||
		!strings.Contains(err.Error(), "the last good checkpoint is "+filepath.Join(dir, "checkpoints", "00000002")) {
		t.Errorf("error %v", err)
	}
	names, err := checkpoints(dir)
	if err != nil || len(names) != 1 || names[0] != "00000002" {
		t.Fatalf("checkpoints %v, %v", names, err)
	}
	if records := trainOnce(t, small(), Env{Dir: dir, Resume: dir}); records[0]["iteration"] != 3 {
		t.Errorf("goes on with %v", records[0])
	}
	c.Seed = 2
	if err := c.Run(context.Background(), Env{Dir: t.TempDir()}); !errors.Is(err, net.ErrNotFinite) || !strings.Contains(err.Error(), "there is no checkpoint yet") {
		t.Errorf("from scratch: %v", err)
	}
}

// TestFullDisk: the replay memory goes to a device that is always full.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	r := newReplay(1)
	r.add([]*episode{randomEpisode(t, openBoard(t, "muls", game.None, taskSource("Lighthouse")), rand.New(rand.NewPCG(1, 1)))})
	if err := r.save(full); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v", err)
	}
}

// TestGraphTooLarge: beyond the buckets of training a graph is refused before the first game.
func TestGraphTooLarge(t *testing.T) {
	chain := func(n int) *ir.Program {
		b := ir.NewBuilder("chain")
		x := b.Input("x")
		for range n {
			x = ir.Sin(x)
		}
		b.Output("y", x)
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	o, err := lookupObjective("muls")
	if err != nil {
		t.Fatal(err)
	}
	s := &set{context.Background(), o, game.None}
	if _, err := s.board("chain", chain(net.MaxTrainingNodes-1)); err != nil {
		t.Errorf("the largest graph: %v", err)
	}
	want := fmt.Sprintf(`graph "chain" has %d nodes; agents train on at most %d`, net.MaxTrainingNodes+1, net.MaxTrainingNodes)
	if _, err := s.board("chain", chain(net.MaxTrainingNodes)); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

// TestReplayOfAnotherGame: games that are none are refused.
func TestReplayOfAnotherGame(t *testing.T) {
	b := openBoard(t, "muls", game.None, taskSource("Lighthouse"))
	for want, change := range map[string]func(e *episode){
		"positions with":             func(e *episode) { e.Legal = e.Legal[1:] },
		"and 1 later costs":          func(e *episode) { e.Again = []float64{1} },
		"position 1 is not one":      func(e *episode) { e.At[0] = 50 },
		"position 2 is not one":      func(e *episode) { e.Legal[1] = []int32{0} },
		"position 3 is not one":      func(e *episode) { e.Policy[2] = nil },
		"or of a game with other":    func(e *episode) { e.Weight[0] = -1 },
		"move 2 is illegal":          func(e *episode) { e.Moves[1] = e.Moves[0] },
		"move 1 is illegal":          func(e *episode) { e.Moves[0] = 100 },
		"position 6 is not one of":   func(e *episode) { e.Moves = e.Moves[:5] },
		`graph "task:Lighthous": un`: func(e *episode) { e.Source = "task:Lighthous" },
		`graph "xyz": `:              func(e *episode) { e.Source = "xyz" },
	} {
		e := randomEpisode(t, b, rand.New(rand.NewPCG(1, 1)))
		change(e)
		r := newReplay(1)
		r.add([]*episode{e})
		var file strings.Builder
		if err := r.save(&file); err != nil {
			t.Fatal(err)
		}
		err := newReplay(1).load(strings.NewReader(file.String()), func(source string) (*board, error) {
			o, _ := lookupObjective("muls")
			return (&set{context.Background(), o, game.None}).open(source)
		})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "replay memory: ") {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
}

// FuzzReplay: no file makes the reader of the replay memory panic, and every position of what it accepts can be drawn.
func FuzzReplay(f *testing.F) {
	b := openBoard(f, "muls", game.None, taskSource("Lighthouse"))
	r := newReplay(2)
	for seed := range uint64(2) {
		r.add([]*episode{randomEpisode(f, b, rand.New(rand.NewPCG(seed, 1)))})
	}
	r.episodes[0].renew(1, r.episodes[0].Policy[1], 3.5)
	var file strings.Builder
	if err := r.save(&file); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(file.String()))
	f.Add([]byte(file.String()[:file.Len()/2]))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReplay(2)
		if err := r.load(bytes.NewReader(data), func(source string) (*board, error) {
			if source != b.source {
				return nil, errors.New("another graph")
			}
			return b, nil
		}); err != nil {
			return
		}
		for _, e := range r.episodes {
			for i := range e.At {
				if _, err := r.sample(ticket{e, i}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
