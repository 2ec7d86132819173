package discover

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover/annotation"
	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// runOptions are keywords for how to run a task.
var runOptions = []string{"max_retries", "retry_backoff_seconds", "retry_on", "timeout_seconds"}

// deprecation are keywords for why a task should no longer be used, and what to use instead.
var deprecation = []string{"deprecated", "replacement"}

// The ways in which Maze's own code has declared tasks, with its defaults. Sizes are in MiB.
var (
	// named is the form with everything in the decorator.
	named = form{
		keywords: []string{
			"name", "description", "input_parameters", "output_parameters", "task_type", "cpu_num", "mem", "gpu_mem", "model_name", "backend",
		},
		positional: 10, mustBeCalled: true, read: readNamed,
	}
	// packaged is the same of this project's own package, where the decorator alone names the task by the function.
	packaged = form{keywords: slices.Concat(named.keywords, runOptions, deprecation), positional: 10, read: readPackaged, strict: ownRoot}
	// listed is the form with lists of names for inputs and outputs.
	listed = form{keywords: []string{"inputs", "outputs", "resources", "data_types"}, positional: 4, mustBeCalled: true, read: readListed}
	// inferred is the form without either: inputs are those of the function, and outputs the keys of what it returns.
	inferred = form{keywords: append([]string{"resources", "data_types", "task_kind"}, runOptions...), read: readInferred}
	// ascend is the same for NPUs, of Ascend-Maze.
	ascend = form{keywords: append([]string{"resources", "task_kind"}, runOptions...), read: readAscend, strict: "Ascend-Maze"}
	// kinds holds forms by the decorator's name, which is the resource that the task mainly needs.
	kinds = map[string]*form{
		"cpu": {keywords: []string{"cpu_num", "mem"}, positional: 2, mustBeCalled: true, read: func(d *declaration) {
			d.readKind(v1alpha1.ResourceTypeCPU, 1, 1, 0, "")
		}},
		"io": {keywords: []string{"mem"}, positional: 1, mustBeCalled: true, read: func(d *declaration) {
			d.readKind(v1alpha1.ResourceTypeIO, 0, 1, 0, "")
		}},
		"gpu": {keywords: []string{"mem", "gpu_mem", "model_name", "backend"}, positional: 4, mustBeCalled: true, read: func(d *declaration) {
			d.readKind(v1alpha1.ResourceTypeGPU, 0, 0, 1, defaultBackend)
		}},
	}
)

const (
	defaultMemory  = 1024
	defaultBackend = "huggingface"
)

// formOf returns the form of one of Maze's decorators, or nil if Maze has none of that name. One that a user claims may have any name.
func (d *declaration) formOf(ref imports.Reference, claimed bool) *form {
	name := ref.Name
	if claimed && !slices.Contains(decorators, name) {
		name = decorators[0]
	}
	switch root := imports.Root(ref.Module); {
	case !slices.Contains(decorators, name), (root == ascendRoot || root == ownRoot) && name != decorators[0]:
		return nil
	case claimed:
		return d.formNamed(name, d.keywords())
	case root == ascendRoot:
		return &ascend
	case root == ownRoot:
		return &packaged
	case name == "tool" && strings.Contains(ref.Module, ".library."):
		return &named
	default:
		return d.formNamed(name, d.keywords())
	}
}

// formNamed returns the form of a decorator: by its name and, as several are called task, by the keywords of its arguments.
func (d *declaration) formNamed(name string, keywords []string) *form {
	if form := kinds[name]; form != nil {
		return form
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(keywords, w) })
	}
	positional := d.decorator.Kind == syntax.Call && len(d.decorator.Operands) > 1 && d.decorator.Names[1] == ""
	if positional {
		value, _ := d.evaluate(d.decorator.Operands[1])
		_, isList := eval.Elements(value)
		if isList || value == nil && has(inferred.keywords...) {
			return &listed
		}
	}
	switch {
	case has("inputs", "outputs"):
		return &listed
	case has(named.keywords...), positional:
		return &named
	default:
		return &inferred
	}
}

// telling holds the keywords that no other decorators have.
var telling = []string{"input_parameters", "output_parameters", "task_type", "task_kind", "gpu_mem", "cpu_num", "data_types"}

// isTelling reports whether a keyword of a decorator's arguments tells that it may be one of Maze's.
func isTelling(keyword string) bool { return slices.Contains(telling, keyword) }

// readNamed reads a declaration with everything in the decorator.
func readNamed(d *declaration) {
	d.spec.Name = d.text("name")
	if d.arguments["name"].why != nil { // which is told
		d.refused = true
		return
	}
	if d.spec.Name == "" {
		d.refuse(finding.MissingName, d.decorator.At, `the declaration has no name, so Maze skips it: give a name="%s"`, d.function.Name)
		return
	}
	d.spec.Description = d.text("description")
	d.readNamedRest(defaultBackend)
}

// readPackaged reads a declaration of this project's own package.
func readPackaged(d *declaration) {
	if d.decorator.Kind == syntax.Call {
		readNamed(d)
		return
	}
	d.spec.Name = d.function.Name
	d.readNamedRest("")
}

// readNamedRest reads what is in the decorator besides the name and the description.
func (d *declaration) readNamedRest(backend string) {
	d.readType("task_type", v1alpha1.ResourceTypeCPU)
	d.readCores("cpu_num", 1)
	d.spec.Resources.Memory = d.mebibytes("mem", defaultMemory)
	d.readGPUMemory("gpu_mem", 0)
	d.spec.Resources.ModelName = d.text("model_name")
	d.spec.Resources.Backend = d.backend(backend)
	d.describe()
	d.spec.InputParameters = d.declared("input_parameters")
	if d.leftOut("input_parameters") {
		d.spec.InputParameters = d.json(d.inputs(nil, false))
	}
	d.spec.OutputParameters = d.declared("output_parameters")
	if d.leftOut("output_parameters") {
		d.spec.OutputParameters = d.annotatedOutput()
	}
}

// readKind reads @cpu, @io and @gpu.
func (d *declaration) readKind(kind v1alpha1.ResourceType, cores, memory, gpuMemory int64, backend string) {
	d.spec.Name = d.function.Name
	d.spec.Resources.Type = kind
	d.readCores("cpu_num", cores)
	d.spec.Resources.Memory = d.mebibytes("mem", memory)
	if kind == v1alpha1.ResourceTypeGPU {
		d.readGPUMemory("gpu_mem", gpuMemory)
		d.spec.Resources.ModelName = d.text("model_name")
		d.spec.Resources.Backend = d.backend(backend)
	}
	d.describe()
	d.spec.InputParameters = d.json(d.inputs(nil, false))
	d.spec.OutputParameters = d.annotatedOutput()
}

// readListed reads a declaration with lists of names.
func readListed(d *declaration) {
	d.spec.Name = d.function.Name
	d.readKeys()
	d.readResources("")
	d.describe()
	types := d.dataTypes()
	inputs, outputs := d.names("inputs"), d.names("outputs")
	if inputs != nil {
		schema := annotation.Schema{"type": "object", "properties": d.properties(inputs, types, "str")}
		if len(inputs) > 0 {
			schema["required"] = inputs
		} else {
			schema["additionalProperties"] = false
		}
		d.spec.InputParameters = d.json(schema)
	}
	if outputs != nil {
		d.spec.OutputParameters = d.json(annotation.Schema{"type": "object", "properties": d.properties(outputs, types, "str")})
	}
	if inputs != nil && outputs != nil {
		d.checkDataTypes(slices.Concat(inputs, outputs))
	}
}

// readInferred reads a declaration that leaves inputs and outputs to the function.
func readInferred(d *declaration) {
	d.readSignature(d.function.Returned.Unclear)
	if d.readKeys(); !d.refuseNoNumbers() {
		d.readResources("task_kind")
	}
	if bare := d.function.Returned.Bare; bare != (finding.Position{}) && !d.refused {
		d.find(finding.UnknownOutputs, bare, "it returns nothing here, and Maze takes nothing but a dict, so the task fails where it comes to this: "+
			"return a dict literal with string keys")
	}
}

// readSignature reads name, description, inputs and outputs of a function, as a decorator does that refuses what it cannot infer.
func (d *declaration) readSignature(outputs syntax.Obstacle) {
	d.spec.Name = d.function.Name
	for _, p := range d.function.Parameters {
		if p.Special != "" {
			d.refuse(finding.NotATask, p.At, "%s is no task: Maze passes arguments by name, and cannot pass %s%s: make it a plain parameter",
				d.function.Name, strings.Trim(p.Special, "/"), p.Name)
		}
	}
	if outputs.Reason != syntax.Clear {
		effect := "Maze's decorator raises an error then, so Python would run nothing of the file"
		if outputs.Reason == syntax.Yields {
			effect = "Maze takes nothing but a dict of what it calls"
		}
		d.refuse(finding.UnknownOutputs, outputs.At, "%s is no task: %s, and %s: return a dict literal with string keys%s", d.function.Name,
			unclear[outputs.Reason], effect, andThat[outputs.Reason])
		return
	}
	d.describe()
	types := d.dataTypes()
	d.spec.InputParameters = d.json(d.inputs(types, true))
	d.spec.OutputParameters = d.json(annotation.Schema{"type": "object", "properties": d.properties(d.function.Returned.Keys, types, "any")})
	names := slices.Clone(d.function.Returned.Keys)
	for _, p := range d.function.Parameters {
		names = append(names, p.Name)
	}
	d.checkDataTypes(names)
}

// unclear holds why outputs are not known, for messages.
var unclear = map[syntax.Unclear]string{
	syntax.ReturnsNothing:     "it returns no dict that has a key",
	syntax.ReturnsNothingHere: "it returns nothing here",
	syntax.ReturnsNoDict:      "it returns something other than a dict literal",
	syntax.ReturnsOtherKey:    "a key of the dict that it returns is not a string literal",
	syntax.ReturnsKeyTwice:    "a key of the dict that it returns is there twice",
	syntax.ReturnsOthers:      "the dict that it returns here has other keys than an earlier one",
	syntax.MayEnd:             "it may end without a return statement",
	syntax.Yields:             "it is a generator",
}

// andThat holds what to do besides returning a dict literal.
var andThat = map[syntax.Unclear]string{
	syntax.ReturnsOthers: ", the same ones each time", syntax.MayEnd: " on each way through it", syntax.Yields: ", and yield nothing",
}

// describe falls back to the docstring.
func (d *declaration) describe() {
	if d.leftOut("description") {
		d.spec.Description = d.function.Doc
	}
}

// leftOut reports whether a keyword was not given, or as None: Python's default, which says the same.
func (d *declaration) leftOut(keyword string) bool {
	a := d.arguments[keyword]
	return a.why == nil && a.value == nil
}

// backend returns the backend, or a default if none was given.
func (d *declaration) backend(fallback string) string {
	if _, given := d.arguments["backend"]; given {
		return d.text("backend")
	}
	return fallback
}

// readType reads what a task mainly needs.
func (d *declaration) readType(keyword string, fallback v1alpha1.ResourceType) {
	d.spec.Resources.Type = fallback
	text := d.text(keyword)
	if text == "" {
		return
	}
	kind := v1alpha1.ResourceType(strings.ToLower(strings.TrimSpace(text)))
	if kind != v1alpha1.ResourceTypeCPU && kind != v1alpha1.ResourceTypeGPU && kind != v1alpha1.ResourceTypeIO {
		d.refuse(finding.WrongArgument, d.arguments[keyword].at, "%s is cpu, gpu or io, and not %q: there is no task without it", keyword, text)
		return
	}
	d.spec.Resources.Type = kind
}

// readCores reads a number of cores.
func (d *declaration) readCores(keyword string, fallback int64) {
	d.spec.Resources.CPU = resource.NewQuantity(fallback, resource.DecimalSI)
	if a, given := d.arguments[keyword]; given {
		d.spec.Resources.CPU = nil
		if a.why == nil {
			d.spec.Resources.CPU = d.cores(keyword)
		}
	}
}

// cores returns a quantity of a thousandth at least. It is nil, with a finding, if the value is none.
func (d *declaration) cores(keyword string) *resource.Quantity {
	const largest = 100_000 // as the CRD has it
	f, ok := number(d.arguments[keyword].value)
	if !ok || f < 0 || f > largest {
		d.wrong(keyword, "a number of cores, which is not negative")
		return nil
	}
	return resource.NewMilliQuantity(int64(math.Ceil(f*1000)), resource.DecimalSI)
}

// mebibytes returns a size. It is nil for 0, and if it is not known.
func (d *declaration) mebibytes(keyword string, fallback int64) *resource.Quantity {
	a, given := d.arguments[keyword]
	if !given {
		return size(float64(fallback))
	}
	if a.why != nil {
		return nil
	}
	f, ok := number(a.value)
	if !ok || f < 0 || f > 0 && f < 1 || f > 1<<30 {
		d.wrong(keyword, "a number of MB, 0 or at least 1")
		return nil
	}
	return size(f)
}

// size returns a quantity of MiB. It is nil for none.
func size(mebibytes float64) *resource.Quantity {
	if mebibytes == 0 {
		return nil
	}
	return resource.NewQuantity(int64(math.Ceil(mebibytes*(1<<20))), resource.BinarySI)
}

// number returns an int or a float. It reports whether the value is one.
func number(value any) (float64, bool) {
	switch value := value.(type) {
	case *big.Int:
		f, _ := new(big.Float).SetInt(value).Float64()
		return f, true
	case float64:
		return value, true
	default:
		return 0, false
	}
}

// readGPUMemory reads memory that only a task of type gpu may have.
func (d *declaration) readGPUMemory(keyword string, fallback int64) {
	memory := d.mebibytes(keyword, fallback)
	if memory != nil && d.spec.Resources.Type != v1alpha1.ResourceTypeGPU {
		d.find(finding.WrongArgument, d.arguments[keyword].at,
			"%s is only for tasks of type gpu, and this is %s; it is left out: say that it is of type gpu, or take it away", keyword, d.spec.Resources.Type)
		return
	}
	d.spec.Resources.GPUMemory = memory
}
