package discover

import (
	"bytes"
	"strings"
)

// needle is a text to search sources for. It is found by its rarest byte: bytes.IndexByte looks at many bytes at once, bytes.Index does not.
type needle struct {
	text []byte
	// rarest is the offset of the byte that sources have least often.
	rarest int
}

// common holds the bytes that Python sources have most often, the most common ones first.
const common = " etsraino\nlcd,p_fmu\"():.hg=y'bx10-2v*wSkA[]3TE#45NC>RPI"

// newNeedle returns a needle for a text that is not empty.
func newNeedle(text []byte) needle {
	n := needle{text: text}
	for i := range text {
		if rarity(text[i]) > rarity(text[n.rarest]) {
			n.rarest = i
		}
	}
	return n
}

func newNeedles(texts ...string) []needle {
	needles := make([]needle, len(texts))
	for i, text := range texts {
		needles[i] = newNeedle([]byte(text))
	}
	return needles
}

// rarity returns the larger a number, the rarer a byte is.
func rarity(b byte) int {
	if rank := strings.IndexByte(common, b); rank >= 0 {
		return rank
	}
	return len(common)
}

// index returns where a source has the needle, from an offset on. It returns -1 if there is none.
func (n *needle) index(source []byte, from int) int {
	for at := from + n.rarest; at < len(source); at++ {
		next := bytes.IndexByte(source[at:], n.text[n.rarest])
		if next < 0 {
			return -1
		}
		at += next
		if bytes.HasPrefix(source[at-n.rarest:], n.text) {
			return at - n.rarest
		}
	}
	return -1
}

func (n *needle) isIn(source []byte) bool { return n.index(source, 0) >= 0 }
