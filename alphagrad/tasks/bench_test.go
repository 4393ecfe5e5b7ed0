package tasks_test

import (
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// BenchmarkReplay applies whole orders of RoeFlux_1d (98 eliminations) from the untouched graph and reports the time of
// one elimination.
func BenchmarkReplay(b *testing.B) {
	g := graph(b, "RoeFlux_1d")
	for _, o := range []struct {
		name  string
		order []int
	}{
		{"forward", elim.Forward(g)}, {"reverse", elim.Reverse(g)}, {"markowitz", elim.Markowitz(g)}, {"published", tasks.Reference("RoeFlux_1d").Order},
	} {
		b.Run(o.name, func(b *testing.B) {
			s := elim.NewState(g)
			b.ReportAllocs()
			for b.Loop() {
				s.Reset()
				for _, v := range o.order {
					s.Apply(v)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(o.order)), "ns/elimination")
		})
	}
}
