package pysource

import (
	"context"
	"errors"
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
)

// sourceReader reads Python files, several at a time.
type sourceReader struct {
	root     *packageRoot
	parseAll bool
	claims   discover.Claims
	progress func(done, total int)

	mutex    sync.Mutex
	findings []finding.Finding
	// large is held while a large file is parsed.
	large sync.Mutex
}

// sourceParser is a parser that survives what it reads. The zero value is ready to use.
type sourceParser struct {
	claims discover.Claims
	parser *discover.Parser
	buffer []byte
}

// parse reads Python. Whatever the parser makes of a hostile file is an error of that file, and no one else's.
func (p *sourceParser) parse(name string, source []byte) (m *discover.Module, err error) {
	if p.parser == nil {
		p.parser = discover.NewParser(p.claims)
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
	parsers := make([]sourceParser, min(maxReaders, runtime.GOMAXPROCS(0)))
	for i := range parsers {
		parsers[i].claims = r.claims
	}
	var done atomic.Int64
	parallel(len(files), len(parsers), func(worker, i int) {
		if ctx.Err() != nil {
			return
		}
		var err error
		if modules[i], err = r.read(&parsers[worker], files[i]); err != nil {
			one := finding.New(finding.Unreadable, files[i].path, finding.Position{}, "", "%s", err)
			r.mutex.Lock()
			r.findings = append(r.findings, one)
			r.mutex.Unlock()
		}
		if count := done.Add(1); r.progress != nil {
			r.progress(int(count), len(files))
		}
	})
	modules = slices.DeleteFunc(modules, func(m *discover.Module) bool { return m == nil })
	return modules, ctx.Err()
}

// read returns nil for a file that cannot have tasks.
func (r *sourceReader) read(p *sourceParser, file pythonFile) (*discover.Module, error) {
	source, err := r.root.readSource(file.real, p.buffer)
	if err != nil {
		return nil, err
	}
	p.buffer = source
	if !r.parseAll && !r.claims.Mentions(source) {
		return nil, nil
	}
	if len(source) > largeSource {
		r.large.Lock()
		defer r.large.Unlock()
		p = &sourceParser{claims: r.claims} // it grows, and is not needed again
	}
	m, err := p.parse(file.path, slices.Clone(source))
	if err != nil || !m.MayDeclare() {
		return nil, err
	}
	return m, nil
}

// loader returns a function that finds modules by name, for what tasks take from them. The function is not safe for concurrent use.
func (r *sourceReader) loader(modules []*discover.Module) func(string) *discover.Module {
	known := make(map[string]*discover.Module, len(modules))
	for _, m := range modules {
		known[imports.ModuleName(m.Path())] = m
	}
	parser := sourceParser{claims: r.claims}
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
		source, err := r.root.readSource(target, nil)
		if err != nil {
			continue
		}
		if m, err := parser.parse(name, source); err == nil {
			return m
		}
	}
	return nil
}
