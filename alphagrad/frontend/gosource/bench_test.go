package gosource

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// BenchmarkTwoThousandStatements is the way from the source of a function of 2,000 statements to its compiled Jacobian:
// reading, searching for an order, generating, compiling.
func BenchmarkTwoThousandStatements(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	var src strings.Builder
	src.WriteString("package big\n\nimport \"math\"\n\nfunc Big(x [8]float64) (y [4]float64) {\n\tvar v [2008]float64\n\tcopy(v[:], x[:])\n")
	for k := 8; k < 2008; k++ {
		arg := func() string { return fmt.Sprintf("v[%d]", max(0, k-1-rng.IntN(25))) }
		form := []string{"%s * %s", "%s + %s", "%s - %s", "math.Sin(%s) + 0*%s", "math.Tanh(%s) * %s"}[rng.IntN(5)]
		fmt.Fprintf(&src, "\tv[%d] = "+form+"\n", k, arg(), arg())
	}
	src.WriteString("\tcopy(y[:], v[2004:])\n\treturn y\n}\n")
	dir := b.TempDir()
	for name, text := range map[string]string{"go.mod": "module big\n\ngo 1.26\n", "big.go": src.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	out := filepath.Join(dir, "big_jacobian.go")
	for i := range b.N {
		f, err := Read(filepath.Join(dir, "big.go"), "Big", Options{})
		if err != nil {
			b.Fatal(err)
		}
		g, err := ad.Graph(f.Program)
		if err != nil {
			b.Fatal(err)
		}
		r, err := search.Run(context.Background(), "portfolio", search.Problem{Graph: g, Objective: search.Ops}, search.Settings{Evaluations: 20000, Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		code, err := f.Generate(Emission{Path: out, Order: r.Order, OrderName: fmt.Sprintf("searched %d", i)}) // never cached
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(out, code, 0o644); err != nil {
			b.Fatal(err)
		}
		cmd := exec.Command("go", "build", ".")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
}
