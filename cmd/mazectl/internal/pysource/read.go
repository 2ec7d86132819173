package pysource

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
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
	// maxMade bounds the names of decorators that files make and others import.
	maxMade = 1000
)

// sourceReader reads Python files, several at a time.
type sourceReader struct {
	root     *packageRoot
	parseAll bool
	claims   discover.Claims
	progress func(done, total int)

	mutex    sync.Mutex
	findings []finding.Finding
	// searcher tells which files may have tasks.
	searcher *discover.Searcher
	// made are the names that files give decorators of their own, by the number of the file.
	made map[int][]string
	// mayImport reports for each file whether the names that others make can make a difference for it.
	mayImport []bool
	// large parses large files, and those that take as much memory, one at a time.
	large      sourceParser
	largeMutex sync.Mutex
}

// sourceParser is a parser that survives what it reads. The zero value is ready to use.
type sourceParser struct {
	claims discover.Claims
	// isLarge means that it may take as much memory as the hardest file needs.
	isLarge bool
	parser  *discover.Parser
	files   fileReader
}

// parse reads Python. Whatever the parser makes of a hostile file is an error of that file, and no one else's.
func (p *sourceParser) parse(name string, source []byte) (m *discover.Module, err error) {
	if p.parser == nil {
		p.parser = discover.NewParser(p.claims)
		if p.isLarge {
			p.parser.Reserve()
		} else {
			p.parser.Limit(smallParser)
		}
	}
	defer func() {
		if recover() != nil {
			p.parser = nil
			m, err = nil, errors.New("the file is too intricate to be read; simplify it, or --exclude it")
		}
	}()
	return p.parser.Parse(name, imports.ModuleName(name), source), nil
}

// readAll returns the modules that may have tasks, in the order of the files.
func (r *sourceReader) readAll(ctx context.Context, files []pythonFile) ([]*discover.Module, error) {
	modules := make([]*discover.Module, len(files))
	r.mayImport, r.made = make([]bool, len(files)), map[int][]string{}
	var done atomic.Int64
	r.readEach(ctx, len(files), r.claims, func(p *sourceParser, i int) {
		var err error
		if modules[i], err = r.read(p, files, i); err != nil {
			one := finding.New(finding.Unreadable, files[i].path, finding.Position{}, "", "%s", err)
			r.mutex.Lock()
			r.findings = append(r.findings, one)
			r.mutex.Unlock()
		}
		if count := done.Add(1); r.progress != nil {
			r.progress(int(count), len(files))
		}
	})
	r.readImporters(ctx, files, modules)
	r.large.parser = nil // its memory
	modules = slices.DeleteFunc(modules, func(m *discover.Module) bool { return m == nil })
	return modules, ctx.Err()
}

// readEach calls a function for each index below n, several at a time, with a parser that knows some claims.
func (r *sourceReader) readEach(ctx context.Context, n int, claims discover.Claims, read func(p *sourceParser, i int)) {
	r.searcher, r.large = discover.NewSearcher(claims), sourceParser{claims: claims, isLarge: true}
	parsers := make([]sourceParser, min(maxReaders, runtime.GOMAXPROCS(0)))
	for i := range parsers {
		parsers[i] = sourceParser{claims: claims, files: fileReader{root: r.root}}
		defer parsers[i].files.close()
	}
	parallel(n, len(parsers), func(worker, i int) {
		if ctx.Err() == nil {
			read(&parsers[worker], i)
		}
	})
}

// readImporters reads again the files of which nothing was kept and that may decorate by a name of another file.
func (r *sourceReader) readImporters(ctx context.Context, files []pythonFile, modules []*discover.Module) {
	made := r.madeNames()
	if len(made) == 0 {
		return
	}
	var importers []int
	for i, module := range modules {
		if module == nil && r.mayImport[i] {
			importers = append(importers, i)
		}
	}
	r.readEach(ctx, len(importers), r.claims.AlsoNamed(made), func(p *sourceParser, i int) {
		file := importers[i]
		if m, err := r.read(p, files, file); err == nil { // an error is told already
			modules[file] = m
		}
	})
}

// madeNames returns the names that files give decorators of their own: of too many, those of the first files.
func (r *sourceReader) madeNames() []string {
	names := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(r.made)) {
		for _, name := range r.made[file] {
			if len(names) < maxMade {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// read returns nil for a file that cannot have tasks, by its number.
func (r *sourceReader) read(p *sourceParser, files []pythonFile, i int) (*discover.Module, error) {
	source, err := p.files.read(files[i].real)
	if err != nil {
		return nil, err
	}
	if !r.parseAll {
		found := r.searcher.Search(source)
		r.note(i, found)
		if !found.Mentions && len(found.Makes) == 0 {
			return nil, nil
		}
	}
	m, err := r.parse(p, files[i].path, source)
	if err != nil || !m.MayDeclare() {
		return nil, err
	}
	return m, nil
}

// note keeps what a search found in a file that has to do with other files.
func (r *sourceReader) note(file int, found discover.Sighting) {
	r.mayImport[file] = found.MayImport || found.Mentions
	if len(found.Makes) > 0 {
		r.mutex.Lock()
		r.made[file] = found.Makes
		r.mutex.Unlock()
	}
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
