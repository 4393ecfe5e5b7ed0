package jacobians

import "math"

//go:generate go run github.com/alphagrad/alphagrad-go/cmd/alphagrad generate --go $GOFILE:CallPrice --emit jacobian,hessian -o option_jacobian.go

// CallPrice is the price of a European call option by Black and Scholes, through the forward price: spot s, strike k, rate
// r, volatility sigma and time t, with the operations of the benchmark task BlackScholes. Its Jacobian and Hessian are the
// Greeks.
func CallPrice(s, k, r, sigma, t float64) (price float64) {
	forward := math.Exp(r*t) * s
	d1 := (math.Log(forward/k) + sigma*sigma/2*t) / (sigma * math.Sqrt(t))
	d2 := d1 - sigma*math.Sqrt(t)
	return math.Exp(-r*t) * (forward*normal(d1) - k*normal(d2))
}

// normal is the distribution function of the normal distribution.
func normal(z float64) float64 { return (1 + math.Erf(z/math.Sqrt2)) / 2 }
