package runs

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// TestSeedGolden pins the derivation: a change here changes every published result.
func TestSeedGolden(t *testing.T) {
	// The bytes written out by hand: domain, parent, kind, step.
	input := append([]byte("alphagrad-seed/1"), 0, 0, 0, 0, 0, 0, 0, 7, 's', 'p', 'o', 's', 't', 'e', 'r')
	sum := sha256.Sum256(input)
	if got, want := Seed(7).Sub("poster"), Seed(binary.BigEndian.Uint64(sum[:])); got != want {
		t.Errorf("Sub: %d, want %d", got, want)
	}
	got := Seed(7).Sub("poster").Sub("RoeFlux_1d").At(3)
	if want := Seed(146239091927024427); got != want {
		t.Errorf("a path of three steps: %d, want %d", got, want)
	}
	if got, want := got.Rand().Uint64(), uint64(6333872140356403141); got != want {
		t.Errorf("first number of its stream: %d, want %d", got, want)
	}
}

// TestSeedChildrenDiffer: different steps from one seed lead to different seeds.
func TestSeedChildrenDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Seed(rapid.Uint64().Draw(t, "seed"))
		seen := map[Seed]string{s: "the parent"}
		add := func(child Seed, name string) {
			if other, ok := seen[child]; ok {
				t.Fatalf("%s and %s coincide", name, other)
			}
			seen[child] = name
		}
		for _, label := range rapid.SliceOfDistinct(rapid.String(), rapid.ID[string]).Draw(t, "labels") {
			add(s.Sub(label), "label "+label)
		}
		for _, i := range rapid.SliceOfDistinct(rapid.Int(), rapid.ID[int]).Draw(t, "indices") {
			add(s.At(i), "an index")
		}
	})
}

// TestSeedStreamsAreUniform: pooled over many children, every bit is set about half of the time, and so is every bit of
// the difference between neighbours. With 20000 samples the standard deviation of a frequency is 0.0035.
func TestSeedStreamsAreUniform(t *testing.T) {
	const samples = 20_000
	var set, flipped [64]int
	for i := range samples {
		a, b := Seed(1).At(i).Rand().Uint64(), Seed(1).At(i+1).Rand().Uint64()
		for bit := range 64 {
			set[bit] += int(a >> bit & 1)
			flipped[bit] += int((a ^ b) >> bit & 1)
		}
	}
	for bit := range 64 {
		for _, n := range []int{set[bit], flipped[bit]} {
			if f := float64(n) / samples; f < 0.48 || f > 0.52 {
				t.Errorf("bit %d has frequency %g", bit, f)
			}
		}
	}
}
