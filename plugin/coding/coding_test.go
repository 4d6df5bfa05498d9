package coding

import (
	"bytes"
	"compress/flate"
	"errors"
	"strings"
	"testing"
)

func TestThereAndBack(t *testing.T) {
	for _, header := range []string{"gzip", "x-gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "gzip, br"} {
		for _, text := range []string{"x", strings.Repeat("a long text, ", 1000)} {
			encoded := Encode(header, []byte(text))
			if string(encoded) == text || !Known(header) {
				t.Fatalf("%s: %q", header, encoded)
			}
			got, err := Decode(header, encoded, int64(len(text))+100)
			if err != nil || string(got) != text {
				t.Errorf("%s: got %d bytes, %v", header, len(got), err)
			}
		}
	}
}

// TestBombs: what is too large once it is decoded is given up early.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 4<<20)
	for _, header := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip"} {
		bomb := Encode(header, zeros)
		if len(bomb) > 64<<10 {
			t.Fatalf("%s: a bomb of %d bytes", header, len(bomb))
		}
		if _, err := Decode(header, bomb, int64(len(zeros))-1); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", header, err)
		}
		if b, err := Decode(header, bomb, 0); err != nil || len(b) != len(zeros) {
			t.Errorf("%s: without a limit: %d bytes, %v", header, len(b), err)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, header := range []string{"gzip", "deflate", "br", "zstd"} {
		whole := Encode(header, bytes.Repeat([]byte("text"), 1000))
		for _, bad := range [][]byte{whole[:len(whole)-1], whole[:3], []byte("\xff\xff\xff\xff\xff\xff")} {
			if got, err := Decode(header, bad, 1<<20); err == nil {
				t.Errorf("%s: %x became %d bytes", header, bad, len(got))
			}
		}
	}
}

func TestBareDeflate(t *testing.T) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("text"))
	w.Close()
	if got, err := Decode("deflate", b.Bytes(), 0); err != nil || string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUnknown(t *testing.T) {
	for _, header := range []string{"", "identity", "compress", "gzip, rot13", "gzip,gzip,gzip,gzip,gzip"} {
		if Known(header) {
			t.Errorf("%q is known", header)
		}
	}
	if b, err := Decode("gzip", nil, 1); err != nil || b != nil {
		t.Errorf("an empty body: %q, %v", b, err)
	}
}
