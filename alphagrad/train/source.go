package train

import (
	"fmt"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/graphgen"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// A graph is named by where it comes from, so that a checkpoint can hold names in place of graphs: task:NAME, or
// random:LOW-HIGH:SEED.

func taskSource(name string) string { return "task:" + name }

func randomSource(low, high int, seed uint64) string {
	return fmt.Sprintf("random:%d-%d:%d", low, high, seed)
}

// loadProgram makes the program of a source.
func loadProgram(source string) (*ir.Program, error) {
	var p *ir.Program
	var err error
	if name, ok := strings.CutPrefix(source, "task:"); ok {
		p, err = tasks.ProgramOf(name)
	} else {
		var low, high int
		var seed uint64
		if _, err = fmt.Sscanf(source, "random:%d-%d:%d", &low, &high, &seed); err == nil {
			p, err = graphgen.Draw(seed, low, high)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("graph %q: %w", source, err)
	}
	return p, nil
}

// taskName is the task of a source, empty for a random graph.
func taskName(source string) string {
	if name, ok := strings.CutPrefix(source, "task:"); ok {
		return name
	}
	return ""
}
