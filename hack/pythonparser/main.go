// Command pythonparser makes the Python parser of mazectl: it compiles tree-sitter and its Python grammar, as their Go modules
// have them, to WebAssembly, and translates that to Go. So mazectl needs no C compiler to build, and a defect of the C code
// ends in a panic that can be caught.
//
// It does nothing if the parser was made from the same inputs. Otherwise it needs clang, wasm-ld and wasi-libc; on Debian:
//
//	apt-get install clang lld wasi-libc
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// inputs are the files that the parser is made from; go.mod and go.sum stand for the modules. Comments of Go files do not count.
var inputs = []string{"main.go", "c/shim.c", "go.mod", "go.sum"}

const (
	runtimeModule = "github.com/tree-sitter/go-tree-sitter"
	grammarModule = "github.com/tree-sitter/tree-sitter-python"
	translator    = "github.com/ncruces/wasm2go"

	// maxMemory, in bytes, is what a parser may take. One that needs more traps.
	maxMemory = 64 << 20
	// stackSize, in bytes, is for C's local variables.
	stackSize = 256 << 10
)

func main() {
	out := flag.String("out", "", "folder of the Go package")
	force := flag.Bool("force", false, "make the parser, whether its inputs changed or not")
	flag.Parse()
	if err := run(*out, *force); err != nil {
		fmt.Fprintln(os.Stderr, "pythonparser:", err)
		os.Exit(1)
	}
}

func run(out string, force bool) error {
	stamp, err := stampOf(inputs)
	if err != nil {
		return err
	}
	stampFile := filepath.Join(out, "inputs.sha256")
	if last, err := os.ReadFile(stampFile); err == nil && string(last) == stamp && !force {
		return nil
	}
	folder, err := os.MkdirTemp("", "pythonparser-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	module := filepath.Join(folder, "treesitter.wasm")
	if err := compile(folder, module); err != nil {
		return err
	}
	file := filepath.Join(out, "treesitter.go")
	if err := command("go", "tool", translator, "-unsafe", "-embed", "-pkg", "treesitter", "-o", file, module); err != nil {
		return err
	}
	if err := exempt(file); err != nil {
		return err
	}
	return os.WriteFile(stampFile, []byte(stamp), 0o644)
}

// exempt takes the translated functions out of the race detector's sight: it would look at every byte of the parser's memory,
// which only one goroutine uses, and make tests a hundred times slower.
func exempt(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	content = translated.ReplaceAll(content, []byte("\n//go:norace\n$1"))
	content, err = bounded(content)
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}

// bounded adds to each module a bound of its own for its memory: see limit.go in its folder.
func bounded(content []byte) ([]byte, error) {
	for _, edit := range []struct{ from, to string }{
		{"type wasmMemory struct {\n\tmemory []byte\n}", "type wasmMemory struct {\n\tmemory   []byte\n\tmaxPages int64\n}"},
		{", maxMem))\n", ", min(maxMem, m.maxPages)))\n"},
	} {
		if bytes.Count(content, []byte(edit.from)) != 1 {
			return nil, fmt.Errorf("the translation has not %q once, which is to become %q", edit.from, edit.to)
		}
		content = bytes.Replace(content, []byte(edit.from), []byte(edit.to), 1)
	}
	return content, nil
}

var translated = regexp.MustCompile(`\n(func )`)

// stampOf returns a digest of the files.
func stampOf(files []string) (string, error) {
	digest := sha256.New()
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if filepath.Ext(name) == ".go" {
			if content, err = withoutComments(content); err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
		}
		fmt.Fprintf(digest, "%s %x\n", name, sha256.Sum256(content))
	}
	return fmt.Sprintf("%x\n", digest.Sum(nil)), nil
}

// withoutComments returns the tokens of a Go file, one a line.
func withoutComments(source []byte) ([]byte, error) {
	files := token.NewFileSet()
	var faults scanner.ErrorList
	var scan scanner.Scanner
	scan.Init(files.AddFile("", -1, len(source)), source, faults.Add, 0)
	var out bytes.Buffer
	for {
		_, kind, literal := scan.Scan()
		if kind == token.EOF {
			return out.Bytes(), faults.Err()
		}
		fmt.Fprintf(&out, "%s %s\n", kind, strings.TrimSpace(literal))
	}
}

// compile makes a module of WebAssembly from the C sources.
func compile(folder, module string) error {
	treeSitter, err := moduleFolder(runtimeModule)
	if err != nil {
		return err
	}
	grammar, err := moduleFolder(grammarModule)
	if err != nil {
		return err
	}
	flags := []string{
		"--target=wasm32-wasi", "-O3", "-flto", "-w", "-DNDEBUG",
		"-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext",
		"-D_GNU_SOURCE", "-D__linux__", "-D_WASI_EMULATED_PROCESS_CLOCKS", // for tree-sitter's headers
		"-I" + treeSitter + "/include", "-I" + treeSitter + "/src", "-I" + grammar + "/src",
		"-ffile-prefix-map=" + treeSitter + "=.", "-ffile-prefix-map=" + grammar + "=.",
	}
	var objects []string
	for _, source := range []string{"c/shim.c", grammar + "/src/parser.c", grammar + "/src/scanner.c"} {
		object := filepath.Join(folder, strings.TrimSuffix(filepath.Base(source), ".c")+".o")
		objects = append(objects, object)
		if err := command("clang", append(flags, "-c", source, "-o", object)...); err != nil {
			return err
		}
	}
	link := append([]string{
		"-O3", "--lto-O3", "--no-entry", "--gc-sections", "--strip-all", "-L/usr/lib/wasm32-wasi",
		"-z", fmt.Sprintf("stack-size=%d", stackSize), "--stack-first", fmt.Sprintf("--max-memory=%d", maxMemory), "-o", module,
	}, objects...)
	return command("wasm-ld", append(link, "-lc")...)
}

// moduleFolder returns the folder of a Go module in the module cache.
func moduleFolder(module string) (string, error) {
	if err := command("go", "mod", "download", module); err != nil {
		return "", err
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("find the module %s: %w", module, err)
	}
	return strings.TrimSpace(string(out)), nil
}

func command(name string, arguments ...string) error {
	cmd := exec.Command(name, arguments...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w: install clang, lld and wasi-libc", err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
