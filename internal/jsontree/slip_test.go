package jsontree

import (
	"fmt"

	"github.com/maze-agent/maregister/internal/text"
)

func positionOf(content string, offset int) string {
	at := text.NewPositions([]byte(content)).At(offset)
	return fmt.Sprintf("%d:%d", at.Line, at.Column)
}
