package jacobians

import "math"

//go:generate go run github.com/alphagrad/alphagrad-go/cmd/alphagrad generate --go $GOFILE:HandPose --order @robot_order.json -o robot_jacobian.go

// Lengths of the arm's links in millimetres.
const (
	a1, a2, a3 = 175, 890, 50
	d1, d4, d6 = 575, 1035, 185
)

func sinSum(a, b float64) float64 { return math.Cos(a)*math.Sin(b) + math.Sin(a)*math.Cos(b) }

func cosSum(a, b float64) float64 { return math.Cos(a)*math.Cos(b) - math.Sin(a)*math.Sin(b) }

// HandPose is the hand's position (millimetres) and Tait–Bryan angles (radians) of a robot arm with six joints, from the
// angles of the joints, with the operations of the benchmark task RobotArm_6DOF.
func HandPose(t [6]float64) (position, angles [3]float64) {
	c1, c2, c4, c5, c6 := math.Cos(t[0]), math.Cos(t[1]), math.Cos(t[3]), math.Cos(t[4]), math.Cos(t[5])
	c23 := cosSum(t[1], t[2])
	s1, s2, s4, s5, s6 := math.Sin(t[0]), math.Sin(t[1]), math.Sin(t[3]), math.Sin(t[4]), math.Sin(t[5])
	s23 := sinSum(t[1], t[2])

	ax := s5*(c1*c23*c4+s1*s4) + c1*s23*c5
	ay := s5*(s1*c23*c4-c1*s4) + s1*s23*c5
	az := s23*c4*s5 - c23*c5

	nz := c6*(c23*s5+s23*c4*c5) - s23*s4*s6
	oz := -s6*(c23*s5+s23*c4*c5) - s23*s4*c6

	angles = [3]float64{math.Atan2(ay, ax), math.Atan2(math.Sqrt(1-az*az), az), math.Atan2(oz, -nz)}

	x1 := (s5*(c1*c23*c4+s1*s4) + c1*s23*c5) * d6
	x2 := c1 * (c2*a2 + a1 + c23*a3 + s23*d4)
	position[0] = x1 + x2
	y1 := (s5*(s1*c23*c4+c1*s4) + s1*s23*c5) * d6
	y2 := s1 * (c2*a2 + a1 + c23*a3 + s23*d4)
	position[1] = y1 + y2
	position[2] = s2*a2 + d1 + s23*a3 - c23*d4 + (s23*c4*s5-c23*c5)*d6
	return position, angles
}
