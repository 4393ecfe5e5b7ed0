package tasks

// Unseen lists functions of kinds that no agent trains on, to test what a general agent is worth: physics, robots, finance,
// neurons, chemistry and numerics. [Lookup] finds them by name; trainings refuse them.
func Unseen() []*Task { return unseenTable }

// UnseenNames lists the names of [Unseen] in the order of the table.
func UnseenNames() []string {
	names := make([]string, len(unseenTable))
	for i, t := range unseenTable {
		names[i] = t.Name
	}
	return names
}

// unseen makes a row whose inputs all lie in the same interval.
func unseen(name, doc string, inputs []string, low, high float64, fn func(x []value) []value) *Task {
	return &Task{name, doc, box(len(inputs), low, high), traced(name, inputs, nil, fn)}
}

// unseenTable lists every such function: one row adds one.
var unseenTable = []*Task{
	unseen("DoublePendulum", "Accelerations of a planar double pendulum.",
		[]string{"theta1", "theta2", "omega1", "omega2", "l1", "l2", "m1", "m2"}, 0.5, 1.5, doublePendulum),
	unseen("ThreeBody", "Accelerations of three masses in a plane under gravity.",
		append(numbered("x", 1, 6), numbered("m", 1, 3)...), 0.5, 2, threeBody),
	unseen("LorenzRK4", "A Runge–Kutta step of the Lorenz system (Lorenz 1963).",
		[]string{"x", "y", "z", "sigma", "rho", "beta"}, 0.5, 2, lorenzRK4),
	unseen("VanDerPolRK4", "A Runge–Kutta step of the van der Pol oscillator.",
		[]string{"x", "v", "mu", "h"}, 0.1, 1, vanDerPolRK4),
	unseen("LatticeBoltzmann", "Collision of a lattice Boltzmann cell of nine directions (Bhatnagar, Gross and Krook 1954).",
		append(numbered("f", 0, 8), "tau"), 0.5, 1.5, latticeBoltzmann),
	unseen("LennardJones", "Energy and pressure of four atoms in space under a Lennard–Jones potential.",
		append(numbered("x", 1, 12), "epsilon", "sigma"), 0.5, 3, lennardJones),
	unseen("CartPole", "Accelerations of a cart with a pole (Barto, Sutton and Anderson 1983).",
		[]string{"theta", "omega", "v", "force", "masscart", "masspole", "length"}, 0.2, 1, cartPole),
	unseen("TwoLinkArm", "Joint accelerations of a two-link arm, solved from mass matrix, Coriolis forces and gravity.",
		[]string{"q1", "q2", "u1", "u2", "t1", "t2", "m1", "m2", "l1", "l2"}, 0.5, 1.5, twoLinkArm),
	unseen("QuaternionRotation", "A vector rotated by a quaternion that is normalised first.",
		[]string{"w", "x", "y", "z", "v1", "v2", "v3"}, 0.5, 1.5, quaternionRotation),
	unseen("DHChain", "Position and heading at the end of a chain of three Denavit–Hartenberg transformations.",
		append(append(numbered("q", 1, 3), numbered("a", 1, 3)...), numbered("alpha", 1, 3)...), 0.2, 1.2, dhChain),
	unseen("Camera", "Pixel of a point seen by a camera with a pose and radial distortion.",
		[]string{"x", "y", "z", "roll", "pitch", "yaw", "tx", "ty", "tz", "focal", "k1", "k2"}, 0.1, 0.6, camera),
	unseen("BicycleModel", "Two steps of the kinematic bicycle model of a car.",
		[]string{"x", "y", "psi", "v", "delta", "a", "h"}, 0.1, 0.6, bicycleModel),
	unseen("KalmanFilter", "Prediction and update of a Kalman filter with two states and one measurement.",
		[]string{"x1", "x2", "p11", "p12", "p22", "q", "r", "z", "h"}, 0.5, 1.5, kalmanFilter),
	unseen("SABR", "Implied volatility of the SABR model (Hagan et al. 2002).",
		[]string{"F", "K", "T", "alpha", "beta", "rho", "nu"}, 0.2, 0.8, sabr),
	unseen("CIRBond", "Price and yield of a zero-coupon bond of Cox, Ingersoll and Ross (1985).",
		[]string{"r", "kappa", "theta", "sigma", "T"}, 0.2, 1, cirBond),
	unseen("NelsonSiegelBond", "Price of a bond of six coupons under a Nelson–Siegel curve (1987).",
		[]string{"beta0", "beta1", "beta2", "tau", "coupon"}, 0.2, 1, nelsonSiegelBond),
	unseen("Spread", "Value of an exchange option with Greeks' inputs, through Kirk's approximation (1995).",
		[]string{"F1", "F2", "K", "sigma1", "sigma2", "rho", "r", "T"}, 0.2, 0.8, spread),
	unseen("HodgkinHuxley", "A step of the membrane equations of Hodgkin and Huxley (1952).",
		[]string{"V", "m", "h", "n", "I", "gNa", "gK", "gL"}, 0.2, 0.8, hodgkinHuxley),
	unseen("Izhikevich", "Two steps of the neuron of Izhikevich (2003) with its recovery variable.",
		[]string{"v", "u", "I", "a", "b", "dt"}, 0.1, 0.5, izhikevich),
	unseen("AdEx", "A step of the adaptive exponential neuron (Brette and Gerstner 2005).",
		[]string{"V", "w", "I", "gL", "EL", "VT", "DeltaT", "a", "tauw", "C"}, 0.5, 1.5, adEx),
	unseen("FitzHughNagumoRK4", "A Runge–Kutta step of the FitzHugh–Nagumo neuron.",
		[]string{"v", "w", "I", "a", "b", "tau"}, 0.2, 1.2, fitzHughNagumoRK4),
	unseen("MorrisLecar", "A step of the Morris–Lecar neuron (1981).",
		[]string{"V", "n", "I", "gCa", "gK", "gL", "V1", "V2", "V3", "V4", "phi"}, 0.5, 1.5, morrisLecar),
	unseen("LSTMCell", "A long short-term memory cell of two units and one input.",
		append(append(numbered("h", 1, 2), numbered("c", 1, 2)...), append([]string{"x"}, numbered("w", 1, 32)...)...), -1, 1, lstmCell),
	unseen("MLP", "Squared loss of a network with two inputs, four hidden units and two outputs.",
		append(append([]string{"x1", "x2", "t1", "t2"}, numbered("u", 1, 12)...), numbered("w", 1, 10)...), -1, 1, mlp),
	unseen("SoftmaxLoss", "Cross entropy of five logits with label smoothing.",
		append(numbered("z", 1, 5), "epsilon"), 0.1, 0.9, softmaxLoss),
	unseen("MichaelisMenten", "Rates of a chain of four enzymes with feedback inhibition.",
		append(append(numbered("s", 1, 5), numbered("v", 1, 4)...), append(numbered("k", 1, 4), "ki")...), 0.5, 1.5, michaelisMenten),
	unseen("LotkaVolterraRK4", "A Runge–Kutta step of predator and prey.",
		[]string{"x", "y", "alpha", "beta", "gamma", "delta"}, 0.2, 1, lotkaVolterraRK4),
	unseen("SEIR", "Three steps of an epidemic with susceptible, exposed, infected and recovered.",
		[]string{"S", "E", "I", "R", "beta", "sigma", "gamma"}, 0.1, 0.9, seir),
	unseen("Robertson", "Newton's function of an implicit step of Robertson's reaction.",
		[]string{"y1", "y2", "y3", "z1", "z2", "z3", "h"}, 0.1, 0.9, robertson),
	unseen("Rosenbrock", "Rosenbrock's function in eight dimensions.", numbered("x", 1, 8), -1, 1, rosenbrock),
	unseen("Speelpenning", "The product of ten numbers (Speelpenning 1980).", numbered("x", 1, 10), 0.5, 1.5, speelpenning),
	unseen("Newton", "Four steps of Newton's method for a cubic in its four coefficients.",
		[]string{"x", "a", "b", "c", "d"}, 0.5, 1.5, newton),
}
