package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// bar shows progress on a terminal; elsewhere it is silent, so that logs stay readable.
type bar struct {
	mu   sync.Mutex
	bar  *progressbar.ProgressBar // nil where nothing is shown
	stop chan struct{}
	once sync.Once
}

// terminal reports whether a stream is one that a person looks at.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// newBar makes a bar that fills with wall time up to budget, or one to be set by step when budget is 0.
func newBar(cmd *cobra.Command, budget time.Duration) *bar {
	b := &bar{stop: make(chan struct{})}
	if !terminal(cmd.ErrOrStderr()) {
		return b
	}
	total := int(budget / time.Millisecond)
	if budget == 0 {
		total = -1
	}
	b.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(cmd.ErrOrStderr()), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetWidth(30), progressbar.OptionSetElapsedTime(true))
	if budget > 0 {
		go b.follow(budget)
	}
	return b
}

func (b *bar) follow(budget time.Duration) {
	start := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-tick.C:
			b.update(func() { b.bar.Set(int(min(time.Since(start), budget) / time.Millisecond)) })
		}
	}
}

func (b *bar) update(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		f()
	}
}

// best shows the best cost so far.
func (b *bar) best(cost, bound int64) {
	b.update(func() { b.bar.Describe(fmt.Sprintf("best %d, bound %d", cost, bound)) })
}

// step shows how much of the work is done.
func (b *bar) step(what string, done, total int) {
	b.update(func() {
		b.bar.ChangeMax(total)
		b.bar.Describe(what)
		b.bar.Set(done)
	})
}

func (b *bar) finish() {
	b.once.Do(func() { close(b.stop) })
	b.update(func() { b.bar.Finish() })
}
