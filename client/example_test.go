package client_test

// docs: begin
import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/client"
)

// follow prints what a task needs, and then every change, until ctx ends.
func follow(ctx context.Context, config *rest.Config, namespace string) error {
	tasks, err := client.New(config, namespace)
	if err != nil {
		return err
	}
	go func() { _ = tasks.Start(ctx) }() // it ends with ctx
	patience, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := tasks.WaitForSync(patience); err != nil {
		return err // tells what is missing, such as a right
	}
	if caption, ok := tasks.Get("image_caption"); ok {
		requests := caption.Kubernetes.Placement.Requests
		fmt.Println(caption.Resources.GPUMem, "MiB of GPU memory;", requests.Cpu(), "cores;", requests.Memory(), "of memory")
		fmt.Println("executors call", ptr.Deref(caption.EntryPoint, "nothing")) // a pointer: nil where the task does not say
	}
	for change := range tasks.Subscribe(ctx) {
		for _, name := range change.Changed {
			before, _ := change.From.Get(name)
			after, _ := change.To.Get(name)
			if before.Digest.Interface != after.Digest.Interface {
				fmt.Println("the parameters of", name, "have changed")
			}
		}
		fmt.Println("generation", change.To.Generation(), "added", change.Added, "removed", change.Removed)
	}
	return nil
}

// docs: end

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	config, err := rest.InClusterConfig() // in a Pod; ctrl.GetConfig() outside of one
	if err != nil {
		return
	}
	if err := follow(ctx, config, "vision"); err != nil {
		fmt.Println(err)
	}
}

// docs of folders: begin
// followFolder prints which functions there are, whenever that changes, until ctx ends.
func followFolder(ctx context.Context, folder string) error {
	tasks, err := client.NewFromFolder(folder, 10*time.Second)
	if err != nil {
		return err // the interval is not positive
	}
	go func() { _ = tasks.Start(ctx) }() // it ends with ctx
	if err := tasks.WaitForSync(ctx); err != nil {
		return err
	}
	for change := range tasks.Subscribe(ctx) {
		for _, task := range change.To.List() {
			fmt.Println(task.Name, ptr.Deref(task.EntryPoint, "has no entry point"))
		}
	}
	return nil
}

// docs of folders: end

func ExampleNewFromFolder() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := followFolder(ctx, "/etc/maze-registry"); err != nil { // where the ConfigMap maze-registry is mounted
		fmt.Println(err)
	}
}

func ExampleReadFolder() {
	tasks, err := client.ReadFolder("/etc/maze-registry") // where the ConfigMap maze-registry is mounted
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, task := range tasks.List() {
		fmt.Println(task.Name, task.Resources.Type)
	}
}
