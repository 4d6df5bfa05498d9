package direct

import (
	"math/bits"
	"sync"
)

// memory is what answers are kept in, over and over. It implements
// [google.golang.org/grpc/mem.BufferPool]. The library's own pool clears each
// buffer whole, and most of a large buffer is often not used.
type memory struct {
	classes [maxClass - minClass + 1]sync.Pool // by powers of two
}

// The smallest and the largest buffers that are kept, as powers of two. Buffers
// of the library have to be larger than 1 KiB to come back.
const (
	minClass = 11
	maxClass = 24
)

// Get returns a buffer of this length. Nothing is said of what it holds.
func (m *memory) Get(length int) *[]byte {
	class := max(minClass, bits.Len(uint(max(length, 1)-1)))
	if class > maxClass {
		b := make([]byte, length)
		return &b
	}
	b, _ := m.classes[class-minClass].Get().(*[]byte)
	if b == nil {
		fresh := make([]byte, 1<<class)
		b = &fresh
	}
	*b = (*b)[:length]
	return b
}

// Put takes a buffer back.
func (m *memory) Put(b *[]byte) {
	class := bits.Len(uint(cap(*b))) - 1
	if class >= minClass && class <= maxClass && cap(*b) == 1<<class {
		m.classes[class-minClass].Put(b)
	}
}
