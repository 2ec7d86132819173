package dag

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/text"
)

// File is a file that may have workflows, taken apart as kubectl takes one apart: documents of YAML between lines of ---, values of JSON one
// after the other, and the items of lists such as "kubectl get -o yaml" prints, or of an array of workflows.
type File struct {
	// Name is how findings call the file.
	Name string
	// Documents are those that are workflows, or should be: one at least, unless all are other objects or the file has empty lists alone.
	Documents []*Document
	// Others counts the other objects of Kubernetes, by kind and apiVersion: ConfigMap (v1).
	Others map[string]int
	// Findings tell what of the file belongs to no document.
	Findings []finding.Finding

	content   []byte
	positions *text.Positions
	// several says that there is more than one object or document.
	several bool
}

// maxDocuments bounds how many documents and items of lists a file has. A cluster with ten thousand workflows is far below.
const maxDocuments = 100_000

// Read takes a file apart. A file that cannot be read, or is no workflow, is one document: to check it tells why.
func Read(name string, content []byte) *File {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	f := &File{Name: name, Others: map[string]int{}, content: content, positions: text.NewPositions(content)}
	parts, isPlain := f.parts()
	if len(parts) == 0 || len(parts) == 1 && !isPlain {
		parts = []jsontree.Part{{End: len(content)}}
	}
	f.several = len(parts) > 1
	for i, part := range parts {
		if len(f.Documents) >= maxDocuments {
			break
		}
		d := &Document{
			File: name, number: fmt.Sprintf("document %d", i+1), several: f.several,
			content: content[part.Start:part.End], begin: f.positions.At(part.Start), isYAML: f.isYAML(part),
		}
		f.add(d)
		if part.Trailing > 0 {
			f.report(f.positions.At(part.Trailing), "nothing is read behind the --- that begins a document; put what follows on a line of its own")
		}
	}
	return f
}

// parts returns the documents of the text that are not blank. It reports false where the text as a whole says more than its parts, as with a
// directive of YAML above the only document.
func (f *File) parts() ([]jsontree.Part, bool) {
	if len(f.content) > maxBytes || text.FirstInvalid(f.content) >= 0 {
		return nil, false
	}
	var parts []jsontree.Part
	isPlain := true
	for part := range jsontree.Parts(f.content, jsontree.IsNamedJSON(f.Name)) {
		isDirective := !part.JSON && bytes.HasPrefix(bytes.TrimSpace(f.content[part.Start:part.End]), []byte("%"))
		isPlain = isPlain && part.Err == nil && part.Trailing == 0 && !isDirective
		if part.IsBlank(f.content) || isDirective {
			continue
		}
		if parts = append(parts, part); len(parts) > maxDocuments {
			f.tooMany(part.Start)
			break
		}
	}
	return parts, isPlain
}

// isYAML reports whether a part that may begin as JSON is YAML, as kubectl reads it. One that is alone has to be right.
func (f *File) isYAML(part jsontree.Part) bool {
	content := f.content[part.Start:part.End]
	switch {
	case part.JSON || part.Err != nil || jsontree.IsNamedJSON(f.Name):
		return false
	case f.several || looksLikeYAML(f.Name, content):
		return true
	}
	_, err := jsontree.YAMLToJSON(content)
	return err == nil
}

func (f *File) tooMany(offset int) {
	f.Findings = append(f.Findings, finding.New(finding.DAGTooLarge, f.Name, f.positions.At(offset), "",
		"the file has more than %d documents, and the others are not read; split it", maxDocuments))
}

func (f *File) report(at text.Position, message string) {
	f.Findings = append(f.Findings, finding.New(finding.MalformedDAG, f.Name, at, "", "%s", message))
}

// NewDocument returns a text as one workflow, which is not taken apart.
func NewDocument(file string, content []byte) *Document {
	d := &Document{File: file, content: bytes.TrimPrefix(content, []byte("\ufeff"))}
	d.identify()
	return d
}

// add adds a document, or the items of one that is a list.
func (f *File) add(d *Document) {
	d.identify()
	if items := d.items(); items != nil {
		f.several = f.several || len(items.Children) > 1
		for i := range items.Children {
			if len(f.Documents) >= maxDocuments {
				f.tooMany(0)
				return
			}
			f.add(d.item(items, i, f.several))
		}
		return
	}
	if f.several && d.isOther() {
		f.Others[fmt.Sprintf("%s (%s)", clip(d.Kind), clip(d.APIVersion))]++
		return
	}
	f.Documents = append(f.Documents, d)
	if len(f.Documents) > maxTrees {
		d.Forget()
	}
}

// maxTrees is how many documents are kept as trees, each of which has some KiB at least. The others are read again.
const maxTrees = 100

const (
	listSuffix   = "List"
	group        = "registry.mazeagent.net"
	workflowKind = "MazeWorkflow"
	taskKind     = "MazeTask"
)

// Document is a workflow of a file, or what should be one: the file, a document of several in it, or an item of a list.
type Document struct {
	// File is how findings call the file.
	File string
	// APIVersion and Kind are those of an object of Kubernetes, and Namespace and ObjectName its own. Empty for what has none.
	APIVersion, Kind, Namespace, ObjectName string

	// content is the text that it is read from, and begin where that begins in the file.
	content []byte
	begin   text.Position
	// above is the pointer to it in its document, and number its number in the file: item 3. several says that there are others.
	above, number string
	several       bool
	// isYAML says that it is YAML, although it begins as JSON.
	isYAML bool
	// tree is what was read of it, and found what was wrong with that. Nil once it is forgotten.
	tree  *document
	found []finding.Finding
	// written is the value of an item of a list in YAML, of which content is the JSON. Nil for all else.
	written *jsontree.Node
}

// Label tells the workflow from the others of its file. Empty if there are none.
func (d *Document) Label() string {
	switch {
	case !d.several:
		return ""
	case d.ObjectName == "" || !d.IsObject():
		return d.number
	}
	return d.Object()
}

// Object is how findings call an object of Kubernetes: MazeWorkflow vision/letter. Empty for a workflow that is none.
func (d *Document) Object() string {
	switch {
	case !d.IsObject() || d.ObjectName == "":
		return ""
	case d.Namespace != "":
		return clip(cmp.Or(d.Kind, workflowKind)) + " " + clip(d.Namespace) + "/" + clip(d.ObjectName)
	}
	return clip(cmp.Or(d.Kind, workflowKind)) + " " + clip(d.ObjectName)
}

// IsObject reports whether the document is, or should be, a MazeWorkflow, and not a workflow of Maze's own.
func (d *Document) IsObject() bool {
	return (d.Kind == workflowKind || d.isOurs()) && !d.isOther()
}

// IsMeant reports whether the document says that it is a MazeWorkflow, or nearly so.
func (d *Document) IsMeant() bool { return nearest.Within(d.Kind, workflowKind, 2) }

// isOurs reports whether the document is of our API group.
func (d *Document) isOurs() bool {
	of, _, _ := strings.Cut(d.APIVersion, "/")
	return of == group
}

// isOther reports whether the document is an object of Kubernetes of another kind. A kind that the API group does not have is probably
// misspelt.
func (d *Document) isOther() bool {
	return d.Kind != "" && d.APIVersion != "" && d.Kind != workflowKind && (!d.isOurs() || d.Kind == taskKind)
}

// IsReadable reports whether the document is JSON or YAML, within the limits.
func (d *Document) IsReadable() bool {
	d.parse()
	return d.tree.root != nil
}

// Content returns the text that the document is read from.
func (d *Document) Content() []byte { return d.content }

// Begin returns where the document begins in the file.
func (d *Document) Begin() text.Position {
	if d.parse(); d.tree.own == nil {
		blank := len(d.content) - len(bytes.TrimLeft(d.content, " \t\r\n"))
		return d.placed(text.NewPositions(d.content).At(blank))
	}
	return d.placed(jsontree.Source{Positions: d.tree.positions}.At(d.tree.own))
}

// Tree returns the value of the document as it is written and as JSON, and where it is written. Positions in it are those of the document's
// own text: [Document.Place] makes those of the file. Nil if it cannot be read.
func (d *Document) Tree() (written *jsontree.Node, value *jsontree.Node, asJSON []byte, source jsontree.Source) {
	d.parse()
	return d.tree.own, d.tree.root, d.tree.json, jsontree.Source{Positions: d.tree.positions}
}

// Forget drops what is read again when it is asked for, to save memory while nobody looks at the document.
func (d *Document) Forget() { d.tree, d.found = nil, nil }

// parse reads the document, unless that is done.
func (d *Document) parse() {
	if d.tree != nil {
		return
	}
	if d.written != nil {
		root, _ := jsontree.ParseJSON(d.content, 0, jsontree.Limits{Values: maxValues, Depth: maxDepth}) // it is within those of the list
		d.tree = &document{json: d.content, root: root, own: d.written, written: map[*jsontree.Node]*jsontree.Node{root: d.written}}
		return
	}
	c := checker{file: d.File, isYAML: d.isYAML, graph: &Graph{}}
	c.parse(d.content)
	d.tree, d.found = &c.document, c.found
}

// identify reads which object of Kubernetes the document is, if it is one. An item of a list may know that from the list.
func (d *Document) identify() {
	d.parse()
	root := d.tree.root
	if apiVersion, kind := d.tree.text(root.Member("apiVersion")), d.tree.text(root.Member("kind")); apiVersion != "" || kind != "" {
		d.APIVersion, d.Kind = apiVersion, kind
	}
	meta := root.Member("metadata")
	d.Namespace, d.ObjectName = d.tree.text(meta.Member("namespace")), d.tree.text(meta.Member("name"))
}

// items returns the array that has the items of a list: one of Kubernetes, or an array in which one item at least is a workflow. Nil for
// what is no list.
func (d *Document) items() *jsontree.Node {
	root := d.tree.root
	if items := root.Member("items"); items != nil && items.Kind == jsontree.Array && strings.HasSuffix(d.Kind, listSuffix) {
		return items
	}
	if root != nil && root.Kind == jsontree.Array && slices.ContainsFunc(root.Children, isWorkflow) {
		return root
	}
	return nil
}

// item returns the document of an item of a list. Those of a MazeWorkflowList need not say what they are.
func (d *Document) item(items *jsontree.Node, i int, several bool) *Document {
	v := items.Children[i]
	out := &Document{File: d.File, above: d.above + v.Pointer(), number: fmt.Sprintf("item %d", i+1), several: several}
	if d.Kind != listSuffix && v.Member("kind") == nil && v.Member("apiVersion") == nil {
		out.APIVersion, out.Kind = d.APIVersion, strings.TrimSuffix(d.Kind, listSuffix)
	}
	out.content, out.begin = d.tree.json[v.Start:v.End], d.begin
	if d.tree.written != nil {
		out.written = d.tree.yaml(v)
	} else {
		out.begin = d.placed(d.tree.positions.At(v.Start))
	}
	return out
}

// placed returns the position in the file of one in the document's own text.
func (d *Document) placed(at text.Position) text.Position {
	if at == (text.Position{}) || d.begin.Line == 0 {
		return at
	}
	if at.Line == 1 {
		at.Column += d.begin.Column - 1
	}
	at.Line += d.begin.Line - 1
	return at
}

// Place makes findings of the document's own text those of the file: with positions and pointers there, and with what tells the document
// from the others.
func (d *Document) Place(findings []finding.Finding) []finding.Finding {
	label := d.Label()
	for i := range findings {
		f := &findings[i]
		f.Position, f.Pointer = d.placed(f.Position), d.pointer(f.Pointer)
		for j := range f.Related {
			f.Related[j].Position = d.placed(f.Related[j].Position)
		}
		if label != "" {
			if f.Cause != "" {
				f.Cause = label + ": " + f.Cause
			}
			f.Message = label + ": " + f.Message
			if f.Object != label {
				f.Object = strings.TrimSuffix(label+" "+f.Object, " "+theWorkflow)
			}
		}
	}
	return findings
}

// pointer returns the pointer in the file's document of one in this.
func (d *Document) pointer(within string) string {
	if d.above == "" || strings.HasPrefix(within, d.above) { // a value of YAML knows its way from the top
		return within
	}
	return d.above + within
}
