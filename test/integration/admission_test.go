package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("Bad input", Ordered, ContinueOnFailure, func() {
	var (
		namespace string
		bystander *v1alpha1.MazeTask
		raw       rest.Interface
		// slowest is the longest that an answer took.
		slowest     time.Duration
		slowestName string
	)

	took := func(duration time.Duration) {
		if duration > slowest {
			slowest, slowestName = duration, CurrentSpecReport().LeafNodeText
		}
	}

	BeforeAll(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
		bystander = newTask(namespace, "bystander")
		expectCreated(ctx, bystander)
		expectReady(ctx, bystander)
		scheme, err := controllers.Scheme()
		Expect(err).NotTo(HaveOccurred())
		http, err := rest.HTTPClientFor(controlPlane.Config)
		Expect(err).NotTo(HaveOccurred())
		raw, err = apiutil.RESTClientForGVK(v1alpha1.SchemeGroupVersion.WithKind("MazeTask"), false, false, controlPlane.Config,
			serializer.NewCodecFactory(scheme), http)
		Expect(err).NotTo(HaveOccurred())
	})

	// post sends the spec as it stands, so that nothing in Go smooths it.
	post := func(ctx context.Context, spec string) (*v1alpha1.MazeTask, error) {
		body := fmt.Sprintf(`{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeTask", "metadata": {"generateName": "bad-"}, "spec": %s}`, spec)
		start := time.Now()
		text, err := raw.Post().Namespace(namespace).Resource("mazetasks").SetHeader("Content-Type", "application/json").
			Body([]byte(body)).Do(ctx).Raw()
		took(time.Since(start))
		if err != nil {
			var status struct{ Message string }
			if json.Unmarshal(text, &status) == nil && status.Message != "" {
				err = fmt.Errorf("%s", status.Message)
			}
			return nil, err
		}
		task := &v1alpha1.MazeTask{}
		return task, json.Unmarshal(text, task)
	}

	AfterEach(func(ctx context.Context) {
		before := bystander.ResourceVersion
		expectReady(ctx, bystander)
		Expect(bystander.ResourceVersion).To(Equal(before), "another task was touched")
	})

	AfterAll(func() { AddReportEntry("slowest answer", fmt.Sprintf("%s: %s", slowestName, slowest)) })

	DescribeTable("is refused at admission, with what to do", func(ctx context.Context, spec, want string) {
		_, err := post(ctx, spec)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
		Entry("no name", `{}`, "spec.name: Required value"),
		Entry("an empty name", `{"name": ""}`, "spec.name"),
		Entry("a name of 300 characters", fmt.Sprintf(`{"name": %q}`, strings.Repeat("a", 300)), "may not be more than 253"),
		Entry("a name with a slash", `{"name": "a/b"}`, "must start and end with an ASCII letter or digit and hold only letters, digits, '-', '_' and '.', such as image_caption"),
		Entry("a unicode name", `{"name": "图像"}`, "must start and end with an ASCII letter"),
		Entry("the index's name", `{"name": ".index"}`, "must start and end with an ASCII letter"),
		Entry("an unknown type", `{"name": "x", "resources": {"type": "tpu"}}`, `supported values: "cpu", "gpu", "io"`),
		Entry("gpuMemory without a unit", `{"name": "x", "resources": {"type": "gpu", "gpuMemory": 4096}}`, "spec.resources.gpuMemory: Invalid value: 4096: gpuMemory is 4096 bytes; did you mean \"4096Mi\"?"),
		Entry("gpuMemory without a unit, as text", `{"name": "x", "resources": {"type": "gpu", "gpuMemory": "4096"}}`, "gpuMemory is 4096 bytes; did you mean \"4096Mi\"?"),
		Entry("memory without a unit", `{"name": "x", "resources": {"memory": 1024}}`, "memory is 1024 bytes; did you mean \"1024Mi\"?"),
		Entry("memory in kilobytes", `{"name": "x", "resources": {"memory": "512k"}}`, "memory is 512k; give at least 1Mi"),
		Entry("no memory", `{"name": "x", "resources": {"memory": "0"}}`, "memory is 0; give at least 1Mi"),
		Entry("negative memory", `{"name": "x", "resources": {"memory": "-1Gi"}}`, "must be a quantity that is not negative, such as 512Mi or 2Gi"),
		Entry("negative gpuMemory, as a number", `{"name": "x", "resources": {"type": "gpu", "gpuMemory": -4096}}`, "must be a quantity that is not negative, such as 4Gi or 40960Mi"),
		Entry("a negative cpu", `{"name": "x", "resources": {"cpu": "-1"}}`, "must be a number of cores that is not negative, such as 2 or 500m"),
		Entry("too many cores", `{"name": "x", "resources": {"cpu": 500000}}`, "cpu is 500000 cores; did you mean millicores, such as 500m?"),
		Entry("huge memory", `{"name": "x", "resources": {"memory": "9999Ei"}}`, "memory is 9999Ei; more than 1Pi cannot be meant, check the unit"),
		Entry("an exponent that costs minutes to parse", `{"name": "x", "resources": {"memory": "1e-2147483648"}}`, "must be a quantity that is not negative"),
		Entry("a quantity of many digits", fmt.Sprintf(`{"name": "x", "resources": {"memory": "%sMi"}}`, strings.Repeat("9", 100_000)), "must be a quantity that is not negative"),
		Entry("text for a quantity", `{"name": "x", "resources": {"memory": "lots"}}`, "spec.resources.memory"),
		Entry("a cpu task with gpuMemory", `{"name": "x", "resources": {"type": "cpu", "gpuMemory": "4Gi"}}`, "gpuMemory needs type: gpu; set the type, or remove gpuMemory"),
		Entry("an io task with gpuMemory", `{"name": "x", "resources": {"type": "io", "gpuMemory": "4Gi"}}`, "gpuMemory needs type: gpu; set the type, or remove gpuMemory"),
		Entry("a cpu task with gpuRequirements", `{"name": "x", "resources": {"gpuRequirements": {"architecture": "arm64"}}}`, "gpuRequirements needs type: gpu; set the type, or remove gpuRequirements"),
		Entry("empty gpuRequirements", `{"name": "x", "resources": {"type": "gpu", "gpuRequirements": {}}}`, "should have at least 1 properties"),
		Entry("a compute capability as a number", `{"name": "x", "resources": {"type": "gpu", "gpuRequirements": {"minComputeCapability": 8.9}}}`, "must be of type string"),
		Entry("a compute capability without a minor version", `{"name": "x", "resources": {"type": "gpu", "gpuRequirements": {"minComputeCapability": "9"}}}`, "must be a compute capability of CUDA, quoted, such as \"8.9\""),
		Entry("an architecture that no label can have", `{"name": "x", "resources": {"type": "gpu", "gpuRequirements": {"architecture": "linux/amd64"}}}`, "must be a value of the label kubernetes.io/arch"),
		Entry("a product as nvidia-smi writes it", `{"name": "x", "resources": {"type": "gpu", "gpuRequirements": {"products": ["NVIDIA L4"]}}}`, "must be a value of the label nvidia.com/gpu.product"),
		Entry("one product twice", `{"name": "x", "resources": {"type": "gpu", "gpuRequirements": {"products": ["NVIDIA-L4", "NVIDIA-L4"]}}}`, "Duplicate value"),
		Entry("a timeout without a unit", `{"name": "x", "run": {"timeout": "600"}}`, `spec.run.timeout: Invalid value: "600": timeout is 600; did you mean "600s"?`),
		Entry("a timeout that no number holds", `{"name": "x", "run": {"timeout": "999999h9999999m999999999s"}}`, "must be a duration above 0 and at most 8760h"),
		Entry("an image in capitals", `{"name": "x", "run": {"image": "registry.example.com/Tools"}}`, "must be a container image such as registry.example.com/tools:v1"),
		Entry("a failure in words", `{"name": "x", "run": {"retryOn": ["out of memory"]}}`, "must be a kind of failure such as resource_insufficient"),
		Entry("variables of nothing", `{"name": "x", "run": {"envFrom": [{"prefix": "A_"}]}}`, "must have either configMapRef or secretRef"),
		Entry("a deprecation without a message", `{"name": "x", "deprecated": {"replacement": "y"}}`, "spec.deprecated.message: Required value"),
		Entry("a deprecation whose message is blank", `{"name": "x", "deprecated": {"message": " "}}`, "must say why the task is deprecated, and what to do"),
		Entry("a task that replaces itself", `{"name": "x", "deprecated": {"message": "Use y.", "replacement": "x"}}`,
			`spec.deprecated.replacement: Invalid value: must be the spec.name of another task`),
		Entry("a replacement that is no name", `{"name": "x", "deprecated": {"message": "Use y.", "replacement": "y z"}}`, "must be the spec.name of a task"),
		Entry("an empty run", `{"name": "x", "run": {}}`, "should have at least 1 properties"),
		Entry("a description of 1 MB", fmt.Sprintf(`{"name": "x", "description": %q}`, strings.Repeat("d", 1<<20)), "spec.description: Too long: may not be more than 16384"),
		Entry("an entry point that is none", `{"name": "x", "entryPoint": "image_caption"}`, "must be a Python object reference such as tools.image:image_caption"),
		Entry("a digest that is none", `{"name": "x", "source": {"digest": "md5:1"}}`, "spec.source.digest"),
		Entry("a list of parameters", `{"name": "x", "inputParameters": ["image"]}`, "spec.inputParameters in body must be of type object"),
		Entry("10,000 parameters", fmt.Sprintf(`{"name": "x", "inputParameters": %s}`, manyProperties(10_000)), "spec.inputParameters: Too many: 10000: must have at most 2000 items"),
		Entry("a number beyond all bounds", `{"name": "x", "inputParameters": {"n": {"maximum": 1e999999}}}`, "1e999999"),
	)

	// Whoever reads such a status would spend minutes on it, the operator among them.
	It("is refused in a status too", func(ctx context.Context) {
		patch := `{"status": {"placement": {"requests": {"cpu": "1"}, "limits": {"memory": "1e-2147483648"}}}}`
		err := k8s.Status().Patch(ctx, bystander.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))
		Expect(err).To(MatchError(ContainSubstring("status.placement.limits: Invalid value: must be quantities without a large exponent, such as 500m or 4Gi")))
	})

	DescribeTable("is refused by a condition, with what to do", func(ctx context.Context, parameters, reason, want string) {
		task, err := post(ctx, fmt.Sprintf(`{"name": "bad", "inputParameters": %s}`, parameters))
		Expect(err).NotTo(HaveOccurred())
		start := time.Now()
		expectConditions(ctx, task, map[string]string{
			v1alpha1.ConditionAccepted: "False/" + reason, v1alpha1.ConditionRegistered: "False/InvalidSpec", v1alpha1.ConditionStalled: "True/" + reason,
		})
		took(time.Since(start))
		Expect(message(task, v1alpha1.ConditionAccepted)).To(ContainSubstring(want))
		Expect(k8s.Delete(ctx, task)).To(Succeed())
	},
		Entry("a schema of 5,000 levels", strings.Repeat(`{"a":`, 5000)+"{}"+strings.Repeat("}", 5000), "SchemaTooLarge", "32"),
		Entry("a $ref to http", `{"x": {"$ref": "http://example.com/schema.json"}}`, "RemoteRefForbidden", "spec.inputParameters/x/$ref"),
		Entry("a $ref to a file", `{"x": {"$ref": "file:///etc/passwd"}}`, "RemoteRefForbidden", "spec.inputParameters/x/$ref"),
		Entry("a $ref to itself", `{"type": "object", "$ref": "#"}`, "RefCycle", "remove a reference of the cycle"),
		Entry("a $ref fan-out", fanOut(40), "SchemaTooLarge", "100"),
		Entry("a large number", `{"n": {"maximum": 1e300, "minimum": 9007199254740993}}`, "NumberOutOfRange", "spec.inputParameters/n/m"),
		Entry("an unknown type", `{"x": {"type": "strnig"}}`, "InvalidSchema", `did you mean "string"?`),
		Entry("a wrong default", `{"x": {"type": "integer", "default": "ten"}}`, "InvalidSchema", "spec.inputParameters/x/default"),
		Entry("a pattern with lookahead", `{"x": {"type": "string", "pattern": "(?=a)b"}}`, "UnsupportedPattern", "RE2"),
		Entry("1,500 parameters", manyProperties(1500), "SchemaTooLarge", "2000"),
	)
})

// fanOut is a schema of n definitions, each of which refers to the next one twice: 2^n once it is expanded.
func fanOut(n int) string {
	var definitions []string
	for i := range n {
		ref := fmt.Sprintf(`{"$ref": "#/$defs/d%d"}`, i+1)
		definitions = append(definitions, fmt.Sprintf(`"d%d": {"allOf": [%s, %s]}`, i, ref, ref))
	}
	definitions = append(definitions, fmt.Sprintf(`"d%d": {}`, n))
	return `{"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": {` + strings.Join(definitions, ", ") + `}}`
}

func manyProperties(n int) string {
	properties := make([]string, n)
	for i := range properties {
		properties[i] = fmt.Sprintf(`"p%d": {"type": "string"}`, i)
	}
	return "{" + strings.Join(properties, ", ") + "}"
}
