package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// machine says what the figures were measured on, in one line.
func machine() string {
	return fmt.Sprintf("%d × %s, %s memory, Linux %s, %s",
		runtime.NumCPU(), processor(), memory(), number.FindString(firstLine("uname", "-r")), runtime.GOARCH)
}

func processor() string {
	return find("/proc/cpuinfo", regexp.MustCompile(`(?m)^model name\s*: (.+)$`))
}

func memory() string {
	kib := find("/proc/meminfo", regexp.MustCompile(`(?m)^MemTotal:\s+(\d+) kB$`))
	var n float64
	if _, err := fmt.Sscan(kib, &n); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f GiB", n/(1<<20))
}

// loadAverage is how many processes wanted to run in the last minute: on an
// idle machine next to none.
func loadAverage() string { return find("/proc/loadavg", regexp.MustCompile(`^\S+`)) }

// find returns what the expression's last group, or the whole of it, matches
// in a file.
func find(file string, what *regexp.Regexp) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	m := what.FindSubmatch(text)
	if m == nil {
		return "unknown"
	}
	return string(m[len(m)-1])
}

// versions names the programs that took part.
func versions(programs map[string]bool) string {
	list := []string{runtime.Version()}
	if programs["nginx"] {
		list = append(list, version("nginx", "-v"))
	}
	if programs["haproxy"] {
		list = append(list, version("haproxy", "-v"))
	}
	return strings.Join(append(list, version("wrk", "-v")), ", ")
}

var number = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

func version(program, flag string) string {
	return program + " " + number.FindString(firstLine(program, flag))
}

// firstLine is the first line that a command prints, whatever it thinks of
// being asked.
func firstLine(command string, args ...string) string {
	out, _ := exec.Command(command, args...).CombinedOutput()
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
