package graphgen

import (
	"fmt"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A sketch is a program under construction: steps over values, which are the inputs followed by one value per step.
//
// A value is open while nothing uses it. At the end, open values are outputs, so that nothing is dead; and an open
// input would be of no use. A sketch therefore never takes a step after which the steps left could not bring the open
// values down to the outputs wanted, or use up the open inputs: joining two open values takes one off.
type sketch struct {
	rng    *rand.Rand
	habits habits
	inputs int
	want   int // steps in the end
	ends   int // outputs in the end

	steps      []step
	uses       []int // [inputs+steps]: how many steps use the value
	open       []int // values nothing uses, ascending
	openInputs int   // how many of those are inputs
}

// A step applies a form to earlier values.
type step struct {
	form
	args     [2]int // values; only the first arity() count
	constant float64
}

// Habits say where the arguments of a step come from: the odds of each source, which need not add up to 1.
type habits struct {
	open   float64 // a value nothing uses yet
	recent float64 // one of the latest values, as many as window says
	hub    float64 // a value in proportion to how often it is used already
	input  float64 // an input
	any    float64 // any value
	window int
}

func newSketch(rng *rand.Rand, h habits, inputs, want, ends int) *sketch {
	s := &sketch{rng: rng, habits: h, inputs: inputs, want: want, ends: ends, uses: make([]int, inputs), openInputs: inputs}
	for i := range inputs {
		s.open = append(s.open, i)
	}
	return s
}

// left is the number of steps to come.
func (s *sketch) left() int { return s.want - len(s.steps) }

// allows reports whether the sketch can be finished after a number of steps that take some open values, some of them
// inputs, as arguments and leave one open.
func (s *sketch) allows(steps, open, openInputs int) bool {
	left := s.left() - steps
	return left >= 0 && len(s.open)-open+1-s.ends <= left && s.openInputs-openInputs <= left
}

// allowsArgs is allows for given arguments.
func (s *sketch) allowsArgs(steps int, args []int) bool {
	open, inputs := 0, 0
	for i, a := range args {
		if s.uses[a] == 0 && !contains(args[:i], a) {
			open++
			if a < s.inputs {
				inputs++
			}
		}
	}
	return s.allows(steps, open, inputs)
}

func contains(list []int, x int) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

// add takes a step and returns its value.
func (s *sketch) add(f form, args ...int) int {
	st := step{form: f, constant: constants[s.rng.IntN(len(constants))]}
	copy(st.args[:], args)
	s.steps = append(s.steps, st)
	for i, a := range args {
		if contains(args[:i], a) {
			continue
		}
		if s.uses[a] == 0 {
			s.close(a)
		}
		s.uses[a]++
	}
	v := len(s.uses)
	s.uses = append(s.uses, 0)
	s.open = append(s.open, v)
	return v
}

// close takes a value off the list of open ones.
func (s *sketch) close(v int) {
	for i, o := range s.open {
		if o == v {
			s.open = append(s.open[:i], s.open[i+1:]...)
			break
		}
	}
	if v < s.inputs {
		s.openInputs--
	}
}

// pick draws an argument by the habits.
func (s *sketch) pick() int {
	h, n := s.habits, len(s.uses)
	at := s.rng.Float64() * (h.open + h.recent + h.hub + h.input + h.any)
	if at -= h.open; at < 0 && len(s.open) > 0 {
		return s.open[s.rng.IntN(len(s.open))]
	}
	if at -= h.recent; at < 0 {
		return n - 1 - s.rng.IntN(min(n, h.window))
	}
	if at -= h.hub; at < 0 && len(s.steps) > 0 {
		// Any argument of any step: values appear as often as they are used.
		st := s.steps[s.rng.IntN(len(s.steps))]
		return st.args[s.rng.IntN(st.arity())]
	}
	if at -= h.input; at < 0 {
		return s.rng.IntN(s.inputs)
	}
	return s.rng.IntN(n)
}

// pickDifferent draws distinct arguments, by the habits as long as that does not take too many attempts. There must be
// that many values.
func (s *sketch) pickDifferent(count int) []int {
	var args []int
	for tries := 0; len(args) < count; tries++ {
		v := s.pick()
		if tries > 20*count {
			v = s.rng.IntN(len(s.uses))
		}
		if !contains(args, v) {
			args = append(args, v)
		}
	}
	return args
}

// grow takes one step by the habits and the mix. Where arguments would make the sketch impossible to finish, open
// values take their place, inputs first, and where one argument is not enough for that, the step takes two.
func (s *sketch) grow(mix []share) {
	f := draw(s.rng, mix, anyArity)
	for range 8 {
		if f.arity() > len(s.uses) {
			break
		}
		if args := s.pickDifferent(f.arity()); s.allowsArgs(1, args) {
			s.add(f, args...)
			return
		}
	}
	if args := s.oldest(1); f.arity() == 1 && s.allowsArgs(1, args) {
		s.add(f, args...)
		return
	}
	if len(s.open) > 1 {
		s.add(draw(s.rng, mix, 2), s.oldest(2)...)
		return
	}
	s.add(draw(s.rng, mix, 1), s.oldest(1)...)
}

// oldest lists the first open values, which are inputs as long as there are open ones. Of the others some in the middle
// are as good, and make the program less of a ladder.
func (s *sketch) oldest(count int) []int {
	if s.openInputs >= count || len(s.open) <= count {
		return append([]int(nil), s.open[:count]...)
	}
	args := append([]int(nil), s.open[:s.openInputs]...)
	for len(args) < count {
		if v := s.open[s.openInputs+s.rng.IntN(len(s.open)-s.openInputs)]; !contains(args, v) {
			args = append(args, v)
		}
	}
	return args
}

// template draws a sub-program with the given number of arguments and steps, one result, and all arguments used.
func (s *sketch) template(args, steps int) *sketch {
	t := newSketch(s.rng, habits{open: 3, recent: 1, input: 1, window: 4}, args, steps, 1)
	for t.left() > 0 {
		t.grow(taskMix)
	}
	return t
}

// place repeats the steps of a template on other arguments, if the sketch can be finished then, and returns the value
// of its result.
func (s *sketch) place(t *sketch, args []int) (result int, ok bool) {
	if !s.allowsArgs(len(t.steps), args) {
		return 0, false
	}
	at := append([]int(nil), args...)
	for _, st := range t.steps {
		var mapped [2]int
		for i := range st.arity() {
			mapped[i] = at[st.args[i]]
		}
		at = append(at, s.add(st.form, mapped[:st.arity()]...))
		s.steps[len(s.steps)-1].constant = st.constant
	}
	return at[len(at)-1], true
}

// finish grows what is left and declares outputs: the open values, and late other ones if more are wanted.
func (s *sketch) finish(name string) (*ir.Program, error) {
	for s.left() > 0 {
		s.grow(taskMix)
	}
	outputs := append([]int(nil), s.open...)
	for len(outputs) < s.ends {
		half := len(s.steps) / 2
		if v := s.inputs + half + s.rng.IntN(len(s.steps)-half); !contains(outputs, v) {
			outputs = append(outputs, v)
		}
	}
	b := ir.NewBuilder(name)
	var values []*ir.Value
	for i := range s.inputs {
		values = append(values, b.Input(fmt.Sprintf("x%d", i+1)))
	}
	for _, st := range s.steps {
		var args []*ir.Value
		for _, a := range st.args[:st.arity()] {
			args = append(args, values[a])
		}
		switch st.fixed {
		case -1:
			args = []*ir.Value{ir.Const(b, st.constant), args[0]}
		case 1:
			args = append(args, ir.Const(b, st.constant))
		}
		values = append(values, ir.Apply(st.op, nil, args...))
	}
	for i, v := range outputs {
		b.Output(fmt.Sprintf("y%d", i+1), values[v])
	}
	return b.Build()
}
