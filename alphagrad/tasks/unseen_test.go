package tasks_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestUnseenFunctions checks laws that the functions obey, or plain Go beside them.
func TestUnseenFunctions(t *testing.T) {
	total := func(v []float64) (s float64) {
		for _, x := range v {
			s += x
		}
		return s
	}
	for name, law := range map[string]func(x, y []float64) (got, want float64){
		"QuaternionRotation": func(x, y []float64) (float64, float64) {
			return math.Hypot(math.Hypot(y[0], y[1]), y[2]), math.Hypot(math.Hypot(x[4], x[5]), x[6])
		},
		"DHChain":          func(_, y []float64) (float64, float64) { return y[3]*y[3] + y[4]*y[4] + y[5]*y[5], 1 },
		"LatticeBoltzmann": func(x, y []float64) (float64, float64) { return total(y), total(x[:9]) },
		"SEIR":             func(x, y []float64) (float64, float64) { return total(y), total(x[:4]) },
		"MichaelisMenten":  func(_, y []float64) (float64, float64) { return total(y), 0 },
		"ThreeBody": func(x, y []float64) (float64, float64) { // no force from outside
			return x[6]*y[0] + x[7]*y[2] + x[8]*y[4], 0
		},
		"Robertson": func(x, y []float64) (float64, float64) { return total(y), total(x[3:6]) - total(x[:3]) },
		"Speelpenning": func(x, y []float64) (float64, float64) {
			p := 1.0
			for _, v := range x {
				p *= v
			}
			return y[0], p
		},
		"SoftmaxLoss": func(x, y []float64) (float64, float64) {
			norm, loss := 0.0, 0.0
			for _, z := range x[:5] {
				norm += math.Exp(z)
			}
			for i, z := range x[:5] {
				weight := x[5] / 5
				if i == 2 {
					weight += 1 - x[5]
				}
				loss -= weight * math.Log(math.Exp(z)/norm)
			}
			return y[0], loss
		},
		"TwoLinkArm": func(x, y []float64) (float64, float64) { // the second row of M·a + C + G = τ
			m2, l1, l2, c2, s2 := x[7], x[8], x[9], math.Cos(x[1]), math.Sin(x[1])
			m22 := m2 * l2 * l2 / 3
			return (m22+m2*l1*l2*c2/2)*y[0] + m22*y[1] + m2*l1*l2*s2/2*x[2]*x[2] + m2*9.81*l2/2*math.Cos(x[0]+x[1]), x[5]
		},
		"LotkaVolterraRK4": func(x, y []float64) (float64, float64) { // conserved by the flow, to the order of the method
			v := func(a, b float64) float64 { return x[5]*a - x[4]*math.Log(a) + x[3]*b - x[2]*math.Log(b) }
			return math.Round(v(y[0], y[1]) * 1e4), math.Round(v(x[0], x[1]) * 1e4)
		},
		"CIRBond": func(x, y []float64) (float64, float64) { return math.Exp(-y[1] * x[4]), y[0] },
		"Spread": func(x, y []float64) (float64, float64) { // homogeneous: price = F1·∂ + (F2+K)·∂
			return y[0], x[0]*y[1] + (x[1]+x[2])*y[2]
		},
		"KalmanFilter": func(x, y []float64) (float64, float64) { // (1 − k)·a = a·r/(a + r)
			h, q, r := x[8], x[5], x[6]
			a := x[2] + 2*h*x[3] + h*h*x[4] + q*h*h*h/3
			return y[2], a * r / (a + r)
		},
		"Newton": func(x, y []float64) (float64, float64) {
			z := x[0]
			for range 4 {
				z -= (((x[1]*z+x[2])*z+x[3])*z + x[4]) / ((3*x[1]*z+2*x[2])*z + x[3])
			}
			return y[0], z
		},
		"MorrisLecar": func(x, y []float64) (float64, float64) {
			m := 0.5 * (1 + math.Tanh((x[0]-x[6])/x[7]))
			i := x[3]*m*(x[0]-1.2) + x[4]*x[1]*(x[0]+0.84) + x[5]*(x[0]+0.6)
			return y[0], x[0] + 0.05*(x[2]-i)
		},
		"AdEx": func(x, y []float64) (float64, float64) {
			i := -x[3]*(x[0]-x[4]) + x[3]*x[6]*math.Exp((x[0]-x[5])/x[6]) - x[1] + x[2]
			return y[0], x[0] + 0.1*i/x[9]
		},
	} {
		task, err := tasks.Lookup(name)
		if err != nil || !task.IsUnseen() {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(3, 4))
		for range 3 {
			x, err := task.Point(rng)
			if err != nil {
				t.Fatal(err)
			}
			y, err := interp.EvalScalar(p, x)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := law(x, y); !(math.Abs(got-want) <= 1e-9*(1+math.Abs(want))) {
				t.Errorf("%s at %v: %v, want %v", name, x, got, want)
			}
		}
	}
}
