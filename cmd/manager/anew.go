package main

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// mayStartAnew reports whether a manager that ended by itself may take its own place: it led for as long as it takes to lose a lease.
// What fails sooner fails for another reason, and the next try is left to the kubelet, which waits longer each time.
func mayStartAnew(ctx context.Context, led time.Duration) bool {
	return ctx.Err() == nil && led >= renewDeadline
}

// sinceElected returns a function that returns the time for which a manager has been elected. It is 0 while it is not.
func sinceElected(mgr manager.Manager) func() time.Duration {
	var since atomic.Pointer[time.Time]
	go func() {
		<-mgr.Elected()
		now := time.Now()
		since.Store(&now)
	}()
	return func() time.Duration {
		if at := since.Load(); at != nil {
			return time.Since(*at)
		}
		return 0
	}
}

// startAnew puts a new process of this program in the place of this one, so that nothing of it goes on: no goroutine and no request.
// It returns only if that is not possible. The container is not restarted, and so waits for no back-off of the kubelet's.
func startAnew(ctx context.Context, identity string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	environment := os.Environ()
	if os.Getenv(podUIDVariable) == "" {
		environment = append(environment, identityVariable+"="+identity)
	}
	return replaceProcess(ctx, program, os.Args, environment)
}
