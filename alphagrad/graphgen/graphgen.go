package graphgen

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// The sizes of programs, in vertices.
const (
	MinVertices = 8
	MaxVertices = 4096
)

// Settings name one program.
type Settings struct {
	Family   string
	Vertices int    // exactly; MinVertices to MaxVertices
	Seed     uint64 // of all random choices
}

// Generate makes the program of the settings, which is named family-vertices-seed, with inputs x1, x2, … and outputs
// y1, y2, …. It fails for an unknown family and a size out of range.
func Generate(s Settings) (*ir.Program, error) {
	f, err := lookup(s.Family)
	if err != nil {
		return nil, err
	}
	if s.Vertices < MinVertices || s.Vertices > MaxVertices {
		return nil, fmt.Errorf("a program of %d vertices: sizes go from %d to %d", s.Vertices, MinVertices, MaxVertices)
	}
	name := fmt.Sprintf("%s-%d-%d", s.Family, s.Vertices, s.Seed)
	h := fnv.New64a()
	fmt.Fprintf(h, "%s-%d", s.Family, s.Vertices) // sizes of one seed are unrelated programs
	rng := rand.New(rand.NewPCG(s.Seed, h.Sum64()))
	inputs, outputs := f.inputs.draw(rng, s.Vertices), f.outputs.draw(rng, s.Vertices)
	sk := newSketch(rng, f.habits, inputs, s.Vertices, outputs)
	if f.build != nil {
		f.build(sk)
	}
	return sk.finish(name)
}

// Draw makes a program of a random family and of a size drawn uniformly from a range, both by the seed: a curriculum
// raises the range.
func Draw(seed uint64, low, high int) (*ir.Program, error) {
	if low > high {
		return nil, fmt.Errorf("sizes from %d to %d: the range is empty", low, high)
	}
	rng := rand.New(rand.NewPCG(seed, 0x6472617721))
	family := families[rng.IntN(len(families))].name
	return Generate(Settings{Family: family, Vertices: low + rng.IntN(high-low+1), Seed: rng.Uint64()})
}

// FamilyInfo describes a family.
type FamilyInfo struct{ Name, About string }

// Families lists the families.
func Families() []FamilyInfo {
	all := make([]FamilyInfo, len(families))
	for i, f := range families {
		all[i] = FamilyInfo{f.name, f.about}
	}
	return all
}

func lookup(name string) (*family, error) {
	var known []string
	for i := range families {
		if families[i].name == name {
			return &families[i], nil
		}
		known = append(known, families[i].name)
	}
	return nil, fmt.Errorf("unknown family %q%s; known families: %v", name, ir.Suggest(name, known), known)
}
