package diff

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// What a tree has beside files: modes of git.
const (
	gitLink   = "120000"
	gitModule = "160000"
	gitTree   = "040000"
)

// followed returns files of a tree with what its symbolic links lead to, as the files of the working folder are read: a link to a file of the
// tree is that file. Notes are about links that are not followed, and of submodules, whose files are in another repository.
func (r *repository) followed(ctx context.Context, tree, inside string, files []gitFile) (all []gitFile, notes []string, err error) {
	var links []gitFile
	known := map[string]bool{}
	for _, file := range files {
		switch {
		case file.mode == gitModule:
			notes = append(notes, fmt.Sprintf("%s is a submodule, and its files are not read of a revision; compare it by itself", file.name))
		case file.mode != gitLink:
			all = append(all, file)
			known[file.id] = true
		case !strings.ContainsAny(file.name, "\n\x00"):
			links = append(links, file)
		}
	}
	if len(links) == 0 {
		return all, notes, nil
	}
	targets, err := r.targets(ctx, tree, links)
	if err != nil {
		return nil, nil, err
	}
	for i, link := range links {
		target := targets[i]
		switch {
		case target.mode == gitTree:
			notes = append(notes, link.name+" is a link to a folder, and is not followed in a revision; compare that by itself")
		case !link.isRead(inside): // as a file that is no link
		case target.id == "":
			notes = append(notes, fmt.Sprintf("%s is a link to no file of the revision, and is not read there; compare what it leads to by itself", link.name))
		case strings.HasSuffix(link.name, ".py") && known[target.id]: // a module is read once, under the name that is no link
		default:
			all = append(all, gitFile{name: link.name, id: target.id, size: target.size})
		}
	}
	return all, notes, nil
}

// targets returns what links of a tree lead to: a file, or a folder, which has the mode of one. All else has no id.
func (r *repository) targets(ctx context.Context, tree string, links []gitFile) ([]gitFile, error) {
	var asked bytes.Buffer
	for _, link := range links {
		fmt.Fprintf(&asked, "%s:%s\n", tree, link.name)
	}
	answer := &limitedBuffer{left: len(links) * maxGitOutput}
	if err := r.stream(ctx, asked.Bytes(), answer, "cat-file", "--batch-check", "--follow-symlinks"); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(&answer.Buffer)
	targets := make([]gitFile, len(links))
	for i := range links {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("follow the link %s: %w", links[i].name, err)
		}
		fields := strings.Fields(line)
		switch {
		case len(fields) == 3 && isObjectID(fields[0]) && fields[1] == "tree":
			targets[i] = gitFile{id: fields[0], mode: gitTree}
		case len(fields) == 3 && isObjectID(fields[0]) && fields[1] == "blob":
			size, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				return nil, err
			}
			targets[i] = gitFile{id: fields[0], size: size}
		case len(fields) == 2 && slices.Contains([]string{"dangling", "loop", "notdir", "symlink"}, fields[0]):
			length, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return nil, err
			}
			if _, err := io.CopyN(io.Discard, lines, length+1); err != nil { // where it leads, and the end of the line
				return nil, fmt.Errorf("follow the link %s: %w", links[i].name, err)
			}
		}
	}
	return targets, nil
}
