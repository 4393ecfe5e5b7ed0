package train

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// TestIncumbentStaysUnlessBeaten drives evaluations by hand.
func TestIncumbentStaysUnlessBeaten(t *testing.T) {
	ctx := context.Background()
	c := small()
	tr, err := newTrainer(ctx, c, Env{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { tr.learner.Close() }()
	path := filepath.Join(tr.env.Dir, ModelName)
	evaluate := func() {
		t.Helper()
		if err := tr.evaluate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	use := func(seed uint64) {
		t.Helper()
		n, err := net.New(c.spec(), seed)
		if err != nil {
			t.Fatal(err)
		}
		tr.learner.Close()
		if tr.learner, err = net.NewTrainer(n, c.trainer()); err != nil {
			t.Fatal(err)
		}
	}
	model := func() string {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	evaluate()
	first, score := model(), tr.state.Score
	evaluate() // as good is not better
	if model() != first || tr.state.Score != score {
		t.Error("an equal network has replaced the incumbent")
	}
	use(2) // plays the same, being untrained, but has other weights
	tr.state.Score = math.Inf(1)
	evaluate()
	if model() != first || !math.IsInf(tr.state.Score, 1) {
		t.Error("a worse network has replaced the incumbent")
	}
	tr.state.Score = score - 0.1
	evaluate()
	if model() == first || tr.state.Score < score-0.05 {
		t.Errorf("a better network has not replaced the incumbent: score %v", tr.state.Score)
	}
	// On other graphs scores mean something else: the incumbent plays there before it is compared.
	second := model()
	use(3)
	tr.state.Score = -100
	tr.config.Tasks = nil
	evaluate()
	if model() != second || tr.state.Score < -10 {
		t.Errorf("the incumbent was compared by a score on other graphs; now %v", tr.state.Score)
	}
}

// TestEndsWithoutImprovement: with a learning rate of next to nothing the network stays as it is, and soon no order is
// cheaper than those before.
func TestEndsWithoutImprovement(t *testing.T) {
	c := small()
	c.Tasks, c.Generated = []string{"Lighthouse"}, Generated{}
	c.Learning.Rate = 1e-30
	c.Iterations, c.Evaluate, c.Patience = 1000, 1, 3
	dir := t.TempDir()
	records := trainOnce(t, c, Env{Dir: dir})
	last := records[len(records)-1]
	if why, _ := last["stopped"].(string); !strings.Contains(why, "no improvement in 3 evaluations") {
		t.Fatalf("last record %v", last)
	}
	// The last improvement is three evaluations back.
	best, since := int64(math.MaxInt64), 0
	for _, r := range records {
		if now, ok := r["best_Lighthouse"].(int64); ok && now < best {
			best, since = now, 0
		}
		if r["incumbent"] == true {
			since = 0
		} else if r["incumbent"] == false {
			since++
		}
	}
	if since != 3 {
		t.Errorf("stopped after %d evaluations without an improvement", since)
	}
	more := trainOnce(t, c, Env{Dir: t.TempDir(), Resume: dir})
	if len(more) != 1 || more[0]["stopped"] == nil {
		t.Errorf("resumed it goes on: %v", more)
	}
}
