package faults

import (
	"slices"
	"time"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// What is allowed although an invariant, read to the letter, forbids it. Each ends by itself, which the check in the end makes sure of.
//
//   - Ready=True of a task may land after another task took its name: readyLandsLate.
//   - A superseded task that is deleted together with its winner may be promoted while the view lags: NoReturn counts only what was
//     dropped after it was deleted, and not for another task of its name.
//   - A task that is deleted at once may be published after that, for the same reason.
//   - A process that was stopped, and a request of a process that is dead, cannot know who has the lease: mayWriteWithoutLease.

// resumedMayWrite is for how long a process that was stopped, and continued, may write what it was about to.
const resumedMayWrite = 3 * time.Second

// readyLandsLate reports whether a status was true when it was decided: the registry served that generation, then another task took
// the name. The write of a status is fenced by the task's own version, which that does not change.
func (r *replay) readyLandsLate(t *v1alpha1.MazeTask, generation int64) bool {
	past, served := r.tasks[t.UID], r.serving[t.Spec.Name]
	return past.highest >= generation && served != nil && served.Kubernetes.UID != t.UID
}

// mayWriteWithoutLease reports whether a write is of a dead process, of one that was just continued, or was held on its way.
func mayWriteWithoutLease(c *call, resumed []time.Time) bool {
	if c.delayed {
		return true
	}
	return slices.ContainsFunc(resumed, func(at time.Time) bool { return c.at.After(at) && c.at.Before(at.Add(resumedMayWrite)) })
}
