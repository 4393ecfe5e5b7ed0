package net
import ("testing";"time";"sync";"syscall")
func cpuNow() float64 { var r syscall.Rusage; syscall.Getrusage(0,&r); return float64(r.Utime.Nano()+r.Stime.Nano())/1e9 }
func TestZZ(t *testing.T){
 n:=randomNetwork(t,DefaultSpec,1)
 for _,goOnly:=range []bool{false,true}{
 if goOnly { for i:=range vectorKernels { vectorKernels[i].usable=false } }
 for _,k:=range []int{1,2}{
  best:=0.0; bestw:=0.0
  for range 6 {
  var g sync.WaitGroup; t0:=time.Now(); c0:=cpuNow()
  for range k { g.Go(func(){ e:=n.NewEvaluator(); s:=benchState(t); vs,l:=evaluateOnce(e,s); for range 3000 { e.Evaluate(s,vs,l)} }) }
  g.Wait(); best=max(best,float64(3000*k)/(cpuNow()-c0)); bestw=max(bestw,float64(3000*k)/time.Since(t0).Seconds())
  }
  t.Logf("goOnly=%v goroutines=%d: best %.0f evals per cpu-second, best wall %.0f/s",goOnly,k,best,bestw)
 }}
}
