package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// family is what tasks of one kind have in common.
type family struct {
	name     string
	sentence string
	kind     v1alpha1.ResourceType
	models   []string
}

// families are what agents' tool boxes hold.
var families = []family{
	{"image_caption", "Writes a caption for an image, in the language that the caller asks for",
		v1alpha1.ResourceTypeGPU, []string{"llava-v1.6", "Qwen2.5-VL-7B-Instruct"}},
	{"speech_to_text", "Transcribes the speech in an audio file, with a time for every sentence",
		v1alpha1.ResourceTypeGPU, []string{"whisper-large-v3", "paraformer-zh"}},
	{"llm_process", "Answers a question with a large language model, given the text that was retrieved",
		v1alpha1.ResourceTypeGPU, []string{"Qwen2.5-14B-Instruct", "Llama-3.1-8B-Instruct"}},
	{"text_embedding", "Maps passages of text to vectors for a search by meaning",
		v1alpha1.ResourceTypeGPU, []string{"bge-m3", "gte-large-en-v1.5"}},
	{"table_extract", "Reads the tables of a document and gives each one as rows and columns",
		v1alpha1.ResourceTypeCPU, nil},
	{"python_run", "Runs a short Python program in a sandbox and gives what it printed",
		v1alpha1.ResourceTypeCPU, nil},
	{"image_resize", "Scales an image to the size that the next step needs and keeps its proportions",
		v1alpha1.ResourceTypeCPU, nil},
	{"text_split", "Cuts a document into passages that overlap, at the ends of sentences",
		v1alpha1.ResourceTypeCPU, nil},
	{"web_search", "Asks a search engine and gives the addresses and the summaries of the best results",
		v1alpha1.ResourceTypeIO, nil},
	{"file_download", "Loads a file from an address into the folder of the run",
		v1alpha1.ResourceTypeIO, nil},
}

// arguments are what tasks take: a name and the schema of its value.
var arguments = []struct {
	name   string
	schema map[string]any
}{
	{"input_file", map[string]any{"type": "filepath", "description": "the file to read"}},
	{"prompt", map[string]any{"type": "string", "description": "what the model is told to do", "maxLength": 8192}},
	{"language", map[string]any{"type": "string", "enum": []string{"en", "zh", "de", "fr"}, "default": "en"}},
	{"temperature", map[string]any{"type": "number", "minimum": 0, "maximum": 2, "default": 0.7}},
	{"max_tokens", map[string]any{"type": "integer", "minimum": 1, "maximum": 32768, "default": 1024}},
	{"output_folder", map[string]any{"type": "folderpath", "description": "where results go"}},
	{"stream", map[string]any{"type": "boolean", "default": false}},
	{"keywords", map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "maxItems": 32}},
}

// endings make descriptions differ in length.
var endings = []string{
	", on one machine.",
	". Fails at once when the input is empty.",
	". Results are the same for the same input, and are kept for an hour.",
	". For long inputs, work is cut into pieces of equal size and joined again in the order of the input.",
}

// newTask returns the task of a number: always the same one for one seed.
func newTask(namespace string, number int, seed uint64) *v1alpha1.MazeTask {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	f := families[random.IntN(len(families))]
	name := fmt.Sprintf("%s_%05d", f.name, number)
	return &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: strings.ReplaceAll(name, "_", "-")},
		Spec: v1alpha1.MazeTaskSpec{
			Name:             name,
			Description:      f.sentence + endings[random.IntN(len(endings))],
			InputParameters:  newInput(random),
			OutputParameters: encoded(map[string]any{"result": map[string]any{"type": "string"}, "seconds": map[string]any{"type": "number", "minimum": 0}}),
			Resources:        newResources(random, f),
			EntryPoint:       fmt.Sprintf("tools.%s.m%02d:%s", f.name, number%100, name),
			Source:           &v1alpha1.Source{Path: fmt.Sprintf("tools/%s/m%02d.py", f.name, number%100), Line: 1 + random.Int32N(400)},
		},
	}
}

// newTasks returns the tasks of a range of numbers.
func newTasks(namespace string, first, count int, seed uint64) []*v1alpha1.MazeTask {
	tasks := make([]*v1alpha1.MazeTask, count)
	for i := range tasks {
		tasks[i] = newTask(namespace, first+i, seed)
	}
	return tasks
}

// newInput takes two to six of the arguments.
func newInput(random *rand.Rand) *apiextensionsv1.JSON {
	properties := map[string]any{}
	for _, i := range random.Perm(len(arguments))[:2+random.IntN(5)] {
		properties[arguments[i].name] = arguments[i].schema
	}
	return encoded(properties)
}

func newResources(random *rand.Rand, f family) v1alpha1.Resources {
	gibibytes := func(n int64) *resource.Quantity { return resource.NewQuantity(n<<30, resource.BinarySI) }
	r := v1alpha1.Resources{
		Type:   f.kind,
		CPU:    resource.NewMilliQuantity(500*(1+random.Int64N(8)), resource.DecimalSI),
		Memory: gibibytes(1 + random.Int64N(16)),
	}
	if f.kind == v1alpha1.ResourceTypeGPU {
		r.GPUMemory = gibibytes(4 * (1 + random.Int64N(10)))
		r.ModelName = f.models[random.IntN(len(f.models))]
		r.Backend = []string{"vllm", "huggingface"}[random.IntN(2)]
	}
	return r
}

// encoded returns JSON of what can always be encoded.
func encoded(value any) *apiextensionsv1.JSON {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return &apiextensionsv1.JSON{Raw: raw}
}
