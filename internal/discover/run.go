package discover

import (
	"math/big"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/finding"
)

// readRun reads how the task is to be run. What is not known, or of another kind, is left out: Maze's decorator takes anything.
func (d *declaration) readRun() {
	if value, ok := d.arguments["max_retries"].value.(*big.Int); ok && value.IsInt64() {
		n := value.Int64()
		d.run.MaxRetries = &n
	}
	d.run.RetryBackoffSeconds = d.seconds("retry_backoff_seconds")
	d.run.Timeout = d.seconds("timeout_seconds")
	if items, ok := eval.Elements(d.arguments["retry_on"].value); ok {
		d.run.RetryOn = []string{}
		for _, item := range items {
			if text, ok := item.(string); ok && !slices.Contains(d.run.RetryOn, text) {
				d.run.RetryOn = append(d.run.RetryOn, text)
			}
		}
	}
	if d.form == &ascend {
		d.checkAscendRun()
	}
}

// seconds returns a number of seconds, or nil if it is none.
func (d *declaration) seconds(keyword string) *float64 {
	if value, ok := number(d.arguments[keyword].value); ok {
		return &value
	}
	return nil
}

// checkAscendRun refuses what Ascend-Maze's decorator does.
func (d *declaration) checkAscendRun() {
	d.wholeNumber("max_retries")
	for _, keyword := range []string{"timeout_seconds", "retry_backoff_seconds"} {
		a := d.arguments[keyword]
		value, ok := number(a.value)
		if isTimeout := keyword == "timeout_seconds"; a.value != nil && (!ok || value < 0 || isTimeout && value < 0.0005) {
			least := map[bool]string{true: "above 0", false: "of at least 0"}[isTimeout]
			d.refuse(finding.WrongArgument, a.at, "%s is a number %s, and not %s, so Ascend-Maze's decorator raises an error, and Python would run nothing of "+
				"the file", keyword, least, eval.KindOf(a.value))
		}
	}
	a := d.arguments["retry_on"]
	items, ok := eval.Elements(a.value)
	isNoText := func(item any) bool { text, ok := item.(string); return !ok || text == "" }
	if a.value != nil && (!ok || slices.ContainsFunc(items, isNoText)) {
		d.refuse(finding.WrongArgument, a.at, "retry_on is a list of codes of errors such as npu_oom, so Ascend-Maze's decorator raises an error, and Python would "+
			"run nothing of the file")
	}
}
