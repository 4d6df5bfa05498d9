package admin

// Calls lists the calls of the control API, as "GET /keys/{key}".
func Calls() []string {
	var out []string
	for _, r := range table(Options{}) {
		out = append(out, r.method+" "+r.path)
	}
	return out
}
