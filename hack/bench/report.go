package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// results are what the phases found; nil or empty for a phase that did not run.
type results struct {
	floor, operator, quickHand *burst
	beside                     []*besideResult
	scale                      scaleResult
	nodes                      *nodesResult
	devices                    *devicesResult
	discover                   *discoverResult
	workflow                   *workflowResult
	diff                       *diffResult
	workflows                  *workflowsResult
	failover                   *failoverResult
}

// Targets, from the project's plan.
const (
	maxRatio          = 1.08
	maxStatusWrites   = 1.05
	maxRegistryWrites = 0.1
	maxMemory         = 150 // MiB, at 5,000 tasks
	maxUpdates        = 10  // ConfigMap updates' times
	maxBeside         = 1.5 // median of single tasks beside up to manyBeside others, in that beside none
	maxBesideMany     = 2   // beside more
	manyBeside        = 10_000
	maxTaskMemory     = 10     // KiB
	maxRestartMemory  = 1.3    // memory at rest
	memoryTasks       = 10_000 // fewer tasks do not tell what one takes
	maxHeartbeatCores = 0.1
	maxJudging        = 2   // seconds
	maxRejudging      = 2   // seconds, of the workflows that run one task of 2,000, with 10,000 workflows
	maxWorkflowMemory = 20  // KiB
	maxChecking       = 1   // seconds, at 10,000 nodes
	maxCheckingMemory = 200 // MiB, the same
	minSearchSpeed    = 20  // python3's speeds, files without decorators being passed over
	minParseSpeed     = 1   // the same, every file being parsed
)

// report writes lines, and targets at the end.
type report struct {
	out     io.Writer
	targets []string
}

func (p *report) line(format string, arguments ...any) {
	_, _ = fmt.Fprintf(p.out, format+"\n", arguments...) // stdout; there is nobody to tell
}

// target notes whether a figure is at most what it should be.
func (p *report) target(what string, value, limit float64) {
	p.verdict(what, "≤", value, limit, value <= limit)
}

// targetAtLeast notes whether a figure is at least what it should be.
func (p *report) targetAtLeast(what string, value, limit float64) {
	p.verdict(what, "≥", value, limit, value >= limit)
}

func (p *report) verdict(what, sign string, value, limit float64, met bool) {
	p.targets = append(p.targets, fmt.Sprintf("  %-58s %s %-6.4g %8.3f  %s", what, sign, limit, value, map[bool]string{true: "met", false: "MISSED"}[met]))
}

func (r *results) print(out io.Writer, o options) {
	p := &report{out: out}
	if r.floor != nil || r.operator != nil || r.quickHand != nil {
		r.printBursts(p, o)
	}
	if len(r.beside) > 0 {
		r.printBeside(p)
	}
	if r.scale.checks != nil {
		r.scale.print(p)
	}
	if r.nodes != nil {
		r.nodes.print(p)
	}
	if r.devices != nil {
		r.devices.print(p)
	}
	if r.discover != nil {
		r.discover.print(p)
	}
	if r.workflow != nil {
		r.workflow.print(p)
	}
	if r.diff != nil {
		r.diff.print(p)
	}
	if r.workflows != nil {
		r.workflows.print(p)
	}
	if r.failover != nil {
		r.failover.print(p)
	}
	if len(p.targets) > 0 {
		p.line("\nTargets\n%s", strings.Join(p.targets, "\n"))
	}
}

// row is a line of the table: a figure of each burst.
type row struct {
	name   string
	figure func(*burst) string
}

func (r *results) printBursts(p *report, o options) {
	columns := []*burst{r.floor, r.operator, r.quickHand}
	p.line("%d tasks, %d workers, seed %d, %d CPUs\n", o.tasks, o.workers, o.seed, runtime.NumCPU())
	p.line("%-34s %12s %12s %12s", "", "a floor", "b operator", "c quick hand")
	for _, line := range r.rows() {
		cells := make([]any, 0, len(columns)+1)
		cells = append(cells, line.name)
		for _, column := range columns {
			cell := "-"
			if column != nil {
				cell = line.figure(column)
			}
			cells = append(cells, cell)
		}
		p.line("%-34s %12s %12s %12s", cells...)
	}
	for i, title := range []string{"a", "b", "c"} {
		if columns[i] != nil {
			p.printWrites("Writes of "+title, columns[i].writes)
		}
	}
	if r.operator == nil {
		return
	}
	if r.floor != nil {
		p.target("b/a, time", ratio(r.operator.elapsed, r.floor.elapsed), maxRatio)
	}
	p.target("b, status writes a task", r.operator.each(kind.statusWrite), maxStatusWrites)
	p.target("b, registry writes a task", r.operator.each(kind.registryWrite), maxRegistryWrites)
}

func (r *results) rows() []row {
	each := func(matches func(kind) bool) func(*burst) string {
		return func(b *burst) string { return fmt.Sprintf("%.3f", b.each(matches)) }
	}
	toFloor := func(value func(*burst) time.Duration) func(*burst) string {
		return func(b *burst) string {
			if r.floor == nil {
				return "-"
			}
			return fmt.Sprintf("%.2f", ratio(value(b), value(r.floor)))
		}
	}
	cpu := func(value func(usage) time.Duration) func(*burst) string {
		return func(b *burst) string { return fmt.Sprintf("%.2f s", value(b.cpu).Seconds()) }
	}
	return []row{
		{"time", func(b *burst) string { return fmt.Sprintf("%.2f s", b.elapsed.Seconds()) }},
		{"time, ratio to a", toFloor(func(b *burst) time.Duration { return b.elapsed })},
		{"tasks a second", func(b *burst) string { return fmt.Sprintf("%.0f", float64(b.tasks)/b.elapsed.Seconds()) }},
		{"from create to Ready, p50", func(b *burst) string { return fmt.Sprintf("%.2f s", b.waits.percentile(50).Seconds()) }},
		{"from create to Ready, p99", func(b *burst) string { return fmt.Sprintf("%.2f s", b.waits.percentile(99).Seconds()) }},
		{"status writes a task", each(kind.statusWrite)},
		{"registry writes a task", each(kind.registryWrite)},
		{"event writes a task", each(kind.eventWrite)},
		{"conflicts (409), all", func(b *burst) string { return fmt.Sprint(b.writes.count(kind.conflict)) }},
		{"bytes a status", func(b *burst) string { return fmt.Sprint(b.statusSize) }},
		{"CPU, etcd", cpu(func(u usage) time.Duration { return u.etcd })},
		{"CPU, kube-apiserver", cpu(func(u usage) time.Duration { return u.apiServer })},
		{"CPU, reconciler", cpu(func(u usage) time.Duration { return u.actor })},
		{"CPU, reconciler, a task", func(b *burst) string {
			return fmt.Sprintf("%.2f ms", b.cpu.actor.Seconds()*1000/float64(b.tasks))
		}},
		{"CPU, this program", cpu(func(u usage) time.Duration { return u.bench })},
		{"CPU, anything else on the machine", cpu(usage.others)},
		{"CPU, the four, ratio to a", toFloor(func(b *burst) time.Duration { return b.cpu.sum() })},
		{"CPU, control plane, ratio to a", toFloor(func(b *burst) time.Duration { return b.cpu.etcd + b.cpu.apiServer })},
		{"peak memory of the reconciler", func(b *burst) string { return mebibytes(b.peakMemory) }},
	}
}

// each returns the number of writes of a kind for each task.
func (b *burst) each(matches func(kind) bool) float64 {
	return float64(b.writes.count(matches)) / float64(b.tasks)
}

func (p *report) printWrites(title string, writes requests) {
	p.line("\n%s: %d", title, writes.sum())
	for _, k := range writes.kinds() {
		p.line("  %-40s %8d", k, writes[k])
	}
}

func (r *results) printBeside(p *report) {
	p.line("\nd: a single task, from create to Ready and in the registry; and an update of a ConfigMap of 64 KiB")
	p.line("%-14s %9s %9s %9s %9s %11s %11s %11s", "beside", "p50", "p99", "max", "p50/p50(0)", "update p50", "p99/update", "CPU a task")
	for _, l := range r.beside {
		update, none := l.yardstick.percentile(50), "-"
		compared := ratio(l.latencies.tasks.percentile(99), update)
		p.target(fmt.Sprintf("d, p99 beside %d, in ConfigMap updates", l.tasks), compared, maxUpdates)
		if first := r.beside[0]; first.tasks == 0 && l.tasks > 0 {
			slower, limit := ratio(l.latencies.tasks.percentile(50), first.latencies.tasks.percentile(50)), maxBeside
			if l.tasks > manyBeside {
				limit = maxBesideMany
			}
			none = fmt.Sprintf("%.2f", slower)
			p.target(fmt.Sprintf("d, p50 beside %d, in that beside none", l.tasks), slower, limit)
		}
		p.line("%-14d %9s %9s %9s %9s %11s %11.2f %11s", l.tasks, milliseconds(l.latencies.tasks.percentile(50)),
			milliseconds(l.latencies.tasks.percentile(99)), milliseconds(l.latencies.tasks.percentile(100)), none, milliseconds(update), compared,
			milliseconds(l.cpu.actor/time.Duration(len(l.latencies.tasks))))
	}
	r.printMemory(p)
}

// printMemory prints what the operator holds beside each number of tasks, and what a restart takes there.
func (r *results) printMemory(p *report) {
	p.line("\nd: memory at rest, and restarts")
	p.line("%-10s %9s %9s %9s %9s %9s %9s %9s %7s %7s", "tasks", "at rest", "a task", "restarted", "a task", "peak", "idle", "CPU", "reads", "writes")
	base := r.beside[0]
	each := func(l *besideResult, resident float64) float64 {
		return (resident - base.resident) * 1024 / float64(max(1, l.tasks))
	}
	for _, l := range r.beside {
		if l.restart == nil {
			p.line("%-10d %9s", l.tasks, mebibytes(l.resident))
			continue
		}
		p.line("%-10d %9s %9s %9s %9s %9s %9s %9s %7d %7d", l.tasks, mebibytes(l.resident), kibibytes(each(l, l.resident)),
			mebibytes(l.restart.resident), kibibytes(each(l, l.restart.resident)), mebibytes(l.restart.peak),
			fmt.Sprintf("%.2f s", l.restart.idle.Seconds()), fmt.Sprintf("%.2f s", l.restart.cpu.Seconds()), l.restart.reads.sum(), l.restart.writes.sum())
		p.target(fmt.Sprintf("d, writes after a restart with %d tasks", l.tasks), float64(l.restart.writes.sum()), 0)
		if l.tasks < memoryTasks {
			continue
		}
		p.target(fmt.Sprintf("d, peak of a restart with %d tasks, in memory at rest", l.tasks), l.restart.peak/max(1, l.resident), maxRestartMemory)
		if base.tasks == 0 {
			p.target(fmt.Sprintf("d, memory a task at %d tasks, KiB", l.tasks), each(l, l.resident), maxTaskMemory)
		}
	}
}

func (r *scaleResult) print(p *report) {
	p.line("\ne: %d tasks in one namespace", r.tasks)
	p.line("  %-40s %8.2f s", "time", r.elapsed.Seconds())
	p.line("  %-40s %8.2f s", "from create to Ready, p99", r.waits.percentile(99).Seconds())
	p.line("  %-40s %8d", "ConfigMaps of the registry", r.configMaps)
	p.line("  %-40s %8d bytes", "largest of them, at any moment", r.checks.largest)
	p.line("  %-40s %8d", "states of the registry that were checked", r.checks.states)
	p.line("  %-40s %8d", "inconsistent ones", len(r.checks.findings))
	p.line("  %-40s %8s", "peak memory of the operator", mebibytes(r.peakMemory))
	p.line("  %-40s %8s", "the same, restarted", mebibytes(r.restartMemory))
	p.printWrites("Writes of e", r.writes)
	p.printWrites(fmt.Sprintf("Writes in %s of idleness", r.idle), r.idleWrites)
	p.printWrites("Writes after a restart", r.restartWrites)
	p.target(fmt.Sprintf("e, peak memory at %d tasks, MiB", r.tasks), max(r.peakMemory, r.restartMemory), maxMemory)
	p.target("e, writes when idle", float64(r.idleWrites.sum()), 0)
	p.target("e, writes after a restart", float64(r.restartWrites.sum()), 0)
	p.target("e, status writes a task", r.each(kind.statusWrite), maxStatusWrites)
	p.target("e, registry writes a task", r.each(kind.registryWrite), maxRegistryWrites)
}

func (r *discoverResult) print(p *report) {
	megabytes := float64(r.bytes) / 1e6
	p.line("\ng: %d Python files, %.1f MB, %d tasks, %d CPUs", r.files, megabytes, r.tasks, runtime.NumCPU())
	p.line("%-34s %10s %10s %10s %14s", "", "time", "files/s", "MB/s", "python3/this")
	for _, way := range []struct {
		name string
		took time.Duration
	}{{"python3, ast.parse", r.python}, {"mazectl discover", r.search}, {"mazectl discover --parse-all", r.all}} {
		seconds := way.took.Seconds()
		p.line("%-34s %8.2f s %10.0f %10.1f %14.2f", way.name, seconds, float64(r.files)/seconds, megabytes/seconds, ratio(r.python, way.took))
	}
	if r.many > 0 {
		p.line("%d small files: %.2f s, peak memory %s", r.many, r.manyTime.Seconds(), mebibytes(r.manyMemory))
	}
	p.targetAtLeast("g, speed, in python3's ast", ratio(r.python, r.search), minSearchSpeed)
	p.targetAtLeast("g, speed with every file parsed, in python3's ast", ratio(r.python, r.all), minParseSpeed)
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / max(b.Seconds(), 1e-9) }

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

func kibibytes(value float64) string { return fmt.Sprintf("%.1f KiB", value) }

func mebibytes(value float64) string {
	if value == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f MiB", value)
}
