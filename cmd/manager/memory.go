package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
)

// memoryVariable has the container's memory limit in bytes; the Pod's manifest sets it from the downward API.
const memoryVariable = "MEMORY_LIMIT"

// memoryShare is the percentage of the container's memory that Go may use before it collects garbage at any cost. The rest is for what
// Go does not count, such as the program itself.
const memoryShare = 90

// gcPercent is Go's GOGC where the environment sets none. The heap is mostly caches, which a collection finds alive: half of
// Go's default takes a sixth off the resident memory of 5,000 tasks for a few percent of one core during a burst.
const gcPercent = 50

// limitMemory sets up the garbage collector. Go's own variables GOGC and GOMEMLIMIT count more than what this program would choose.
func limitMemory() error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	limit, err := memoryLimit(os.Getenv)
	if err == nil && limit > 0 {
		debug.SetMemoryLimit(limit)
	}
	return err
}

// memoryLimit returns the bytes that Go may use by the container's limit, or 0 where there is none or GOMEMLIMIT is set.
func memoryLimit(getenv func(string) string) (int64, error) {
	text := getenv(memoryVariable)
	if text == "" || getenv("GOMEMLIMIT") != "" {
		return 0, nil
	}
	limit, err := strconv.ParseInt(text, 10, 64)
	if err != nil || limit < 0 {
		return 0, fmt.Errorf("%s is %q: set it to a number of bytes, or not at all", memoryVariable, text)
	}
	if limit > math.MaxInt64/memoryShare { // no limit that any machine has
		return 0, nil
	}
	return limit * memoryShare / 100, nil
}
