package rules

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// Quality is how well a rule does on all problems.
type Quality struct {
	Skill   float64       `json:"skill"` // mean over the tasks
	Align   float64       `json:"align"` // mean over the tasks
	Tasks   []TaskQuality `json:"tasks"`
	Seconds float64       `json:"seconds"`
}

// TaskQuality is how well a rule does on one problem.
type TaskQuality struct {
	Task   string    `json:"task"`
	Rate   float64   `json:"rate"`   // the learning rate that did best
	Losses []float64 `json:"losses"` // by seed
	Loss   float64   `json:"loss"`   // their mean
	// Skill is (L_readout − L)/(L_readout − L_BPTT): 0 for training the readout only, 1 for backpropagation through time, at
	// the same budget of tuning. It can be above 1.
	Skill float64    `json:"skill"`
	Cos   [4]float64 `json:"cos"`   // with the exact gradient along the rule's own training, mean over the seeds
	Ratio [4]float64 `json:"ratio"` // of magnitudes
	// Align is the mean over checkpoints of max(0, cos)², the fraction of the exact gradient's progress, less one standard
	// deviation over the seeds.
	Align    float64  `json:"align"`
	Diverged []string `json:"diverged,omitempty"` // trainings that did, each with its rate and why
	Failed   string   `json:"failed,omitempty"`   // why no rate gave a finite loss
	Tried    int      `json:"tried"`              // rates
	Edge     bool     `json:"edge,omitempty"`     // the best rate is the smallest or the largest of at least three
}

// An Evaluator trains networks by rules and compares them. It is not safe for concurrent use, but runs its trainings on all cores.
type Evaluator struct {
	Problems []*Problem
	Rates    []float64
	Seeds    []runs.Seed
	Split    data.Split // on which losses are measured
	// Widen is how many rates more may be tried beyond the ends of Rates, one at a time as long as the best rate is at an end.
	Widen int

	bptt, readout []float64 // losses of the references by problem
}

// NewEvaluator prepares an evaluator and trains its references.
func NewEvaluator(ctx context.Context, problems []*Problem, rates []float64, seeds []runs.Seed, split data.Split) (*Evaluator, error) {
	e := &Evaluator{Problems: problems, Rates: rates, Seeds: seeds, Split: split}
	for _, p := range problems {
		for name, losses := range map[string]*[]float64{"bptt": &e.bptt, "readout only": &e.readout} {
			r, err := LadderRule(p.Recurrence, name)
			if err != nil {
				return nil, err
			}
			q, err := e.task(ctx, p, r)
			if err != nil {
				return nil, err
			}
			if q.Failed != "" {
				return nil, fmt.Errorf("task %s: %s, a reference, diverges: %s", p.Name, name, q.Failed)
			}
			*losses = append(*losses, q.Loss)
		}
	}
	return e, nil
}

// References are the losses of backpropagation through time and of training the readout only, by problem.
func (e *Evaluator) References() (bptt, readout []float64) { return e.bptt, e.readout }

// Evaluate trains by a rule. A rule that diverges has skill 0 and says why; an error is one of the rule itself or of the
// context.
func (e *Evaluator) Evaluate(ctx context.Context, r *Rule) (*Quality, error) {
	start := time.Now()
	q := &Quality{}
	for k, p := range e.Problems {
		t, err := e.task(ctx, p, r)
		if err != nil {
			return nil, err
		}
		if t.Failed == "" {
			if t.Skill = (e.readout[k] - t.Loss) / (e.readout[k] - e.bptt[k]); !finite(t.Skill) {
				t.Skill = 0 // the references are equal: there is nothing to be skilled in
			}
		}
		q.Skill += t.Skill / float64(len(e.Problems))
		q.Align += t.Align / float64(len(e.Problems))
		q.Tasks = append(q.Tasks, *t)
	}
	q.Seconds = time.Since(start).Seconds()
	return q, nil
}

// Tune finds the best rate of a rule on a problem.
func (e *Evaluator) Tune(ctx context.Context, p *Problem, r *Rule) (*TaskQuality, error) {
	return e.task(ctx, p, r)
}

// task trains with every rate on every seed and keeps the rate of the lowest mean loss. A rate with which a training
// diverges is out.
func (e *Evaluator) task(ctx context.Context, p *Problem, r *Rule) (*TaskQuality, error) {
	t, err := p.trainer(r)
	if err != nil {
		return nil, err
	}
	best := &TaskQuality{Loss: math.Inf(1)}
	var diverged []string
	first := ""
	try := func(rates []float64) error {
		var jobs []job
		for _, rate := range rates {
			for _, seed := range e.Seeds {
				jobs = append(jobs, job{seed, rate})
			}
		}
		trained, errs, err := t.all(ctx, jobs, e.Split)
		if err != nil {
			return err
		}
		for k, rate := range rates {
			q := &TaskQuality{Task: p.Name, Rate: rate}
			mine := trained[k*len(e.Seeds) : (k+1)*len(e.Seeds)]
			for i, x := range mine {
				if err := errs[k*len(e.Seeds)+i]; err != nil {
					text := fmt.Sprintf("rate %g: %v", rate, err)
					if diverged, q.Loss = append(diverged, text), math.Inf(1); first == "" {
						first = text
					}
					continue
				}
				q.Losses = append(q.Losses, x.Loss)
				q.Loss += x.Loss / float64(len(e.Seeds))
			}
			if q.Loss < best.Loss {
				q.align(mine)
				best = q
			}
		}
		return nil
	}
	rates := slices.Sorted(slices.Values(e.Rates))
	if err := try(rates); err != nil {
		return nil, err
	}
	for range e.Widen {
		more, wide := beyond(rates, best.Rate)
		if !wide || math.IsInf(best.Loss, 1) {
			break
		}
		if err := try([]float64{more}); err != nil {
			return nil, err
		}
		rates = slices.Sorted(slices.Values(append(rates, more)))
	}
	best.Task, best.Diverged, best.Tried = p.Name, diverged, len(rates)
	if math.IsInf(best.Loss, 1) {
		best.Loss, best.Failed = 0, first
		return best, nil
	}
	_, best.Edge = beyond(rates, best.Rate)
	return best, nil
}

// beyond is the next rate past the end at which the best one is, at the same ratio; rates are sorted.
func beyond(rates []float64, best float64) (next float64, edge bool) {
	n := len(rates)
	switch {
	case n < 3:
		return 0, false
	case best == rates[0]:
		return best * rates[0] / rates[1], true
	case best == rates[n-1]:
		return best * rates[n-1] / rates[n-2], true
	}
	return 0, false
}

func (q *TaskQuality) align(trained []*Trained) {
	for k := range Checkpoints {
		var squares []float64
		for _, x := range trained {
			q.Cos[k] += x.Cos[k] / float64(len(trained))
			q.Ratio[k] += x.Ratio[k] / float64(len(trained))
			squares = append(squares, math.Pow(max(0, x.Cos[k]), 2))
		}
		m, sd := meanDeviation(squares)
		q.Align += max(0, m-sd) / float64(len(Checkpoints))
	}
}

// meanDeviation is the mean and the sample standard deviation, 0 for a single value.
func meanDeviation(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	if len(x) < 2 {
		return mean, 0
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(sd)
}

// On measures one rule at given rates on fresh seeds: the losses of every task by seed, with no tuning.
func On(ctx context.Context, p *Problem, r *Rule, rate float64, seeds []runs.Seed, split data.Split) ([]*Trained, error) {
	t, err := p.trainer(r)
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, seed := range seeds {
		jobs = append(jobs, job{seed, rate})
	}
	list, errs, err := t.all(ctx, jobs, split)
	for k, e := range errs {
		if e != nil {
			list[k] = &Trained{Loss: math.NaN()} // scored as failed
		}
	}
	return list, err
}

// Interval is the mean of values with the half-width of its 95 % confidence interval by Student's t; NaNs are left out.
func Interval(x []float64) (mean, half float64) {
	x = slices.DeleteFunc(slices.Clone(x), math.IsNaN)
	if len(x) == 0 {
		return math.NaN(), math.NaN()
	}
	mean, sd := meanDeviation(x)
	if len(x) < 2 {
		return mean, math.NaN()
	}
	return mean, studentT(len(x)-1) * sd / math.Sqrt(float64(len(x)))
}

// studentT is the two-sided 95 % quantile of Student's distribution, by the expansion of Abramowitz & Stegun 26.7.5, exact to
// a percent from three degrees of freedom on and from a table below.
func studentT(degrees int) float64 {
	switch degrees {
	case 1:
		return 12.706
	case 2:
		return 4.303
	}
	const z = 1.959964
	n := float64(degrees)
	return z + (z*z*z+z)/(4*n) + (5*math.Pow(z, 5)+16*z*z*z+3*z)/(96*n*n) + (3*math.Pow(z, 7)+19*math.Pow(z, 5)+17*math.Pow(z, 3)-15*z)/(384*n*n*n)
}
