// Package lint judges manifests of MazeTasks and MazeWorkflows as the API server and the operator would: bytes in, findings out.
//
// A file is taken apart as kubectl does it, and an object is judged by the CRD with the API server's own packages and then as the
// operator judges it. What depends on a cluster is left open: whether a namespace exists, which nodes there are, and which other
// tasks.
package lint

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/task"
)

// Source is a file of manifests: YAML or JSON, with any number of documents.
type Source struct {
	// Name is how findings call the file.
	Name    string
	Content []byte
}

// Task is a MazeTask that the API server and the operator would accept.
type Task struct {
	// MazeTask has the CRD's defaults. Its namespace is empty if the manifest has none.
	*v1alpha1.MazeTask
	// Verdict is the operator's, with the normalised schemas. It accepts the task.
	Verdict task.Verdict
	// File and Position are where the object begins, and Places where its parts are.
	File     string
	Position finding.Position
	Places   Places
}

// Refused is a MazeTask that the API server or the operator would refuse.
type Refused struct {
	// Name is its spec.name. Empty if it has none.
	Name string
	// File and Position are where the object begins.
	File     string
	Position finding.Position
	// Findings are those of the object, in no order. At least one is an error.
	Findings []finding.Finding
}

// Result is what was found in some files.
type Result struct {
	// Tasks are in the order of the files. Those with one name are all there.
	Tasks []Task
	// Refused are in the order of the files, too.
	Refused []Refused
	// Objects is how many MazeTasks there are, and WorkflowObjects how many MazeWorkflows, accepted or not.
	Objects, WorkflowObjects int
	// Workflows are the MazeWorkflows that the API server would accept, in the order of the files.
	Workflows []Workflow
	// Skipped counts the other objects, by kind and apiVersion: ConfigMap (v1).
	Skipped map[string]int
	// Findings are sorted by place. None is left out for what Ignores says.
	Findings []finding.Finding
	// Ignores is what comments and annotations silence.
	Ignores []finding.Ignore
}

// Linter judges manifests. It is not safe for concurrent use.
type Linter struct {
	admission *Admission
	// ofWorkflows is that of MazeWorkflows. Nil until there is one.
	ofWorkflows *Admission
	// TasksOnly has MazeWorkflows be skipped, as other objects.
	TasksOnly bool
	// Elsewhere are tasks besides those of the manifests, which are not judged here. One may replace a deprecated task, or be deprecated.
	Elsewhere []Declared
}

// New makes a linter.
func New() (*Linter, error) {
	admission, err := NewAdmission()
	if err != nil {
		return nil, err
	}
	return &Linter{admission: admission}, nil
}

// Lint judges all the manifests of some files, and whether they can be together in one cluster.
func (l *Linter) Lint(sources []Source) Result {
	set := newSet()
	result := Result{Skipped: map[string]int{}}
	for _, source := range sources {
		f := newFile(source.Name)
		annotates := bytes.Contains(source.Content, []byte(finding.IgnoreKey))
		comments, ends := bytes.Contains(source.Content, []byte(finding.IgnoreMark)), map[int]int{}
		f.read(source.Content, func(d document) {
			before, ofSet := len(f.findings), len(set.of(f.name).findings)
			l.judge(f, d, set, &result)
			d.point(f.findings[before:])
			d.point(set.of(f.name).findings[ofSet:])
			if annotates {
				result.Ignores = append(result.Ignores, f.annotated(d)...)
			}
			if comments {
				d.addEnds(ends)
			}
		})
		f.tellLeftOut()
		result.Findings = append(result.Findings, f.findings...)
		result.Ignores = append(result.Ignores, f.ignores(source.Content, ends)...)
	}
	l.checkReplacements(set, &result)
	result.judgeWorkflows(set)
	for _, f := range set.files {
		f.tellLeftOut()
		result.Findings = append(result.Findings, f.findings...)
	}
	result.Findings = finding.Sort(result.Findings)
	return result
}

// The kinds that are judged.
const (
	kind         = "MazeTask"
	workflowKind = "MazeWorkflow"
)

func isError(f finding.Finding) bool { return f.Severity == finding.SeverityError }

// judge judges what is in a document: an object, or a list of objects.
func (l *Linter) judge(f *file, d document, set *set, result *Result) {
	content, ok := d.value.(map[string]any)
	if !ok {
		if !f.reportPastedDocument(d) {
			advice := d.place.missingSpace()
			if _, isList := d.value.([]any); isList {
				advice = "; of a list, write each item as a document of its own, with --- between two"
			}
			f.report(finding.MalformedManifest, d.place.at, "", "a manifest is an object, with apiVersion and kind%s", advice)
		}
		return
	}
	apiVersion, kindName := text(content["apiVersion"]), text(content["kind"])
	if items, ok := content["items"].([]any); ok && strings.HasSuffix(kindName, "List") {
		l.judgeItems(f, d, items, set, result)
		return
	}
	group, _, _ := strings.Cut(apiVersion, "/")
	switch {
	case kindName == kind && apiVersion == v1alpha1.SchemeGroupVersion.String():
		l.judgeTaskObject(&object{file: f, place: d.place, name: nameOf(content), content: content}, set, result)
	case kindName == workflowKind && group == v1alpha1.SchemeGroupVersion.Group && l.TasksOnly:
		result.Skipped[fmt.Sprintf("%s (%s)", kindName, apiVersion)]++
	case kindName == workflowKind && apiVersion == v1alpha1.SchemeGroupVersion.String():
		result.WorkflowObjects++
		l.judgeWorkflow(&object{file: f, place: d.place, name: nameOf(content), content: content}, set, result)
	case kindName == workflowKind && !l.TasksOnly:
		result.WorkflowObjects++
		f.reportKind(d.place, apiVersion, kindName, nameOf(content))
	case kindName == kind || group == v1alpha1.SchemeGroupVersion.Group && kindName != kind+"List":
		result.Objects++
		f.reportKind(d.place, apiVersion, kindName, nameOf(content))
	case kindName == "" || apiVersion == "":
		if !f.reportPastedDocument(d) {
			result.Skipped["no Kubernetes object"]++
		}
	default:
		result.Skipped[fmt.Sprintf("%s (%s)", kindName, apiVersion)]++
	}
}

// judgeTaskObject judges a MazeTask, and notes it as a task or as one that is refused.
func (l *Linter) judgeTaskObject(o *object, set *set, result *Result) {
	result.Objects++
	o.file.reportName(o.place)
	before := len(o.file.findings)
	if admitted, verdict := l.judgeTask(o, set); admitted != nil {
		result.Tasks = append(result.Tasks, Task{admitted, verdict, o.file.name, o.place.at, o.places()})
		return
	}
	spec, _ := o.content["spec"].(map[string]any)
	findings := slices.Clone(o.file.findings[before:])
	if !slices.ContainsFunc(findings, isError) { // one refused it, of a rule with too many
		findings = append(findings, o.file.lastError)
	}
	result.Refused = append(result.Refused, Refused{text(spec["name"]), o.file.name, o.place.at, findings})
}

// judgeItems judges each item of a list at its place in the document.
func (l *Linter) judgeItems(f *file, d document, items []any, set *set, result *Result) {
	list, _ := d.place.member("items")
	for i, item := range items {
		at, ok := list.item(i)
		if !ok {
			at = place{at: list.at}
		}
		if content, ok := item.(map[string]any); ok {
			inherit(content, d.value.(map[string]any))
		}
		l.judge(f, document{item, at}, set, result)
	}
}

// inherit completes an item of a list as the API server's library does: those of a MazeTaskList need not say what they are.
func inherit(item, list map[string]any) {
	if item["kind"] == nil && item["apiVersion"] == nil && text(list["kind"]) != "List" {
		item["kind"], item["apiVersion"] = strings.TrimSuffix(text(list["kind"]), "List"), list["apiVersion"]
	}
}

func (f *file) reportKind(at place, apiVersion, kindName, object string) {
	wrong := "apiVersion"
	if apiVersion == v1alpha1.SchemeGroupVersion.String() {
		wrong = "kind"
	}
	found, _ := at.member(wrong)
	meant := kind
	if nearest.Within(kindName, workflowKind, 2) {
		meant = workflowKind
	}
	f.report(finding.WrongKind, found.at, object, "no API server knows kind %q of apiVersion %q; write kind: %s and apiVersion: %s",
		oneLine(kindName), oneLine(apiVersion), meant, v1alpha1.SchemeGroupVersion)
}

// reportName reports a file that kustomize takes for its own.
func (f *file) reportName(at place) {
	switch path.Base(f.name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		f.report(finding.ReservedFileName, at.at, "", "kustomize reads a file of this name as the description of its folder, and a MazeTask is none; rename the file")
	}
}

func text(value any) string {
	out, _ := value.(string)
	return out
}

// nameOf is how findings call an object.
func nameOf(content map[string]any) string {
	meta, _ := content["metadata"].(map[string]any)
	name := text(meta["name"])
	if namespace := text(meta["namespace"]); namespace != "" {
		name = namespace + "/" + name
	}
	if name == "" {
		name = text(meta["generateName"])
	}
	called := kind
	if nearest.Within(text(content["kind"]), workflowKind, 2) {
		called = workflowKind
	}
	return strings.TrimSpace(called + " " + oneLine(name))
}
