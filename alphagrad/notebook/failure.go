package notebook

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// CellError says which cell of which notebook failed, and why, on one line.
type CellError struct {
	Notebook string // file name
	Cell     int    // code cell, counted from 1; 0 if the failure belongs to no cell
	Line     int    // line of the cell, counted from 1; 0 if unknown
	Message  string // one line
}

// Error names the place and the reason.
func (e *CellError) Error() string {
	where := e.Notebook
	if e.Cell > 0 {
		where += fmt.Sprintf(": code cell %d", e.Cell)
	}
	if e.Line > 0 {
		where += fmt.Sprintf(", line %d", e.Line)
	}
	return where + ": " + e.Message
}

const (
	failedCell  = "CellExecutionError: An error occurred while executing the following cell:\n------------------\n"
	sourceEnd   = "\n------------------\n"
	timedOut    = "CellTimeoutError: A cell timed out"
	previewRule = "\n-------------------\n"
)

var (
	escapeSequence = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")
	// What the kernel logs when a cell does not compile, and one message of the compiler inside it.
	buildLog      = regexp.MustCompile(`(?s)Failed "[^\n]*":\n(.*?)\n\n`)
	buildMessage  = regexp.MustCompile(`(?m)^\S*main(?:_test)?\.go:\d+:\d+: (.+)$`)
	cellLine      = regexp.MustCompile(`Cell ?(?:\[\d+\]:? )?Line (\d+)`)
	streamRule    = regexp.MustCompile(`(?m)^----- (stdout|stderr) -----$\n?`)
	rule          = regexp.MustCompile(`(?m)^-{18}$`)
	exitStatus    = regexp.MustCompile(`(?m)^(exit status \d+|signal: .*)$`)
	panicking     = regexp.MustCompile(`(?:panic|fatal error): ?(.*)`)
	stackTrace    = regexp.MustCompile(`\s*(?:\[recovered\]\s*)?goroutine\s+\d+.*$`)
	pythonEscapes = regexp.MustCompile(`\\.`)
)

// maxMessage bounds a message in bytes: a program that failed may have printed anything.
const maxMessage = 400

// failure explains why nbconvert failed on notebook name from what it and the kernel wrote to standard error.
func failure(name string, nb *Notebook, log string) *CellError {
	log = escapeSequence.ReplaceAllString(log, "")
	e := &CellError{Notebook: name}
	if i := strings.LastIndex(log, failedCell); i >= 0 {
		report := log[i+len(failedCell):]
		for n, c := range nb.code() {
			source := string(c.Source) + sourceEnd
			if strings.HasPrefix(report, source) {
				e.Cell, report = n+1, report[len(source):]
				break
			}
		}
		if m := cellLine.FindAllStringSubmatch(report, -1); m != nil {
			at := 0
			if streamRule.MatchString(report) {
				at = len(m) - 1 // the program ran: a stack ends in the cell that was executed, wherever it begins
			}
			fmt.Sscan(m[at][1], &e.Line)
		}
		e.Message = reason(report, log[:i])
		return e
	}
	if i := strings.LastIndex(log, timedOut); i >= 0 {
		e.Message = "it took longer than the time limit for one cell"
		if _, preview, ok := strings.Cut(log[i:], previewRule); ok {
			preview, _, _ = strings.Cut(preview, previewRule)
			e.Cell = findPreview(nb, preview)
		}
		return e
	}
	e.Message = "nbconvert failed: " + clip(lastLine(log))
	return e
}

// reason finds the decisive line in nbconvert's report about a failed cell, or in the kernel's log before it.
func reason(report, log string) string {
	if streams := streamRule.FindAllStringSubmatchIndex(report, -1); streams != nil {
		// The program ran, so it is its standard error that counts. The kernel forwards every write on its own, and a panic
		// message consists of many.
		var words []string
		for i, at := range streams {
			end := len(report)
			if i+1 < len(streams) {
				end = streams[i+1][0]
			}
			if report[at[2]:at[3]] == "stderr" {
				text, _, _ := strings.Cut(report[at[1]:end], "\n------------------\n")
				words = append(words, strings.Fields(exitStatus.ReplaceAllString(text, ""))...)
			}
		}
		text := strings.Join(words, " ")
		if m := panicking.FindStringSubmatch(text); m != nil {
			return clip("panic: " + stackTrace.ReplaceAllString(m[1], ""))
		}
		if text != "" {
			return clip(text)
		}
	} else if logs := buildLog.FindAllStringSubmatch(log, -1); logs != nil {
		if m := buildMessage.FindStringSubmatch(logs[len(logs)-1][1]); m != nil {
			return clip(m[1])
		}
	}
	report = rule.ReplaceAllString(streamRule.ReplaceAllString(report, ""), "")
	if text := lastLine(exitStatus.ReplaceAllString(report, "")); text != "" {
		return clip(text)
	}
	return clip(lastLine(report))
}

// findPreview returns the number of the code cell that nbclient previews after a timeout. The preview of a long cell is
// its first and last five lines as Python lists, so only letters and digits are compared.
func findPreview(nb *Notebook, preview string) int {
	want := alphanumeric(pythonEscapes.ReplaceAllString(preview, ""))
	for n, c := range nb.code() {
		source := string(c.Source)
		lines := strings.Split(strings.TrimSpace(source), "\n")
		if len(lines) > 10 {
			source = strings.Join(lines[:5], "") + strings.Join(lines[len(lines)-5:], "")
		}
		if alphanumeric(source) == want || alphanumeric(string(c.Source)) == alphanumeric(preview) {
			return n + 1
		}
	}
	return 0
}

func alphanumeric(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:])
}

// clip makes s one line of bounded length.
func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + " …"
	}
	return s
}

// shellFailure finds a shell line that failed. GoNB reports its exit status on standard error and goes on, so without
// this a notebook could look fine although nothing in it worked.
func shellFailure(name string, nb *Notebook) error {
	for n, c := range nb.code() {
		if !shellLine.MatchString(string(c.Source)) {
			continue
		}
		var stderr strings.Builder
		for _, o := range c.Outputs {
			if o.Type == "stream" && o.Name == "stderr" {
				stderr.WriteString(string(o.Text))
			}
		}
		if exitStatus.MatchString(stderr.String()) {
			return &CellError{Notebook: name, Cell: n + 1, Message: "a shell line failed: " + clip(stderr.String())}
		}
	}
	return nil
}

var shellLine = regexp.MustCompile(`(?m)^(//gonb:)?!`)
