package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
)

// taskOf returns a task that is placeable. Its interface is told by its schemas.
func taskOf(object, input, output string) *Task {
	return &Task{
		Task: dag.Task{Input: []byte(input), Output: []byte(output)}, Interface: fmt.Sprintf("sha256:%d/%d", len(input), len(output)), Object: object,
		Placeable: metav1.ConditionTrue, Reason: v1alpha1.ReasonFeasible,
	}
}

const (
	takesImage = `{"type":"object","properties":{"image":{"type":"string"},"language":{"enum":["en","zh"]}},"required":["image"]}`
	putsText   = `{"type":"object","properties":{"text":{"type":"string"}}}`
	takesText  = `{"type":"object","properties":{"text":{"type":"string"},"limit":{"type":"integer"}},"required":["text"]}`
)

// registered are the tasks of the cases. A case changes them by its edit.
func registered() map[string]*Task {
	return map[string]*Task{
		"caption":   taskOf("image-caption", takesImage, putsText),
		"summarise": taskOf("summarise", takesText, `{"type":"object","properties":{"summary":{"type":"string"}}}`),
	}
}

const valid = `
nodes:
- {id: t1, func: caption, args: {image: a.png}}
- {id: t2, func: summarise, args: {text: t1.output.text}}
`

func specOf(t testing.TB, text string) *v1alpha1.MazeWorkflowSpec {
	t.Helper()
	spec := &v1alpha1.MazeWorkflowSpec{}
	if err := yaml.UnmarshalStrict([]byte(text), spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// conditionsOf writes conditions as a person reads them.
func conditionsOf(conditions []metav1.Condition) string {
	var lines []string
	for _, c := range conditions {
		line := fmt.Sprintf("%s %s %s", c.Type, c.Status, c.Reason)
		if c.Type == v1alpha1.ConditionValid || c.Type == v1alpha1.ConditionPlaceable {
			line += ": " + c.Message
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestJudge(t *testing.T) {
	lastValid := []v1alpha1.WorkflowTask{{Name: "caption", Interface: "sha256:before"}}
	for name, tc := range map[string]struct {
		spec string
		edit func(map[string]*Task)
		last []v1alpha1.WorkflowTask
		goes bool
		want string
		// wantTasks are the names of status.tasks, in a row.
		wantTasks string
	}{
		"valid": {
			spec: valid, last: lastValid, wantTasks: "caption summarise",
			want: `Valid True Valid: the tasks that the registry serves take what the nodes pass
Placeable True Feasible: some node of the cluster can host the task of each node
Ready True Ready
Stalled False NotStalled`,
		},
		"a task is deprecated": {
			spec: valid, last: lastValid, wantTasks: "caption summarise",
			edit: func(all map[string]*Task) {
				all["caption"].Deprecated = &v1alpha1.Deprecation{Message: "Knows one language.", Replacement: "caption2"}
			},
			want: `Valid True Valid: 1 warning: MZ229 node "t1" at /spec/nodes/0/func: task "caption" is deprecated: Knows one language; run "caption2" instead
Placeable True Feasible: some node of the cluster can host the task of each node
Ready True Ready
Stalled False NotStalled`,
		},
		"edges in both forms": {
			spec: `
nodes:
- {id: t1, func: caption, args: {image: a.png}}
- {id: t2, func: summarise}
- {id: t3, func: caption, args: {image: b.png}}
edges:
- {from: t1.text, to: t2.text}
- {source: t2, target: t3}
`, wantTasks: "caption summarise",
			want: `Valid True Valid: the tasks that the registry serves take what the nodes pass
Placeable True Feasible: some node of the cluster can host the task of each node
Ready True Ready
Stalled False NotStalled`,
		},
		"a warning": {
			spec: `
nodes:
- {id: t1, func: caption, args: {image: a.png}}
- {id: t2, func: summarise, args: {text: "of t1.output.text"}}
`, wantTasks: "caption summarise",
			want: `Valid True Valid: 1 warning: MZ217 node "t2" at /spec/nodes/1/args/text: "of t1.output.text" is passed as it is, although there is a node "t1": ` +
				`a reference is nothing but "node.output.key" or "node.output.key[n]"; write "t1.output.text" to pass that output
Placeable True Feasible: some node of the cluster can host the task of each node
Ready True Ready
Stalled False NotStalled`,
		},
		"a task that nobody has registered": {
			spec: valid, edit: func(tasks map[string]*Task) { delete(tasks, "summarise") },
			want: `Valid False UnknownTask: 1 error: MZ206 node "t2" at /spec/nodes/1/func: the registry serves no task "summarise": create it, or correct the name; if a MazeTask has that, its condition Ready says what to do
Placeable Unknown NotJudged: it is not known whether a node of the cluster can host the task of node "t2" (the registry does not serve task summarise)
Ready False UnknownTask
Stalled False NotStalled`,
		},
		"a task that nobody has registered, of many nodes": {
			spec: "nodes: [{id: t1, func: caption, args: {image: a.png}}, {id: t2, func: nobody}, {id: t3, func: nobody}, {id: t4, func: nobody}, {id: t5, func: nobody}]",
			want: `Valid False UnknownTask: 1 error: MZ206 node "t2" at /spec/nodes/1/func: the registry serves no task "nobody": create it, or correct the name; if a MazeTask has that, its condition Ready says what to do (so it is in 3 more places)
Placeable Unknown NotJudged: it is not known whether a node of the cluster can host the task of node "t2" (the registry does not serve task nobody), node "t3" (the registry does not serve task nobody), node "t4" (the registry does not serve task nobody), node "t5" (the registry does not serve task nobody)
Ready False UnknownTask
Stalled False NotStalled`,
		},
		"a task that is gone since the workflow was valid, and one that has changed": {
			spec: valid + "- {id: t3, func: nobody}", wantTasks: "caption former summarise",
			last: []v1alpha1.WorkflowTask{
				{Name: "caption", Interface: "sha256:before"}, {Name: "former", Interface: "sha256:1"},
				{Name: "summarise", Interface: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
			},
			edit: func(tasks map[string]*Task) { delete(tasks, "summarise") },
			want: `Valid False UnknownTask: 2 errors: MZ206 node "t2" at /spec/nodes/1/func: the registry serves no task "summarise": create it, or correct the name; if a MazeTask has that, its condition Ready says what to do; ` +
				`MZ206 node "t3" at /spec/nodes/2/func: the registry serves no task "nobody": create it, or correct the name; if a MazeTask has that, its condition Ready says what to do; ` +
				`changed since the workflow was last valid: caption; served when the workflow was last valid: summarise as sha256:0123456789ab…
Placeable Unknown NotJudged: it is not known whether a node of the cluster can host the task of node "t2" (the registry does not serve task summarise), node "t3" (the registry does not serve task nobody)
Ready False UnknownTask
Stalled False NotStalled`,
		},
		"an edit that breaks it": {
			spec: valid, last: lastValid, wantTasks: "caption",
			edit: func(tasks map[string]*Task) {
				tasks["caption"] = taskOf("image-caption", strings.Replace(takesImage, `["image"]`, `["image","language"]`, 1), putsText)
			},
			want: `Valid False InterfaceMismatch: 1 error: MZ208 node "t1" at /spec/nodes/0/args: task "caption" needs the argument "language" (one of "en", "zh"); ` +
				`give it a value, or wire it to an output; changed since the workflow was last valid: caption
Placeable True Feasible: some node of the cluster can host the task of each node
Ready False InterfaceMismatch
Stalled False NotStalled`,
		},
		"nodes that wait for each other": {
			spec: `
nodes:
- {id: t1, func: caption, args: {image: t2.output.summary}}
- {id: t2, func: summarise, args: {text: t1.output.text, limit: none}}
- {id: t3, func: nobody}
`,
			want: `Valid False InvalidGraph: 3 errors: MZ213 node "t1" at /spec/nodes/0: the node waits for itself: t1 → t2 → t1; remove one of the references or edges; ` +
				`MZ206 node "t3" at /spec/nodes/2/func: the registry serves no task "nobody": create it, or correct the name; if a MazeTask has that, its condition Ready says what to do; ` +
				`MZ209 node "t2" at /spec/nodes/1/args/limit: the argument "limit" does not fit task "summarise": got string, want integer
Placeable Unknown NotJudged: it is not known whether a node of the cluster can host the task of node "t3" (the registry does not serve task nobody)
Ready False InvalidGraph
Stalled True InvalidGraph`,
		},
		"more mismatches than are told, and a task that nobody has registered": {
			spec: `
nodes:
- {id: t1, func: caption, args: {image: 1}}
- {id: t2, func: caption, args: {image: 2}}
- {id: t3, func: caption, args: {image: 3}}
- {id: t4, func: caption, args: {image: 4}}
- {id: t5, func: caption, args: {image: 5}}
- {id: t6, func: nobody}
`,
			want: `Valid False UnknownTask: 6 errors: MZ206 node "t6" at /spec/nodes/5/func: the registry serves no task "nobody": create it, or correct the name; if a MazeTask has that, its condition Ready says what to do; ` +
				`MZ209 node "t1" at /spec/nodes/0/args/image: the argument "image" does not fit task "caption": got number, want string; ` +
				`MZ209 node "t2" at /spec/nodes/1/args/image: the argument "image" does not fit task "caption": got number, want string; ` +
				`MZ209 node "t3" at /spec/nodes/2/args/image: the argument "image" does not fit task "caption": got number, want string; ` +
				`MZ209 node "t4" at /spec/nodes/3/args/image: the argument "image" does not fit task "caption": got number, want string; and 1 more
Placeable Unknown NotJudged: it is not known whether a node of the cluster can host the task of node "t6" (the registry does not serve task nobody)
Ready False UnknownTask
Stalled False NotStalled`,
		},
		"a task that no node can host, and one of which that is not known": {
			spec: valid, wantTasks: "caption summarise",
			edit: func(tasks map[string]*Task) {
				tasks["caption"].Placeable, tasks["caption"].Reason = metav1.ConditionUnknown, v1alpha1.ReasonNoInventory
				tasks["summarise"].Placeable, tasks["summarise"].Reason = metav1.ConditionFalse, v1alpha1.ReasonNoFeasibleNode
			},
			want: `Valid True Valid: the tasks that the registry serves take what the nodes pass
Placeable False NoFeasibleNode: no node of the cluster can host the task of node "t2" (NoFeasibleNode; see the condition Placeable of MazeTask summarise)
Ready True Ready
Stalled False NotStalled`,
		},
		"a workflow that is being deleted": {
			spec: strings.Replace(valid, "t1.output", "t9.output", 1), goes: true,
			want: `Valid False InvalidGraph: 1 error: MZ210 node "t2" at /spec/nodes/1/args/text: no node has the id "t9"; did you mean "t1"?
Placeable True Feasible: some node of the cluster can host the task of each node
Ready False Terminating
Stalled False NotStalled`,
		},
		"a task of which nobody knows whether it can be placed": {
			spec: valid, wantTasks: "caption summarise",
			edit: func(tasks map[string]*Task) {
				tasks["caption"].Placeable, tasks["caption"].Reason = metav1.ConditionUnknown, v1alpha1.ReasonNoInventory
			},
			want: `Valid True Valid: the tasks that the registry serves take what the nodes pass
Placeable Unknown NoInventory: it is not known whether a node of the cluster can host the task of node "t1" (NoInventory; see the condition Placeable of MazeTask image-caption)
Ready True Ready
Stalled False NotStalled`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tasks := registered()
			if tc.edit != nil {
				tc.edit(tasks)
			}
			verdict, err := Judge(specOf(t, tc.spec), func(name string) *Task { return tasks[name] })
			if err != nil {
				t.Fatal(err)
			}
			w := &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Generation: 7}, Status: v1alpha1.MazeWorkflowStatus{Tasks: tc.last}}
			if tc.goes {
				w.DeletionTimestamp = &metav1.Time{}
			}
			status := verdict.Status(w, metav1.NewTime(time.Unix(0, 0)))
			if diff := cmp.Diff(tc.want, conditionsOf(status.Conditions)); diff != "" {
				t.Errorf("the conditions: -want, +got:\n%s", diff)
			}
			var names []string
			for _, task := range status.Tasks {
				names = append(names, task.Name)
			}
			if diff := cmp.Diff(tc.wantTasks, strings.Join(names, " ")); diff != "" {
				t.Errorf("the tasks: -want, +got:\n%s", diff)
			}
			for _, c := range status.Conditions {
				if c.ObservedGeneration != 7 || status.ObservedGeneration != 7 {
					t.Errorf("%s speaks of generation %d, the status of %d, want 7", c.Type, c.ObservedGeneration, status.ObservedGeneration)
				}
			}
			w.Status = status
			again := verdict.Status(w, metav1.NewTime(time.Unix(99, 0)))
			if diff := cmp.Diff(status, again); diff != "" {
				t.Errorf("the same verdict again: -want, +got:\n%s", diff)
			}
		})
	}
}

// TestJudgedCoversWhatIsJudged: a workflow is judged again when its task is deprecated, for which its interface stays.
func TestJudgedCoversWhatIsJudged(t *testing.T) {
	judged := map[string]bool{}
	for _, deprecated := range []*v1alpha1.Deprecation{nil, {Message: "a"}, {Message: "b"}, {Message: "a", Replacement: "b"}} {
		one := taskOf("caption", takesImage, putsText)
		one.Deprecated = deprecated
		judged[one.Judged()] = true
	}
	if len(judged) != 4 {
		t.Errorf("want 4 tasks to be told apart, got %d", len(judged))
	}
}

// TestNoFindingsAreCounted: a person reads 0 where nothing was found, and not a blank. A status without those numbers, as a version
// before has written it, says the same, so that it is not written again.
func TestNoFindingsAreCounted(t *testing.T) {
	tasks := registered()
	verdict, err := Judge(specOf(t, valid), func(name string) *Task { return tasks[name] })
	if err != nil {
		t.Fatal(err)
	}
	status := verdict.Status(&v1alpha1.MazeWorkflow{}, metav1.Unix(1, 0))
	text, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"errors":0,`, `"warnings":0,`} {
		if !strings.Contains(string(text), field) {
			t.Errorf("want %s in %s", field, text)
		}
		text = []byte(strings.Replace(string(text), field, "", 1))
	}
	w := &v1alpha1.MazeWorkflow{}
	if err := json.Unmarshal(text, &w.Status); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.Status, verdict.Status(w, metav1.Unix(2, 0))); diff != "" {
		t.Errorf("what a version before wrote, -then, +now:\n%s", diff)
	}
}

// TestConflict: while nobody knows what the registry serves, the tasks of before stay.
func TestConflict(t *testing.T) {
	last := v1alpha1.MazeWorkflowStatus{Tasks: []v1alpha1.WorkflowTask{{Name: "caption", Interface: "sha256:before"}}}
	status := Conflicted(specOf(t, valid), "ConfigMap maze-registry belongs to someone else").Status(&v1alpha1.MazeWorkflow{Status: last}, metav1.Now())
	want := `Valid Unknown RegistryConflict: nobody knows what the registry serves: ConfigMap maze-registry belongs to someone else
Placeable Unknown NotJudged: there is nothing to place: see the condition Valid
Ready False RegistryConflict
Stalled True RegistryConflict`
	if diff := cmp.Diff(want, conditionsOf(status.Conditions)); diff != "" {
		t.Errorf("the conditions: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(last.Tasks, status.Tasks); diff != "" {
		t.Errorf("the tasks: -want, +got:\n%s", diff)
	}
}

// TestFindingsAreToldWhole: the advice is at the end of a finding, however long the names are. Only the finding that is told first may be
// longer than a message should be.
func TestFindingsAreToldWhole(t *testing.T) {
	id, wrong, fn := strings.Repeat("n", 128), strings.Repeat("n", 127)+"m", strings.Repeat("f", 253)
	argument, near := strings.Repeat("参", 200), strings.Repeat("参", 199)+"数"
	many := func(last string) string {
		var all []string
		for i := range 9 {
			all = append(all, fmt.Sprintf(`"%s%d":{"type":"string"}`, strings.Repeat("另", 70), i))
		}
		return `{"type":"object","properties":{"` + last + `":{"type":"integer"},` + strings.Join(all, ",") + `},"required":["` + last + `"]}`
	}
	node := func(id, args string) string { return fmt.Sprintf("- {id: %s, func: %s, args: %s}\n", id, fn, args) }
	given := `{"` + argument + `": 1}`
	for rule, spec := range map[string]string{
		finding.UnknownFunc:        "nodes:\n- {id: " + id + ", func: " + fn + "x}\n",
		finding.UnknownArgument:    "nodes:\n" + node(id, `{"`+argument+`": 1, "`+near+`": 1}`),
		finding.MissingArgument:    "nodes:\n" + node(id, `{}`),
		finding.InvalidArgument:    "nodes:\n" + node(id, `{"`+argument+`": "`+strings.Repeat("值", 1000)+`"}`),
		finding.UnknownNode:        "nodes:\n" + node(id, `{"`+argument+`": `+wrong+`.output.o}`),
		finding.UnknownOutput:      "nodes:\n" + node("a", given) + node(id, `{"`+argument+`": a.output.`+near+`}`),
		finding.IncompatibleEdge:   "nodes:\n" + node("a", given) + node(id, `{"`+argument+`": a.output.o}`),
		finding.Cycle:              "nodes:\n" + node(id, given) + node(wrong, given) + "edges: [{source: " + id + ", target: " + wrong + "}, {source: " + wrong + ", target: " + id + "}]",
		finding.ArgumentGivenTwice: "nodes:\n" + node("a", given) + node(id, given) + "edges: [{from: a.o, to: " + id + "." + argument + "}]",
		finding.DoubtfulReference:  "nodes:\n" + node(id, `{"`+argument+`": 1, "`+strings.Repeat("另", 70)+`0": "of `+id+`.output.o"}`),
		finding.DeprecatedTask:     "nodes:\n" + node(id, given),
	} {
		t.Run(rule, func(t *testing.T) {
			tasks := map[string]*Task{fn: taskOf("o", many(argument), strings.Replace(many(argument), `"properties":{`, `"properties":{"o":{"type":"string"},`, 1))}
			if rule == finding.DeprecatedTask {
				tasks[fn].Deprecated = &v1alpha1.Deprecation{Message: strings.Repeat("因", 400), Replacement: strings.Repeat("r", 253)}
			}
			verdict, err := Judge(specOf(t, spec), func(name string) *Task { return tasks[name] })
			if err != nil {
				t.Fatal(err)
			}
			last := []v1alpha1.WorkflowTask{{Name: fn, Interface: "sha256:" + strings.Repeat("0", 64)}}
			message := verdict.Status(&v1alpha1.MazeWorkflow{Status: v1alpha1.MazeWorkflowStatus{Tasks: last}}, metav1.Now()).Conditions[0].Message
			all := slices.Concat(verdict.Errors, verdict.Warnings)
			if len(all) == 0 || all[0].Rule != rule || !strings.Contains(message, ": "+rule+" "+all[0].Message) {
				t.Errorf("want the finding %s whole, got %d bytes: %s", rule, len(message), message)
			}
		})
	}
}

// TestSome: of several texts, those are told that have room, each whole.
func TestSome(t *testing.T) {
	for _, tc := range []struct {
		all  []string
		room int
		want string
	}{
		{all: []string{"one"}, want: "one"},
		{all: []string{"one", "two"}, want: "one, and 1 more"},
		{all: []string{"one", "two"}, room: len("one, two"), want: "one, two"},
		{all: []string{"one", "two", "and the third"}, room: len("one, two, and 1 more") - 1, want: "one, and 2 more"},
		{all: []string{"one", "two", "and the third"}, room: len("one, two, and 1 more"), want: "one, two, and 1 more"},
		{all: []string{"one", "two", "three"}, room: len("one, two, three"), want: "one, two, three"},
		{all: []string{"1", "2", "3", "4", "5", "6", "7"}, room: 100, want: "1, 2, 3, 4, 5, and 2 more"},
	} {
		if got := some(tc.all, strings.Clone, ", ", tc.room); got != tc.want {
			t.Errorf("some(%q, %d): want %q, got %q", tc.all, tc.room, tc.want, got)
		}
	}
}

// TestMessagesAreBounded: however much is wrong, all of it is counted, and a message is no longer than a screen.
func TestMessagesAreBounded(t *testing.T) {
	spec := &v1alpha1.MazeWorkflowSpec{}
	for i := range 2000 {
		long := 100 // the first ones, which are told
		if i >= 100 {
			long = 1
		}
		spec.Nodes = append(spec.Nodes, v1alpha1.WorkflowNode{
			ID: fmt.Sprintf("n%d-%s", i, strings.Repeat("x", long)), Func: strings.Repeat("y", 2*long) + fmt.Sprint(i%30),
			Args: &apiextensionsv1.JSON{Raw: []byte(`{"image": 7, "other": "` + strings.Repeat("z", 3*long) + `"}`)},
		})
	}
	task := taskOf("o", takesImage, putsText)
	verdict, err := Judge(spec, func(name string) *Task {
		if strings.HasSuffix(name, "0") {
			return nil
		}
		return task
	})
	if err != nil {
		t.Fatal(err)
	}
	var last []v1alpha1.WorkflowTask // which all have changed or gone
	for _, name := range Uses(spec) {
		last = append(last, v1alpha1.WorkflowTask{Name: name, Interface: "sha256:" + strings.Repeat("0", 64)})
	}
	status := verdict.Status(&v1alpha1.MazeWorkflow{Status: v1alpha1.MazeWorkflowStatus{Tasks: last}}, metav1.Now())
	for _, c := range status.Conditions {
		if len(c.Message) > maxMessage {
			t.Errorf("%s has a message of %d bytes: %s", c.Type, len(c.Message), c.Message)
		}
	}
	if status.Nodes != 2000 || status.Errors < 2000 {
		t.Errorf("want 2000 nodes and more errors, got %d and %d", status.Nodes, status.Errors)
	}
}

// TestTooLarge: what is kept of a workflow has the same verdict as the whole, and no more than a bound.
func TestTooLarge(t *testing.T) {
	tasks := registered()
	for name, tc := range map[string]struct {
		args, edges int
		want        bool
	}{
		"as large as allowed": {args: MaxSize - len("t1caption")},
		"one byte more":       {args: MaxSize - len("t1caption") + 1, want: true},
		"by its edges":        {args: 100, edges: MaxSize / 100, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &v1alpha1.MazeWorkflowSpec{Nodes: []v1alpha1.WorkflowNode{{
				ID: "t1", Func: "caption", Args: &apiextensionsv1.JSON{Raw: []byte(`{"image":"` + strings.Repeat("a", tc.args-len(`{"image":""}`)) + `"}`)},
			}}}
			for range tc.edges {
				spec.Edges = append(spec.Edges, v1alpha1.WorkflowEdge{From: "t1." + strings.Repeat("a", 100), To: "t1.image"})
			}
			kept := Kept(*spec)
			var statuses [2]v1alpha1.MazeWorkflowStatus
			for i, judged := range []*v1alpha1.MazeWorkflowSpec{spec, &kept} {
				verdict, err := Judge(judged, func(name string) *Task { return tasks[name] })
				if err != nil {
					t.Fatal(err)
				}
				statuses[i] = verdict.Status(&v1alpha1.MazeWorkflow{}, metav1.Unix(1, 0))
			}
			if diff := cmp.Diff(statuses[0], statuses[1]); diff != "" {
				t.Errorf("-whole, +kept:\n%s", diff)
			}
			want := `Valid False InvalidGraph: 1 error: MZ202 the nodes and edges have more than 256 KiB, with their arguments: hand large values over as files, or split the workflow
Placeable Unknown NotJudged: there is nothing to place: see the condition Valid
Ready False InvalidGraph
Stalled True InvalidGraph`
			if got := conditionsOf(statuses[0].Conditions); (got == want) != tc.want {
				t.Errorf("want %t of %s\ngot %s", tc.want, want, got)
			}
			if tc.want != (len(kept.Nodes)+len(kept.Edges) == 0) {
				t.Errorf("want nothing kept: %t, got %d nodes and %d edges", tc.want, len(kept.Nodes), len(kept.Edges))
			}
		})
	}
}

// TestVerdictIsThatOfDag: the operator finds what "mazectl dag check" does.
func TestVerdictIsThatOfDag(t *testing.T) {
	for name, text := range map[string]string{
		"valid": valid,
		"mistakes": `
nodes:
- {id: t1, func: caption, args: {imag: a.png, language: fr}}
- {id: t2, func: summarise, args: {text: t1.output.txt}}
- {id: t3, func: summarise, args: {text: t9.output.text}}
edges:
- {source: t3, target: t8}
- {from: t1.text, to: t3.limit}
`,
	} {
		t.Run(name, func(t *testing.T) {
			tasks, all := registered(), map[string]dag.Task{}
			for name, task := range tasks {
				all[name] = task.Task
			}
			spec := specOf(t, text)
			verdict, err := Judge(spec, func(name string) *Task { return tasks[name] })
			if err != nil {
				t.Fatal(err)
			}
			document, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			_, found := dag.Check("w.json", document, dag.NewTasks(all), dag.Options{})
			if diff := cmp.Diff(rulesOf(found), rulesOf(append(verdict.Errors, verdict.Warnings...))); diff != "" {
				t.Errorf("-dag check, +the operator:\n%s", diff)
			}
		})
	}
}

// rulesOf counts findings by rule and node.
func rulesOf(found []finding.Finding) map[string]int {
	counts := map[string]int{}
	for _, f := range found {
		counts[f.Rule+" "+strings.TrimPrefix(f.Pointer, "/spec")]++
	}
	return counts
}

func TestUses(t *testing.T) {
	got := Uses(specOf(t, "nodes: [{id: a, func: two}, {id: b, func: one}, {id: c, func: two}]"))
	if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// BenchmarkJudge judges a workflow of five nodes.
func BenchmarkJudge(b *testing.B) {
	tasks := registered()
	spec := specOf(b, valid+`
- {id: t3, func: caption, args: {image: a.png}}
- {id: t4, func: summarise, args: {text: t1.output.text}}
- {id: t5, func: summarise, args: {text: t3.output.text, limit: 5}}
`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Judge(spec, func(name string) *Task { return tasks[name] }); err != nil {
			b.Fatal(err)
		}
	}
}
