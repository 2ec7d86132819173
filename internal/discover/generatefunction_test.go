package discover_test

import (
	"fmt"
	"slices"
	"strings"
)

// function writes a decorated function, and at times what binds its name again.
func (g *generated) function(w *writer, d decorators) string {
	g.functions++
	g.serial++
	name := fmt.Sprintf("%s_%d", pick(w, "run", "caption", "größe", "_hidden", "speech_to_text"), g.serial)
	foreign := []string{"@logged", "@helpers.logged", "@helpers.retried(3)", "@helpers.retried(times=3,\n    name='x')"}
	var lines []string
	if w.coin(10) {
		lines = append(lines, foreign[w.IntN(4)])
	}
	form := w.IntN(g.forms)
	decorator, body, signature := g.declaration(w, d, form, name)
	lines = append(lines, decorator)
	if w.coin(10) {
		lines = append(lines, foreign[w.IntN(4)])
	}
	if w.coin(12) {
		lines[0] += "  # a comment: @task"
		lines = append(lines[:1:1], append([]string{"# another"}, lines[1:]...)...)
	}
	indent := pick(w, "    ", "    ", "    ", "  ", "\t", " ")
	lines = append(lines, fmt.Sprintf("%sdef %s%s(%s)%s:", pick(w, "", "", "", "", "async "), name, pick(w, "", "", " ", "\\\n  "), signature.parameters, signature.returns))
	text := strings.Join(lines, "\n")
	for _, line := range body {
		text += "\n" + indent + line
	}
	switch w.IntN(20) {
	case 0:
		return block("if True:", text, "")
	case 1:
		return block("try:", text, "\nexcept ImportError:\n    pass")
	case 2:
		return block("with contextlib.nullcontext():", text, "")
	case 3:
		return block("if CONDITION:", text, "\nelse:\n    pass")
	case 4:
		return text + "\n\n\n" + fmt.Sprintf(pick(w, "def %s():\n    return 1", "%s = None", "@logged\ndef %s(x=3):\n    pass"), name)
	}
	return text
}

// block puts a function into a block. Lines within strings must not move, so it is only for functions without any.
func block(head, text, end string) string {
	if strings.Contains(text, `"""`) || strings.Contains(text, "'''") || strings.Contains(text, "\\\n") {
		return text
	}
	head = strings.Replace(head, "CONDITION", "helpers is not None", 1)
	return head + "\n    " + strings.ReplaceAll(text, "\n", "\n    ") + end
}

// signature is what stands after a function's name.
type signature struct{ parameters, returns string }

// declaration returns the decorator of a form, and the function under it.
func (g *generated) declaration(w *writer, d decorators, form int, name string) (decorator string, body []string, s signature) {
	switch form {
	case 0, 1:
		return g.explicit(w, d, d.task), w.body(false), w.signature(true)
	case 2:
		return g.explicit(w, d, d.tool), w.body(false), w.signature(true)
	case 3:
		g.names = append(g.names, name)
		return w.scheduler(d), w.body(false), w.signature(true)
	case 4:
		g.names = append(g.names, name)
		return w.lists(d), w.body(true), w.signature(true)
	}
	g.names = append(g.names, name)
	return w.inferred(d), w.body(true), w.signature(false)
}

// call writes the call of a decorator.
func (w *writer) call(decorator string, positional, keywords []string) string {
	w.Shuffle(len(keywords), func(i, j int) { keywords[i], keywords[j] = keywords[j], keywords[i] })
	arguments := slices.Concat(positional, keywords)
	text := "@" + pick(w, "", "", " ") + decorator + pick(w, "", "", " ", "\\\n  ") + "("
	for i, argument := range arguments {
		if i > 0 {
			text += "," + pick(w, " ", " ", "\n    ", "  # and )\n    ", "", "\n\n\t")
		} else {
			text += w.blank()
		}
		text += argument
	}
	if len(arguments) > 0 && w.coin(3) {
		text += ","
	}
	return text + w.blank() + ")"
}

// keyword writes an argument with its name.
func (w *writer) keyword(name string, value any) string {
	return name + pick(w, "=", "=", " = ", "= ", "=\\\n") + w.expression(value, 3)
}

// explicit is form A or B.
func (g *generated) explicit(w *writer, d decorators, decorator string) string {
	g.serial++
	name := fmt.Sprintf(pick(w, "task-%d", "image_caption_%d", "t%d", "vision.%d"), g.serial)
	if len(g.names) > 0 && w.coin(25) {
		name = pick(w, g.names...)
	} else {
		g.names = append(g.names, name)
	}
	kind := pick(w, "cpu", "gpu", "io")
	values := []pair{
		{"name", name}, {"description", w.sentence() + "."}, {"input_parameters", w.parameters(d)}, {"output_parameters", w.parameters(d)},
		{"task_type", kind}, {"cpu_num", pick[any](w, 1, 2, 4, 16, 0.5, 0)}, {"mem", pick[any](w, 1024, 512, 4096, 100, 1, 2048.0, 0)},
	}
	if kind == "gpu" {
		values = append(values, pair{"gpu_mem", pick(w, 0, 4096, 24576, 8192)})
	} else {
		values = append(values, pair{"gpu_mem", 0})
	}
	values = append(values, pair{"model_name", pick[any](w, nil, "llava-v1.6", "Qwen/Qwen2-VL", "größe")}, pair{"backend", pick(w, "vllm", "huggingface")})
	var positional, keywords []string
	n := 0
	if w.coin(5) {
		n = w.IntN(len(values)) + 1
	}
	for i, v := range values {
		if i < n {
			positional = append(positional, w.expression(v.value, 3))
		} else if v.key == "name" || w.coin(2) || v.key == "task_type" && kind == "gpu" {
			keywords = append(keywords, w.keyword(v.key, v.value))
		}
	}
	return w.call(decorator, positional, keywords)
}

// parameters returns a declared schema.
func (w *writer) parameters(d decorators) any {
	var properties dict
	var required list
	for i := range w.IntN(4) {
		name := fmt.Sprint(pick(w, "a", "image", "größe", "$x", "with space"), i)
		types := []any{"string", "integer", "number", "boolean", "array", "list", "null", bare("str"), bare("int"), bare("float"), bare("bool"),
			bare("list"), bare("dict"), bare(d.filepath), bare(d.folderpath)}
		property := dict{{"type", pick(w, types...)}}
		if w.coin(3) {
			property = append(property, pair{"description", w.sentence()})
		}
		if w.coin(3) {
			property = append(property, pair{pick(w, "default", "examples", "enum", "x-odd"), w.value(2)})
		}
		if w.coin(4) {
			property = append(property, shared[5].value.(dict)...)
		}
		properties = append(properties, pair{name, property})
		required = append(required, name)
	}
	if w.coin(3) {
		return properties
	}
	schema := dict{{"type", "object"}, {"properties", properties}}
	if w.coin(2) {
		schema = append(schema, pair{"required", required[:w.IntN(len(required)+1)]})
	}
	return schema
}

// scheduler is form C.
func (w *writer) scheduler(d decorators) string {
	decorator := pick(w, d.cpu, d.gpu, d.io)
	values := map[string][]pair{
		d.cpu: {{"cpu_num", pick[any](w, 1, 2, 8)}, {"mem", pick(w, 0, 1, 512)}},
		d.io:  {{"mem", pick(w, 0, 1, 512)}},
		d.gpu: {{"mem", pick(w, 0, 512)}, {"gpu_mem", pick(w, 1, 2048, 8192, 0)}, {"model_name", pick(w, "", "llava")}, {"backend", pick(w, "vllm", "huggingface")}},
	}[decorator]
	var positional, keywords []string
	n := w.IntN(2) * w.IntN(len(values)+1)
	for i, v := range values {
		if i < n {
			positional = append(positional, w.expression(v.value, 2))
		} else if w.coin(2) {
			keywords = append(keywords, w.keyword(v.key, v.value))
		}
	}
	return w.call(decorator, positional, keywords)
}

// lists is form D.
func (w *writer) lists(d decorators) string {
	names := list{}
	for i := range w.IntN(4) {
		names = append(names, fmt.Sprint(pick(w, "a", "prompt", "größe"), i))
	}
	outputs := list{"result", "size"}[:w.IntN(3)]
	resources := dict{{"cpu", pick(w, 1, 2, 0)}, {"cpu_mem", pick(w, 0, 512)}, {"gpu", pick(w, 0, 0, 1)}, {"gpu_mem", pick(w, 0, 0, 8192)}}
	w.Shuffle(len(resources), func(i, j int) { resources[i], resources[j] = resources[j], resources[i] })
	values := []pair{{"inputs", names}, {"outputs", outputs}, {"resources", pick(w, resources[:w.IntN(5)], shared[7].value.(dict))}, {"data_types", w.dataTypes(append(append(list{}, names...), outputs...))}}
	var positional, keywords []string
	n := max(0, w.IntN(9)-4)
	for i, v := range values {
		if i < n {
			positional = append(positional, w.expression(v.value, 2))
		} else if i == 0 || w.coin(2) {
			keywords = append(keywords, w.keyword(v.key, v.value))
		}
	}
	return w.call(d.task, positional, keywords)
}

func (w *writer) dataTypes(names list) dict {
	types := dict{}
	for _, name := range names {
		if w.coin(2) {
			types = append(types, pair{name.(string), pick(w, "str", "int", "List[int]", "any", "file", "file:image", "Dict[str, float]", "Optional[bool]", "list[str]", "bool", "dict")})
		}
	}
	return types
}

// inferred is form E or F.
func (w *writer) inferred(d decorators) string {
	if w.coin(3) && !d.star {
		return "@" + d.task
	}
	resources := dict{{"cpu", pick(w, 1, 2, 0)}, {"gpu_mem", pick(w, 0, 0, 8192)}}
	var keywords []string
	if w.coin(2) {
		resources = dict{{"cpu_num", pick(w, 1, 2, 8)}, {"gpu_mem", pick(w, 0, 0, 8192)}, {"io_num", 1}}
		kinds := []string{"gpu", "GPU", " Gpu "}
		if resources[1].value == 0 {
			kinds = []string{"cpu", "io", "IO", " cpu", "gpu"}
		}
		keywords = append(keywords, w.keyword("task_kind", pick(w, kinds...)))
	}
	w.Shuffle(len(resources), func(i, j int) { resources[i], resources[j] = resources[j], resources[i] })
	keywords = append(keywords, w.keyword("resources", resources[:w.IntN(len(resources)+1)]))
	if strings.Contains(strings.Join(keywords, ""), "task_kind") {
		keywords[len(keywords)-1] = w.keyword("resources", resources)
	}
	if w.coin(3) {
		keywords = append(keywords, w.keyword("data_types", w.dataTypes(list{"image0", "x1", "result", "größe"})))
	}
	if w.coin(5) {
		keywords = append(keywords, pick(w, "max_retries=3", "timeout_seconds=60", "retry_backoff_seconds=0.5", "retry_on=(ValueError,)"))
	}
	return w.call(d.task, nil, keywords)
}

// signature writes parameters; any says that there may be ones that a caller cannot name.
func (w *writer) signature(anyKind bool) signature {
	var parameters []string
	optional, n := false, w.IntN(5)
	for i := range n {
		optional = optional || w.coin(3)
		parameters = append(parameters, w.parameter(fmt.Sprint(pick(w, "image", "x", "größe", "_p", "text"), i), optional))
		if anyKind && i == 0 && n > 1 && w.coin(10) {
			parameters = append(parameters, "/")
		}
	}
	if w.coin(6) {
		star := "*"
		if anyKind && w.coin(2) {
			star = pick(w, "*args", "*args: int")
		}
		parameters = append(parameters, star, w.parameter("only", w.coin(2)), w.parameter("named", w.coin(2)))
	}
	if anyKind && w.coin(10) {
		parameters = append(parameters, pick(w, "**kwargs", "**options: "+w.annotation(1)))
	}
	text := strings.Join(parameters, ","+pick(w, " ", "\n        ", "  # , )\n        "))
	if text != "" && !strings.Contains(text, "**k") && !strings.Contains(text, "**o") {
		text += pick(w, "", "", ",\n")
	}
	s := signature{parameters: text}
	if w.coin(3) {
		s.returns = " -> " + w.annotation(2)
		if strings.Contains(s.returns, "\n") || strings.Contains(s.returns, ",]") { // a Union of one is gone before Python sees it
			s.returns = " -> None"
		}
	}
	return s
}

func (w *writer) parameter(name string, optional bool) string {
	text := name
	annotated := w.coin(3)
	if !annotated {
		text += pick(w, ": ", ":", " : ") + w.annotation(3)
	}
	if optional {
		value := pick[any](w, nil, w.value(1), w.IntN(10), "x", 2.5, bare("b'bytes'"), bare("print"), bare("..."), bare("frozenset()"), bare("1j"))
		text += pick(w, " = ", "=") + w.expression(value, 2)
	}
	return text
}

// body returns the lines of a function's body; returns says that it returns dict literals mostly.
func (w *writer) body(returns bool) []string {
	var lines []string
	if w.coin(2) {
		lines = w.docstring()
	}
	if w.coin(5) {
		lines = append(lines, "def nested(y):", "    return 5", "size = lambda: {'lambda': 1}")
	}
	switch {
	case !returns && w.coin(2):
		return append(lines, pick(w, "pass", "...", "return None", "return 3", "raise ValueError"))
	case w.coin(4):
		lines = append(lines, "if 1 > 2:", "    return {'early': None, \"result\": 2}")
	case w.coin(8):
		lines = append(lines, "for i in range(3):", "    if i: return {'größe': i}", "else:", "    try:", "        return {\"x\" 'y': 1,}", "    finally: pass")
	case w.coin(12):
		return append(lines, pick(w, "return dict(a=1)", "return", "x = {'a': 1}; return x", "return {'a': 1, 2: 3}", "return {**{}, 'a': 1}", "yield {'a': 1}",
			"return {'a': 1} or {'b': 2}", "return {f'{1}': 2}"))
	}
	return append(lines, pick(w, "return {'result': 1, 'size': len('}')}", "return {}", "return {\"a\": {\"inner\": 1}, 'b\\x41': [], }", "return ({'in': 'parentheses'})"))
}

func (w *writer) docstring() []string {
	if w.coin(3) {
		return []string{w.literal(w.sentence())}
	}
	if w.coin(6) {
		quotes := pick(w, `"""`, "'''")
		first := pick(w, `A \d raw`, "Größe", "", "   leading")
		return []string{pick(w, "r", "R") + quotes + first, "", "  less \\", "    more  ", "\tby a tab", "the end", pick(w, "", "   ") + quotes}
	}
	if w.coin(6) {
		return []string{`"""Größe and \t escapes \u00e9 \\ \x41 \`, "   continued", "        deep\\n", `      x"""`}
	}
	if w.coin(6) {
		return []string{`"""\`, "On the next line", "    more", `"""`}
	}
	return []string{`"""` + pick(w, "Reads.", "", "  Reads  ", "naïve"), "", "Args:", "    x: a 'thing' \"quoted\"", pick(w, "", "  "), `last"""`}
}
