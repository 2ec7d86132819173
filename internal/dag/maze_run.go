package dag

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// runMark marks a reference to an input of the run, and outputMark one to an output of a node.
const (
	runMark    = "__maze_run_input__"
	outputMark = "__maze_output_ref__"
)

// canonicalUUID is what str(uuid.UUID(…)) writes.
var canonicalUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// runReferences returns the inputs of the run that a value mentions, in the order of the file. It reports whether all are well-formed.
func (m *mazeRules) runReferences(v *jsontree.Node) (names []string, ok bool) {
	if v == nil {
		return nil, true
	}
	if mark := v.Member(runMark); mark != nil {
		key := v.Member("key")
		members := map[string]bool{}
		for _, child := range v.Children {
			members[child.Name] = true
		}
		whole := len(members) == 2 && mark.Kind == jsontree.True && m.text(key) != ""
		return []string{m.text(key)}, whole
	}
	for _, child := range counting(v) {
		inner, whole := m.runReferences(child)
		if !whole {
			return nil, false
		}
		names = append(names, inner...)
	}
	return names, true
}

// counting returns the items of an array, or the members of an object that count.
func counting(v *jsontree.Node) []*jsontree.Node {
	if v.Kind == jsontree.Object {
		return v.Members()
	}
	return v.Children
}

// checkRun judges "run" and what is beside the nodes, as dag_spec_from_payload, _normalize_run and the API do.
func (m *mazeRules) checkRun() {
	m.mustBeObject(finding.InvalidSetting, m.workflow.Member("metadata"), nil, `"metadata"`)
	m.mustBeTags(m.workflow.Member("tags"))
	if id := m.workflow.Member("workflow_id"); id != nil && id.Kind != jsontree.Null && (m.text(id) == "" || strings.TrimSpace(m.text(id)) != m.text(id)) {
		m.say(finding.EffectRefused, finding.InvalidSetting, id, nil, `"workflow_id" is a name without white space around it, found %s`, m.quote(id))
	}
	run := m.workflow.Member("run")
	if !m.mustBeObject(finding.InvalidSetting, run, nil, `"run"`) {
		return
	}
	m.mustBeNumber(run.Member("timeout_seconds"), nil, false)
	m.mustHaveTime(run.Member("timeout_seconds"), nil, "the run")
	m.mustBeTags(run.Member("tags"))
	m.mustBeObject(finding.InvalidSetting, run.Member("metadata"), nil, `"metadata"`)
	if mode := run.Member("artifact_mode"); mode != nil {
		m.mustBeBoolean(mode)
	}
	if id := run.Member("run_id"); id != nil && !canonicalUUID.MatchString(m.text(id)) {
		m.say(finding.EffectRefused, finding.InvalidSetting, id, nil,
			`"run_id" is a UUID in lower case with hyphens, such as 0f8fad5b-d9cb-469f-a165-70867728950e, found %s; leave it out, and Maze chooses one`, m.quote(id))
	}
	for _, name := range []string{"idempotency_key", "idempotency_fingerprint"} {
		if at := run.Member(name); at != nil {
			m.say(finding.EffectRefused, finding.InvalidSetting, at, nil, `Maze has no %q any more; write "run_id" instead`, name)
		}
	}
	m.checkFiles(run)
}

// mustBeTags tells that tags which are no list of texts are refused.
func (m *mazeRules) mustBeTags(v *jsontree.Node) {
	if v == nil || v.Kind == jsontree.Null {
		return
	}
	if v.Kind != jsontree.Array || slices.ContainsFunc(v.Children, func(tag *jsontree.Node) bool { return tag.Kind != jsontree.Text }) {
		m.say(finding.EffectRefused, finding.InvalidSetting, v, nil, `"tags" is an array of strings, found %s`, m.quote(v))
	}
}

func (m *mazeRules) mustBeBoolean(v *jsontree.Node) {
	if v.Kind != jsontree.True && v.Kind != jsontree.False {
		m.say(finding.EffectRefused, finding.InvalidSetting, v, nil, "%q is true or false, found %s", v.Name, m.quote(v))
	}
}

// checkFiles judges how files come to the nodes, as validate_run_workflow_file_context does.
func (m *mazeRules) checkFiles(run *jsontree.Node) {
	files := run.Member("file_context")
	if files != nil && (files.Kind == jsontree.Text || files.Kind == jsontree.Array) && !m.isTrue(files) {
		return // dict makes an object of an empty list or text
	}
	if body := m.workflow.Parent; body != nil {
		if at := body.Member("file_context"); at != nil && at.Kind != jsontree.Null {
			files = at
		}
	}
	if files == nil || files.Kind == jsontree.Null {
		if folder := m.first(run, "workspace_dir", "workspace"); folder != nil && strings.TrimSpace(m.str(folder)) == "" {
			m.say(finding.EffectRefused, finding.InvalidSetting, folder, nil, "%q is the path of a folder; leave it out if there is none", folder.Name)
		}
		return
	}
	if files.Kind != jsontree.Object {
		m.refuseSetting(files, "an object")
		return
	}
	enabled, folder := files.Member("enabled"), files.Member("workspace_dir")
	if enabled != nil {
		m.mustBeBoolean(enabled)
	}
	switch isText := folder != nil && folder.Kind == jsontree.Text; {
	case m.isTrue(enabled) && strings.TrimSpace(m.text(folder)) == "":
		at := folder
		if at == nil {
			at = files
		}
		m.refuseSetting(at, `to have the path of a folder in "workspace_dir", as "enabled" is set`)
	case folder != nil && folder.Kind != jsontree.Null && !isText && !m.isTrue(enabled):
		m.refuseSetting(folder, "the path of a folder")
	}
	if ids := files.Member("task_node_ids"); ids != nil && ids.Kind != jsontree.Null && ids.Kind != jsontree.Object {
		m.refuseSetting(ids, "an object")
	}
	m.checkStore(files.Member("artifact_store"))
}

// checkStore judges where the files of a run are kept.
func (m *mazeRules) checkStore(store *jsontree.Node) {
	if store != nil && store.Kind != jsontree.Object {
		m.refuseSetting(store, "an object")
	}
	if root := store.Member("root"); root != nil && root.Kind != jsontree.Null && strings.TrimSpace(m.text(root)) == "" {
		m.refuseSetting(root, "the path of a folder")
	}
	if address := store.Member("base_url"); address != nil && !isAddress(m.text(address)) {
		m.refuseSetting(address, "an absolute address, http or https")
	}
}

// refuseSetting tells that Maze refuses what a setting is, as it is something else, in words.
func (m *mazeRules) refuseSetting(v *jsontree.Node, words string) {
	m.say(finding.EffectRefused, finding.InvalidSetting, v, nil, "%q is %s, found %s", v.Name, words, m.quote(v))
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && slices.Contains([]string{"http", "https"}, u.Scheme) && u.Hostname() != ""
}

// checkContract judges the inputs of the run, as _normalize_input_contract and _bind_workflow_run_inputs do. A workflow without
// "run"."inputs" is a template, whose inputs come when it is submitted.
func (m *mazeRules) checkContract() {
	contract := m.workflow.Member("input_contract")
	runtime, constants, ok := m.readContract(contract)
	if !ok {
		return
	}
	mentioned := map[string]bool{}
	for _, n := range m.nodes {
		if n == nil {
			continue
		}
		for _, i := range n.inputs {
			names, whole := m.runReferences(i.value)
			for _, name := range names {
				if mentioned[name] = true; whole && runtime[name] == nil {
					m.say(finding.EffectRefused, finding.InvalidRunInput, i.at, n.node,
						`the run has no input %s%s; declare it in "input_contract": {"constants": [], "runtime": {%s: {"required": true}}}`,
						quote(name), m.didYouMean(name, slices.Sorted(maps.Keys(runtime))), quote(name))
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(runtime)) {
		if !mentioned[name] {
			m.say(finding.EffectRefused, finding.InvalidRunInput, runtime[name], nil,
				"no node uses the input %s of the run; remove it, or wire it to an input with \"from_run\"", quote(name))
		}
	}
	m.checkGiven(runtime, constants)
}

// checkGiven judges the inputs that a workflow has for its run.
func (m *mazeRules) checkGiven(runtime map[string]*jsontree.Node, constants []string) {
	given := m.workflow.Member("run").Member("inputs")
	if given == nil || given.Kind == jsontree.Null {
		return
	}
	if given.Kind != jsontree.Object {
		m.say(finding.EffectRefused, finding.InvalidRunInput, given, nil, `"inputs" of a run is an object, found %s`, given.Kind)
		return
	}
	for _, v := range given.Children {
		switch {
		case slices.Contains(constants, v.Name):
			m.say(finding.EffectRefused, finding.InvalidRunInput, v, nil, "the input %s of the run is a constant of the workflow; leave it out here", quote(v.Name))
		case runtime[v.Name] == nil:
			m.say(finding.EffectRefused, finding.InvalidRunInput, v, nil, "the run has no input %s%s", quote(v.Name),
				m.didYouMean(v.Name, slices.Sorted(maps.Keys(runtime))))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(runtime)) {
		if runtime[name].Member("required").Kind == jsontree.True && given.Member(name) == nil {
			m.say(finding.EffectRefused, finding.InvalidRunInput, runtime[name], nil, `the run needs the input %s, and "run"."inputs" does not have it`, quote(name))
		}
	}
}

// readContract reads a contract of inputs: those that are given when it runs, and those that are fixed. It reports whether that can be done.
func (m *mazeRules) readContract(contract *jsontree.Node) (runtime map[string]*jsontree.Node, constants []string, ok bool) {
	runtime = map[string]*jsontree.Node{}
	if contract == nil || contract.Kind == jsontree.Null {
		return runtime, nil, true
	}
	refuse := func(v *jsontree.Node, format string, args ...any) {
		m.say(finding.EffectRefused, finding.InvalidRunInput, v, nil, format, args...)
		ok = false
	}
	ok = true
	fixed, given := contract.Member("constants"), contract.Member("runtime")
	if fixed == nil || fixed.Kind != jsontree.Array || given == nil || given.Kind != jsontree.Object {
		refuse(contract, `a contract of inputs is written {"constants": ["…"], "runtime": {"…": {"required": true}}}`)
		return nil, nil, false
	}
	for _, v := range fixed.Children {
		if v.Kind != jsontree.Text || slices.Contains(constants, m.text(v)) {
			refuse(v, `"constants" has each name once, found %s`, m.quote(v))
		}
		constants = append(constants, m.text(v))
	}
	for _, v := range given.Members() {
		runtime[v.Name] = v
		want := []string{"required"}
		if required := v.Member("required"); required != nil && required.Kind == jsontree.False {
			want = []string{"default", "required"}
		} else if required == nil || required.Kind != jsontree.True {
			want = nil
		}
		if want == nil || !slices.Equal(want, membersOf(v)) {
			refuse(v, `an input of the run is written {"required": true} or {"required": false, "default": …}, found %s`, m.quote(v))
		}
		if slices.Contains(constants, v.Name) {
			refuse(v, `the input %s is in "constants", too; remove one of the two`, quote(v.Name))
		}
	}
	return runtime, constants, ok
}

// membersOf returns the names of the members of an object, sorted.
func membersOf(v *jsontree.Node) []string {
	var names []string
	for _, child := range v.Children {
		names = append(names, child.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkFinals judges what the workflow returns, as _validate_final_output_refs does.
func (m *mazeRules) checkFinals() {
	var walk func(v *jsontree.Node)
	walk = func(v *jsontree.Node) {
		mark := v.Member(outputMark)
		if mark == nil {
			for _, child := range counting(v) {
				walk(child)
			}
			return
		}
		id, key := v.Member("task_id"), v.Member("output_key")
		if mark.Kind != jsontree.True || !slices.Equal(membersOf(v), []string{outputMark, "output_key", "task_id"}) {
			m.say(finding.EffectRefused, finding.MalformedDAG, v, nil, `a reference to an output is written {%q: true, "task_id": "…", "output_key": "…"}`, outputMark)
			return
		}
		switch n := m.byID[m.text(id)]; {
		case n == nil:
			m.say(finding.EffectRefused, finding.UnknownNode, v, nil, "no node has the id %s%s", m.quote(id), m.didYouMean(m.text(id), m.ids()))
		case key.Kind != jsontree.Text || n.named && !slices.Contains(n.outputs, m.text(key)):
			m.say(finding.EffectRefused, finding.UnknownOutput, v, nil, `node %s does not declare the output %s in "outputs", but %s%s`,
				quote(n.id), m.quote(key), list(n.outputs), m.didYouMean(m.text(key), n.outputs))
		}
	}
	if v := m.workflow.Member("final_output_refs"); v != nil {
		walk(v)
	}
}

// checkRequest judges what is beside "spec" in the body of a request.
func (m *mazeRules) checkRequest() {
	body := m.workflow.Parent
	if body == nil || body != m.root || m.workflow.Name != "spec" {
		return
	}
	for _, name := range []string{"inputs", "final_output_refs", "idempotency_key", "idempotency_fingerprint"} {
		if at := body.Member(name); at != nil {
			m.say(finding.EffectRefused, finding.InvalidSetting, at, nil, `Maze refuses %q beside "spec"; write it inside, inputs below "run"`, name)
		}
	}
	m.mustBeTags(body.Member("tags"))
	m.mustBeObject(finding.InvalidSetting, body.Member("metadata"), nil, `"metadata"`)
	if mode := body.Member("artifact_mode"); mode != nil && m.workflow.Member("run").Member("artifact_mode") == nil {
		m.mustBeBoolean(mode)
	}
}
