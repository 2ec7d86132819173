// Command notices writes THIRD_PARTY_NOTICES: the licenses of what manager, mazectl and the example scheduler are linked with, on every
// platform that they are given out for. Whoever gives a program out has to give these texts with it.
//
// The texts are those of the module cache, so it needs no network once the modules are there. It fails if something has no license, or
// one that is not in the list of those that may be linked.
package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
)

func main() {
	root := flag.String("root", ".", "`FOLDER` of the sources")
	out := flag.String("out", "THIRD_PARTY_NOTICES", "`FILE` to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *root, *out)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, out string) error {
	components := map[string]component{}
	for _, p := range platforms {
		found, err := linked(ctx, root, p)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", p.os, p.arch, err)
		}
		for name, c := range found {
			c.texts = union(components[name].texts, c.texts)
			components[name] = c
		}
	}
	content, err := notices(slices.Collect(maps.Values(components)))
	if err != nil {
		return err
	}
	return os.WriteFile(out, content, 0o644) //nolint:gosec // what is given out may be read by all
}

const header = `Third-party notices

The programs of MaRegister, manager, mazectl and the example's scheduler,
contain the software below, each under its own license. MaRegister itself is
under the license in the file LICENSE. "make generate" writes this file.

`

// notices returns the text of the file: a list of the components with their licenses, and each license's text once, with the components
// that it is of.
func notices(components []component) ([]byte, error) {
	slices.SortFunc(components, func(a, b component) int { return cmp.Compare(a.name, b.name) })
	var out bytes.Buffer
	out.WriteString(header)
	owners := map[string][]string{}
	var texts []string // in the order of their first owners
	for _, c := range components {
		licenses, err := c.licenses()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "- %s: %s\n", c, strings.Join(licenses, ", "))
		for _, text := range c.texts {
			if owners[text] == nil {
				texts = append(texts, text)
			}
			owners[text] = append(owners[text], c.String())
		}
	}
	for _, text := range texts {
		fmt.Fprintf(&out, "\n%s\nOf %s:\n\n%s", strings.Repeat("=", 80), strings.Join(owners[text], ",\n   "), text)
	}
	return out.Bytes(), nil
}
