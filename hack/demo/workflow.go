package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/maze-agent/maregister/test/testutil"
)

// python runs the tasks of the workflow.
const python = "python3"

// again runs a task as another node, in a terminal with the variables that environment returns.
const again = `MAZE_NODE=t3 MAZE_ARGS='{"image": "t1.output.text"}' python3 -m maregister run image_caption --print`

// call is a node of the workflow: a task by its name, and its arguments, of which some are other nodes' outputs.
type call struct {
	ID   string            `json:"id"`
	Func string            `json:"func"`
	Args map[string]string `json:"args"`
}

// theWorkflow returns a workflow of the description's two tasks: what is said in a recording is the name of the picture to describe.
func theWorkflow(recording string) []call {
	return []call{
		{ID: "t1", Func: "speech_to_text", Args: map[string]string{"audio_path": recording}},
		{ID: "t2", Func: "image_caption", Args: map[string]string{"image": "t1.output.text"}},
	}
}

// wantOutputs returns what the nodes of the workflow have to return.
func wantOutputs(picture string) []string {
	return []string{
		fmt.Sprintf(`{"text":%q}`, picture),
		`{"caption":"a picture of 48 x 32 pixels, as llava-v1.6 would see it"}`,
	}
}

// runner runs nodes as processes of this machine's Python, with what the Pod of a scheduler would have: the registry, mounted; the volume of
// the run; the task's code, which an image would have; and the variables of docs/run.md.
type runner struct {
	// registry is a folder, as the kubelet mounts the ConfigMap. shared is the volume.
	registry, shared string
	// code are the folders of the task's code and of the package maregister.
	code string
}

// newRunner returns a runner whose folders are in dir.
func newRunner(dir string) *runner {
	return &runner{
		registry: filepath.Join(dir, "registry"), shared: filepath.Join(dir, "shared"),
		code: filepath.Join(testutil.Root(), "hack", "demo", "standins") + string(os.PathListSeparator) + filepath.Join(testutil.Root(), "python", "src"),
	}
}

// mount makes the folders, and puts the registry's data there.
func (r *runner) mount(data map[string]string) error {
	if err := errors.Join(os.MkdirAll(r.registry, 0o700), os.MkdirAll(r.shared, 0o700)); err != nil {
		return err
	}
	for key, text := range data {
		if err := os.WriteFile(filepath.Join(r.registry, key), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// whyNoPython returns why no task can be run here, or "".
func whyNoPython(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, python, "-c", "import sys; sys.exit(sys.version_info < (3, 9) and 'it is Python ' + sys.version)").CombinedOutput()
	if err != nil {
		return strings.TrimSpace(fmt.Sprintf("%s cannot be used: %v %s", python, err, out))
	}
	return ""
}

// environment returns the variables that all nodes have.
func (r *runner) environment() []string {
	return []string{"PYTHONPATH=" + r.code, "MAZE_REGISTRY=" + r.registry, "MAZE_PACKAGES=tools", "MAZE_SHARED=" + r.shared, "MAZE_RUN=demo"}
}

// run runs a node, and returns its outputs as the executor prints them.
func (r *runner) run(ctx context.Context, node call) (string, error) {
	args, err := json.Marshal(node.Args)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, python, "-m", "maregister", "run", node.Func, "--print")
	command.Dir = r.shared
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "PYTHONDONTWRITEBYTECODE=1"}, r.environment()...)
	command.Env = append(command.Env, "MAZE_NODE="+node.ID, "MAZE_ARGS="+string(args))
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("node %s, task %s: %w\n%s", node.ID, node.Func, err, stderr.Bytes())
	}
	return strings.TrimSuffix(stdout.String(), "\n"), nil
}

// showWorkflow runs the workflow with the tasks that the registry's data has, and prints what the nodes return, after checking that it is what
// they should.
func showWorkflow(ctx context.Context, dir string, data map[string]string) error {
	heading("Two of them in a workflow, run by name: python3 -m maregister run NAME")
	if why := whyNoPython(ctx); why != "" {
		fmt.Printf("NO TASK WAS RUN, as that needs a Python, 3.9 or later: %s\n", why)
		return nil
	}
	r := newRunner(dir)
	if err := r.mount(data); err != nil {
		return err
	}
	recording, picture := filepath.Join(dir, "recording.wav"), filepath.Join(dir, "picture.png")
	if err := errors.Join(os.WriteFile(recording, sound(picture), 0o600), os.WriteFile(picture, pixels(48, 32), 0o600)); err != nil {
		return err
	}
	want := wantOutputs(picture)
	for i, node := range theWorkflow(recording) {
		line, err := json.Marshal(node)
		if err != nil {
			return err
		}
		got, err := r.run(ctx, node)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n  → %s\n", line, got)
		if got != want[i] {
			return fmt.Errorf("node %s has to return %s", node.ID, want[i])
		}
	}
	return nil
}

// sound returns a recording in which something is said: a WAV file, of one byte a sample, whose samples are the text.
func sound(said string) []byte {
	const header, rate = 44, 8000
	out := []byte("RIFF")
	add := func(size uint32, values ...any) {
		out = binary.LittleEndian.AppendUint32(out, size)
		for _, value := range values {
			out, _ = binary.Append(out, binary.LittleEndian, value) // cannot fail: all are of a fixed size
		}
	}
	add(uint32(header-8+len(said)), []byte("WAVEfmt "))
	add(16, uint16(1), uint16(1), uint32(rate), uint32(rate), uint16(1), uint16(8)) // PCM, one channel
	out = append(out, "data"...)
	add(uint32(len(said)), []byte(said))
	return out
}

// pixels returns a picture of a size: a PNG file.
func pixels(width, height int) []byte {
	var out bytes.Buffer
	_ = png.Encode(&out, image.NewGray(image.Rect(0, 0, width, height))) // cannot fail: it is written to memory
	return out.Bytes()
}
