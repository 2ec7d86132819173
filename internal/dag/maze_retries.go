package dag

import (
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// retried are the kinds of errors after which Maze tries a task again, if "retry_on" has them: TaskRuntime.should_retry, by the errors
// that are made with "retryable". Without "retry_on", it does so after all of them but artifact_error.
var retried = []string{"artifact_error", "invocation_error", "node_lost", "resource_insufficient", "resource_unavailable"}

// IsRetried reports whether Maze tries a task again after a kind of error, if it is asked to.
func IsRetried(kind string) bool { return slices.Contains(retried, kind) }

// final are the kinds of errors after which Maze never does.
var final = []string{"cancelled", "scheduler_error", "serialization_error", "timeout", "unknown", "user_code"}

// checkRetries tells what of retries and times Maze takes, and does otherwise than it is written: it reads a negative number as 0, and
// tries again after errors that it knows to be passing, whatever "retry_on" has.
func (m *mazeRules) checkRetries(n *Node, v *jsontree.Node) {
	retries := v.Member("max_retries")
	count, isNumber := m.float(retries)
	if isNumber && count < 0 && m.isInt(retries) {
		m.say(finding.EffectLost, finding.InvalidSetting, retries, n,
			`Maze reads "max_retries" below 0 as 0, found %s; write 0, or leave it out for 1`, m.quote(retries))
	}
	backoff := v.Member("retry_backoff_seconds")
	if seconds, ok := m.float(backoff); ok && seconds < 0 {
		m.say(finding.EffectLost, finding.InvalidSetting, backoff, n, `Maze reads "retry_backoff_seconds" below 0 as 0, found %s; correct it`, m.quote(backoff))
	}
	m.mustHaveTime(v.Member("timeout_seconds"), n, "every attempt of the task")
	on := v.Member("retry_on")
	if on == nil || on.Kind != jsontree.Array {
		return
	}
	if len(on.Children) == 0 && isNumber && count > 0 {
		m.say(finding.EffectLost, finding.InvalidSetting, on, n, `"retry_on" is empty, so Maze never tries again, whatever "max_retries" says; `+
			`leave it out, or name kinds of errors: %s`, list(retried))
	}
	for _, kind := range on.Children {
		switch name := m.str(kind); {
		case slices.Contains(retried, name):
		case slices.Contains(final, name):
			m.say(finding.EffectLost, finding.InvalidSetting, kind, n, "Maze never tries again after %s, also if \"retry_on\" has it; remove it: it does after %s",
				quote(name), list(retried))
		default:
			m.say(finding.EffectLost, finding.InvalidSetting, kind, n, "Maze has no kind of error %s, so nothing is tried again for it%s; it tries again after %s",
				quote(name), m.didYouMean(name, retried), list(retried))
		}
	}
}

// mustHaveTime tells that a time which is not above 0 is over at once.
func (m *mazeRules) mustHaveTime(v *jsontree.Node, n *Node, what string) {
	if seconds, ok := m.float(v); ok && seconds <= 0 {
		m.say(finding.EffectFails, finding.InvalidSetting, v, n, "%q is over at once, so %s fails; write the seconds that it may take, or leave it out for no limit",
			v.Name, what)
	}
}
