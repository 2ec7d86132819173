package discover

import (
	"math/big"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/finding"
)

// resourceKeys are those of the dict of resources in all versions of Maze. The last four are for where to run a task.
var resourceKeys = []string{
	"cpu_num", "cpu", "cpu_mem", "gpu", "gpu_mem", "io_num", "target_node_id", "node_id", "avoid_node_ids", "required_capability",
}

// readKeys notes each entry of the dict of resources as an argument.
func (d *declaration) readKeys() {
	for _, e := range d.spreadResources(resourceKeys) {
		d.find(finding.WrongArgument, d.arguments["resources"].at, "resources has the key %s, which Maze ignores (it has %s)", kindOrText(e.Key),
			strings.Join(resourceKeys[:6], ", "))
	}
}

// readResources reads what readKeys noted. kind is the keyword for what the task mainly needs, if there is one.
func (d *declaration) readResources(kind string) {
	d.spec.Resources.CPU = resource.NewQuantity(1, resource.DecimalSI)
	least := func(keyword string) {
		if _, given := d.arguments[keyword]; !given {
			return
		}
		if f, ok := number(d.arguments[keyword].value); ok && f < 1 {
			return // Maze takes 1 then
		}
		d.readCores(keyword, 1)
	}
	if least("resources.cpu"); d.has("resources.cpu_num") {
		least("resources.cpu_num")
	}
	d.spec.Resources.Memory = d.mebibytes("resources.cpu_mem", 0)
	memory := d.mebibytes("resources.gpu_mem", 0)
	gpus, _ := number(d.arguments["resources.gpu"].value)
	d.spec.Resources.Type = v1alpha1.ResourceTypeCPU
	if memory != nil || gpus > 0 {
		d.spec.Resources.Type = v1alpha1.ResourceTypeGPU
	}
	if kind != "" {
		d.readType(kind, d.spec.Resources.Type)
	}
	d.readGPUMemory("resources.gpu_mem", 0)
}

// refuseNoNumbers refuses a task whose resources Maze's decorator cannot compare with numbers. It reports whether it did. cpu is looked
// at only without cpu_num.
func (d *declaration) refuseNoNumbers() (refused bool) {
	for _, key := range []string{"cpu_num", "cpu", "gpu_mem", "io_num"} {
		a, given := d.arguments["resources."+key]
		_, isNumber := number(a.value)
		if _, isBool := a.value.(bool); !given || isNumber || isBool || key == "cpu" && d.has("resources.cpu_num") {
			continue
		}
		d.refuse(finding.WrongArgument, a.at, "resources.%s is a number, and not %s, so Maze's decorator raises an error, and Python would run nothing of the file",
			key, eval.KindOf(a.value))
		refused = true
	}
	return refused
}

// has reports whether a keyword was given.
func (d *declaration) has(keyword string) bool { _, given := d.arguments[keyword]; return given }

// spreadResources notes each entry of the dict as an argument. It returns those whose keys are none of the known ones.
func (d *declaration) spreadResources(known []string) (unknown []eval.Entry) {
	if !d.isKnown("resources") {
		return nil
	}
	all := d.arguments["resources"]
	entries, ok := all.value.(eval.Dict)
	if !ok {
		d.wrong("resources", "a dict")
		return nil
	}
	for _, e := range entries {
		key, _ := e.Key.(string)
		if !slices.Contains(known, key) {
			unknown = append(unknown, e)
			continue
		}
		d.arguments["resources."+key] = argument{at: d.locate(all.from, all.at, []string{key}), value: e.Value}
	}
	return unknown
}

// kindOrText returns a text itself, and of another value what it is.
func kindOrText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return eval.KindOf(value)
}

// ascendKeys are those of the dict of resources of Ascend-Maze. gpu_mem is an older name of npu_mem there.
var ascendKeys = []string{"cpu_num", "mem", "npu_mem", "io_num", "gpu_mem"}

// readAscend reads a declaration of Ascend-Maze. Its decorator refuses what it does not know, where Maze's goes on.
func readAscend(d *declaration) {
	d.readSignature(d.function.Returned.Strict)
	d.spec.Resources.CPU = resource.NewQuantity(1, resource.DecimalSI)
	for _, e := range d.spreadResources(ascendKeys) {
		d.refuse(finding.WrongArgument, d.arguments["resources"].at, "resources has the key %s, which Ascend-Maze's decorator does not take, so Python would "+
			"run nothing of the file (it takes %s)", kindOrText(e.Key), strings.Join(ascendKeys[:4], ", "))
	}
	for _, key := range ascendKeys {
		d.wholeNumber("resources." + key)
	}
	if d.refused {
		return
	}
	if d.isPositive("resources.cpu_num") {
		d.readCores("resources.cpu_num", 1)
	}
	if d.isPositive("resources.mem") {
		d.spec.Resources.Memory = d.mebibytes("resources.mem", 0)
	}
	d.readAscendKind()
}

// readAscendKind reads what a task mainly needs: cpu, io, or an NPU, which no MazeTask can ask for.
func (d *declaration) readAscendKind() {
	d.spec.Resources.Type = v1alpha1.ResourceTypeCPU
	if d.isPositive("resources.io_num") {
		d.spec.Resources.Type = v1alpha1.ResourceTypeIO
	}
	a := d.arguments["task_kind"]
	kind, isText := a.value.(string)
	kind = strings.ToLower(strings.TrimSpace(kind))
	memory := ""
	for _, key := range []string{"npu_mem", "gpu_mem"} {
		if at := d.arguments["resources."+key]; d.isPositive("resources." + key) {
			value, _ := number(at.value)
			memory = " with " + size(value).String() + " of memory"
			if a.value == nil {
				kind, a.at = "npu", at.at
			}
		}
	}
	switch {
	case a.why != nil:
	case kind == "npu":
		d.refuse(finding.UnsupportedDevice, a.at, "%s is no task here: it needs an NPU%s, and a MazeTask is of type cpu, gpu or io, as placement knows no "+
			"NPUs: run it by Ascend-Maze itself", d.function.Name, memory)
	case kind == "cpu", kind == "io":
		d.spec.Resources.Type = v1alpha1.ResourceType(kind)
		if memory != "" {
			d.refuse(finding.WrongArgument, a.at, "a task of task_kind %s cannot have npu_mem, and Ascend-Maze compiles no workflow with it: take one of "+
				"them away", kind)
		}
	case a.value != nil || isText:
		d.refuse(finding.WrongArgument, a.at, "task_kind is cpu, npu or io, and not %s, so Ascend-Maze's decorator raises an error, and Python would run nothing "+
			"of the file", kindOrText(a.value))
	}
}

// wholeNumber refuses a task for an argument that is given, known, and no whole number of at least 0. None is as if it were not given.
func (d *declaration) wholeNumber(keyword string) {
	a := d.arguments[keyword]
	value, ok := a.value.(*big.Int)
	if a.value == nil || ok && value.Sign() >= 0 {
		return
	}
	d.refuse(finding.WrongArgument, a.at, "%s is a whole number of at least 0, and not %s, so %s's decorator raises an error, and Python would run "+
		"nothing of the file", keyword, eval.KindOf(a.value), d.form.strict)
}

// isPositive reports whether an argument is a number above 0.
func (d *declaration) isPositive(keyword string) bool {
	value, ok := number(d.arguments[keyword].value)
	return ok && value > 0
}
