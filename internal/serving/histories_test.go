package serving_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	seed      = flag.Uint64("seed", 1, "the first seed of the random histories")
	workers   = flag.Int("workers", runtime.GOMAXPROCS(0), "the number of histories that are played at once")
	first     = flag.Bool("first", false, "stop at the first broken history, and do not look for a shorter one")
	histories = flag.Int("histories", 3_000, "the number of random histories: as many as the race detector plays in a minute or two")
)

// play plays the history that some bytes stand for. It returns the violation, if there is one.
func play(bytes []byte, trace func(string)) (broken *violation) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case violation:
			broken = &r
		default:
			if trace == nil {
				broken = &violation{fmt.Sprint("panic: ", r)}
				return
			}
			stack := make([]byte, 1<<14)
			broken = &violation{fmt.Sprintf("panic: %v\n%s", r, stack[:runtime.Stack(stack, false)])}
		}
	}()
	first, steps := cut(bytes)
	w := newWorld(first, trace)
	for len(steps) > 0 {
		w.dice, steps = cut(steps)
		w.step()
	}
	w.dice = first
	w.settle()
	return nil
}

// stepBytes is the number of bytes that a step has for its choices. So a history that lacks a step is the same otherwise.
const stepBytes = 10

// cut takes the first step from a history.
func cut(bytes []byte) (*dice, []byte) {
	n := min(stepBytes, len(bytes))
	return &dice{bytes: bytes[:n]}, bytes[n:]
}

// historyOf returns the bytes of a random history.
func historyOf(seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	bytes := make([]byte, stepBytes*(20+random.IntN([]int{20, 60, 250}[random.IntN(3)])))
	for i := range bytes {
		bytes[i] = byte(random.Uint32())
	}
	return bytes
}

// kindOf returns what two violations of one cause have in common, mostly.
func kindOf(broken *violation) string {
	if broken == nil {
		return ""
	}
	text := regexp.MustCompile(`[0-9]+|uid-|process|create|update|delete`).ReplaceAllString(broken.message, "")
	return text[:min(len(text), 40)]
}

// shrink makes a history that breaks something shorter and simpler, as long as it breaks something.
func shrink(bytes []byte) []byte {
	first := play(bytes, nil)
	kind := kindOf(first)
	fails := func(candidate []byte) bool {
		broken := play(candidate, nil)
		return kindOf(broken) == kind
	}
	for size := len(bytes) / 2 / stepBytes; size > 0; {
		smaller := false
		for at := stepBytes; at+size*stepBytes <= len(bytes); {
			if candidate := slices.Delete(slices.Clone(bytes), at, at+size*stepBytes); fails(candidate) {
				bytes, smaller = candidate, true
				continue
			}
			at += size * stepBytes
		}
		if !smaller || size > len(bytes)/stepBytes {
			size /= 2
		}
	}
	for i := range bytes {
		for _, value := range []byte{0, 1, bytes[i] % 8, bytes[i] % 32} {
			if value >= bytes[i] {
				continue
			}
			candidate := slices.Clone(bytes)
			if candidate[i] = value; fails(candidate) {
				bytes = candidate
				break
			}
		}
	}
	return bytes
}

// report prints a history that breaks something, in its shortest form.
func report(t *testing.T, name string, bytes []byte) {
	t.Helper()
	short := shrink(shrink(bytes))
	var trace string
	broken := play(short, func(line string) { trace += line + "\n" })
	if broken == nil {
		t.Errorf("%s: broken once, and not again", name)
		return
	}
	t.Errorf("%s: %s\nthe shortest history: %x\n%s", name, broken.message, short, trace)
}

// TestHistories plays random histories of tasks, nodes, hands, faults and processes. See audit for what holds at every moment, and
// expectation for what holds in the end. To play one again: go test ./internal/serving -run Histories -seed N -histories 1.
func TestHistories(t *testing.T) {
	count := *histories
	if testing.Short() {
		count = min(count, 2000)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var next, failures atomic.Uint64
	limit := uint64(maxFailures)
	if *first {
		limit = 1
	}
	var mu sync.Mutex
	broken := map[string]uint64{} // of each kind of violation, the first seed
	var wg sync.WaitGroup
	for range *workers {
		wg.Go(func() {
			for failures.Load() < limit {
				i := next.Add(1) - 1
				if i >= uint64(count) {
					return
				}
				found := play(historyOf(*seed+i), nil)
				if found == nil {
					continue
				}
				failures.Add(1)
				mu.Lock()
				if kind := kindOf(found); broken[kind] == 0 || broken[kind] > *seed+i {
					broken[kind] = *seed + i
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for kind, of := range broken {
		if *first {
			t.Errorf("seed %d: %s", of, kind)
			continue
		}
		report(t, fmt.Sprintf("seed %d", of), historyOf(of))
	}
	t.Logf("%d histories, %d broken", min(int(next.Load()), count), failures.Load())
}

// maxFailures bounds how many broken histories are waited for. Of each kind one is told of.
const maxFailures = 30

// FuzzHistories looks for histories that break something.
func FuzzHistories(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(historyOf(seed))
	}
	f.Add(historyOf(63007500)) // an entry waits for another shard than the one that it would be in if nothing waited
	f.Add(historyOf(84200432)) // a lost write, and another process's of equal content
	f.Add(historyOf(80009288)) // a shard loses its label while it is deleted, and then nobody needs it any more
	f.Add(historyOf(84270413)) // three foreign ConfigMaps, which a running process has learned of in another order than a restarted one
	f.Add(historyOf(90754953)) // the source goes, and a process that has seen neither the task nor the registry starts
	f.Add(historyOf(88030902)) // a hand deletes the index while two processes lead, and a deletion of one of them is late
	f.Add(historyOf(734))      // two fences of equal content, and one of them meets a conflict
	f.Add(historyOf(88195950)) // a pass that has written learns of someone else's ConfigMap, and has to write again
	f.Add(historyOf(88067212)) // a write of the index that was carried out is answered with a conflict, and then a shard is deleted
	f.Add(historyOf(91002127)) // a hand edits the labels of an index, of which another process has published the latest state
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if broken := play(bytes, nil); broken != nil {
			report(t, "fuzz", bytes)
		}
	})
}
