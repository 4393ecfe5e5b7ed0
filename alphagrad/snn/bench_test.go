package snn_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// BenchmarkStep times a step of a sequence of an adaptive network of 100 inputs and 100 neurons, whose inputs fire at 40 Hz.
func BenchmarkStep(b *testing.B) {
	for _, m := range []struct {
		name   string
		method func(s *small) snn.Method
	}{
		{"eprop_forward", func(s *small) snn.Method { return snn.Eprop(s.r, snn.Random, true) }},
		{"eprop_reverse", func(s *small) snn.Method { return snn.Eprop(s.r, snn.Random, false) }},
		{"bptt", func(*small) snn.Method { return snn.BPTT() }},
	} {
		b.Run(m.name, func(b *testing.B) {
			const steps = 200
			l := snn.Layer{Name: "rec", Model: "alif", Size: 100, Recurrent: true, Refractory: 5}
			s := variant{"alif", []snn.Layer{l}, snn.CrossEntropy, true}.sized(b, 100, 2, steps, 1, 0.04, 1)
			g, err := snn.NewGradient(s.r, m.method(s))
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			before := cpuTime(b)
			for range b.N {
				if _, err := g.Compute(s.shared, s.batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N)/steps/1e3, "cpu-µs/step")
		})
	}
}

// cpuTime is the processor time of this process.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
