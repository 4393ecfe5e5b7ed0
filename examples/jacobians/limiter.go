package jacobians

//go:generate go run github.com/alphagrad/alphagrad-go/cmd/alphagrad generate --go $GOFILE:Slopes --emit jacobian,jvp,vjp -o limiter_jacobian.go

// cells is the number of cells of the grid.
const cells = 6

// Slopes are the limited slopes of cell averages on a periodic grid (van Leer 1977): the harmonic mean of the differences
// to both neighbours where they have one sign, 0 at an extremum. The condition guards a division: the derivatives of the
// branch that is not taken do not matter, not even where they are infinite.
func Slopes(u [cells]float64) (s [cells]float64) {
	for i := range u {
		left := u[i] - u[(i+cells-1)%cells]
		right := u[(i+1)%cells] - u[i]
		if left*right > 0 {
			s[i] = 2 * left * right / (left + right)
		}
	}
	return s
}
