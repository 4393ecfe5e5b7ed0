package jacobians

import "math"

//go:generate go run github.com/alphagrad/alphagrad-go/cmd/alphagrad generate --go $GOFILE:RoeFlux --emit jacobian,jvp,vjp --order @roe_order.json -o roe_jacobian.go

const gamma = 0.5

// Conserved holds density, momentum and energy of a gas in one dimension.
type Conserved struct{ Density, Momentum, Energy float64 }

func (u Conserved) pressure() float64 {
	return (gamma - 1) * (u.Energy - 0.5*(u.Momentum*u.Momentum)/u.Density)
}

func (u Conserved) enthalpy(p float64) float64 { return (u.Energy + p) / u.Density }

func (u Conserved) flux(p float64) Conserved {
	v := u.Momentum / u.Density
	return Conserved{u.Momentum, p + u.Momentum*v, v * (p + u.Energy)}
}

// RoeFlux is the numerical flux between two states of a gas by Roe's approximate Riemann solver (Roe 1981), with the
// operations of the benchmark task RoeFlux_1d.
func RoeFlux(l, r Conserved) Conserved {
	d0 := r.Density - l.Density
	mean := math.Sqrt(l.Density * r.Density)
	w := math.Sqrt(l.Density) + math.Sqrt(r.Density)

	vl := l.Momentum / l.Density
	pl := l.pressure()
	hl := l.enthalpy(pl)
	vr := r.Momentum / r.Density
	pr := r.pressure()
	hr := r.enthalpy(pr)
	dp, dv := pr-pl, vr-vl

	// Roe averages.
	u := (math.Sqrt(l.Density)*vl + math.Sqrt(r.Density)*vr) / w
	h := (math.Sqrt(l.Density)*hl + math.Sqrt(r.Density)*hr) / w
	q2 := u * u
	a2 := (gamma - 1) * (h - 0.5*q2)
	a := math.Sqrt(a2)
	lp, l0, ln := math.Abs(u+a), math.Abs(u), math.Abs(u)

	n := a * mean
	c0 := (d0 - dp/a2) * l0
	c1 := (dv + dp/n) * lp
	c2 := (dv - dp/n) * ln

	fl, fr := l.flux(pl), r.flux(pr)
	f := Conserved{fl.Density + fr.Density, fl.Momentum + fr.Momentum, fl.Energy + fr.Energy}

	c := 0.5 * mean / a
	df0 := c0 + c*c1 - c*c2
	df1 := c0*u + c*c1*(u+a) - c*c2*(u-a)
	df2 := 0.5*c0*q2 + c*c1*(h+u*a) - c*c2*(h-u*a)
	return Conserved{0.5 * (f.Density - df0), 0.5 * (f.Momentum - df1), 0.5 * (f.Energy - df2)}
}
