package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/schema"
	judgment "github.com/maze-agent/maregister/internal/task"
	"github.com/maze-agent/maregister/internal/text"
	"github.com/maze-agent/maregister/test/testutil"
)

// What "mazectl lint" says of a manifest offline is what an API server and the operator say.
var _ = Describe("Lint agrees with the API server and the operator", Ordered, ContinueOnFailure, func() {
	var (
		linter *lint.Linter
		server rest.Interface
	)

	BeforeAll(func() {
		startOperator(testutil.OperatorOptions{})
		var err error
		linter, err = lint.New()
		Expect(err).NotTo(HaveOccurred())
		scheme, err := controllers.Scheme()
		Expect(err).NotTo(HaveOccurred())
		http, err := rest.HTTPClientFor(controlPlane.Config)
		Expect(err).NotTo(HaveOccurred())
		server, err = apiutil.RESTClientForGVK(v1alpha1.SchemeGroupVersion.WithKind("MazeTask"), false, false, controlPlane.Config,
			serializer.NewCodecFactory(scheme), http)
		Expect(err).NotTo(HaveOccurred())
	})

	judge := func(ctx context.Context, name string, content []byte) {
		GinkgoHelper()
		s := &submission{server: server, namespace: newNamespace(ctx)}
		s.send(ctx, linter, documentsOf(name, content))
		s.expectConditions(ctx)

		whole := linter.Lint([]lint.Source{{Name: name, Content: content}})
		Expect(s.existing).To(Equal(count(whole.Findings, finding.DuplicateObject)), "objects that were there already")
		Eventually(s.conflicts).WithArguments(ctx).Should(Equal(count(whole.Findings, finding.NameConflict)), "tasks whose name another has")
	}

	DescribeTable("on", func(ctx context.Context, file string) {
		content, err := os.ReadFile(filepath.Join("..", "..", file))
		Expect(err).NotTo(HaveOccurred())
		judge(ctx, file, content)
	}, sampleEntries())

	DescribeTable("on what is too large for a file here", func(ctx context.Context, spec, rule string) {
		text := "apiVersion: registry.mazeagent.net/v1alpha1\nkind: MazeTask\nmetadata: {name: large}\nspec: " + spec
		judge(ctx, "large.yaml", []byte(text))
		Expect(count(linter.Lint([]lint.Source{{Name: "large.yaml", Content: []byte(text)}}).Findings, rule)).To(Equal(1))
	},
		Entry("an object that etcd does not take", parametersOf(2<<20, 0), finding.ManifestTooLarge),
		Entry("a request that the API server does not read", parametersOf(3<<20+100, 0), finding.ManifestTooLarge),
		Entry("a schema", parametersOf(70<<10, 0), finding.SchemaTooLarge),
		Entry("an entry", parametersOf(64<<10-100, 64<<10-100), finding.TaskTooLarge),
	)
})

// parametersOf is a spec with descriptions of so many bytes.
func parametersOf(input, output int) string {
	d := func(n int) string { return "{x: {description: " + strings.Repeat("d", n) + "}}" }
	return fmt.Sprintf("{name: a, description: %s, inputParameters: %s, outputParameters: %s}", strings.Repeat("d", 16000), d(input), d(output))
}

func sampleEntries() []TableEntry {
	var entries []TableEntry
	for _, pattern := range []string{"internal/lint/testdata/samples/*", "config/samples/*.yaml", "examples/*.yaml"} {
		files, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil || len(files) == 0 {
			panic(fmt.Sprintf("no samples in %s: %v", pattern, err))
		}
		for _, file := range files {
			if filepath.Base(file) != "kustomization.yaml" {
				name := strings.TrimPrefix(filepath.ToSlash(file), "../../")
				entries = append(entries, Entry(filepath.Base(name), name))
			}
		}
	}
	return entries
}

func count(findings []finding.Finding, rule string) int {
	n := 0
	for _, f := range findings {
		if f.Rule == rule {
			n++
		}
	}
	return n
}

// sample is a document as it stands.
type sample struct {
	content     []byte
	contentType string
}

// name returns a name by which lint knows what the document should be.
func (s sample) name() string {
	if s.contentType == "application/json" {
		return "document.json"
	}
	return "document.yaml"
}

// documentsOf takes a file apart with the library that kubectl uses. What it cannot take apart is one document.
func documentsOf(name string, content []byte) []sample {
	if filepath.Ext(name) == ".json" {
		return jsonDocuments(content)
	}
	var out []sample
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			return []sample{{content, "application/yaml"}}
		}
		out = append(out, flatten(sample{document, "application/yaml"})...)
	}
}

func jsonDocuments(content []byte) []sample {
	var out []sample
	for decoder := json.NewDecoder(bytes.NewReader(content)); decoder.More(); {
		var document json.RawMessage
		if err := decoder.Decode(&document); err != nil {
			return []sample{{content, "application/json"}}
		}
		out = append(out, sample{document, "application/json"})
	}
	return out
}

// flatten returns the items of a list, as kubectl sends them.
func flatten(document sample) []sample {
	var list struct {
		APIVersion, Kind string
		Items            []map[string]any
	}
	if yaml.Unmarshal(document.content, &list) != nil || !strings.HasSuffix(list.Kind, "List") {
		return []sample{asKubectlSends(document)}
	}
	var out []sample
	for _, item := range list.Items {
		if item["kind"] == nil {
			item["apiVersion"], item["kind"] = list.APIVersion, strings.TrimSuffix(list.Kind, "List")
		}
		content, err := json.Marshal(item)
		Expect(err).NotTo(HaveOccurred())
		out = append(out, sample{content, "application/json"})
	}
	return out
}

// asKubectlSends makes JSON of a document with merge keys: the API server, asked to be strict, takes what a merge key overrides for a
// key that is given twice, and kubectl does not.
func asKubectlSends(document sample) sample {
	if !bytes.Contains(document.content, []byte("<<:")) {
		return document
	}
	content, err := yaml.YAMLToJSON(document.content)
	Expect(err).NotTo(HaveOccurred())
	return sample{content, "application/json"}
}

// submission are the documents of one file, sent to the API server.
type submission struct {
	server    rest.Interface
	namespace string
	stored    []stored
	// existing counts the objects that were there already.
	existing int
}

// stored is a task that the API server took, and what lint says of it alone.
type stored struct {
	task     *v1alpha1.MazeTask
	findings []finding.Finding
}

func (s *submission) send(ctx context.Context, linter *lint.Linter, documents []sample) {
	GinkgoHelper()
	for _, document := range documents {
		alone := linter.Lint([]lint.Source{{Name: document.name(), Content: document.content}})
		if alone.Objects+alone.WorkflowObjects == 0 && len(alone.Findings) == 0 {
			continue // another kind, or nothing
		}
		refused := slices.ContainsFunc(alone.Findings, isRefusal)
		code, answer := s.post(ctx, document)
		Expect(code >= 400 && code != http.StatusConflict).To(Equal(refused), "the API server says %d: %.1000s\nlint says %v", code, answer, alone.Findings)
		switch {
		case code == http.StatusConflict:
			s.existing++
		case code < 400 && alone.WorkflowObjects > 0: // which the operator judges as lint does, by internal/workflow
		case code < 400:
			task := &v1alpha1.MazeTask{}
			Expect(json.Unmarshal(answer, task)).To(Succeed())
			s.stored = append(s.stored, stored{task, alone.Findings})
		}
	}
}

// isRefusal reports whether a finding is one that the API server tells.
func isRefusal(f finding.Finding) bool {
	return f.Severity == finding.SeverityError && f.Rule < "MZ120" && f.Rule != finding.DuplicateObject
}

// post sends a document as it stands, to be validated strictly, and returns the status code and the answer.
func (s *submission) post(ctx context.Context, document sample) (int, []byte) {
	GinkgoHelper()
	code := 0
	answer, err := s.server.Post().Namespace(s.namespaceOf(ctx, document)).Resource(resourceOf(document)).Param("fieldValidation", "Strict").
		SetHeader("Content-Type", document.contentType).SetHeader("Accept", "application/json").Body(document.content).Do(ctx).StatusCode(&code).Raw()
	if code == 0 {
		Expect(err).NotTo(HaveOccurred())
	}
	Expect(code).NotTo(BeElementOf(http.StatusNotFound, http.StatusUnsupportedMediaType), "%s", answer)
	return code, answer
}

// resourceOf returns where a document is sent.
func resourceOf(document sample) string {
	var object struct{ Kind string }
	if yaml.Unmarshal(document.content, &object) == nil && object.Kind == "MazeWorkflow" {
		return "mazeworkflows"
	}
	return "mazetasks"
}

// namespaceOf returns the namespace that a document names, and creates it; that of the file if it names none.
func (s *submission) namespaceOf(ctx context.Context, document sample) string {
	GinkgoHelper()
	var object struct{ Metadata struct{ Namespace string } }
	if yaml.Unmarshal(document.content, &object) != nil || len(validation.IsDNS1123Label(object.Metadata.Namespace)) > 0 {
		return s.namespace
	}
	namespace := &corev1.Namespace{}
	namespace.Name = object.Metadata.Namespace
	Expect(client.IgnoreAlreadyExists(k8s.Create(ctx, namespace))).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeWorkflow{}, client.InNamespace(namespace.Name))).To(Succeed())
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, client.InNamespace(namespace.Name))).To(Succeed())
		Expect(k8s.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(namespace.Name))).To(Succeed())
	})
	return namespace.Name
}

// expectConditions waits until the operator has judged what is stored, and compares.
func (s *submission) expectConditions(ctx context.Context) {
	GinkgoHelper()
	for _, one := range s.stored {
		task := one.task
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(task), task)).To(Succeed())
			accepted, registered := condition(task, v1alpha1.ConditionAccepted), condition(task, v1alpha1.ConditionRegistered)
			g.Expect(accepted).NotTo(BeEmpty())
			g.Expect(registered).NotTo(BeElementOf("", v1alpha1.ReasonPublishing))
		}).Should(Succeed())
		reason, verdict := condition(task, v1alpha1.ConditionAccepted), judgment.Judge(&task.Spec)
		if reason != v1alpha1.ReasonNameConflict {
			Expect(reason).To(Equal(verdict.Reason))
			Expect(message(task, v1alpha1.ConditionAccepted)).To(Equal(text.Visible(verdict.Message())))
		}
		// Lint tells everything, of which the condition has the first.
		rules := rulesOf(condition(task, v1alpha1.ConditionRegistered))
		for _, problem := range verdict.Problems {
			rules = append(rules, lint.RuleOf(problem.Reason))
		}
		Expect(toldByConditions(one.findings)).To(ConsistOf(rules))
		warned := []string{}
		for _, warning := range verdict.Warnings {
			if warning.Kind == schema.KindPasted { // lint tells these by MZ117, wherever they stand
				continue
			}
			if warning.Kind == schema.KindFalseSchema && hasFinding(one.findings, finding.BooleanValue, warning.Pointer) { // a word that YAML reads as false
				continue
			}
			warned = append(warned, lint.WarningRuleOf(warning.Kind))
		}
		Expect(warningsOf(one.findings)).To(ConsistOf(warned))
	}
}

// warningsOf returns the rules of what lint warns of, and the operator, too.
func warningsOf(findings []finding.Finding) []string {
	rules := []string{}
	for _, f := range findings {
		if f.Severity == finding.SeverityWarning && f.Rule >= finding.PythonTypeName {
			rules = append(rules, f.Rule)
		}
	}
	return rules
}

// hasFinding reports whether there is a finding of a rule at a pointer in the parameters.
func hasFinding(findings []finding.Finding, rule, pointer string) bool {
	return slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Rule == rule && strings.HasSuffix(f.Pointer, pointer) })
}

// conflicts counts the tasks whose name another has. The operator may not have seen the other at first.
func (s *submission) conflicts(ctx context.Context) (int, error) {
	n := 0
	for _, one := range s.stored {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(one.task), one.task); err != nil {
			return 0, err
		}
		if condition(one.task, v1alpha1.ConditionAccepted) == v1alpha1.ReasonNameConflict {
			n++
		}
	}
	return n, nil
}

// condition is the reason of a condition. Empty while there is none.
func condition(task *v1alpha1.MazeTask, conditionType string) string {
	if c := meta.FindStatusCondition(task.Status.Conditions, conditionType); c != nil {
		return c.Reason
	}
	return ""
}

// rulesOf returns the rules of the reasons, but for a name's conflict, which is none of the task alone.
func rulesOf(reasons ...string) []string {
	rules := []string{}
	for _, reason := range reasons {
		if rule := lint.RuleOf(reason); rule != "" && rule != finding.NameConflict {
			rules = append(rules, rule)
		}
	}
	return rules
}

// toldByConditions returns the rules of the errors that only the operator tells.
func toldByConditions(findings []finding.Finding) []string {
	rules := []string{}
	for _, f := range findings {
		if f.Severity == finding.SeverityError && !isRefusal(f) {
			rules = append(rules, f.Rule)
		}
	}
	return rules
}
