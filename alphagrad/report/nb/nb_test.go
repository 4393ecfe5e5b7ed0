package nb

import (
	"bytes"
	"encoding/gob"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
)

// fakeKernel is the other end of the pipes of a GoNB kernel: it keeps what it is told to display, and acknowledges.
type fakeKernel struct {
	mu        sync.Mutex
	displayed []protocol.DisplayData
}

// kernel is the one for all tests: the client side keeps its pipes for the life of the process.
var kernel = &fakeKernel{}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "nb")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		there, back := filepath.Join(dir, "there"), filepath.Join(dir, "back")
		for path, variable := range map[string]string{there: protocol.GONB_PIPE_ENV, back: protocol.GONB_PIPE_BACK_ENV} {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				panic(err)
			}
			os.Setenv(variable, path)
		}
		go kernel.serve(there, back)
		return m.Run()
	}())
}

func (k *fakeKernel) serve(there, back string) {
	in, err := os.Open(there)
	if err != nil {
		panic(err)
	}
	out, err := os.OpenFile(back, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	decoder, encoder := gob.NewDecoder(in), gob.NewEncoder(out)
	for {
		var data protocol.DisplayData
		if decoder.Decode(&data) != nil {
			return
		}
		if request, ok := data.Data[protocol.MIMECommValue].(protocol.CommValue); ok {
			if err := encoder.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: request.Value}); err != nil {
				panic(err)
			}
			continue
		}
		k.mu.Lock()
		k.displayed = append(k.displayed, data)
		k.mu.Unlock()
	}
}

// shown runs f as a notebook cell and returns what it displayed.
func shown(t *testing.T, f func() error) []protocol.DisplayData {
	t.Helper()
	gonbui.IsNotebook = true
	defer func() { gonbui.IsNotebook = false }()
	kernel.mu.Lock()
	kernel.displayed = nil
	kernel.mu.Unlock()
	if err := f(); err != nil {
		t.Fatal(err)
	}
	kernel.mu.Lock()
	defer kernel.mu.Unlock()
	return kernel.displayed
}

// printed runs f outside a notebook and returns what it wrote.
func printed(t *testing.T, f func() error) string {
	t.Helper()
	var b bytes.Buffer
	output, progressOutput = &b, &b
	defer func() { output, progressOutput = os.Stdout, os.Stderr }()
	if err := f(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	table = report.Table{Columns: []report.Column{{Name: "task"}, {Name: "muls"}}, Rows: [][]any{{"g", 408}}}
	graph = report.Graph{
		Name:  "g",
		Nodes: []report.Node{{ID: "x", Kind: report.InputNode}, {ID: "v"}, {ID: "y", Kind: report.OutputNode}},
		Edges: []report.Edge{{From: "x", To: "v"}, {From: "v", To: "y"}},
	}
)

func bars(value float64) report.BarChart {
	return report.BarChart{Groups: []string{"g"}, Series: []report.BarSeries{{Values: []float64{value}}}, ValueLabels: true}
}

func TestShow(t *testing.T) {
	for name, test := range map[string]struct {
		show func() error
		kind protocol.MIMEType
		want string // in the notebook
		text string // elsewhere
	}{
		"table": {func() error { return Table(table) }, protocol.MIMETextHTML, "408</td>", "task  muls\n────  ────\ng      408\n\n"},
		"plot":  {func() error { return Plot(bars(408)) }, protocol.MIMEImageSVG, ">408</text>", ""},
		"graph": {func() error { return Graph(graph, report.GraphOptions{}) }, protocol.MIMEImageSVG, ">v</text>", ""},
		"step":  {func() error { return Step(graph, "v") }, protocol.MIMEImageSVG, ">after eliminating v</text>", ""},
		"film":  {func() error { return Film(graph, []string{"v"}) }, protocol.MIMEImageSVG, ">result after 1 multiplications</text>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := shown(t, test.show)
			if len(got) != 1 {
				t.Fatalf("%d displays, want one", len(got))
			}
			content, _ := got[0].Data[test.kind].(string)
			if len(got[0].Data) != 1 || !strings.Contains(content, test.want) || got[0].DisplayID != "" {
				t.Errorf("displayed %v, want %s with %q", got[0], test.kind, test.want)
			}
			if text := printed(t, test.show); text != test.text {
				t.Errorf("outside a notebook: %q, want %q", text, test.text)
			}
		})
	}
}

func TestBadDescriptions(t *testing.T) {
	for _, notebook := range []bool{false, true} {
		gonbui.IsNotebook = notebook
		for name, err := range map[string]error{
			"table": Table(report.Table{}), "plot": Plot(nil), "graph": Graph(report.Graph{}, report.GraphOptions{}),
			"step": Step(graph, "x"), "film": Film(graph, []string{"z"}),
		} {
			if err == nil {
				t.Errorf("notebook %v: a broken %s was shown", notebook, name)
			}
		}
	}
	gonbui.IsNotebook = false
}

func TestLive(t *testing.T) {
	drawn := 0
	got := shown(t, func() error {
		live := NewLive()
		for i := 1; i <= 50; i++ {
			if err := live.Update(func() report.Figure { drawn++; return bars(float64(i)) }); err != nil {
				return err
			}
			live.throttle.last = time.Now() // this machine may take longer than the interval
		}
		return live.Close()
	})
	if len(got) != 2 || drawn != 2 {
		t.Fatalf("%d displays and %d drawings of 50 updates, want the first and the last", len(got), drawn)
	}
	for i, want := range []string{">1</text>", ">50</text>"} {
		content, _ := got[i].Data[protocol.MIMEImageSVG].(string)
		if !strings.Contains(content, want) || got[i].DisplayID == "" || got[i].DisplayID != got[0].DisplayID {
			t.Errorf("display %d of block %q does not show %s", i, got[i].DisplayID, want)
		}
	}
	if got := shown(t, NewLive().Close); len(got) != 0 {
		t.Errorf("a live figure without updates displayed %v", got)
	}
}

func TestProgress(t *testing.T) {
	work := func() error {
		p := NewProgress("searching <g>", 200)
		p.start = p.start.Add(-90 * time.Second)
		for i := range 200 {
			if err := p.Set(i, ""); err != nil {
				return err
			}
			p.throttle.last = time.Now()
		}
		return p.Close(199, "best 408")
	}
	got := shown(t, work)
	if len(got) != 2 || got[0].DisplayID != got[1].DisplayID || got[0].DisplayID == "" {
		t.Fatalf("displayed %v, want the first and the last state in one block", got)
	}
	content, _ := got[1].Data[protocol.MIMETextHTML].(string)
	for _, want := range []string{`<progress value="199" max="200"`, "searching &lt;g&gt;: 199 of 200 (99 %), 90.", " s, best 408</div>"} {
		if !strings.Contains(content, want) {
			t.Errorf("%s does not contain %s", content, want)
		}
	}
	text := printed(t, work)
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[1], "searching <g>: 199 of 200 (99 %), 90.") {
		t.Errorf("printed %q", text)
	}
}

func TestThrottle(t *testing.T) {
	var th throttle
	now := time.Unix(1000, 0)
	for _, step := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {liveInterval / 2, false}, {liveInterval - 1, false}, {liveInterval, true}, {liveInterval + 1, false}, {2 * liveInterval, true}} {
		if got := th.ready(now.Add(step.after)); got != step.want {
			t.Errorf("after %v: %v", step.after, got)
		}
	}
}

func TestMust(t *testing.T) {
	Must(nil)
}
