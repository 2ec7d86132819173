package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// workflowKey, an annotation, has the workflow of a detached run. The Job's Pod mounts it, and whoever watches the run reads it.
	workflowKey    = prefix + "workflow"
	workflowFolder = "/etc/maze-workflow"
	workflowFile   = "workflow.json"
	// maxWorkflow is how large a workflow may be to be in an annotation, in bytes. All annotations together have 256 KiB.
	maxWorkflow = 200 << 10
	// account is the ServiceAccount of role.yaml.
	account = "maze-scheduler"
	// kept is how long the Job of a run that has ended is there to be watched, in seconds.
	kept = 24 * 60 * 60
	// settling is how long the news of the last Pods may take when the Job has ended.
	settling = 5 * time.Second
)

// newJob makes the Job that schedules a run. It is all there is of a detached run but the Pods: it has the workflow, and as its arguments the
// flags. A scheduler that is evicted or cannot go on is started again, and goes on where it stopped; one whose nodes have failed has ended.
func newJob(o *options, w *workflow, namespace string, content []byte) *batchv1.Job {
	args := slices.Concat(o.given, []string{"--namespace=" + namespace, "--run=" + w.run, workflowFolder + "/" + workflowFile}, o.nodes)
	for i := range args {
		args[i] = verbatim(args[i])
	}
	labels := map[string]string{runKey: w.run}
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: podName(w.run, "", 0), Labels: labels},
		Spec: batchv1.JobSpec{
			TTLSecondsAfterFinished: ptr.To[int32](kept),
			PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
				{Action: batchv1.PodFailurePolicyActionIgnore, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{
					{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue},
				}},
				{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
					ContainerName: ptr.To("scheduler"), Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{statusFailed},
				}},
			}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{workflowKey: string(content)}},
				Spec:       newSchedulersPod(o.schedulerImage, args),
			},
		},
	}
}

// newSchedulersPod makes the Pod of a Job's scheduler: with the account of role.yaml, and the workflow as a file.
func newSchedulersPod(image string, args []string) corev1.PodSpec {
	return corev1.PodSpec{
		RestartPolicy:      corev1.RestartPolicyNever,
		ServiceAccountName: account,
		EnableServiceLinks: ptr.To(false),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   ptr.To(true),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name:  "scheduler",
			Image: image,
			Args:  args,
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
			},
			TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: ptr.To(false),
				ReadOnlyRootFilesystem:   ptr.To(true),
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
			VolumeMounts: []corev1.VolumeMount{{Name: "workflow", MountPath: workflowFolder, ReadOnly: true}},
		}},
		Volumes: []corev1.Volume{{Name: "workflow", VolumeSource: corev1.VolumeSource{
			DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
				{Path: workflowFile, FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + workflowKey + "']"}},
			}},
		}}},
	}
}

// detachRun creates the Job of a run, and prints the run's name.
func detachRun(ctx context.Context, config *rest.Config, job *batchv1.Job, stdout io.Writer) (status int, err error) {
	run := job.Labels[runKey]
	if size := len(job.Spec.Template.Annotations[workflowKey]); size > maxWorkflow {
		return statusCouldNot, fmt.Errorf("the workflow has %d bytes, and a detached one may have %d: pass large values by files, or leave --detach out",
			size, maxWorkflow)
	}
	scheme, err := newScheme()
	if err != nil {
		return statusCouldNot, err
	}
	writer, err := kube.New(config, kube.Options{Scheme: scheme})
	if err != nil {
		return statusCouldNot, fmt.Errorf("make the client: %w", err)
	}
	switch err := writer.Create(ctx, job); {
	case apierrors.IsAlreadyExists(err):
		return statusCouldNot, fmt.Errorf("run %s has Job %s already: --watch %s follows it; delete the Job to have the run go on anew, or take another --run",
			run, job.Name, run)
	case err != nil:
		return statusCouldNot, fmt.Errorf("create Job %s: %w", job.Name, err)
	}
	fmt.Fprintln(stdout, run)
	fmt.Fprintf(os.Stderr, "Job %s in namespace %s schedules the run: --watch %s follows it. Who deletes the Job stops it; the Pods of its nodes run on.\n",
		job.Name, job.Namespace, run)
	return statusSucceeded, nil
}

// watchRun follows a detached run until it ends. It decides as the run's scheduler does, as both see the same Pods, and does nothing.
func (o *options) watchRun(ctx context.Context, stdout io.Writer) (status int, err error) {
	config, namespace, err := connect(o.kubeconfig, o.namespace)
	if err != nil {
		return statusCouldNot, err
	}
	c, err := newCluster(ctx, config, namespace, o.watch, &batchv1.Job{})
	if err != nil {
		return statusCouldNot, err
	}
	job, _, err := c.detached(ctx)
	if err != nil {
		return statusCouldNot, err
	}
	if job == nil {
		return statusCouldNot, fmt.Errorf("namespace %s has no Job of run %s: it was never detached, or stopped, or ended a day ago", namespace, o.watch)
	}
	s, err := schedulerOf(job)
	if err != nil {
		return statusCouldNot, fmt.Errorf("read what Job %s of the run schedules: %w", job.Name, err)
	}
	v := &overseer{cluster: c, now: time.Now}
	return s.schedule(ctx, c, mode{act: v.oversee, interrupted: "no longer watched; the run goes on"}, stdout)
}

// schedulerOf returns the scheduler that a Job runs.
func schedulerOf(job *batchv1.Job) (*scheduler, error) {
	if len(job.Spec.Template.Spec.Containers) == 0 {
		return nil, errors.New("it has no container")
	}
	args := slices.Clone(job.Spec.Template.Spec.Containers[0].Args)
	for i := range args {
		args[i] = literal(args[i])
	}
	o, err := readOptions(args, io.Discard)
	if err != nil {
		return nil, err
	}
	w, err := o.readWorkflow([]byte(job.Spec.Template.Annotations[workflowKey]))
	if err != nil {
		return nil, err
	}
	return &scheduler{workflow: w, namespace: job.Namespace, settings: o.settings}, nil
}

// detached returns the Job of a detached run and the last of its Pods, as far as there are any.
func (c *cluster) detached(ctx context.Context) (*batchv1.Job, *corev1.Pod, error) {
	var jobs batchv1.JobList
	var pods corev1.PodList
	if err := errors.Join(c.cache.List(ctx, &jobs), c.cache.List(ctx, &pods)); err != nil || len(jobs.Items) == 0 {
		return nil, nil, err
	}
	job := &jobs.Items[0]
	owned := slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool { return !metav1.IsControlledBy(&pod, job) })
	if len(owned) == 0 {
		return job, nil, nil
	}
	last := slices.MaxFunc(owned, func(a, b corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return job, &last, nil
}

// overseer looks after the scheduler of a detached run.
type overseer struct {
	cluster *cluster
	now     func() time.Time
	// since is when it was first seen that there is none any more.
	since time.Time
}

// oversee returns why the scheduler of a detached run does not decide now, as errOver if it never will. It takes the place of act.
func (v *overseer) oversee(ctx context.Context, _ *plan) error {
	job, pod, err := v.cluster.detached(ctx)
	if err != nil {
		return err
	}
	over, why := whyIdle(job, pod)
	switch {
	case why == "":
		return nil
	case !over:
		return errors.New(why)
	case v.since.IsZero():
		v.since = v.now()
	}
	if v.now().Sub(v.since) < settling {
		return errors.New(why)
	}
	return fmt.Errorf("%w: %s", errOver, why)
}

// whyIdle returns why the scheduler of a detached run does not decide now, "" if it does, and whether that is for good.
func whyIdle(job *batchv1.Job, pod *corev1.Pod) (over bool, why string) {
	if job == nil {
		return true, "its Job was deleted; the same command with --detach goes on from here"
	}
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			why = fmt.Sprintf("Job %s has ended (%s): %s", job.Name, cmp.Or(c.Reason, string(c.Type)), cmp.Or(c.Message, "no message"))
			if pod != nil && pod.Status.Phase == corev1.PodFailed {
				why += "; its Pod failed: " + whyFailed(pod)
			}
			return true, why
		}
	}
	switch {
	case pod == nil:
		return false, fmt.Sprintf("the run's scheduler waits: Job %s has no Pod yet", job.Name)
	case pod.Status.Phase == corev1.PodFailed:
		return false, "the run's scheduler is started again, as it failed: " + whyFailed(pod)
	case whyPending(pod) != "":
		return false, "the run's scheduler waits: " + whyPending(pod)
	}
	return false, ""
}
