package main

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

const leaseName = "maregister.registry.mazeagent.net"

// The times of the leader election. A standby asks for the lease every retryPeriod to 2.2 times that (client-go's jitter), so it
// follows a leader that released the lease within 2 s, and one that was killed within leaseDuration and two such waits: 19 s.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 800 * time.Millisecond
	// leaseTimeout bounds one request. A leader that lost its lease tries once to release it; with this bound, it has stopped before
	// leaseDuration is over and another one may lead.
	leaseTimeout = 4 * time.Second
)

// lock is the lease of the leader election. It logs for whom a standby waits.
type lock struct {
	*resourcelock.LeaseLock
	tenure *tenure
	log    logr.Logger
	holder string // whom the log named last
}

// newLock returns the lock of the leader election, whose requests end after leaseTimeout.
func newLock(cluster *rest.Config, namespace, identity string, held *tenure, log logr.Logger) (*lock, error) {
	cluster = rest.AddUserAgent(rest.CopyConfig(cluster), "leader-election")
	cluster.Timeout = leaseTimeout
	leases, err := coordinationv1client.NewForConfig(cluster)
	if err != nil {
		return nil, fmt.Errorf("make the client for leases: %w", err)
	}
	return &lock{log: log, tenure: held, LeaseLock: &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: leaseName},
		Client:     leases,
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
	}}, nil
}

// announceWith has the lock tell of the election by events. The manager, whose recorder it takes, is made after the lock.
func (l *lock) announceWith(mgr manager.Manager) {
	l.LockConfig.EventRecorder = mgr.GetEventRecorderFor(l.Identity()) //nolint:staticcheck,nolintlint // it takes no other; not each lint run sees SA1019
}

// Get reads the lease.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.LeaseLock.Get(ctx)
	if err == nil && record.HolderIdentity != l.holder {
		l.holder = record.HolderIdentity
		if l.holder != "" && l.holder != l.Identity() {
			l.tenure.note(false)
			l.log.Info("This replica stands by: another one holds the lease", "holder", l.holder, "identity", l.Identity())
		}
	}
	return record, raw, err
}
