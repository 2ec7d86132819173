package schema

import (
	"net/url"
	"strings"
)

// resource is a schema resource: the document, or a part of it that has a URI or a draft of its own. The published document is a
// single one, so each reference is rewritten to where it leads in there.
type resource struct {
	uri *url.URL
	// declared is the pointer to its root.
	declared string
	// anchors are the pointers of its schemas, by the names that fragments have for them; dynamic those of "$dynamicAnchor".
	anchors map[string]string
	dynamic map[string]bool
	// kept are the anchors that the published document has.
	kept  map[string]bool
	draft draft
	// recursive reports whether it has "$recursiveAnchor": true.
	recursive bool
	// named reports whether it has a URI, not only a draft.
	named bool
	// outer is the resource around it.
	outer int
}

// unnamed is the URI of a document that has none. It is a name that no reference can mean.
var unnamed = &url.URL{Scheme: "https", Host: "document.invalid", Path: "/"}

func newResource(uri *url.URL, declared string) resource {
	return resource{uri: uri, declared: declared, anchors: map[string]string{}, dynamic: map[string]bool{}, kept: map[string]bool{}}
}

// pendingRef is a reference that is resolved once all schemas are known.
type pendingRef struct {
	at spot
	// keyword is the one that was declared; key the one below which holder has it.
	keyword string
	holder  map[string]any
	key     string
	text    string
	// gone means that the schema which has it was translated again, at another place.
	gone bool
}

// identify reads what a schema says of itself: its draft, its URI and its anchors.
func (t *translation) identify(schema map[string]any, at spot) spot {
	if declared, ok := schema["$schema"]; ok {
		d, known := draftOf(declared)
		if !known {
			t.refuse(invalid(at.declared+"/$schema", `%s names no draft that can be read (those are %s); declare %q, or remove "$schema"`,
				describe(declared), draftsInMessages, dialect2020))
		}
		at.draft = d
	}
	keyword, id := t.idOf(schema, at)
	if _, hasDraft := schema["$schema"]; at.declared != "" && (hasDraft || id != "" && id[0] != '#') {
		t.resources = append(t.resources, newResource(t.resources[at.resource].uri, at.declared))
		t.resources[len(t.resources)-1].outer = at.resource
		at.resource = len(t.resources) - 1
	}
	own := &t.resources[at.resource]
	if own.declared == at.declared {
		own.draft = at.draft
	}
	if id != "" {
		t.readID(own, id, at.declared+"/"+keyword, at.declared)
	}
	for _, name := range []string{"$anchor", "$dynamicAnchor"} {
		if text, ok := schema[name].(string); ok {
			t.addAnchor(own, text, at.declared+"/"+name, at.declared)
			own.dynamic[text] = own.dynamic[text] || name == "$dynamicAnchor"
		}
	}
	if own.declared == at.declared && schema["$recursiveAnchor"] == true {
		own.recursive = true
	}
	return at
}

// idOf returns the URI that a schema gives itself, and the keyword by which it does. Where no draft is declared, that of draft-04 names
// the whole, as nothing else can be meant.
func (t *translation) idOf(schema map[string]any, at spot) (keyword, id string) {
	if isA[string](schema["$ref"]) && at.draft < draft2019 && at.declared != "" {
		return "", "" // it stands beside a reference
	}
	if value, ok := schema["$id"]; ok {
		if id, isText := value.(string); isText {
			return "$id", id
		}
		t.refuse(invalid(at.declared+"/$id", `"$id" must be a string, found %s; remove it`, describe(value)))
	}
	if id, isText := schema["id"].(string); isText && (at.draft == draft04 || at.declared == "") {
		return "id", id
	}
	return "", ""
}

// readID resolves the URI of a schema, which begins a resource unless it is a mere fragment.
func (t *translation) readID(own *resource, id, pointer, declared string) {
	uri, err := url.Parse(id)
	if err != nil {
		t.refuse(invalid(pointer, "%s is not a URI; correct or remove it", quote(id)))
		return
	}
	if fragment := uri.Fragment; fragment != "" && fragment[0] != '/' {
		t.addAnchor(own, fragment, pointer, declared)
	}
	if id[0] == '#' {
		return
	}
	uri = absolute(own.uri, uri)
	if _, taken := t.byURI[uri.String()]; taken {
		t.refuse(invalid(pointer, "another schema of the document has the URI %s, too; give each its own", quote(uri.String())))
	} else {
		t.byURI[uri.String()] = len(t.resources) - 1
		if declared == "" {
			t.byURI[uri.String()] = 0
		}
	}
	own.uri, own.named = uri, true
}

func (t *translation) addAnchor(own *resource, name, pointer, declared string) {
	if other, taken := own.anchors[name]; taken && other != declared {
		t.refuse(invalid(pointer, "the anchor %s is already at %s; rename one of them", quote(name), clip(other, maxShownPointer)))
		return
	}
	own.anchors[name] = declared
}

// absolute resolves a URI, and leaves out its fragment.
func absolute(base, uri *url.URL) *url.URL {
	resolved := *base.ResolveReference(uri)
	resolved.Fragment, resolved.RawFragment = "", ""
	resolved.Scheme, resolved.Host = strings.ToLower(resolved.Scheme), strings.ToLower(resolved.Host)
	return &resolved
}

// id is "$id" in draft-04. Below the root it is dropped, since references lead to where it stands.
func (r *rewrite) id(name string, value any) bool {
	if r.draft != draft04 || !isA[string](value) {
		return false
	}
	r.warn(r.declared+"/"+name, `"id" is called "$id" since draft-06; it is left out, and references to it lead here`)
	return true
}

// anchor keeps an anchor that 2020-12 has, and that no other resource of the document has, too.
func (r *rewrite) anchor(_ string, value any) bool {
	name, isText := value.(string)
	if isText && (r.resource > 0 || r.draft == draft2019 && !anchorName.MatchString(name)) {
		return true // references have its place instead
	}
	r.resources[r.resource].kept[name] = true
	return false
}

func (r *rewrite) reference(name string, value any) bool {
	text, ok := value.(string)
	if ok {
		r.to[name] = text
		r.references = append(r.references, pendingRef{at: r.spot, keyword: name, holder: r.to, key: name, text: text})
	}
	return ok
}

// recursiveRef leads to the root of its resource. In a document of a single one that is all it can do.
func (r *rewrite) recursiveRef(name string, value any) bool {
	pointer := r.declared + "/" + name
	if value != "#" {
		r.refuse(invalid(pointer, `"$recursiveRef" can only be "#", found %s; use "$ref"`, describe(value)))
		return true
	}
	holder, now := r.to, r.now
	if _, taken := r.from["$ref"]; taken {
		holder = map[string]any{}
		now = r.conjoin(holder)
	}
	r.add(pointer, now+"/$ref")
	holder["$ref"] = "#"
	r.references = append(r.references, pendingRef{at: r.spot, keyword: name, holder: holder, key: "$ref", text: "#"})
	r.warn(pointer, `"$recursiveRef" is gone since 2020-12: read as "$ref"`)
	return true
}

func (r *rewrite) recursiveAnchor(name string, value any) bool {
	if !isA[bool](value) {
		r.refuse(invalid(r.declared+"/"+name, `"$recursiveAnchor" must be true or false, found %s`, describe(value)))
	}
	r.warn(r.declared+"/"+name, `"$recursiveAnchor" is gone since 2020-12: left out, as the document is a single one`)
	return true
}

// resolve rewrites the references whose target has moved, or that go by a URI. What leads nowhere stays, to be refused later.
func (t *translation) resolve() {
	for _, ref := range t.references {
		if ref.gone {
			continue
		}
		if t.isDynamic(ref) {
			t.refuse(invalid(ref.at.declared+"/"+ref.keyword, `%q has no translation where several schemas of the document, each with its "$id", `+
				`have its anchor: which one is meant depends on the way that a value takes; use "$ref"`, ref.keyword))
			return
		}
		target, ok := t.target(ref)
		if now := t.nowAt(target); ok && !t.holds(ref, target, now) {
			ref.holder[ref.key] = "#" + escapeFragment(now)
		}
		if !ok && ref.at.resource > 0 && !isForeign(ref.text) {
			t.refuse(leadsNowhere(t.root, t.moves, ref.at.declared+"/"+ref.keyword, ref.text))
		}
	}
}

// holds reports whether a reference leads to its target as it is written.
func (t *translation) holds(ref pendingRef, target, now string) bool {
	switch {
	case ref.at.resource > 0 || isForeign(ref.text):
		return false
	case ref.text == "#" || ref.text[1] == '/':
		return now == target
	default:
		return t.resources[0].kept[ref.text[1:]]
	}
}

// isDynamic reports whether a reference may lead to several resources, by the way on which it is reached.
func (t *translation) isDynamic(ref pendingRef) bool {
	own, others := t.resources[ref.at.resource], 0
	name := strings.TrimPrefix(ref.text, "#")
	for _, r := range t.resources {
		if ref.keyword == "$recursiveRef" && own.recursive && r.recursive || ref.keyword == "$dynamicRef" && r.dynamic[name] {
			others++
		}
	}
	return others > 1
}

// target returns the declared pointer of the schema that a reference leads to.
func (t *translation) target(ref pendingRef) (declared string, ok bool) {
	uri, err := url.Parse(ref.text)
	if err != nil || strings.Contains(ref.text, `\`) {
		return "", false
	}
	to := ref.at.resource
	if ref.text != "" && ref.text[0] != '#' {
		var known bool
		if to, known = t.byURI[absolute(t.resources[to].uri, uri).String()]; !known {
			return "", false
		}
	}
	if name := uri.Fragment; name != "" && name[0] != '/' {
		declared, ok = t.resources[to].anchors[name]
		return declared, ok
	}
	for { // what has a draft of its own, and no URI, may have been written into the whole, or copied into it
		declared = t.resources[to].declared + uri.Fragment
		if to == 0 || t.resources[to].named || t.schemas[declared] {
			return declared, true
		}
		to = t.resources[to].outer
	}
}

// fragmentEscapes are the characters that a JSON pointer may have, and a URI's fragment may not.
var fragmentEscapes = strings.NewReplacer("%", "%25", `\`, "%5C", `"`, "%22", " ", "%20", "<", "%3C", ">", "%3E", "^", "%5E", "`", "%60",
	"{", "%7B", "|", "%7C", "}", "%7D", "#", "%23", "[", "%5B", "]", "%5D")

// escapeFragment writes a JSON pointer as the fragment of a URI.
func escapeFragment(pointer string) string { return fragmentEscapes.Replace(pointer) }
