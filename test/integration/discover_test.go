package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// pdfPy and imagePy are the Python files of a package, with a task each that a spec edits.
const (
	pdfPy = `from maze import task


@task(name="split_pdf", mem=1024)
def split_pdf(path: str):
    return {"pages": []}


@task(name="ocr_page")
def ocr_page(path: str):
    return {"text": ""}
`
	imagePy = `from maze import task


@task(name="image_caption", task_type="gpu", gpu_mem=4096)
def image_caption(path: str):
    return {"caption": ""}
`
)

var _ = Describe("mazectl discover", Ordered, ContinueOnFailure, func() {
	var mazectl, kubeconfig, tools, namespace string

	BeforeAll(func() {
		mazectl, kubeconfig = builtProgram("mazectl"), adminKubeconfig()
	})

	BeforeEach(func(ctx context.Context) {
		tools = filepath.Join(GinkgoT().TempDir(), "tools")
		Expect(os.MkdirAll(tools, 0o755)).To(Succeed())
		expectWritten(tools, "__init__.py", "")
		expectWritten(tools, "pdf.py", pdfPy)
		expectWritten(tools, "image.py", imagePy)
		namespace = newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
	})

	command := func(ctx context.Context, arguments ...string) *exec.Cmd {
		all := append([]string{"discover", tools, "--kubeconfig", kubeconfig, "-n", namespace, "--source-name", "tools"}, arguments...)
		return exec.CommandContext(ctx, mazectl, all...)
	}
	// discover returns what a call prints: the plan, and what it says besides.
	discover := func(ctx context.Context, arguments ...string) (string, string, int) {
		GinkgoHelper()
		var out, errOut bytes.Buffer
		c := command(ctx, arguments...)
		c.Stdout, c.Stderr = &out, &errOut
		exit := &exec.ExitError{}
		if err := c.Run(); err != nil && !errors.As(err, &exit) {
			Fail(err.Error())
		}
		return out.String(), errOut.String(), c.ProcessState.ExitCode()
	}
	expectApplied := func(ctx context.Context, want string) {
		GinkgoHelper()
		plan, said, code := discover(ctx, "--apply", "--prune")
		Expect(plan).To(Equal(want), said)
		Expect(code).To(Equal(0), said)
	}
	// created is the plan for all tasks.
	created := func() string {
		return fmt.Sprintf("create  image-caption  %[1]s/image.py:4\ncreate  ocr-page       %[1]s/pdf.py:9\ncreate  split-pdf      %[1]s/pdf.py:4\n", tools)
	}

	It("brings the tasks of a package into the registry, and what changes of them", func(ctx context.Context) {
		expectApplied(ctx, created())
		expectPublished(ctx, namespace, "image_caption@1", "ocr_page@1", "split_pdf@1")
		before := expectEntries(ctx, namespace)
		Expect(before["split_pdf"].EntryPoint).To(HaveValue(Equal("tools.pdf:split_pdf")))
		Expect(before["split_pdf"].Schema.Input).To(ContainSubstring(`"path":{"type":"string"}`))
		expectApplied(ctx, "")

		By("a changed decorator changes one entry, though functions below it move")
		edited := strings.Replace(pdfPy, "mem=1024", "\n    mem=2048,\n", 1)
		expectWritten(tools, "pdf.py", edited)
		expectApplied(ctx, "change  split-pdf  "+tools+"/pdf.py:4  (resources.memory, source.digest)\n")
		after := before
		Eventually(func(g Gomega) {
			after = expectEntries(ctx, namespace)
			g.Expect(after["split_pdf"].Resources.Mem).To(BeEquivalentTo(2048))
		}).Should(Succeed())
		before["split_pdf"] = after["split_pdf"]
		Expect(after).To(Equal(before))

		By("a deleted function takes one entry with it")
		kept, _, _ := strings.Cut(edited, "\n\n@task(name=\"ocr_page\"")
		expectWritten(tools, "pdf.py", kept)
		plan, _, code := discover(ctx, "--apply", "--prune", "--dry-run")
		Expect(plan).To(ContainSubstring("prune   ocr-page"))
		Expect(code).To(Equal(0))
		expectPublished(ctx, namespace, "image_caption@1", "ocr_page@1", "split_pdf@2")
		_, _, code = discover(ctx, "--apply", "--prune")
		Expect(code).To(Equal(0))
		expectPublished(ctx, namespace, "image_caption@1", "split_pdf@2")
	})

	It("deletes only what it knows to be gone", func(ctx context.Context) {
		foreign := newTask(namespace, "foreign")
		other := newTask(namespace, "other")
		other.Labels = map[string]string{"registry.mazeagent.net/source": "others", "app.kubernetes.io/managed-by": "mazectl"}
		applied := newTask(namespace, "applied") // from manifests of --output-dir, by another tool
		applied.Labels = map[string]string{"registry.mazeagent.net/source": "tools", "app.kubernetes.io/managed-by": "mazectl"}
		applied.Spec.Source = &v1alpha1.Source{Path: "tools/gone.py", Line: 1}
		expectCreated(ctx, foreign, other, applied)
		expectApplied(ctx, created())

		By("a file that is not Python keeps its tasks")
		expectWritten(tools, "pdf.py", "@task(name=\ndef")
		plan, said, code := discover(ctx, "--apply", "--prune")
		Expect(plan).To(Equal("keep    ocr-page   tools/pdf.py  (its file cannot be read)\nkeep    split-pdf  tools/pdf.py  (its file cannot be read)\n"))
		Expect(said).To(ContainSubstring("MZ003"))
		Expect(code).To(Equal(1))

		By("a function with an error keeps its task")
		expectWritten(tools, "pdf.py", strings.Replace(pdfPy, "mem=1024", "memory=1024", 1))
		plan, _, code = discover(ctx, "--apply", "--prune")
		Expect(plan).To(Equal("keep    split-pdf  tools/pdf.py  (its function has an error)\n"))
		Expect(code).To(Equal(1))

		By("a file that was not asked for keeps its tasks")
		plan, _, _ = discover(ctx, "--apply", "--prune", filepath.Join(tools, "image.py"))
		Expect(plan).To(ContainSubstring("split-pdf"))

		By("all of them go only if that is meant")
		for _, name := range []string{"pdf.py", "image.py"} {
			Expect(os.Remove(filepath.Join(tools, name))).To(Succeed())
		}
		_, said, code = discover(ctx, "--apply", "--prune")
		Expect(said).To(ContainSubstring("--prune would delete all 3 MazeTasks of --source-name tools"))
		Expect(code).To(Equal(2))
		expectPublished(ctx, namespace, "applied@1", "foreign@1", "image_caption@1", "ocr_page@1", "other@1", "split_pdf@1")
		_, _, code = discover(ctx, "--apply", "--prune", "--allow-empty")
		Expect(code).To(Equal(0))
		expectPublished(ctx, namespace, "applied@1", "foreign@1", "other@1")
	})

	It("applies nothing if the cluster refuses a part", func(ctx context.Context) {
		expectWritten(tools, "image.py", strings.Replace(imagePy, "image_caption", "image caption!", 1))
		plan, said, code := discover(ctx, "--apply")
		Expect(plan).To(HavePrefix(fmt.Sprintf("create  image-caption  %s/image.py:4\n        refused: spec.name: ", tools)))
		Expect(said).To(ContainSubstring("the cluster refuses 1 task, so nothing was applied"))
		Expect(code).To(Equal(1))
		var tasks v1alpha1.MazeTaskList
		Expect(k8s.List(ctx, &tasks, inNamespace(namespace))).To(Succeed())
		Expect(tasks.Items).To(BeEmpty())
	})

	It("takes nothing from others unless told to", func(ctx context.Context) {
		foreign := newTask(namespace, "split-pdf")
		foreign.Spec.Name = "split_pdf"
		expectCreated(ctx, foreign)
		plan, _, code := discover(ctx, "--apply")
		Expect(plan).To(ContainSubstring("refused: it is there already, and was not made by this discovery"))
		Expect(code).To(Equal(1))
		_, _, code = discover(ctx, "--apply", "--force-conflicts")
		Expect(code).To(Equal(0))
		expectPublished(ctx, namespace, "image_caption@1", "ocr_page@1", "split_pdf@2")
		var tasks v1alpha1.MazeTaskList
		Expect(k8s.List(ctx, &tasks, inNamespace(namespace))).To(Succeed())
		for i := range tasks.Items {
			Expect(k8s.Delete(ctx, &tasks.Items[i])).To(Succeed())
		}

		expectApplied(ctx, created())
		task := newTask(namespace, "split-pdf")
		expectEdited(ctx, task, func(task *v1alpha1.MazeTask) { task.Spec.Resources.Memory = new(resource.MustParse("3Gi")) })
		plan, _, code = discover(ctx, "--apply")
		Expect(plan).To(MatchRegexp(`refused: spec.resources.memory is in conflict with ".*: set it there, or take it over with --force-conflicts`))
		Expect(code).To(Equal(1))
		plan, _, code = discover(ctx, "--apply", "--force-conflicts")
		Expect(plan).To(Equal("change  split-pdf  " + tools + "/pdf.py:4  (resources.memory)\n"))
		Expect(code).To(Equal(0))
	})

	It("watches the files, and survives broken ones", func(ctx context.Context) {
		current := filepath.Join(filepath.Dir(tools), "current") // as git-sync has it
		Expect(os.Symlink("tools", current)).To(Succeed())
		tools = current
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		c := command(ctx, "--watch", "--prune", "--resync=1h")
		said := gbytes.NewBuffer()
		c.Stdout, c.Stderr = said, said
		c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
		Expect(c.Start()).To(Succeed())
		expectPublished(ctx, namespace, "image_caption@1", "ocr_page@1", "split_pdf@1")

		By("a change")
		expectWritten(tools, "image.py", strings.Replace(imagePy, "4096", "8192", 1))
		Eventually(said).Should(gbytes.Say(`change +image-caption .*\(resources.gpuMemory, source.digest\)`))

		By("a broken file")
		expectWritten(tools, "pdf.py", "@task(name=\ndef")
		Eventually(said).Should(gbytes.Say("MZ003"))
		Eventually(said).Should(gbytes.Say("keep +split-pdf"))

		By("a new folder")
		Expect(os.Mkdir(filepath.Join(tools, "more"), 0o755)).To(Succeed())
		expectWritten(filepath.Join(tools, "more"), "audio.py", strings.ReplaceAll(imagePy, "image_caption", "transcribe"))
		expectPublished(ctx, namespace, "image_caption@2", "ocr_page@1", "split_pdf@1", "transcribe@1")

		By("another version of all, the first one removed")
		next := filepath.Join(filepath.Dir(tools), "next")
		Expect(os.Mkdir(next, 0o755)).To(Succeed())
		expectWritten(next, "__init__.py", "")
		expectWritten(next, "pdf.py", pdfPy)
		Expect(os.Symlink("next", current+".new")).To(Succeed())
		Expect(os.Rename(current+".new", current)).To(Succeed())
		Expect(os.RemoveAll(filepath.Join(filepath.Dir(tools), "tools"))).To(Succeed())
		expectPublished(ctx, namespace, "ocr_page@1", "split_pdf@1")

		By("its end")
		stop()
		Expect(c.Wait()).To(Or(Succeed(), MatchError(context.Canceled)))
		Expect(c.ProcessState.ExitCode()).To(Equal(0))
	})
})

// expectWritten writes a file at once, as editors do: whoever watches the folder never sees half of it.
func expectWritten(folder, name, content string) {
	GinkgoHelper()
	draft := filepath.Join(GinkgoT().TempDir(), name)
	Expect(os.WriteFile(draft, []byte(content), 0o644)).To(Succeed())
	Expect(os.Rename(draft, filepath.Join(folder, name))).To(Succeed())
}

// expectEntries returns the registry's entries without what changes with the versions of objects.
func expectEntries(ctx context.Context, namespace string) map[string]registry.Entry {
	GinkgoHelper()
	entries, err := published(ctx, namespace)
	Expect(err).NotTo(HaveOccurred())
	return entries
}
