package funcs

func elsewhere(x float64) float64 { return x*x*x - 1 }
