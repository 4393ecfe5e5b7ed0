package mcts_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
)

var update = flag.Bool("update", false, "write the golden trees in testdata anew")

// TestGoldenTrees compares whole searches, trees included, with what they were when last looked at.
func TestGoldenTrees(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*mcts.Options)
		game   func() mcts.Game
		moves  int // made, and the tree kept, before the search shown
	}{
		{"gumbel_tree", func(*mcts.Options) {}, func() mcts.Game { return &treeGame{seed: 3, actions: 6, depth: 5} }, 0},
		{"gumbel_range_of_tree", func(o *mcts.Options) { o.Normalisation = mcts.ByTree }, func() mcts.Game { return newElimination(3, 6) }, 0},
		{"gumbel_transpositions", func(o *mcts.Options) { o.Transpositions = true }, func() mcts.Game { return newJobs(3, 5) }, 0},
		{"gumbel_kept", func(o *mcts.Options) { o.Transpositions = true }, func() mcts.Game { return newJobs(3, 6) }, 2},
		{"puct_tree", func(o *mcts.Options) { o.Algorithm = mcts.PUCT }, func() mcts.Game { return &treeGame{seed: 3, actions: 6, depth: 5} }, 0},
		{"puct_transpositions", func(o *mcts.Options) { o.Algorithm, o.Transpositions = mcts.PUCT, true }, func() mcts.Game { return newJobs(3, 5) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := mcts.DefaultOptions()
			o.Simulations, o.Considered = 20, 4
			c.change(&o)
			s, g := search(t, noisy(7, 1), o, 11), c.game()
			var out struct {
				Result mcts.Result
				Phases []mcts.Phase
				Trace  []int32
				Tree   mcts.Tree
			}
			for i := range c.moves + 1 {
				if err := s.Run(g, &out.Result); err != nil {
					t.Fatal(err)
				}
				if i < c.moves {
					g.Apply(out.Result.Action)
					s.Advance(out.Result.Action)
				}
			}
			out.Phases, out.Trace, out.Tree = s.Phases(), s.Trace(), s.Tree()
			got := rounded(t, out)
			file := filepath.Join("testdata", c.name+".json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs; look at it with -update and git diff", file)
			}
		})
	}
}

// rounded is v as JSON with numbers rounded to nine decimals: processors that fuse multiplication and addition differ
// from others in the last bits.
func rounded(t *testing.T, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	var round func(any) any
	round = func(v any) any {
		switch v := v.(type) {
		case float64:
			return math.Round(v*1e9) / 1e9
		case []any:
			for i := range v {
				v[i] = round(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = round(v[k])
			}
		}
		return v
	}
	out, err := json.MarshalIndent(round(tree), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}
