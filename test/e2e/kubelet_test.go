package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/test/testutil"
)

// podLog is the name of the file of what a container writes.
const podLog = "log"

// kubelet runs the Pods of a namespace: the one container of each as a process of this machine's Python, with its variables, the files of
// its downward API and of its claims. Nothing isolates them, so paths of mounts are replaced by folders. Where images would have code, it
// has one folder of Python files.
type kubelet struct {
	stage *stage
	code  string
	// claims is a folder for each PersistentVolumeClaim.
	claims  string
	secrets map[string]string // the keys and values of all ConfigMaps and Secrets
	// programs are what images have as their entry point, for containers that name no command. Other images cannot be pulled.
	programs map[string]string

	mu      sync.Mutex
	started map[types.UID]*exec.Cmd
	running sync.WaitGroup
	// logs are the files of what containers write, by the nodes of workflows.
	logs map[string]string
	// podLogs are the same by Pods, and done are closed when their containers end.
	podLogs map[string]string
	done    map[string]chan struct{}
}

// startKubelet runs Pods until the spec ends. It skips the spec where there is no Python.
func startKubelet(ctx context.Context, s *stage, code map[string]string) *kubelet {
	GinkgoHelper()
	if out, err := exec.CommandContext(ctx, "python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))").CombinedOutput(); err != nil {
		Skip(fmt.Sprintf("there is no Python 3.9 or later: %v %s", err, out))
	}
	folder := GinkgoT().TempDir()
	k := &kubelet{stage: s, code: filepath.Join(folder, "app"), claims: filepath.Join(folder, "claims"), secrets: map[string]string{},
		started: map[types.UID]*exec.Cmd{}, logs: map[string]string{},
		podLogs: map[string]string{}, done: map[string]chan struct{}{}}
	for name, text := range code {
		path := filepath.Join(k.code, name)
		Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())
		Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	}
	events, err := k8s.Watch(context.WithoutCancel(ctx), &corev1.PodList{}, client.InNamespace(s.namespace))
	Expect(err).NotTo(HaveOccurred())
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	k.running.Go(func() {
		for event := range events.ResultChan() {
			if pod, ok := event.Object.(*corev1.Pod); ok {
				k.see(ctx, pod)
			}
		}
	})
	DeferCleanup(func() {
		events.Stop()
		end()
		k.running.Wait()
	})
	return k
}

// serveLogs answers for the logs of a node's containers, as the API server asks kubelets.
func (k *kubelet) serveLogs(ctx context.Context, node string) {
	GinkgoHelper()
	server := httptest.NewTLSServer(http.HandlerFunc(k.serveLog))
	DeferCleanup(server.Close)
	address := server.Listener.Addr().(*net.TCPAddr)
	var object corev1.Node
	Expect(k8s.Get(ctx, client.ObjectKey{Name: node}, &object)).To(Succeed())
	before := client.MergeFrom(object.DeepCopy())
	object.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address.IP.String()}}
	object.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(address.Port)
	Expect(k8s.Status().Patch(ctx, &object, before)).To(Succeed())
}

// serveLog writes the log of a container, /containerLogs/NAMESPACE/POD/CONTAINER, until the container ends.
func (k *kubelet) serveLog(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	k.mu.Lock()
	log, done := k.podLogs[parts[3]], k.done[parts[3]]
	k.mu.Unlock()
	file, err := os.Open(log)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	defer func() { _ = file.Close() }() // it was only read
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for ended := false; ; {
		if _, err := io.Copy(w, file); err != nil || ended {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-done:
			ended = true // what is written now is the rest
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}

// see starts a Pod that is bound, and ends one that is being deleted.
func (k *kubelet) see(ctx context.Context, pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	command, known := k.started[pod.UID]
	switch {
	case known && pod.DeletionTimestamp != nil && command != nil:
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended
	case !known && pod.Spec.NodeName != "" && k.lacksImage(pod):
		k.started[pod.UID] = nil
		reportStatus(ctx, pod, corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "not found"}})
	case !known && pod.Spec.NodeName != "":
		folder, err := os.MkdirTemp(filepath.Dir(k.code), "pod-")
		if err == nil {
			command, err = k.command(ctx, pod, folder)
		}
		if err == nil {
			err = command.Start()
		}
		if k.started[pod.UID] = command; err != nil {
			k.started[pod.UID] = nil
			end := corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: err.Error(), FinishedAt: metav1.Now()}
			reportStatus(ctx, pod, corev1.PodFailed, corev1.ContainerState{Terminated: &end})
			return
		}
		reportStatus(ctx, pod, corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}})
		k.running.Go(func() { k.wait(ctx, pod, command, folder) })
	}
}

// lacksImage reports whether nobody knows what a Pod's image would run.
func (k *kubelet) lacksImage(pod *corev1.Pod) bool {
	container := pod.Spec.Containers[0]
	return len(container.Command) == 0 && k.programs[container.Image] == ""
}

// command makes the process of a Pod's container.
func (k *kubelet) command(ctx context.Context, pod *corev1.Pod, folder string) (*exec.Cmd, error) {
	container := pod.Spec.Containers[0]
	var replace []string
	for _, mount := range container.VolumeMounts {
		for _, volume := range pod.Spec.Volumes {
			if volume.Name != mount.Name {
				continue
			}
			path := filepath.Join(folder, volume.Name)
			if claim := volume.PersistentVolumeClaim; claim != nil {
				path = filepath.Join(k.claims, claim.ClaimName)
			}
			if err := errors.Join(os.MkdirAll(path, 0o755), writeAnnotations(pod, volume.DownwardAPI, path)); err != nil {
				return nil, err
			}
			replace = append(replace, mount.MountPath, path)
		}
	}
	log := filepath.Join(folder, "termination-log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		return nil, err
	}
	paths := strings.NewReplacer(replace...)
	argv := append([]string{}, container.Command...)
	if len(argv) == 0 {
		argv = []string{k.programs[container.Image]}
	}
	for _, argument := range container.Args {
		argv = append(argv, paths.Replace(strings.ReplaceAll(argument, "$$", "$")))
	}
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.Dir = k.code
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "PYTHONPATH=" + filepath.Join(testutil.Root(), "python", "src"), "MAZE_TERMINATION_LOG=" + log}
	if pod.Spec.ServiceAccountName == account {
		command.Env = append(command.Env, "KUBECONFIG="+k.stage.kubeconfig) // a Pod has the token of its account
	}
	for _, from := range container.EnvFrom {
		if from.SecretRef != nil || from.ConfigMapRef != nil {
			for name, value := range k.secrets {
				command.Env = append(command.Env, from.Prefix+name+"="+value)
			}
		}
	}
	for _, variable := range container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			value = pod.Labels[strings.TrimSuffix(strings.TrimPrefix(from.FieldRef.FieldPath, "metadata.labels['"), "']")]
		}
		if variable.Name == "MAZE_REGISTRY" || variable.Name == "MAZE_SHARED" {
			value = paths.Replace(value)
		}
		command.Env = append(command.Env, variable.Name+"="+strings.ReplaceAll(value, "$$", "$"))
	}
	output, err := os.Create(filepath.Join(folder, podLog))
	if err != nil {
		return nil, err
	}
	k.logs[nodeOf(pod)], k.podLogs[pod.Name], k.done[pod.Name] = output.Name(), output.Name(), make(chan struct{})
	command.Stdout, command.Stderr = output, output
	command.WaitDelay = 5 * time.Second
	return command, nil
}

// writeAnnotations writes the files of a downward API.
func writeAnnotations(pod *corev1.Pod, source *corev1.DownwardAPIVolumeSource, folder string) error {
	if source == nil {
		return nil
	}
	for _, item := range source.Items {
		name := strings.TrimSuffix(strings.TrimPrefix(item.FieldRef.FieldPath, "metadata.annotations['"), "']")
		if err := os.WriteFile(filepath.Join(folder, item.Path), []byte(pod.Annotations[name]), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// wait reports how a process ends.
func (k *kubelet) wait(ctx context.Context, pod *corev1.Pod, command *exec.Cmd, folder string) {
	err := command.Wait()
	message, _ := os.ReadFile(filepath.Join(folder, "termination-log")) // it is there
	log, _ := os.ReadFile(filepath.Join(folder, podLog))
	k.mu.Lock()
	close(k.done[pod.Name])
	k.mu.Unlock()
	end := &corev1.ContainerStateTerminated{Reason: "Completed", Message: string(message), FinishedAt: metav1.Now()}
	phase := corev1.PodSucceeded
	if err != nil {
		phase, end.Reason, end.ExitCode = corev1.PodFailed, "Error", int32(command.ProcessState.ExitCode())
		if len(message) == 0 && pod.Spec.Containers[0].TerminationMessagePolicy == corev1.TerminationMessageFallbackToLogsOnError {
			end.Message = string(log)
		}
	}
	reportStatus(ctx, pod, phase, corev1.ContainerState{Terminated: end})
}

// reportStatus writes a Pod's status. The Pod may be gone.
func reportStatus(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase, state corev1.ContainerState) {
	next := pod.DeepCopy()
	next.Status.Phase = phase
	next.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: pod.Spec.Containers[0].Name, Image: pod.Spec.Containers[0].Image, State: state}}
	_ = k8s.Status().Patch(ctx, next, client.MergeFrom(pod))
}

// log returns what the last container of a workflow's node has written.
func (k *kubelet) log(node string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	text, _ := os.ReadFile(k.logs[node]) // it may not be there yet
	return string(text)
}
