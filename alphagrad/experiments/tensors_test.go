package experiments

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestTensorsSmall counts two tasks; the published counts stand beside ours and the sums of the vertices are the totals.
func TestTensorsSmall(t *testing.T) {
	c := DefaultTensors()
	c.Tasks, c.Budget, c.Seeds = []string{"RoeFlux_3d", "LIF_network"}, 200*time.Millisecond, []uint64{1}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1556", "748", "vertices_RoeFlux_3d.csv", "LIF_network"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "orders", "RoeFlux_3d.json"))
	if err != nil {
		t.Fatal(err)
	}
	order, err := elim.ParseOrder(string(data))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.count(context.Background(), "RoeFlux_3d")
	if err != nil {
		t.Fatal(err)
	}
	if best, err := r.graph.Muls(order); err != nil || best > r.published {
		t.Errorf("the best order costs %d (%v), the published one %d", best, err, r.published)
	}
	v := countVertices(r)
	for k, want := range []int64{r.forward, r.reverse, r.published} {
		sum := int64(0)
		for _, m := range v.ours[k] {
			sum += m
		}
		if sum != want {
			t.Errorf("order %d: the vertices cost %d, the order %d", k, sum, want)
		}
	}
}

// TestCountsAgree pins where both counts are the same: in reverse order, Encoder's operations other than sums, signs and
// products with numbers cost what the published rules say.
func TestCountsAgree(t *testing.T) {
	c := DefaultTensors()
	c.Budget, c.Seeds = time.Millisecond, []uint64{1}
	r, err := c.count(context.Background(), "Encoder")
	if err != nil {
		t.Fatal(err)
	}
	v := countVertices(r)
	agree := int64(0)
	for n, op := range v.ops {
		switch op {
		case "add", "sub", "neg", "mul", "reduce_sum":
			if v.ours[1][n] > v.theirs[1][n] {
				t.Errorf("vertex %d (%s): ours %d, published rules %d", n+1, op, v.ours[1][n], v.theirs[1][n])
			}
		default:
			agree += v.ours[1][n]
			if v.ours[1][n] != v.theirs[1][n] {
				t.Errorf("vertex %d (%s): ours %d, published rules %d", n+1, op, v.ours[1][n], v.theirs[1][n])
			}
		}
	}
	if agree != 3440 {
		t.Errorf("%d multiplications agree, pinned 3440", agree)
	}
}

func TestTensorsConfiguration(t *testing.T) {
	c := DefaultTensors()
	if err := runs.Load("../../experiments/tensors.yaml", c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if len(c.Tasks) != len(tasks.Arrays())+1 {
		t.Errorf("%d tasks, there are %d on arrays", len(c.Tasks), len(tasks.Arrays()))
	}
	c.Tasks[0] = "Roe"
	if err := c.Validate(); err == nil {
		t.Error("an unknown task is accepted")
	}
	c.Tasks = nil
	if err := c.Validate(); err == nil {
		t.Error("no tasks are accepted")
	}
}
