package pysource

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/finding"
)

const (
	// maxReaders bounds how many files are read at a time: each reader takes some 12 MiB.
	maxReaders = 6
	// largeSource is from what size, in bytes, a file is parsed with no other large one: a parser takes many times the size.
	largeSource = 128 << 10
	// smallParser, in bytes, is what a parser of smaller files may take. A file that needs more is parsed as a large one.
	smallParser = 12 << 20
	// maxMade bounds the names of decorators that files make and others import, for which files are searched.
	maxMade = 200
	// maxRounds bounds how often files are searched for the names that others give to names of others.
	maxRounds = 4
)

// sourceReader reads Python files, several at a time.
type sourceReader struct {
	root     *packageRoot
	parseAll bool
	claims   discover.Claims
	progress func(done, total int)
	// otherwise ends messages with what else can be done about a file.
	otherwise string

	mutex    sync.Mutex
	findings []finding.Finding
	// searcher tells which files may have tasks.
	searcher *discover.Searcher
	// made are the names that files give decorators of their own, by the number of the file.
	made map[int][]string
	// fresh are those for which the files are not searched yet.
	fresh discover.Names
	// madeMore means that there are more of them.
	madeMore bool
	// mayImport reports for each file whether the names that others make can make a difference for it.
	mayImport []bool
	// large parses large files, and those that take as much memory, one at a time.
	large      sourceParser
	largeMutex sync.Mutex
}

// sourceParser is a parser that survives what it reads. The zero value is ready to use.
type sourceParser struct {
	claims discover.Claims
	// isNear is that of a wide parser. Nil for another one.
	isNear func(root string) bool
	// isLarge means that it may take as much memory as the hardest file needs.
	isLarge bool
	parser  *discover.Parser
	files   fileReader
}

// parse reads Python. Whatever the parser makes of a hostile file is an error of that file, and no one else's.
func (p *sourceParser) parse(name string, source []byte) (m *discover.Module, err error) {
	if p.parser == nil {
		if p.isNear == nil {
			p.parser = discover.NewParser(p.claims)
		} else {
			p.parser = discover.NewWideParser(p.claims, p.isNear)
		}
		if p.isLarge {
			p.parser.Reserve()
		} else {
			p.parser.Limit(smallParser)
		}
	}
	defer func() {
		if recover() != nil {
			p.parser = nil
			m, err = nil, errors.New("the file is too intricate to be read; simplify it")
		}
	}()
	return p.parser.Parse(name, imports.ModuleName(name), source), nil
}

// readAll returns the modules that may have tasks, in the order of the files. Packages are the __init__.py of folders, which have none, but
// may name decorators for the files.
func (r *sourceReader) readAll(ctx context.Context, files, packages []pythonFile) ([]*discover.Module, error) {
	modules := make([]*discover.Module, len(files))
	var isNear func(root string) bool
	if r.parseAll {
		isNear, packages = r.isNear(), nil
	}
	all := slices.Concat(files, packages)
	r.mayImport, r.made = make([]bool, len(all)), map[int][]string{}
	var done atomic.Int64
	r.readEach(ctx, len(all), sourceParser{claims: r.claims, isNear: isNear}, func(p *sourceParser, i int) {
		if i >= len(files) {
			_, _ = r.search(p, all[i], i) // a package that cannot be read names nothing
			return
		}
		var err error
		if modules[i], err = r.read(p, all[i], i); err != nil {
			one := finding.New(finding.Unreadable, files[i].path, finding.Position{}, "", "%s", err)
			if !errors.Is(err, errGone) {
				one.Message += r.otherwise
			}
			r.mutex.Lock()
			r.findings = append(r.findings, one)
			r.mutex.Unlock()
		}
		if count := done.Add(1); r.progress != nil {
			r.progress(int(count), len(files))
		}
	})
	r.readImporters(ctx, all, modules)
	r.large.parser = nil // its memory
	modules = slices.DeleteFunc(modules, func(m *discover.Module) bool { return m == nil })
	return modules, ctx.Err()
}

// readEach calls a function for each index below n, several at a time, with a parser such as the given one.
func (r *sourceReader) readEach(ctx context.Context, n int, such sourceParser, read func(p *sourceParser, i int)) {
	r.searcher = discover.NewSearcher(such.claims)
	r.large = such
	r.large.isLarge = true
	parsers := make([]sourceParser, min(maxReaders, runtime.GOMAXPROCS(0)))
	for i := range parsers {
		parsers[i] = such
		parsers[i].files = fileReader{root: r.root}
		defer parsers[i].files.close()
	}
	parallel(n, len(parsers), func(worker, i int) {
		if ctx.Err() == nil {
			read(&parsers[worker], i)
		}
	})
}

// readImporters reads again the files that may decorate by a name of another file: those that have one of the names, which may give it
// further names, and so on. Past the limits, it parses all that may import a decorator: no task may be missed without a word.
func (r *sourceReader) readImporters(ctx context.Context, all []pythonFile, modules []*discover.Module) {
	var importers []int
	for i, mayImport := range r.mayImport {
		if mayImport {
			importers = append(importers, i)
		}
	}
	known := map[string]bool{}
	for round := 0; ; round++ {
		fresh := r.addMade(known)
		such, read := sourceParser{claims: r.claims.AlsoNamed(slices.Sorted(maps.Keys(known)))}, r.readAgain
		r.fresh = discover.NewNames(fresh)
		isLast := r.madeMore || len(known) > maxMade || round == maxRounds
		switch {
		case len(fresh) == 0 && !r.madeMore:
			return
		case isLast:
			such, read = sourceParser{claims: r.claims, isNear: r.isNear()}, r.readWidely
		}
		r.readEach(ctx, len(importers), such, func(p *sourceParser, i int) {
			i = importers[i]
			if i >= len(modules) {
				_, _ = r.search(p, all[i], i)
			} else if m, err := read(p, all[i], i); err == nil && m != nil { // an error is told already
				modules[i] = m
			}
		})
		if isLast {
			return
		}
	}
}

// addMade adds the names that files give decorators of their own. It returns those that are new.
func (r *sourceReader) addMade(names map[string]bool) (fresh []string) {
	for _, made := range r.made {
		for _, name := range made {
			if !names[name] {
				names[name] = true
				fresh = append(fresh, name)
			}
		}
	}
	return fresh
}

// isNear returns a function that reports whether a top-level package is below the package root.
func (r *sourceReader) isNear() func(root string) bool {
	entries, err := r.root.list(".")
	near := make(map[string]bool, len(entries))
	for _, entry := range entries {
		near[strings.TrimSuffix(entry.Name(), ".py")] = true
	}
	return func(root string) bool { return err != nil || near[root] }
}

// read returns nil for a file that cannot have tasks, by its number.
func (r *sourceReader) read(p *sourceParser, file pythonFile, i int) (*discover.Module, error) {
	if r.parseAll {
		return r.readWidely(p, file, i)
	}
	source, err := r.search(p, file, i)
	if err != nil || source == nil {
		return nil, err
	}
	return r.parseTasks(p, file, source)
}

// readAgain does as read, but returns nil, too, for a file without a fresh name.
func (r *sourceReader) readAgain(p *sourceParser, file pythonFile, i int) (*discover.Module, error) {
	source, err := p.files.read(file.real)
	if err != nil || !r.fresh.In(source) || !r.note(i, r.searcher.Search(source)) {
		return nil, err
	}
	return r.parseTasks(p, file, source)
}

// readWidely parses a file in any case.
func (r *sourceReader) readWidely(p *sourceParser, file pythonFile, _ int) (*discover.Module, error) {
	source, err := p.files.read(file.real)
	if err != nil {
		return nil, err
	}
	return r.parseTasks(p, file, source)
}

// search returns the source of a file that may have tasks. It returns nil for another one.
func (r *sourceReader) search(p *sourceParser, file pythonFile, i int) ([]byte, error) {
	source, err := p.files.read(file.real)
	if err != nil || !r.note(i, r.searcher.Search(source)) {
		return nil, err
	}
	return source, nil
}

// note keeps what a search found in a file that has to do with other files. It reports whether the file is to be parsed.
func (r *sourceReader) note(file int, found discover.Sighting) bool {
	r.mayImport[file] = found.MayImport || found.Mentions
	if len(found.Makes) > 0 || found.MakesMore {
		r.mutex.Lock()
		r.made[file] = found.Makes
		r.madeMore = r.madeMore || found.MakesMore
		r.mutex.Unlock()
	}
	return found.Mentions || len(found.Makes) > 0 || found.MakesMore
}

// parseTasks returns nil for a file without what may be a task.
func (r *sourceReader) parseTasks(p *sourceParser, file pythonFile, source []byte) (*discover.Module, error) {
	m, err := r.parse(p, file.path, source)
	if err != nil || !m.MayDeclare() {
		return nil, err
	}
	return m, nil
}

// parse reads Python by a parser, or as a large file.
func (r *sourceReader) parse(p *sourceParser, name string, source []byte) (*discover.Module, error) {
	if len(source) <= largeSource {
		m, err := p.parse(name, slices.Clone(source))
		if err != nil || !m.TooHard() {
			return m, err
		}
	}
	r.largeMutex.Lock()
	defer r.largeMutex.Unlock()
	return r.large.parse(name, slices.Clone(source))
}

// loader returns a function that finds modules by name, for what tasks take from them. The function is not safe for concurrent use.
func (r *sourceReader) loader(modules []*discover.Module) func(string) *discover.Module {
	known := make(map[string]*discover.Module, len(modules))
	for _, m := range modules {
		known[imports.ModuleName(m.Path())] = m
	}
	parser := sourceParser{claims: r.claims, files: fileReader{root: r.root}}
	return func(module string) *discover.Module {
		m, ok := known[module]
		if !ok {
			m = r.load(&parser, module)
			known[module] = m
		}
		return m
	}
}

// load returns nil for a module that is not below the package root, or cannot be read.
func (r *sourceReader) load(parser *sourceParser, module string) *discover.Module {
	for _, name := range imports.Files(module) {
		target, _, problem := r.root.resolve(name)
		if problem != "" {
			continue
		}
		source, err := parser.files.read(target)
		parser.files.close()
		if err != nil {
			continue
		}
		if m, err := r.parse(parser, name, source); err == nil {
			return m
		}
	}
	return nil
}
