package publisher

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// noon is when the bursts of the tests begin.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// every returns a change each step, from the begin to an end that is not included.
func every(step, end time.Duration) []time.Duration {
	var at []time.Duration
	for moment := time.Duration(0); moment < end; moment += step {
		at = append(at, moment)
	}
	return at
}

func TestBatcherWaits(t *testing.T) {
	const ms = time.Millisecond
	cases := map[string]struct {
		// notes are when changes came, and now is when the batcher is asked, both from the begin of the burst.
		notes []time.Duration
		cost  time.Duration
		now   time.Duration
		want  time.Duration
	}{
		"No change": {now: 0, want: 0},

		"One change, at once":                  {notes: every(1, 1), now: 0, want: 10 * ms},
		"One change, a little later":           {notes: every(1, 1), now: 4 * ms, want: 6 * ms},
		"One change, quiet":                    {notes: every(1, 1), now: 10 * ms, want: 0},
		"One change, long ago":                 {notes: every(1, 1), now: time.Hour, want: 0},
		"Two changes need twice the quiet":     {notes: []time.Duration{0, 5 * ms}, now: 6 * ms, want: 19 * ms},
		"Two changes, quiet":                   {notes: []time.Duration{0, 5 * ms}, now: 25 * ms, want: 0},
		"Eight changes need the longest quiet": {notes: every(1, 8), now: 0, want: 80*ms + 7},
		"More changes need no longer":          {notes: every(1, 1000), now: 0, want: 80*ms + 999},

		"A long burst, before patience ends":             {notes: every(10*ms, 250*ms), now: 240 * ms, want: 10 * ms},
		"A long burst, when patience ends":               {notes: every(10*ms, 250*ms), now: 250 * ms, want: 0},
		"A write of no time has the least patience":      {notes: every(10*ms, 250*ms), cost: ms, now: 245 * ms, want: 5 * ms},
		"A burst that ends before patience does":         {notes: every(10*ms, 100*ms), now: 100 * ms, want: 70 * ms},
		"A change when patience ends prolongs nothing":   {notes: every(10*ms, 250*ms), now: 249 * ms, want: ms},
		"A slow write has patience for ten times it":     {notes: every(10*ms, 2000*ms), cost: 200 * ms, now: 1990 * ms, want: 10 * ms},
		"A slow write, when patience ends":               {notes: every(10*ms, 2000*ms), cost: 200 * ms, now: 2000 * ms, want: 0},
		"A very slow write has patience for 5 s":         {notes: every(10*ms, 5000*ms), cost: time.Minute, now: 4990 * ms, want: 10 * ms},
		"A write of 25ms is where patience is the least": {notes: every(10*ms, 250*ms), cost: 25 * ms, now: 245 * ms, want: 5 * ms},
		"A write of 26ms has a little more":              {notes: every(10*ms, 260*ms), cost: 26 * ms, now: 250 * ms, want: 10 * ms},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBatcher()
			if tc.cost > 0 { // of an earlier burst
				b.note("a", "task", noon.Add(-time.Hour))
				if _, wait := b.take("a", noon.Add(-time.Minute)); wait != 0 {
					t.Fatalf("take(...) an hour later: want 0, got %s", wait)
				}
				b.spent("a", tc.cost)
			}
			for _, at := range tc.notes {
				b.note("a", "task", noon.Add(at))
			}
			if _, got := b.take("a", noon.Add(tc.now)); got != tc.want {
				t.Errorf("take(...): want %s, got %s", tc.want, got)
			}
		})
	}
}

// TestBatcherTakesABurstOnce: what was taken counts no more for the next burst, what was not still does.
func TestBatcherTakesABurstOnce(t *testing.T) {
	const ms = time.Millisecond
	b := newBatcher()
	steps := []struct {
		what string
		do   func()
		at   time.Duration
		want time.Duration
	}{
		{what: "a first burst goes on", do: func() { b.note("a", "task", noon) }, at: 9 * ms, want: ms},
		{what: "asking takes nothing before it is due", at: 9 * ms, want: ms},
		{what: "it is taken", at: 10 * ms},
		{what: "nothing is left", at: 11 * ms},
		{what: "a second burst has its own quiet and its own patience", do: func() { b.note("a", "task", noon.Add(300*ms)) }, at: 300 * ms, want: 10 * ms},
		{what: "a change while it is written is a third", do: func() {
			b.take("a", noon.Add(310*ms))
			b.note("a", "task", noon.Add(311*ms))
			b.spent("a", 100*ms)
		}, at: 321 * ms},
	}
	for _, step := range steps {
		if step.do != nil {
			step.do()
		}
		if _, got := b.take("a", noon.Add(step.at)); got != step.want {
			t.Errorf("%s: take(...) at %s: want %s, got %s", step.what, step.at, step.want, got)
		}
	}
}

func TestBatcherKeepsNamespacesApart(t *testing.T) {
	b := newBatcher()
	b.note("a", "task", noon)
	b.note("b", "task", noon.Add(4*time.Millisecond))
	for namespace, want := range map[string]time.Duration{"a": 6 * time.Millisecond, "b": 10 * time.Millisecond, "c": 0} {
		if _, got := b.take(namespace, noon.Add(4*time.Millisecond)); got != want {
			t.Errorf("take(%s): want %s, got %s", namespace, want, got)
		}
	}
}

func TestBatcherForgets(t *testing.T) {
	b := newBatcher()
	b.note("a", "task", noon)
	b.spent("a", time.Second)
	b.forget("a")
	if tasks, _ := b.take("a", noon.Add(time.Hour)); len(tasks) != 1 {
		t.Errorf("forget(...) of what has changed: want it kept, got %v", tasks)
	}
	b.forget("a")
	b.spent("a", time.Second) // a write that ends after that
	b.delivered("a", noon)
	if len(b.bursts) != 0 {
		t.Errorf("want nothing remembered, got %d namespaces", len(b.bursts))
	}
	b.note("a", "task", noon)
	if _, got := b.take("a", noon); got != quietPeriod {
		t.Errorf("take(...): want %s as for a new namespace, got %s", quietPeriod, got)
	}
}

// TestBatcherRetries: whatever changes meanwhile, a registry that cannot be written is tried again after at most lastRetry.
func TestBatcherRetries(t *testing.T) {
	b, now := newBatcher(), noon
	b.note("a", "task", now)
	longest := time.Duration(0)
	for range 100 {
		if _, wait := b.take("a", now.Add(time.Minute)); wait != 0 {
			t.Fatalf("take(...) a minute later: want 0, got %s", wait)
		}
		wait := b.failed("a", now)
		longest = max(longest, wait)
		for range 1000 {
			b.note("a", "task", now)
		}
		if _, early := b.take("a", now.Add(wait-1)); early <= 0 {
			t.Fatalf("take(...) before it is time: want a wait, got %s", early)
		}
		if _, due := b.take("a", now.Add(wait+maxQuietPeriod)); due != 0 {
			t.Fatalf("take(...) when it is time: want 0, got %s", due)
		}
		now = now.Add(wait)
	}
	if longest != lastRetry {
		t.Errorf("the longest wait: want %s, got %s", lastRetry, longest)
	}
	b.delivered("a", now)
	if got := b.failed("a", now); got != firstRetry {
		t.Errorf("failed(...) after a success: want %s, got %s", firstRetry, got)
	}
}

// TestBatcherTellsWhatIsPending: the age of a change counts until it is published, whatever happens in between.
func TestBatcherTellsWhatIsPending(t *testing.T) {
	b, second := newBatcher(), func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	expect := func(what string, now int, want map[string]time.Duration) {
		t.Helper()
		if diff := cmp.Diff(want, b.lags(second(now))); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", what, diff)
		}
	}
	expect("nothing", 0, map[string]time.Duration{})
	b.note("a", "task", second(0))
	b.note("a", "task", second(1))
	expect("two changes", 2, map[string]time.Duration{"a": 2 * time.Second})
	b.take("a", second(3))
	b.note("a", "task", second(4))
	expect("the write fails, and another change comes", 5, map[string]time.Duration{"a": 5 * time.Second})
	b.take("a", second(6))
	b.note("a", "task", second(7))
	if got := b.delivered("a", second(8)); got != 8*time.Second {
		t.Errorf("delivered(...): want 8s, got %s", got)
	}
	expect("published but for a change that came meanwhile", 8, map[string]time.Duration{"a": time.Second})
	b.take("a", second(9))
	if got := b.delivered("a", second(9)); got != 2*time.Second {
		t.Errorf("delivered(...): want 2s, got %s", got)
	}
	expect("all is published", 10, map[string]time.Duration{})
	for _, namespace := range []string{"a", "unknown"} {
		if got := b.delivered(namespace, second(11)); got != 0 {
			t.Errorf("delivered(%s) again: want 0, got %s", namespace, got)
		}
	}
}

// TestBatcherIsSafeForConcurrentUse has something to say only with -race.
func TestBatcherIsSafeForConcurrentUse(t *testing.T) {
	b := newBatcher()
	var group sync.WaitGroup
	for _, use := range []func(time.Time){
		func(now time.Time) { b.note("a", "task", now) },
		func(now time.Time) { b.take("a", now) },
		func(time.Time) { b.spent("a", time.Millisecond) },
		func(time.Time) { b.forget("a") },
		func(now time.Time) { b.delivered("a", now) },
		func(now time.Time) { b.lags(now) },
	} {
		group.Go(func() {
			for i := range 200 {
				use(noon.Add(time.Duration(i) * time.Millisecond))
			}
		})
	}
	group.Wait()
}

func TestIsDue(t *testing.T) {
	const namespace = "team"
	b := newBatcher()
	check := func(what string, at time.Duration, want bool) {
		t.Helper()
		if got := b.isDue(namespace, noon.Add(at)); got != want {
			t.Errorf("%s: isDue is %t, want %t", what, got, want)
		}
	}
	check("nothing is known", 0, false)
	b.note(namespace, "a", noon)
	check("a change has just come", 0, false)
	check("it was quiet since", quietPeriod, true)
	if _, wait := b.take(namespace, noon.Add(quietPeriod)); wait > 0 {
		t.Fatalf("take waits %s", wait)
	}
	check("nothing is left", quietPeriod, false)
	wait := b.failed(namespace, noon.Add(quietPeriod))
	b.note(namespace, "a", noon.Add(quietPeriod))
	check("a failure is to be waited for", quietPeriod+wait-1, false)
	check("it was waited for", quietPeriod+wait, true)
}
