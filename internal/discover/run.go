package discover

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/finding"
)

// readRun reads how the task is to be run. Maze's decorator takes anything, so what is of another kind is left out, with a finding.
func (d *declaration) readRun() {
	if d.form.strict != "" {
		d.checkRun()
	}
	if d.refused {
		return
	}
	run := v1alpha1.Run{Timeout: d.seconds("timeout_seconds"), Backoff: d.seconds("retry_backoff_seconds"), Retries: d.retries()}
	if items, known := d.retryOn(); known && len(items) == 0 { // Maze starts nothing again then, whatever max_retries is
		run.Retries = ptr.To[int32](0)
	} else {
		run.RetryOn = items
	}
	if !reflect.ValueOf(run).IsZero() {
		d.spec.Run = &run
	}
}

// seconds returns a number of seconds. It is empty for none. The CRD refuses what is too long, and a timeout that is not above 0.
func (d *declaration) seconds(keyword string) v1alpha1.Duration {
	if !d.isKnown(keyword) {
		return ""
	}
	value, ok := number(d.arguments[keyword].value)
	if !ok || math.IsNaN(value) {
		d.wrong(keyword, "a number of seconds")
		return ""
	}
	const most = 1e9 // which a Duration holds
	return v1alpha1.NewDuration(time.Duration(min(max(value, -1), most) * float64(time.Second)))
}

// retries returns how many times a run is started again, or nil if the declaration does not say. Maze takes a number below 0 as 0.
func (d *declaration) retries() *int32 {
	const keyword = "max_retries"
	if !d.isKnown(keyword) {
		return nil
	}
	value, ok := number(d.arguments[keyword].value)
	if !ok || math.IsNaN(value) {
		d.wrong(keyword, "a whole number")
		return nil
	}
	return ptr.To(int32(min(max(value, 0), math.MaxInt32)))
}

// retryOn returns the failures after which a run is started again, each once. It reports whether the declaration says which.
func (d *declaration) retryOn() (kinds []string, known bool) {
	const keyword = "retry_on"
	if !d.isKnown(keyword) {
		return nil, false
	}
	items, ok := eval.Elements(d.arguments[keyword].value)
	isNoText := func(item any) bool { _, ok := item.(string); return !ok }
	if !ok || slices.ContainsFunc(items, isNoText) {
		d.wrong(keyword, "a list of texts such as resource_insufficient")
		return nil, false
	}
	for _, item := range items {
		if text := item.(string); !slices.Contains(kinds, text) {
			kinds = append(kinds, text)
		}
	}
	return kinds, true
}

// checkRun refuses what a strict decorator does.
func (d *declaration) checkRun() {
	whose := d.form.strict
	d.wholeNumber("max_retries")
	for _, keyword := range []string{"timeout_seconds", "retry_backoff_seconds"} {
		a := d.arguments[keyword]
		value, ok := number(a.value)
		if isTimeout := keyword == "timeout_seconds"; a.value != nil && (!ok || value < 0 || isTimeout && value < 0.0005) {
			least := map[bool]string{true: "above 0", false: "of at least 0"}[isTimeout]
			d.refuse(finding.WrongArgument, a.at, "%s is a number %s, and not %s, so %s's decorator raises an error, and Python would run nothing of the file",
				keyword, least, eval.KindOf(a.value), whose)
		}
	}
	a := d.arguments["retry_on"]
	items, ok := eval.Elements(a.value)
	isNoText := func(item any) bool { text, ok := item.(string); return !ok || text == "" }
	if a.value != nil && (!ok || slices.ContainsFunc(items, isNoText)) {
		d.refuse(finding.WrongArgument, a.at, "retry_on is a list of codes of errors such as npu_oom, so %s's decorator raises an error, and Python would "+
			"run nothing of the file", whose)
	}
}

// readDeprecated reads why the task should no longer be used. The package's decorator, which alone takes that, raises an error for what is no
// text, and for a replacement without a reason.
func (d *declaration) readDeprecated() {
	for _, keyword := range deprecation {
		if a := d.arguments[keyword]; a.value != nil {
			if text, ok := a.value.(string); !ok || strings.TrimSpace(text) == "" {
				d.refuse(finding.WrongArgument, a.at, "%s is a text that is not blank, so %s's decorator raises an error, and Python would run nothing of the file",
					keyword, d.form.strict)
				return
			}
		}
	}
	why, replacement := d.text(deprecation[0]), d.text(deprecation[1])
	switch {
	case why != "":
		d.spec.Deprecated = &v1alpha1.Deprecation{Message: why, Replacement: replacement}
	case replacement != "" && d.leftOut(deprecation[0]):
		d.refuse(finding.WrongArgument, d.arguments[deprecation[1]].at, "replacement goes with deprecated, which says why and by when, so %s's decorator "+
			"raises an error, and Python would run nothing of the file", d.form.strict)
	}
}
