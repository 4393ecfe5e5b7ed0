package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Format is what the first key of a rule file says.
const Format = "alphagrad-rule/1"

// A Rule is a learning rule.
type Rule struct {
	Format string `json:"format"`
	Name   string `json:"name,omitempty"`
	Edits  []Edit `json:"edits"`
	// Time says how states carry time, States how single ones do.
	Time   Carrier            `json:"time"`
	States map[string]Carrier `json:"states,omitempty"`
	// Reach keeps, after every step, only influences on units that a parameter reaches within so many steps: SnAp-n. 0
	// means no limit. It needs time to be carried forward.
	Reach int   `json:"reach,omitempty"`
	Order Order `json:"order,omitzero"` // of elimination; it changes the cost only
}

// An Edit says what becomes of the Jacobian on one edge.
type Edit struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	Kind   string  `json:"kind"`             // a row of [Kinds]
	Factor float64 `json:"factor,omitempty"` // of leak and scale
	K      int     `json:"k,omitempty"`      // entries per row of random_k, rank of sketch
}

// kind is a row of the table of edits.
type kind struct {
	doc       string
	short     string // in formulas; %s stands for the number
	factor, k bool
}

var kinds = map[string]kind{
	"keep":     {doc: "the Jacobian as it is", short: "J"},
	"drop":     {doc: "zero", short: "0"},
	"diagonal": {doc: "the diagonal of the Jacobian", short: "diag J"},
	"leak":     {doc: "a constant times the identity", short: "%s·I", factor: true},
	"scale":    {doc: "the Jacobian times a constant", short: "%s·J", factor: true},
	"sign":     {doc: "the signs of the Jacobian", short: "sign J"},
	"random_k": {doc: "k entries of each row, chosen once at random", short: "J∘mask(%s)", k: true},
	"random":   {doc: "a fixed random matrix", short: "B"},
	"learned":  {doc: "a matrix that learns as the weights on the edge do", short: "B(t)"},
	"sketch":   {doc: "an unbiased random matrix of rank k, drawn anew every step", short: "J·VVᵀ/%s", k: true},
}

// Kinds lists the kinds of edits with what becomes of the Jacobian.
func Kinds() map[string]string {
	list := map[string]string{}
	for name, k := range kinds {
		list[name] = k.doc
	}
	return list
}

// A Mode is how a state carries time.
type Mode string

// The modes.
const (
	Forward Mode = "forward" // the influence of parameters on it is carried along
	Reverse Mode = "reverse" // its adjoint is carried back through a window, which has to be stored
	None    Mode = "none"    // not at all
)

// A Carrier is a mode with its window, printed as "forward", "reverse", "reverse(20)" or "none".
type Carrier struct {
	Mode   Mode
	Window int // steps; 0: the whole sequence
}

// String prints the carrier.
func (c Carrier) String() string {
	if c.Window > 0 {
		return fmt.Sprintf("%s(%d)", c.Mode, c.Window)
	}
	return string(c.Mode)
}

// MarshalText prints the carrier.
func (c Carrier) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// maxWindow bounds windows, reaches and ranks in files.
const maxWindow = 1 << 20

// UnmarshalText reads what String prints.
func (c *Carrier) UnmarshalText(text []byte) error {
	mode, window, windowed := strings.Cut(string(text), "(")
	*c = Carrier{Mode: Mode(mode)}
	switch c.Mode {
	case Forward, Reverse, None:
	default:
		return fmt.Errorf("carrier %q; expected forward, reverse, reverse(K) or none", text)
	}
	if windowed {
		n, err := strconv.Atoi(strings.TrimSuffix(window, ")"))
		if err != nil || n < 1 || n > maxWindow || c.Mode != Reverse || c.String()+"("+strconv.Itoa(n)+")" != string(text) {
			return fmt.Errorf("carrier %q; a window is a number of steps from 1, of reverse: reverse(20)", text)
		}
		c.Window = n
	}
	return nil
}

// Of is how a state carries time; a window of one step carries nothing.
func (r *Rule) Of(state string) Carrier {
	c, own := r.States[state]
	if !own {
		c = r.Time
	}
	if c.Mode == Reverse && c.Window == 1 {
		return Carrier{Mode: None}
	}
	return c
}

// Parse reads a rule from JSON. It knows no model: see [Rule.Build].
func Parse(data []byte) (*Rule, error) {
	var file struct {
		Format string `json:"format"`
	}
	if json.Unmarshal(data, &file) == nil && file.Format != Format { // what is another thing altogether is called that
		return nil, fmt.Errorf("format is %q, expected %q", file.Format, Format)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	r := &Rule{}
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("no rule: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("no rule: there is more after its end")
	}
	return r, r.Validate()
}

// Read reads a rule file.
func Read(path string) (*Rule, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("rule: %w", err)
	}
	r, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// JSON is the content of a rule file.
func (r *Rule) JSON() ([]byte, error) {
	c := *r
	c.Format = Format
	if c.Edits == nil {
		c.Edits = []Edit{}
	}
	data, err := json.MarshalIndent(&c, "", "  ")
	return append(data, '\n'), err
}

// Validate reports what no model could make sense of.
func (r *Rule) Validate() error {
	switch r.Time.Mode {
	case Forward, Reverse, None:
	default:
		return fmt.Errorf("time is %q; expected forward, reverse, reverse(K) or none", r.Time.Mode)
	}
	if r.Reach < 0 || r.Reach > maxWindow {
		return fmt.Errorf("reach is %d steps; expected at least 1, or 0 for no limit", r.Reach)
	}
	if r.Reach > 0 && !r.Causal() {
		return errors.New("reach limits what is carried forward; some state carries time in reverse")
	}
	if err := r.Order.check(); err != nil {
		return err
	}
	seen := map[[2]string]bool{}
	for _, e := range r.Edits {
		k, known := kinds[e.Kind]
		at := [2]string{e.From, e.To}
		switch {
		case e.From == "" || e.To == "":
			return errors.New("an edit names no edge: it needs from and to")
		case !known:
			return fmt.Errorf("edit of %s→%s: unknown kind %q; known: %s", e.From, e.To, e.Kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
		case seen[at]:
			return fmt.Errorf("edge %s→%s is edited twice", e.From, e.To)
		case !k.factor && e.Factor != 0:
			return fmt.Errorf("edit of %s→%s: %s takes no factor", e.From, e.To, e.Kind)
		case k.k != (e.K != 0) || e.K < 0 || e.K > maxWindow:
			return fmt.Errorf("edit of %s→%s: %s with k = %d; %s", e.From, e.To, e.Kind, e.K, map[bool]string{true: "expected a number from 1", false: "it takes none"}[k.k])
		}
		seen[at] = true
	}
	return nil
}

// Causal reports whether nothing is carried back in time.
func (r *Rule) Causal() bool {
	for _, c := range r.States {
		if c.Mode == Reverse && c.Window != 1 {
			return false
		}
	}
	return r.Time.Mode != Reverse || r.Time.Window == 1
}

// short is what stands for the Jacobian J in formulas.
func (e Edit) short() string {
	switch k := kinds[e.Kind]; {
	case k.factor:
		return fmt.Sprintf(k.short, strconv.FormatFloat(e.Factor, 'g', 4, 64))
	case k.k:
		return fmt.Sprintf(k.short, strconv.Itoa(e.K))
	default:
		return k.short
	}
}

// Formula prints the rule on one line: for every edited edge what stands for its Jacobian J, then how time is carried.
func (r *Rule) Formula() string {
	var parts []string
	for _, e := range r.Edits {
		if e.Kind != "keep" {
			parts = append(parts, fmt.Sprintf("∂%s/∂%s := %s", e.To, e.From, e.short()))
		}
	}
	if len(parts) == 0 {
		parts = []string{"all Jacobians"}
	}
	text := strings.Join(parts, ", ") + "; " + r.Time.String()
	for _, s := range slices.Sorted(maps.Keys(r.States)) {
		text += fmt.Sprintf(", %s %s", s, r.States[s])
	}
	if r.Reach > 0 {
		text += fmt.Sprintf(", influence within %d steps", r.Reach)
	}
	if !r.Order.IsZero() {
		text += ", order " + r.Order.String()
	}
	return text
}
