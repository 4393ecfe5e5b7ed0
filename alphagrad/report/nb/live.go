package nb

import (
	"fmt"
	"html"
	"math"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
)

// liveInterval is the shortest time between two pictures of a live figure or two updates of a progress line. Drawing
// takes milliseconds; more pictures than these only slow the browser down.
const liveInterval = 500 * time.Millisecond

// throttle lets an event through at most once per liveInterval. The zero value lets the first one through.
type throttle struct{ last time.Time }

func (t *throttle) ready(now time.Time) bool {
	if !t.last.IsZero() && now.Sub(t.last) < liveInterval {
		return false
	}
	t.last = now
	return true
}

// Live is a figure that changes while work goes on. It may be used from several goroutines.
type Live struct {
	mu       sync.Mutex
	id       string
	throttle throttle
	pending  func() report.Figure // latest figure that has not been shown
}

// NewLive returns a live figure; it appears with the first [Live.Update].
func NewLive() *Live {
	return &Live{id: "live_" + gonbui.UniqueId()}
}

// Update replaces the figure. Updates faster than twice a second are skipped without calling figure, except for the
// latest, which [Live.Close] shows; so it costs little to call it at every step. figure may thus be called as late as in
// Close, and must then still be able to describe what it shows.
func (l *Live) Update(figure func() report.Figure) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = figure
	if !l.throttle.ready(time.Now()) {
		return nil
	}
	return l.show()
}

// Close shows the latest figure, which stays in the notebook.
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.show()
}

func (l *Live) show() error {
	if l.pending == nil {
		return nil
	}
	f := l.pending()
	l.pending = nil
	return showFigure(l.id, f)
}

// Progress is a line that says how far long work has come. It may be used from several goroutines.
type Progress struct {
	mu       sync.Mutex
	id       string
	label    string
	total    int
	start    time.Time
	throttle throttle
}

// NewProgress returns a progress line for work of total steps; 0 means that the number is not known.
func NewProgress(label string, total int) *Progress {
	return &Progress{id: "progress_" + gonbui.UniqueId(), label: label, total: total, start: time.Now()}
}

// Set says that done steps are finished, with a note such as the best value so far. Calls faster than twice a second are
// skipped.
func (p *Progress) Set(done int, note string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.throttle.ready(now) {
		return nil
	}
	return p.show(done, note, now)
}

// Close shows the final state.
func (p *Progress) Close(done int, note string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.show(done, note, time.Now())
}

func (p *Progress) show(done int, note string, now time.Time) error {
	line := p.line(done, note, now.Sub(p.start))
	if !gonbui.IsNotebook {
		_, err := fmt.Fprintln(progressOutput, line)
		return err
	}
	bar := ""
	if p.total > 0 {
		bar = fmt.Sprintf(`<progress value="%d" max="%d" style="width:200px;vertical-align:middle"></progress> `, min(max(done, 0), p.total), p.total)
	}
	return send(p.id, protocol.MIMETextHTML, "<div>"+bar+html.EscapeString(line)+"</div>")
}

// line is the text of the progress line.
func (p *Progress) line(done int, note string, elapsed time.Duration) string {
	s := fmt.Sprintf("%s: %d", p.label, done)
	if p.total > 0 {
		s += fmt.Sprintf(" of %d (%.0f %%)", p.total, math.Floor(100*float64(done)/float64(p.total)))
	}
	s += fmt.Sprintf(", %.1f s", elapsed.Seconds())
	if note != "" {
		s += ", " + note
	}
	return s
}
