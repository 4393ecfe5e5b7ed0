package tasks

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

type value = *ir.Value

// traced makes a task's builder from a Go function over traced scalars.
func traced(name string, inputs, outputs []string, fn func(x []value) []value) func() (*ir.Program, error) {
	return func() (*ir.Program, error) { return ir.Trace(name, inputs, outputs, fn) }
}

// box repeats one interval.
func box(n int, low, high float64) []Interval {
	d := make([]Interval, n)
	for i := range d {
		d[i] = Interval{low, high}
	}
	return d
}

// numbered makes names such as x1 … x8.
func numbered(prefix string, from, to int) []string {
	var s []string
	for i := from; i <= to; i++ {
		s = append(s, fmt.Sprintf("%s%d", prefix, i))
	}
	return s
}

// table lists every task: one row adds one.
var table = []*Task{
	{"Simple", "w + z and log w with z = x·y, w = sin z (Griewank & Walther, Evaluating Derivatives).",
		box(2, 0.5, 1.5), traced("Simple", []string{"x", "y"}, nil, simple)},
	{"Lighthouse", "Where the beam of a lighthouse meets a quay (Griewank & Walther, Evaluating Derivatives, ch. 2).",
		[]Interval{{1, 2}, {2, 3}, {0.5, 1}, {0.5, 1}}, traced("Lighthouse", []string{"nu", "gamma", "omega", "t"}, nil, lighthouse)},
	{"Hole", "Three outputs through a two-vertex waist (Griewank & Walther, Evaluating Derivatives).",
		box(4, -1, 1), traced("Hole", []string{"x", "y", "z", "w"}, nil, hole)},
	{"Helmholtz", "Helmholtz energy x·log(x/(1 − Σx)) of four components, written out in scalars (Griewank & Walther).",
		box(4, 0.05, 0.2), traced("Helmholtz", numbered("x", 1, 4), nil, helmholtz)},
	{"KerrSenn_metric", "Metric components of a rotating charged black hole in string theory (Sen 1992).",
		[]Interval{{0, 1}, {3, 5}, {0.5, 1.5}, {0, 1}}, traced("KerrSenn_metric", []string{"t", "r", "theta", "phi"},
			[]string{"gtt", "grr", "gthetatheta", "gphiphi", "gphit"}, kerrSenn)},
	{"CloudSchemes", "One step of a warm-rain cloud scheme in its process rates (Porz et al., gmd-2019-140).",
		box(11, 0.5, 1.5), traced("CloudSchemes", []string{"a1", "a2", "e1", "e2", "delta", "gamma", "bc", "br", "d1", "d2", "chi"},
			[]string{"dqc", "dqr", "dqv"}, cloudSchemes)},
	{"SteadyStateCombustion", "Solid-fuel ignition functional on a 2 × 2 grid (MINPACK-2, Averick et al. 1992).",
		box(4, -1, 1), traced("SteadyStateCombustion", []string{"v00", "v01", "v10", "v11"}, nil, steadyStateCombustion)},
	{"RoeFlux_1d", "Roe's approximate Riemann solver for the one-dimensional Euler equations (Roe 1981).",
		// With γ = ½ the sound speed is real only where h < u²/2: small energies, large momenta.
		[]Interval{{0.5, 1}, {2, 3}, {0.5, 1}, {0.5, 1}, {2, 3}, {0.5, 1}},
		traced("RoeFlux_1d", []string{"ul0", "ul1", "ul2", "ur0", "ur1", "ur2"}, []string{"phi0", "phi1", "phi2"}, roeFlux1d)},
	{"RobotArm_6DOF", "Forward kinematics of a six-joint robot arm: position and Tait–Bryan angles.",
		box(6, 0.2, 1.2), traced("RobotArm_6DOF", numbered("t", 1, 6), []string{"px", "py", "pz", "z", "y", "zz"}, robotArm6DOF)},
	{"HumanHeartDipole", "Residuals of the human heart dipole problem (MINPACK-2, Averick et al. 1992).",
		box(8, -1, 1), traced("HumanHeartDipole", numbered("x", 1, 8), numbered("f", 1, 8), humanHeartDipole)},
	{"PropaneCombustion", "Residuals of propane combustion, full formulation (MINPACK-2, Averick et al. 1992).",
		box(11, 0.5, 2), traced("PropaneCombustion", numbered("x", 1, 11), numbered("f", 1, 11), propaneCombustion)},
	{"g", "A random program of 105 scalar operations with 15 inputs and 20 outputs (Lohoff & Neftci).",
		gDomain, randomG},
	{"BlackScholes", "Price of a European call by Black and Scholes through the forward price (Black 1976).",
		blackScholesDomain, traced("BlackScholes", blackScholesInputs, []string{"price"}, blackScholes)},
	{"BlackScholes_Jacobian", "The first-order Greeks of BlackScholes: its reverse-mode derivative program, whose Jacobian holds the second-order Greeks.",
		blackScholesDomain, blackScholesJacobian},
}
