package tryout

import (
	"encoding/xml"
	"fmt"
	"time"
)

// A Grade is how a check went.
type Grade string

// The grades of a check.
const (
	Pass Grade = "pass" // as it should be
	Warn Grade = "warn" // works with a gateway, but not as well as it could
	Fail Grade = "fail" // breaks requests
	Info Grade = "info" // neither good nor bad, or nothing could be found out
)

// A Check is one thing that was tried.
type Check struct {
	Name    string  `json:"name"`
	Grade   Grade   `json:"grade"`
	Detail  string  `json:"detail"`
	Seconds float64 `json:"seconds"`
}

// A Report is how a server did.
type Report struct {
	Address string  `json:"address"`
	Checks  []Check `json:"checks"`
}

// Count is how many checks have a grade.
func (r *Report) Count(g Grade) int {
	n := 0
	for _, c := range r.Checks {
		if c.Grade == g {
			n++
		}
	}
	return n
}

// add records a check that began at the time.
func (r *Report) add(name string, begin time.Time, v verdict) {
	r.Checks = append(r.Checks, Check{name, v.grade, v.detail, time.Since(begin).Seconds()})
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
}

// JUnit is the report as the XML that CI systems read. Warnings are passed
// tests with a text.
func (r *Report) JUnit() ([]byte, error) {
	suite := junitSuite{Name: "plugin server " + r.Address, Tests: len(r.Checks), Failures: r.Count(Fail)}
	total := 0.0
	for _, c := range r.Checks {
		total += c.Seconds
		one := junitCase{Name: c.Name, Class: "grapnel.plugin.verify", Time: seconds(c.Seconds)}
		if c.Grade == Fail {
			one.Failure = &junitFailure{c.Detail}
		} else {
			one.Out = string(c.Grade) + ": " + c.Detail
		}
		suite.Cases = append(suite.Cases, one)
	}
	suite.Time = seconds(total)
	b, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
