// Package jacobians shows how ordinary Go functions get exact derivatives: the functions are written as always, and go
// generate writes theirs beside them. The files *_jacobian.go are generated and committed; users of the package need
// nothing but Go.
//
// In a module of your own, run
//
//	go get -tool github.com/alphagrad/alphagrad-go/cmd/alphagrad
//
// once, and write "go tool alphagrad" where the lines below say "go run …/cmd/alphagrad".
//
// The elimination orders in *_order.json were found by alphagrad search --objective ops --evaluations 200000.
package jacobians
