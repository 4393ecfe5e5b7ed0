package peers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// answer is one line of a worker: JSON with one of the fields set.
type answer struct {
	Methods     []string          `json:"methods"`
	Refused     map[string]string `json:"refused"` // methods that cannot, and why
	Results     [][]string        `json:"results"` // as text, which holds every float exactly, infinities too
	Nanoseconds *int64            `json:"nanoseconds"`
	Versions    map[string]string `json:"versions"`
	Error       string            `json:"error"`
}

// maxAnswer bounds one line: 16 samples of the widest problem take some hundred kilobytes.
const maxAnswer = 64 << 20

// parseAnswer reads a line that a worker printed. The kind is the request's first word.
func parseAnswer(kind string, line []byte) (*answer, error) {
	var a answer
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		return nil, fmt.Errorf("answer %.80q is no JSON object of the protocol: %w", line, err)
	}
	if dec.More() {
		return nil, fmt.Errorf("answer %.80q has something after its JSON object", line)
	}
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	missing := map[string]bool{"methods": a.Methods == nil, "results": a.Results == nil, "time": a.Nanoseconds == nil, "versions": a.Versions == nil}
	if absent, known := missing[kind]; !known || absent {
		return nil, fmt.Errorf("answer %.80q is not one to the request %q", line, kind)
	}
	if a.Nanoseconds != nil && *a.Nanoseconds < 0 {
		return nil, fmt.Errorf("a turn took %d ns", *a.Nanoseconds)
	}
	return &a, nil
}

// numbers reads the results of an answer.
func (a *answer) numbers() ([][]float64, error) {
	rows := make([][]float64, len(a.Results))
	for k, r := range a.Results {
		rows[k] = make([]float64, len(r))
		for i, text := range r {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil && !math.IsInf(v, 0) {
				return nil, fmt.Errorf("sample %d, result %d: %q is no number", k, i, text)
			}
			rows[k][i] = v
		}
	}
	return rows, nil
}

// Process is a worker in a process of its own, asked over its standard input.
type Process struct {
	name   string
	ctx    context.Context
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr tail
}

// start runs a command as a worker; it is killed when ctx ends.
func start(ctx context.Context, name string, command ...string) (*Process, error) {
	p := &Process{name: name, ctx: ctx, cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReaderSize(out, 1<<16)
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// ask sends a request and waits for its answer.
func (p *Process) ask(kind string, words ...any) (*answer, error) {
	request := kind
	for _, w := range words {
		request += fmt.Sprintf(" %v", w)
	}
	fail := func(err error) error {
		if p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		return fmt.Errorf("%s, asked for %q: %w", p.name, request, err)
	}
	if _, err := io.WriteString(p.in, request+"\n"); err != nil {
		return nil, fail(p.ended(err))
	}
	line, err := readLine(p.out, maxAnswer)
	if err != nil {
		return nil, fail(p.ended(err))
	}
	a, err := parseAnswer(kind, line)
	if err != nil {
		return nil, fail(err)
	}
	return a, nil
}

// readLine reads up to a line's end and not more than limit bytes.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > limit:
			return nil, fmt.Errorf("an answer of more than %d bytes", limit)
		}
	}
}

// ErrEnded is a worker's process that is no more.
var ErrEnded = errors.New("it ended")

// ended explains a broken pipe by what the worker said last.
func (p *Process) ended(err error) error {
	if text := p.stderr.last(); text != "" {
		return fmt.Errorf("%w: %s", ErrEnded, text)
	}
	return fmt.Errorf("%w: %w", ErrEnded, err)
}

// Methods implements [Worker].
func (p *Process) Methods(at At) (methods []string, refused map[string]string, err error) {
	a, err := p.ask("methods", at.Problem, at.Type, at.Batch)
	if err != nil {
		return nil, nil, err
	}
	return a.Methods, a.Refused, nil
}

// Results implements [Worker].
func (p *Process) Results(method string, at At) ([][]float64, error) {
	a, err := p.ask("results", method, at.Problem, at.Type, at.Batch)
	if err != nil {
		return nil, err
	}
	return a.numbers()
}

// Time implements [Worker].
func (p *Process) Time(method string, at At, calls int) (time.Duration, error) {
	if at.Batch > 1 && calls > 1 {
		// One call beforehand brings the worker's memory back into the caches, which other workers have filled meanwhile;
		// workers that lay their memory out anew for a method find it there anyway.
		if _, err := p.ask("time", method, at.Problem, at.Type, at.Batch, 1); err != nil {
			return 0, err
		}
	}
	a, err := p.ask("time", method, at.Problem, at.Type, at.Batch, calls)
	if err != nil {
		return 0, err
	}
	return time.Duration(*a.Nanoseconds), nil
}

// Versions asks a Python worker for the versions of its libraries.
func (p *Process) Versions() (map[string]string, error) {
	a, err := p.ask("versions")
	if err != nil {
		return nil, err
	}
	return a.Versions, nil
}

// Close ends the process.
func (p *Process) Close() error {
	p.in.Close()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(5 * time.Second):
		p.cmd.Process.Kill()
		return <-done
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if n := len(t.text) - 4096; n > 0 {
		t.text = t.text[n:]
	}
	return len(b), nil
}

// last is the line that tells the most: the first that speaks of an error, else the last one.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	for _, l := range lines {
		if strings.Contains(l, "error: ") || strings.Contains(l, "undefined reference") || strings.Contains(l, "multiple definition") {
			return strings.TrimSpace(l)
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}
