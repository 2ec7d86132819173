package registry

import (
	"strings"
	"time"
)

// Claim is a task's claim to a name in the registry.
type Claim struct {
	// Key is the name that is claimed: spec.name.
	Key string
	// Task is the name of the MazeTask.
	Task string
	// Created is when the MazeTask was created.
	Created time.Time
}

// Beats reports whether c is served where other claims the same key: the newer one is, as a second registration
// overwrites the first. Of two created within one second, which is how exactly Kubernetes knows, the later name.
func (c Claim) Beats(other Claim) bool {
	if order := c.Created.Compare(other.Created); order != 0 {
		return order > 0
	}
	return strings.Compare(c.Task, other.Task) > 0
}
