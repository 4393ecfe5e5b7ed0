// Package bench times derivative programs on this machine: it prints them as Go, compiles them into one program and runs
// the candidates of a case in turns, so that a drift of the machine's speed meets all of them alike.
package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Candidate is one way to compute a derivative.
type Candidate struct {
	Name    string
	Program *ir.Program // outputs: the values, then the Jacobian
}

// Case is a set of candidates that compute the same thing at the same points.
type Case struct {
	Name       string
	Values     int         // how many outputs are values; the rest is the Jacobian
	Points     [][]float64 // sample inputs, used in turn
	Candidates []Candidate
}

// Settings control a measurement.
type Settings struct {
	Repetitions  int     `yaml:"repetitions"`  // turns taken by every candidate; at least 3
	Milliseconds float64 `yaml:"milliseconds"` // length of one timed turn
	Batch        int     `yaml:"batch"`        // samples of the batched form
}

// Timing holds one candidate's measurements in nanoseconds per Jacobian (value included), one for each repetition.
type Timing struct {
	Candidate string
	Single    []float64 // one sample a call
	Batch     []float64 // Settings.Batch samples a call, per sample
}

// Quartiles summarises repeated measurements.
type Quartiles struct{ Q1, Median, Q3 float64 }

// Summarize gives the quartiles of measurements (linear interpolation between order statistics).
func Summarize(v []float64) Quartiles {
	s := slices.Sorted(slices.Values(v))
	at := func(q float64) float64 {
		if len(s) == 0 {
			return math.NaN()
		}
		pos := q * float64(len(s)-1)
		i := int(pos)
		if i+1 >= len(s) {
			return s[len(s)-1]
		}
		return s[i] + (pos-float64(i))*(s[i+1]-s[i])
	}
	return Quartiles{at(0.25), at(0.5), at(0.75)}
}

// Ratio summarises a/b repetition by repetition, so that both measurements of a pair are taken moments apart.
func Ratio(a, b []float64) Quartiles {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = a[i] / b[i]
	}
	return Summarize(r)
}

// Run measures a case. The candidates' results are compared at every point before any is timed. It needs the Go toolchain
// on the PATH.
func Run(ctx context.Context, c Case, s Settings) ([]Timing, error) {
	switch {
	case s.Repetitions < 3:
		return nil, fmt.Errorf("%d repetitions; a median with quartiles needs at least 3", s.Repetitions)
	case s.Batch < 1:
		return nil, fmt.Errorf("batch of %d; at least 1", s.Batch)
	case s.Milliseconds <= 0:
		return nil, fmt.Errorf("turns of %v ms; must be positive", s.Milliseconds)
	case len(c.Candidates) == 0 || len(c.Points) == 0:
		return nil, fmt.Errorf("case %s has no candidates or no points", c.Name)
	}
	if _, err := Toolchain(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "alphagrad-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := writeProgram(dir, c, s); err != nil {
		return nil, fmt.Errorf("case %s: %w", c.Name, err)
	}
	binary := filepath.Join(dir, "bench.exe")
	if err := Build(ctx, dir, binary); err != nil {
		return nil, fmt.Errorf("case %s: %w", c.Name, err)
	}
	cmd := exec.CommandContext(ctx, binary)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("case %s: running the generated code: %w: %s", c.Name, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return parse(c, s, out)
}

// line is what the compiled program prints: first the results at a point, then the measurements.
type line struct {
	Candidate int
	Point     int
	Results   []string // hexadecimal floats, which JSON numbers are not exact enough for
	Single    float64
	Batch     float64
}

func parse(c Case, s Settings, out []byte) ([]Timing, error) {
	timings := make([]Timing, len(c.Candidates))
	results := make([][][]float64, len(c.Candidates))
	for i := range timings {
		timings[i].Candidate = c.Candidates[i].Name
		results[i] = make([][]float64, len(c.Points))
	}
	sc := bufio.NewScanner(bytes.NewReader(out))
	sc.Buffer(nil, 1<<26)
	for sc.Scan() {
		var l line
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("case %s: unexpected output %q", c.Name, sc.Text())
		}
		if l.Results == nil {
			timings[l.Candidate].Single = append(timings[l.Candidate].Single, l.Single)
			timings[l.Candidate].Batch = append(timings[l.Candidate].Batch, l.Batch)
			continue
		}
		row := make([]float64, len(l.Results))
		for i, t := range l.Results {
			if _, err := fmt.Sscan(t, &row[i]); err != nil {
				return nil, fmt.Errorf("case %s: result %q is no number", c.Name, t)
			}
		}
		results[l.Candidate][l.Point] = row
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	for i := range timings {
		if len(timings[i].Single) != s.Repetitions {
			return nil, fmt.Errorf("case %s, candidate %s: %d of %d measurements", c.Name, timings[i].Candidate, len(timings[i].Single), s.Repetitions)
		}
	}
	return timings, agree(c, results)
}

// tolerance is the relative difference two orders may have by rounding, entries near zero measured against the largest.
const tolerance = 1e-8

// agree compares every candidate's results with the first one's.
func agree(c Case, results [][][]float64) error {
	for k := range results {
		for p, row := range results[k] {
			ref := results[0][p]
			if len(row) == 0 || len(row) != len(ref) {
				return fmt.Errorf("case %s: candidate %s has no results at point %d", c.Name, c.Candidates[k].Name, p)
			}
			scale := 0.0
			for _, v := range ref {
				scale = math.Max(scale, math.Abs(v))
			}
			for i, v := range row {
				d := math.Abs(v - ref[i])
				if !(d <= tolerance*math.Max(math.Abs(ref[i]), 1e-6*scale)) && !(math.IsNaN(v) && math.IsNaN(ref[i])) {
					return fmt.Errorf("case %s: candidates %s and %s differ at point %d, %s: %v and %v", c.Name, c.Candidates[0].Name, c.Candidates[k].Name, p, c.Candidates[k].Program.Outputs[i].Name, ref[i], v)
				}
			}
		}
	}
	return nil
}

// writeProgram lays out a module of the generated functions and the main program that times them.
func writeProgram(dir string, c Case, s Settings) error {
	var table strings.Builder
	inputs := len(c.Points[0])
	outputs := len(c.Candidates[0].Program.Outputs)
	for k, cand := range c.Candidates {
		if len(cand.Program.Inputs) != inputs || len(cand.Program.Outputs) != outputs {
			return fmt.Errorf("candidate %s has %d inputs and %d outputs, the first has %d and %d", cand.Name, len(cand.Program.Inputs), len(cand.Program.Outputs), inputs, outputs)
		}
		name := fmt.Sprintf("Candidate%d", k)
		src, err := gosrc.File("main", gosrc.Function{Name: name, Program: cand.Program, Results: []gosrc.Result{
			{Name: "y", Len: c.Values}, {Name: "jac", Len: outputs - c.Values}}, Derivatives: outputs - c.Values})
		if err != nil {
			return fmt.Errorf("candidate %s: %w", cand.Name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("candidate%d.go", k)), src, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&table, "\t{func(i int) { %s(&points[i], &y, &jac) }, func() { %sBatch(batch, xs, ys, js) }, func(calls int) {\n\t\tfor i := range calls {\n\t\t\t%s(&points[i%%len(points)], &y, &jac)\n\t\t}\n\t}},\n", name, name, name)
	}
	var points strings.Builder
	for _, x := range c.Points {
		if len(x) != inputs {
			return fmt.Errorf("a point has %d coordinates, the first has %d", len(x), inputs)
		}
		points.WriteString("\t{")
		for _, v := range x {
			fmt.Fprintf(&points, "%x, ", v)
		}
		points.WriteString("},\n")
	}
	main := strings.NewReplacer(
		"INPUTS", fmt.Sprint(inputs), "VALUES", fmt.Sprint(c.Values), "ENTRIES", fmt.Sprint(outputs-c.Values),
		"BATCH", fmt.Sprint(s.Batch), "REPETITIONS", fmt.Sprint(s.Repetitions), "MILLISECONDS", fmt.Sprint(s.Milliseconds),
		"POINTS", points.String(), "TABLE", table.String(),
	).Replace(mainSource)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(main), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module bench\n\ngo 1.26\n"), 0o644)
}
