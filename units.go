package grapnel

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Duration is a time span in configuration: "250ms", "30s", "0" for none.
type Duration time.Duration

// Inherit is the duration that was not given.
const Inherit Duration = -1

// UnmarshalText reads a span as time.ParseDuration does.
func (d *Duration) UnmarshalText(b []byte) error {
	s := string(b)
	v, err := time.ParseDuration(s)
	if s == "0" {
		v, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("%q is not a duration; write it as 250ms, 30s or 5m", s)
	}
	if v < 0 {
		return fmt.Errorf("%q is negative", s)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the span as UnmarshalText reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// A Size is a number of bytes in configuration: "4MiB", "64KiB", "1000".
type Size int64

// UnmarshalText reads a number with an optional unit: B, KiB, MiB, GiB (powers
// of 1024) or KB, MB, GB (powers of 1000).
func (z *Size) UnmarshalText(b []byte) error {
	s := strings.TrimSpace(string(b))
	number := strings.TrimRight(s, "BiGKM")
	unit, ok := map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "KB": 1e3, "MB": 1e6, "GB": 1e9}[s[len(number):]]
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if !ok || err != nil || n < 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is not a size; write it as 65536, 64KiB or 4MiB", s)
	}
	*z = Size(n * unit)
	return nil
}

// MarshalText writes the size in bytes.
func (z Size) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(z), 10), nil }

// A Percent is a share in configuration: "5%", "0.5%"; plain numbers are percents
// too.
type Percent float64

// UnmarshalText reads a number from 0 to 100, with or without a percent sign.
func (p *Percent) UnmarshalText(b []byte) error {
	s := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(string(b)), "%"))
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v <= 100) {
		return fmt.Errorf("%q is not a share; write it as 5%% or 0.5%%", b)
	}
	*p = Percent(v)
	return nil
}

// MarshalText writes the share as UnmarshalText reads it.
func (p Percent) MarshalText() ([]byte, error) {
	return append(strconv.AppendFloat(nil, float64(p), 'g', -1, 64), '%'), nil
}
