package main

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/client"
)

const (
	// maxRetries is the most that a MazeTask may ask for.
	maxRetries = 100
	// defaultRetries is Maze's own.
	defaultRetries = 1
)

// again are the failures after which a node runs again in any case: the task asked for it, or never had its say.
var again = []string{"Retry", "WriteFailed", "Terminated"}

// noFault are the failures after which a node runs again where the task does not say: they are no fault of its own.
var noFault = []string{nodeLost, unavailable, insufficient}

// lastAttempt returns the Pod of a node's last attempt, with its number, or nil if it has none. The Pods are the memory of that, too.
func lastAttempt(run, id string, pods map[string]*corev1.Pod) (*corev1.Pod, int) {
	for attempt := maxRetries; attempt >= 0; attempt-- {
		if pod := pods[podName(run, id, attempt)]; pod != nil {
			return pod, attempt
		}
	}
	return nil, 0
}

// mayRetry reports whether a node whose last attempt has failed may run again, by what its task says now, and how long to wait before.
func mayRetry(entry client.Entry, attempt int, failure []string) (backoff time.Duration, may bool) {
	retries, on := defaultRetries, noFault
	if run := entry.Run; run != nil {
		if run.Retries != nil {
			retries = int(*run.Retries)
		}
		if len(run.RetryOn) > 0 {
			on = run.RetryOn
		}
		backoff = run.Backoff.Length()
	}
	counts := func(name string) bool { return slices.Contains(again, name) || slices.Contains(on, name) }
	return backoff, attempt < min(retries, maxRetries) && slices.ContainsFunc(failure, counts)
}

// afterFailure returns how far a node is whose last attempt has failed: failed, or on its way to the next one.
func (s *scheduler) afterFailure(p *plan, n *node, pod *corev1.Pod, attempt int, now seen) progress {
	why := whyFailed(pod)
	entry, served := now.registry.Get(n.Func)
	backoff, may := mayRetry(entry, attempt, failureOf(pod))
	if !served || !may {
		return progress{phase: failed, text: "failed: " + why}
	}
	if left := endedAt(pod).Add(backoff).Sub(now.at); left > 0 {
		p.wakeIn(left)
		return progress{phase: waiting, text: fmt.Sprintf("runs again %s after its end, as it failed: %s", backoff, why)}
	}
	next := s.start(p, n, attempt+1, now)
	if next.phase == starting {
		next.text = fmt.Sprintf("runs again, for the %s time, as it failed: %s", ordinal(attempt+2), why)
	}
	return next
}

// ordinal returns 2nd for 2.
func ordinal(n int) string {
	suffix := "th"
	if tens := n / 10 % 10; tens != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
