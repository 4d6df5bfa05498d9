package main

import "testing"

// TestVarint: what is written is read again, at the edges of every length.
func TestVarint(t *testing.T) {
	for _, c := range []struct {
		v uint64
		n int
	}{{0, 1}, {239, 1}, {240, 2}, {2287, 2}, {2288, 3}, {264431, 3}, {264432, 4}, {1<<64 - 1, 10}} {
		b := appendVarint(nil, c.v)
		if len(b) != c.n {
			t.Errorf("%d takes %d bytes, not %d", c.v, len(b), c.n)
		}
		if v, n := readVarint(append(b, 0xff)); v != c.v || n != len(b) {
			t.Errorf("%d came back as %d, in %d bytes instead of %d", c.v, v, n, len(b))
		}
	}
	if v, n := readVarint([]byte{250, 255}); n != 2 {
		t.Errorf("an integer that is cut short took %d bytes, and was %d", n, v)
	}
}
