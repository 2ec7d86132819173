package main

import (
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

// The times of the leader election keep what docs/upgrade.md says.
func TestElectionTimes(t *testing.T) {
	const jitter = 2.2 // client-go waits for a period to 2.2 times that
	if wait := jitter * retryPeriod.Seconds(); wait > 2.3 {
		t.Errorf("a standby may ask only after %.2f s, which leaves too little of 2.5 s", wait)
	}
	if took := leaseDuration.Seconds() + 2*jitter*retryPeriod.Seconds(); took > 19.5 {
		t.Errorf("a standby may follow a killed leader only after %.2f s, which leaves too little of 20 s", took)
	}
	if stopped := renewDeadline + leaseTimeout; stopped >= leaseDuration {
		t.Errorf("a leader that lost the lease may write for %s, while another one leads from %s on", stopped, leaseDuration)
	}
}

// The lock's requests have a time limit; those of everything else have not, as watches last for minutes.
func TestNewLockLeavesTheConfigurationAlone(t *testing.T) {
	cluster, want := &rest.Config{Host: "https://example.com"}, &rest.Config{Host: "https://example.com"}
	l, err := newLock(cluster, "own", "me", &tenure{}, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), cluster.String()); diff != "" || cluster.Timeout != 0 {
		t.Errorf("the configuration changed (-want +got):\n%s", diff)
	}
	if got := l.Describe(); got != "own/"+leaseName || l.Identity() != "me" {
		t.Errorf("got the lease %s of %s", got, l.Identity())
	}
}
