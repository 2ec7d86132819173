package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// functions are those of the tasks: stand-ins for models.
const functions = `
import os, pathlib, time
from maregister import Retry

def stt(audio_path):
    return {"text": "heard " + audio_path}

async def caption(image: str, words: int = 3):
    return {"caption": " ".join([os.environ["MAZE_MODEL_NAME"], os.environ["MAZE_BACKEND"], os.environ["MAZE_TENSOR_PARALLEL_SIZE"], image][:words + 1])}

def write(text: str):
    pathlib.Path("out.txt").write_text(text * 2000)
    return {"file": "out.txt", "text": text * 2000}

def count(file: pathlib.Path, text: str):
    return {"words": len(file.read_text().split()), "same": file.read_text() == text}

def flaky(folder: str):
    tries = pathlib.Path(folder) / "tries"
    done = len(tries.read_text()) if tries.exists() else 0
    tries.write_text("x" * (done + 1))
    if done == 0:
        raise Retry("not yet")
    if done == 1:
        raise ConnectionError("reset")
    return {"tries": done + 1}

def talks(text: str = ""):
    print("says", text)
    return {"said": text}

def fails():
    raise ValueError("no such luck")

def waits(folder: str):
    file = pathlib.Path(folder, "file")
    while not file.exists():
        time.sleep(0.05)
    return {"text": file.read_text()}

def slow():
    print("begins", flush=True)
    try:
        time.sleep(60)
    finally:
        print("cleans up", flush=True)
`

// What docs/scheduler.md and docs/run.md say of workflows that really run, on a control plane with an operator, a kube-scheduler and a
// kubelet that runs processes.
var _ = Describe("The example scheduler and the executor", Ordered, func() {
	var binary string
	var s *stage
	var k *kubelet

	BeforeAll(func(ctx context.Context) {
		binary = buildScheduler(ctx)
		operator, err := testutil.StartOperator(controlPlane.Config, testutil.OperatorOptions{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(operator.Stop)
	})

	BeforeEach(func(ctx context.Context) {
		s = newStage(ctx, binary)
		k = startKubelet(ctx, s, map[string]string{"tools.py": functions})
		expectNodes(ctx, testutil.NewGPUNode("gpu-h100", "H100", 81559, 4))
	})

	It("runs the description's workflow, and hands outputs on by messages", func(ctx context.Context) {
		caption := function("image_caption", "caption", `{"image": {"type": "string"}, "words": {"type": "integer", "default": 3}}`, `{"caption": {"type": "string"}}`, nil)
		caption.Spec.Resources = v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPUMemory: ptr.To(resource.MustParse("160Gi")), ModelName: "llava", Backend: "vllm"}
		s.expectTasks(ctx, function("speech_to_text", "stt", `{"audio_path": {"type": "string"}}`, `{"text": {"type": "string"}}`, nil), caption)
		run := s.start(`{"nodes": [
			{"id": "t1", "func": "speech_to_text", "args": {"audio_path": "a$(HOME).wav"}}, {"id": "t2", "func": "image_caption", "args": {"image": "t1.output.text"}}
		]}`)
		Eventually(run).Should(gexec.Exit(0))
		Expect(run).To(gbytes.Say(`t1  succeeded: \{"text":"heard a\$\(HOME\)\.wav"\}`))
		Expect(run).To(gbytes.Say(`t2  succeeded: \{"caption":"llava vllm 4 heard a\$\(HOME\)\.wav"\}`))
		AddReportEntry("what the example scheduler prints", string(run.Out.Contents()))
	})

	It("hands files and large outputs on by a volume, and refuses to without", func(ctx context.Context) {
		expectClaim(ctx, s.namespace, "files")
		s.expectTasks(ctx,
			function("write", "write", `{"text": {"type": "string"}}`, `{"file": {"type": "filepath"}, "text": {"type": "string"}}`, nil),
			function("count", "count", `{"file": {"type": "filepath"}, "text": {"type": "string"}}`, `{"words": {"type": "integer"}}`, nil),
			function("again", "stt", `{"audio_path": {"type": "string"}}`, `{"text": {"type": "string"}}`, nil))
		s.flags = []string{"--volume", "files", "--run", "with"}
		run := s.start(`{"nodes": [{"id": "w", "func": "write", "args": {"text": "字 "}}, {"id": "c", "func": "count", "args": {"file": "w.output.file", "text": "w.output.text"}}]}`)
		Eventually(run).Should(gexec.Exit(0))
		Expect(run).To(gbytes.Say(`w  succeeded: \{"file":".*/with/w/work/out.txt"\}; too large to show: text`))
		Expect(run).To(gbytes.Say(`c  succeeded: \{"same":true,"words":2000\}`))

		s.flags = []string{"--run", "without"}
		run = s.start(`{"nodes": [{"id": "l", "func": "again", "args": {"audio_path": "` + strings.Repeat("a", 6000) + `"}}, {"id": "x", "func": "again", "args": {"audio_path": "l.output.text"}}]}`)
		Eventually(run).Should(gexec.Exit(1))
		Expect(run).To(gbytes.Say("x  failed: the output text of l has no room in a termination message: give a --volume that all Pods share"))
	})

	It("runs a node again as its task says, and gives it the variables of Secrets", func(ctx context.Context) {
		folder := GinkgoT().TempDir()
		policy := &v1alpha1.Run{
			Retries: ptr.To[int32](2), Backoff: "100ms", RetryOn: []string{"ConnectionError"}, Image: "tools:v1",
			EnvFrom: []v1alpha1.EnvFromSource{{SecretRef: &v1alpha1.EnvFromReference{Name: "keys"}}},
		}
		s.expectTasks(ctx, function("flaky", "flaky", `{"folder": {"type": "string"}}`, `{"tries": {"type": "integer"}}`, policy))
		run := s.start(`{"nodes": [{"id": "f", "func": "flaky", "args": {"folder": "` + folder + `"}}]}`)
		Eventually(run).Should(gexec.Exit(0))
		Expect(run).To(gbytes.Say(`f  runs again, for the 2nd time, as it failed: Retry maregister.Retry: not yet \(exit code 75\)`))
		Expect(run).To(gbytes.Say(`f  runs again, for the 3rd time, as it failed: Raised builtins.ConnectionError: reset \(exit code 1\)`))
		Expect(run).To(gbytes.Say(`f  succeeded: \{"tries":3\}`))
		pods := s.created("f")
		Expect(pods).To(HaveLen(3))
		Expect(pods[2].pod.Spec.Containers[0].Image).To(Equal("tools:v1"))
		Expect(pods[2].pod.Spec.Containers[0].EnvFrom[0].SecretRef.Name).To(Equal("keys"))
	})

	It("shows the error of a node that fails, and what does not start", func(ctx context.Context) {
		s.expectTasks(ctx, function("fails", "fails", `{}`, `{}`, nil), function("none", "no_such", `{}`, `{}`, nil),
			function("strict", "stt", `{"type": "object", "properties": {"audio_path": {"type": "integer"}}}`, `{}`, nil))
		run := s.start(`{"nodes": [{"id": "a", "func": "fails"}, {"id": "b", "func": "none"}, {"id": "c", "func": "strict", "args": {"audio_path": "x"}}]}`)
		Eventually(run).Should(gexec.Exit(1))
		out := string(run.Out.Contents())
		Expect(out).To(ContainSubstring("a  failed: Raised builtins.ValueError: no such luck (exit code 1); see Pod "))
		Expect(out).To(ContainSubstring("b  failed: ImportFailed"))
		Expect(out).To(ContainSubstring("c  failed: InvalidArguments: argument audio_path: "), "the registry's schema counts")
		Expect(k.log("a")).To(ContainSubstring(`raise ValueError("no such luck")`))
	})

	It("ends a node that takes too long, or whose Pod is deleted", func(ctx context.Context) {
		s.expectTasks(ctx, function("short", "slow", `{}`, `{}`, &v1alpha1.Run{Timeout: "2s"}), function("long", "slow", `{}`, `{}`, nil))
		run := s.start(`{"nodes": [{"id": "s", "func": "short"}]}`)
		Eventually(run).Should(gexec.Exit(1))
		Expect(run).To(gbytes.Say(`s  failed: Timeout: the task took longer than its timeout \(exit code 124\)`))
		Expect(k.log("s")).To(Equal("begins\ncleans up\nmaregister: Timeout: the task took longer than its timeout (exit code 124)\n"))

		s.start(`{"nodes": [{"id": "l", "func": "long"}]}`)
		Eventually(func() []creation { return s.created("l") }).Should(HaveLen(1))
		pod := s.expectBound("l")
		Eventually(func() string { return k.log("l") }).Should(Equal("begins\n"))
		Expect(k8s.Delete(ctx, pod)).To(Succeed())
		Eventually(func() string { return k.log("l") }).Should(ContainSubstring("begins\ncleans up\nmaregister: Terminated: the task was told to end (exit code 143)\n"))
	})
})

// function returns a task of the functions.
func function(name, function, inputs, outputs string, run *v1alpha1.Run) *v1alpha1.MazeTask {
	task := &v1alpha1.MazeTask{Spec: v1alpha1.MazeTaskSpec{
		Name: name, EntryPoint: "tools:" + function, Run: run,
		InputParameters: &apiextensionsv1.JSON{Raw: []byte(inputs)}, OutputParameters: &apiextensionsv1.JSON{Raw: []byte(outputs)},
	}}
	task.Name = strings.ReplaceAll(name, "_", "-")
	return task
}

// expectClaim makes a PersistentVolumeClaim, bound as a controller would have it.
func expectClaim(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	capacity := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	modes := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{"pv.kubernetes.io/bind-completed": "yes"}},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: modes, VolumeName: namespace, StorageClassName: ptr.To(""), Resources: corev1.VolumeResourceRequirements{Requests: capacity},
		},
	}
	Expect(k8s.Create(ctx, claim)).To(Succeed())
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes: modes, Capacity: capacity, PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			ClaimRef:               &corev1.ObjectReference{Namespace: namespace, Name: name, UID: claim.UID},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: filepath.Join(os.TempDir(), "none")}},
		},
	}
	Expect(k8s.Create(ctx, volume)).To(Succeed())
	claim.Status.Phase, claim.Status.AccessModes, claim.Status.Capacity = corev1.ClaimBound, modes, capacity
	Expect(k8s.Status().Update(ctx, claim)).To(Succeed())
	volume.Status.Phase = corev1.VolumeBound
	Expect(k8s.Status().Update(ctx, volume)).To(Succeed())
}
