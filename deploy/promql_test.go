package deploy_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// A metric is what was scraped under one name: the values of each label.
type metric map[string][]string

// readMetrics reads the text format of Prometheus.
func readMetrics(text string) map[string]metric {
	out := map[string]metric{}
	label := regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		end := strings.IndexAny(line, "{ ")
		m := out[line[:end]]
		if m == nil {
			m = metric{}
			out[line[:end]] = m
		}
		for _, l := range label.FindAllStringSubmatch(line[end:], -1) {
			m[l[1]] = append(m[l[1]], l[2])
		}
	}
	return out
}

// A query is PromQL, in tokens. What it is read for are the names in it; it need
// not be all of the language.
type query struct {
	tokens  []string
	metrics map[string]metric
	faults  []string
}

// check says which metrics, labels, label values and functions of a query there
// are not.
func check(expr string, metrics map[string]metric) []string {
	q := &query{tokens: regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\$?[a-zA-Z_:][\w:]*|[\d.]+\w*|=~|!~|!=|==|>=|<=|\S`).FindAllString(expr, -1), metrics: metrics}
	for i := 0; i < len(q.tokens); i++ {
		i = q.token(i)
	}
	if len(q.faults) == 0 && len(q.selectors(0, len(q.tokens))) == 0 {
		q.fault("it asks for nothing")
	}
	return q.faults
}

func (q *query) fault(format string, args ...any) {
	q.faults = append(q.faults, fmt.Sprintf(format, args...))
}

func (q *query) at(i int) string {
	if i < len(q.tokens) {
		return q.tokens[i]
	}
	return ""
}

// end is where the bracket that opens at i closes.
func (q *query) end(i int) int {
	depth := 0
	for ; i < len(q.tokens); i++ {
		switch q.tokens[i] {
		case "(", "{", "[":
			depth++
		case ")", "}", "]":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	q.fault("a bracket does not close")
	return i
}

// token looks at one token and returns the last one that belongs to it.
func (q *query) token(i int) int {
	word := q.tokens[i]
	switch {
	case word == "[":
		return q.end(i)
	case word == "by" || word == "on":
		return q.grouping(i)
	case slices.Contains([]string{"and", "or", "unless"}, word) || !isName(word):
		return i
	case q.at(i+1) == "(" || q.at(i+1) == "by":
		if !slices.Contains([]string{"sum", "avg", "min", "max", "count", "rate", "increase", "changes", "absent", "histogram_quantile", "max_over_time", "min_over_time"}, word) {
			q.fault("%s is no known function", word)
		}
		return i
	case q.metrics[word] == nil:
		q.fault("there is no metric %s", word)
		if q.at(i+1) == "{" {
			return q.end(i + 1)
		}
		return i
	case q.at(i+1) == "{":
		return q.matchers(word, i+1)
	}
	return i
}

func isName(s string) bool { return regexp.MustCompile(`^[a-zA-Z_:]`).MatchString(s) }

// selectors are the metrics between two tokens.
func (q *query) selectors(from, to int) (out []string) {
	for i := from; i < to; i++ {
		if q.metrics[q.tokens[i]] != nil {
			out = append(out, q.tokens[i])
		}
	}
	return out
}

// grouping checks by (labels) (expression), and on (labels), which is about
// everything.
func (q *query) grouping(i int) int {
	end := q.end(i + 1)
	about := q.selectors(0, len(q.tokens))
	if q.tokens[i] == "by" {
		if q.at(end+1) != "(" {
			q.fault("write by before what is summed up")
			return end
		}
		about = q.selectors(end+1, q.end(end+1))
	}
	for _, label := range q.tokens[min(i+2, end):min(end, len(q.tokens))] {
		for _, name := range about {
			if label != "," && !q.has(name, label) {
				q.fault("%s has no label %s", name, label)
			}
		}
	}
	return end
}

// has reports whether a metric has a label; two are Prometheus's own.
func (q *query) has(name, label string) bool {
	return q.metrics[name][label] != nil || label == "instance" || label == "job"
}

// matchers checks what is between the braces that open at i.
func (q *query) matchers(name string, i int) int {
	end := q.end(i)
	for i++; i < end; i += 4 {
		label, op, value := q.at(i), q.at(i+1), strings.Trim(q.at(i+2), `"`)
		if !q.has(name, label) {
			q.fault("%s has no label %s", name, label)
			continue
		}
		if strings.Contains(value, "$") { // a variable of the dashboard
			continue
		}
		for _, v := range strings.Split(value, "|") {
			if !q.known(name, label, op, v) {
				q.fault("%s has no %s %q", name, label, v)
			}
		}
	}
	return end
}

// known reports whether a label can have a value: one that was seen, or one of
// those that need something to go wrong.
func (q *query) known(name, label, op, value string) bool {
	values := slices.Clone(q.metrics[name][label])
	switch label {
	case "outcome":
		for _, o := range outcomes() {
			values = append(values, string(o))
		}
	case "code":
		values = append(values, string(grapnel.CodeLimited))
	case "status":
		values = append(values, "500")
	}
	if op == "=~" || op == "!~" {
		return slices.ContainsFunc(values, regexp.MustCompile("^(?:"+value+")$").MatchString)
	}
	return slices.Contains(values, value)
}

func outcomes() []grapnel.Outcome {
	return []grapnel.Outcome{
		grapnel.OutcomePassed, grapnel.OutcomeAnswered, grapnel.OutcomeFailed, grapnel.OutcomeTimeout, grapnel.OutcomeIgnored,
		grapnel.OutcomeCached, grapnel.OutcomeBackup, grapnel.OutcomeSkipped, grapnel.OutcomeGone,
	}
}
