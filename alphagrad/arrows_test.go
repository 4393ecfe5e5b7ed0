package alphagrad_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/alphagrad/alphagrad-go/"

// mayImport lists, for every package of the library, the packages of this module it may import directly. A new package
// adds a row.
var mayImport = map[string][]string{
	"alphagrad":             {}, // its tests may import anything
	"alphagrad/ir":          {},
	"alphagrad/structure":   {},
	"alphagrad/elim":        {"alphagrad/structure"},
	"alphagrad/runs":        {},
	"alphagrad/report":      {},
	"alphagrad/report/nb":   {"alphagrad/report"},
	"alphagrad/notebook":    {"alphagrad/runs"},
	"alphagrad/ad":          {"alphagrad/ir", "alphagrad/elim", "alphagrad/structure"},
	"alphagrad/sparse":      {"alphagrad/ir", "alphagrad/elim", "alphagrad/ad", "alphagrad/exec/interp"},
	"alphagrad/exec/interp": {"alphagrad/ir"},
	"alphagrad/exec/vasm":   {"alphagrad/ir"},
	"alphagrad/exec/gosrc":  {"alphagrad/ir", "alphagrad/exec/vasm"},
	"alphagrad/exec/flat":   {"alphagrad/ir"},
	"alphagrad/snn":         {"alphagrad/ir", "alphagrad/elim", "alphagrad/ad", "alphagrad/exec/flat"},
	"alphagrad/snn/learn":   {"alphagrad/ir", "alphagrad/ad", "alphagrad/runs", "alphagrad/snn", "alphagrad/snn/data"},
	"alphagrad/snn/nest":    {"alphagrad/ad", "alphagrad/snn", "alphagrad/snn/internal/numpy"},

	"alphagrad/snn/internal/numpy": {},

	"alphagrad/tasks":          {"alphagrad/ir", "alphagrad/ad", "alphagrad/exec/interp"},
	"alphagrad/search":         {"alphagrad/elim"},
	"alphagrad/mcts":           {},
	"alphagrad/game":           {"alphagrad/elim"},
	"alphagrad/graphgen":       {"alphagrad/ir"},
	"alphagrad/exec/gomlx":     {"alphagrad/ir"},
	"alphagrad/frontend/gomlx": {"alphagrad/ir", "alphagrad/elim", "alphagrad/ad", "alphagrad/exec/interp", "alphagrad/exec/gomlx"},
	"alphagrad/net":            {"alphagrad/elim", "alphagrad/exec/gomlx"},
	"alphagrad/hdf5":           {},
	"alphagrad/snn/data":       {"alphagrad/hdf5", "alphagrad/runs"},
	"alphagrad/nir":            {"alphagrad/hdf5", "alphagrad/runs", "alphagrad/snn"},
	"alphagrad/train":          {"alphagrad/bench", "alphagrad/search", "alphagrad/ir", "alphagrad/elim", "alphagrad/ad", "alphagrad/tasks", "alphagrad/game", "alphagrad/graphgen", "alphagrad/mcts", "alphagrad/net", "alphagrad/runs"},
	"alphagrad/mcts/mctstest":  {"alphagrad/mcts"},
	"alphagrad/rules":          {"alphagrad/exec/flat", "alphagrad/ir", "alphagrad/elim", "alphagrad/search", "alphagrad/structure", "alphagrad/ad", "alphagrad/mcts", "alphagrad/runs", "alphagrad/snn", "alphagrad/snn/data"},
	"alphagrad/rules/policy":   {"alphagrad/exec/gomlx", "alphagrad/rules", "alphagrad/runs", "alphagrad/snn"},
	"alphagrad/bench":          {"alphagrad/ir", "alphagrad/exec/gosrc"},
	"alphagrad/view":           {"alphagrad/snn/data", "alphagrad/rules", "alphagrad/mcts", "alphagrad/ir", "alphagrad/elim", "alphagrad/ad", "alphagrad/search", "alphagrad/sparse", "alphagrad/report"},
	"alphagrad/experiments": {"alphagrad/optimize",
		"alphagrad/graphgen", "alphagrad/rules", "alphagrad/rules/policy", "alphagrad/snn/data", "alphagrad/exec/gomlx", "alphagrad/sparse", "alphagrad/ir", "alphagrad/elim", "alphagrad/ad", "alphagrad/search", "alphagrad/tasks", "alphagrad/bench", "alphagrad/runs", "alphagrad/report", "alphagrad/view", "alphagrad/game", "alphagrad/net", "alphagrad/train", "alphagrad/snn", "alphagrad/snn/learn", "alphagrad/exec/interp", "alphagrad/peers"},
	"alphagrad/peers": {"alphagrad/ir", "alphagrad/exec/gosrc", "alphagrad/bench", "alphagrad/runs"},

	"alphagrad/frontend/gosource": {"alphagrad/ir", "alphagrad/ad", "alphagrad/exec/gosrc"},
	"alphagrad/optimize":          {"alphagrad/ir", "alphagrad/elim", "alphagrad/ad", "alphagrad/search", "alphagrad/bench"},
	"examples/jacobians":          {},

	"cmd/alphagrad": {"alphagrad/optimize",
		"alphagrad/ir", "alphagrad/elim", "alphagrad/ad", "alphagrad/exec/interp", "alphagrad/exec/gosrc", "alphagrad/frontend/gosource", "alphagrad/search", "alphagrad/tasks",
		"alphagrad/bench", "alphagrad/runs", "alphagrad/report", "alphagrad/experiments", "alphagrad/notebook", "alphagrad/game", "alphagrad/mcts", "alphagrad/net", "alphagrad/train", "alphagrad/rules", "alphagrad/view", "alphagrad/snn/nest", "alphagrad/snn/learn", "alphagrad/nir", "alphagrad/snn"},
}

// leafLibraries lists the packages that a library may reach, directly or not; all others must do without it.
var leafLibraries = map[string][]string{
	"gonum.org/v1/plot":                 {"alphagrad/report", "alphagrad/report/nb", "alphagrad/view", "alphagrad/experiments", "cmd/alphagrad"},
	"github.com/goccy/go-graphviz":      {"alphagrad/report", "alphagrad/report/nb", "alphagrad/view", "alphagrad/experiments", "cmd/alphagrad"},
	"github.com/janpfeifer/gonb":        {"alphagrad/report/nb"},
	"github.com/goccy/go-yaml":          {"alphagrad/rules", "alphagrad/rules/policy", "alphagrad/view", "alphagrad/runs", "alphagrad/notebook", "alphagrad/experiments", "alphagrad/train", "alphagrad/snn/data", "alphagrad/snn/learn", "alphagrad/nir", "cmd/alphagrad", "alphagrad/peers"},
	"github.com/gomlx/gomlx":            {"alphagrad/rules/policy", "alphagrad/exec/gomlx", "alphagrad/frontend/gomlx", "alphagrad/net", "alphagrad/train", "alphagrad/experiments", "cmd/alphagrad"},
	"github.com/scigolib/hdf5":          {}, // only tests, as an oracle
	"github.com/spf13/cobra":            {"cmd/alphagrad"},
	"github.com/schollz/progressbar/v3": {"cmd/alphagrad"},
}

func list(t *testing.T, format string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} "+format, "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Fields(line)
		imports[strings.TrimPrefix(f[0], module)] = f[1:]
	}
	return imports
}

// TestArrows keeps the direction of the dependencies between packages.
func TestArrows(t *testing.T) {
	for pkg, imports := range list(t, `{{join .Imports " "}}`) {
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("package %s has no row in mayImport", pkg)
			continue
		}
		for _, path := range imports {
			if rel, ours := strings.CutPrefix(path, module); ours && !slices.Contains(allowed, rel) {
				t.Errorf("%s imports %s; it may import %v", pkg, rel, allowed)
			}
		}
	}
}

// TestHeavyLibrariesStayInLeaves keeps plotting, notebooks and the command line out of the core.
func TestHeavyLibrariesStayInLeaves(t *testing.T) {
	for pkg, deps := range list(t, `{{join .Deps " "}}`) {
		for lib, allowed := range leafLibraries {
			if slices.Contains(allowed, pkg) {
				continue
			}
			for _, d := range deps {
				if d == lib || strings.HasPrefix(d, lib+"/") {
					t.Errorf("%s reaches %s", pkg, d)
				}
			}
		}
	}
}
