package grapnel

// Figures sum up the calls of one plugin server, or of one replica of it, since
// the gateway started.
type Figures struct {
	Calls  uint64 `json:"calls"`  // that were made
	Failed uint64 `json:"failed"` // of them: no answer, or none that counts, whatever came of the exchange
	// P50 and P99 are the milliseconds within which that many of a hundred
	// calls were over, as close as a histogram tells.
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"` // see P50
}
