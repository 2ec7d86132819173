package chart

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/test/testutil"
)

// podLog is the name of the file that has what a Pod's container logs, in its folder below that of the cluster.
const podLog = "pod.log"

// kubelet runs the Pods of every node: each container as a process, with its arguments, its volumes and its ServiceAccount's
// token. Nothing isolates them, so ports and paths are replaced by free ones.
type kubelet struct {
	cluster  *cluster
	binaries map[string]string // by the image's repository
	quit     context.CancelFunc
	running  sync.WaitGroup

	mu   sync.Mutex
	pods map[types.UID]context.CancelFunc
}

func newKubelet(c *cluster) *kubelet {
	return &kubelet{cluster: c, pods: map[types.UID]context.CancelFunc{}, binaries: map[string]string{
		"ghcr.io/maze-agent/maregister": c.manager,
		"maregister":                    c.manager, // that of config/manager
		"registry.k8s.io/kubectl":       filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
	}}
}

func (k *kubelet) start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it runs until stop
	k.quit = cancel
	factory := informers.NewSharedInformerFactory(k.cluster.clients, 0)
	pods := factory.Core().V1().Pods().Informer()
	_, err := pods.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { k.see(ctx, object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { k.see(ctx, object.(*corev1.Pod)) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	return nil
}

func (k *kubelet) stop() error {
	k.quit()
	k.running.Wait()
	return nil
}

// see starts a Pod that has been given a node, and ends one that is being deleted.
func (k *kubelet) see(ctx context.Context, pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	end, known := k.pods[pod.UID]
	switch {
	case known && pod.DeletionTimestamp != nil:
		end()
	case !known && pod.Spec.NodeName != "":
		ctx, end = context.WithCancel(ctx)
		k.pods[pod.UID] = end
		k.running.Go(func() { k.run(ctx, pod.DeepCopy()) })
	}
}

// run is the life of a Pod: its init containers one by one, its container, and its end.
func (k *kubelet) run(ctx context.Context, pod *corev1.Pod) {
	phase, err := k.runContainers(ctx, pod)
	if ctx.Err() == nil {
		k.report(ctx, pod, phase, err)
		<-ctx.Done()
	}
	_ = k.cluster.clients.CoreV1().Pods(pod.Namespace).Delete(context.WithoutCancel(ctx), pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To[int64](0), Preconditions: &metav1.Preconditions{UID: &pod.UID},
	}) // it fails where the whole cluster ends
}

func (k *kubelet) runContainers(ctx context.Context, pod *corev1.Pod) (corev1.PodPhase, error) {
	folder, err := os.MkdirTemp(k.cluster.folder, pod.Name+"-")
	if err != nil {
		return corev1.PodFailed, err
	}
	for _, container := range pod.Spec.InitContainers {
		command, _, err := k.command(ctx, pod, &container, folder)
		if err != nil {
			return corev1.PodFailed, err
		}
		if out, err := command.CombinedOutput(); err != nil {
			return corev1.PodFailed, fmt.Errorf("container %s: %w: %s", container.Name, err, out)
		}
	}
	command, probe, err := k.command(ctx, pod, &pod.Spec.Containers[0], folder)
	if err != nil {
		return corev1.PodFailed, err
	}
	var log strings.Builder
	file, err := os.Create(filepath.Join(folder, podLog))
	if err != nil {
		return corev1.PodFailed, err
	}
	defer func() { _ = file.Close() }() // only tests read it
	command.Stdout = io.MultiWriter(&log, file)
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		return corev1.PodFailed, err
	}
	if probe != "" {
		go k.reportReady(ctx, pod, probe)
	}
	if err := command.Wait(); err != nil {
		return corev1.PodFailed, fmt.Errorf("%w: %s", err, log.String())
	}
	return corev1.PodSucceeded, nil
}

// command makes the process of a container, and the address of its readiness probe if it has one.
func (k *kubelet) command(ctx context.Context, pod *corev1.Pod, container *corev1.Container, folder string) (*exec.Cmd, string, error) {
	repository, _, _ := strings.Cut(container.Image, ":")
	binary, ok := k.binaries[repository]
	if !ok {
		return nil, "", fmt.Errorf("there is no image %s", container.Image)
	}
	replace, err := k.mount(ctx, pod, container, folder)
	if err != nil {
		return nil, "", err
	}
	kubeconfig := filepath.Join(folder, container.Name+".kubeconfig")
	err = testutil.WriteKubeconfig(ctx, k.cluster.plane.Config, pod.Namespace, pod.Spec.ServiceAccountName, kubeconfig)
	if err != nil {
		return nil, "", err
	}
	probe := ""
	for _, port := range container.Ports {
		free, err := testutil.FreeAddress()
		if err != nil {
			return nil, "", err
		}
		replace = append(replace, ":"+strconv.Itoa(int(port.ContainerPort)), free)
		if container.ReadinessProbe != nil && container.ReadinessProbe.HTTPGet.Port.StrVal == port.Name {
			probe = free
		}
	}
	var args []string
	for _, arg := range container.Args {
		args = append(args, strings.NewReplacer(replace...).Replace(arg))
	}
	if probe != "" {
		args = append(args, "--health-probe-bind-address="+probe)
		probe = "http://" + probe + container.ReadinessProbe.HTTPGet.Path
	}
	command := exec.CommandContext(ctx, binary, args...)
	command.Env = append(environment(pod, container), "KUBECONFIG="+kubeconfig)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	return command, probe, nil
}

// environment returns the variables of a container, those of the downward API included.
func environment(pod *corev1.Pod, container *corev1.Container) []string {
	fields := map[string]string{"metadata.name": pod.Name, "metadata.namespace": pod.Namespace, "metadata.uid": string(pod.UID)}
	var out []string
	for _, variable := range container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil && from.FieldRef != nil {
			value = fields[from.FieldRef.FieldPath]
		} else if from != nil && from.ResourceFieldRef != nil && from.ResourceFieldRef.Resource == "limits.memory" {
			value = strconv.FormatInt(container.Resources.Limits.Memory().Value(), 10)
		}
		out = append(out, variable.Name+"="+value)
	}
	return out
}

// mount makes folders of a container's volumes, and returns what each mount path has to be replaced by.
func (k *kubelet) mount(ctx context.Context, pod *corev1.Pod, container *corev1.Container, folder string) ([]string, error) {
	var replace []string
	for _, mount := range container.VolumeMounts {
		path := filepath.Join(folder, mount.Name)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, err
		}
		replace = append(replace, mount.MountPath, path)
	}
	for _, volume := range pod.Spec.Volumes {
		if volume.ConfigMap == nil {
			continue
		}
		content := &corev1.ConfigMap{}
		if err := k.cluster.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: volume.ConfigMap.Name}, content); err != nil {
			return nil, err
		}
		for name, text := range content.Data {
			if err := os.WriteFile(filepath.Join(folder, volume.Name, name), []byte(text), 0o600); err != nil {
				return nil, err
			}
		}
	}
	return replace, nil
}

// reportReady asks the readiness probe until it answers well.
func (k *kubelet) reportReady(ctx context.Context, pod *corev1.Pod, probe string) {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return answersOK(probe), nil
	})
	if ctx.Err() == nil {
		k.report(ctx, pod, corev1.PodRunning, err)
	}
}

func answersOK(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	return errors.Join(response.Body.Close()) == nil && response.StatusCode == http.StatusOK
}

// report writes a Pod's status. The Pod may be gone.
func (k *kubelet) report(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase, failure error) {
	ready, message := corev1.ConditionFalse, ""
	if phase == corev1.PodRunning && failure == nil {
		ready = corev1.ConditionTrue
	}
	if failure != nil {
		message = failure.Error()
	}
	status := corev1.PodStatus{Phase: phase, Message: message, PodIP: "127.0.0.1", StartTime: ptr.To(metav1.Now())}
	status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
	for _, condition := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: condition, Status: ready, LastTransitionTime: metav1.Now()})
	}
	status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: pod.Spec.Containers[0].Name, Image: pod.Spec.Containers[0].Image, Ready: ready == corev1.ConditionTrue,
	}}
	next := pod.DeepCopy()
	next.Status = status
	_ = k.cluster.Status().Patch(ctx, next, client.StrategicMergeFrom(pod))
}
