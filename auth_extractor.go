package grapnel

// An Extractor says where in a request the id of its caller stands [I-1]. While
// the session that a plugin gave to that id is fresh (until its
// id_extractor_deadline), the plugin is not asked again.
type Extractor struct {
	// From is where to look: header, form (the query, then a urlencoded
	// body) or body.
	From string `yaml:"extract_from"`
	// With is how to read what stands there: value takes it whole, regex a
	// match, xpath a node of an XML document of at most 1 MiB. A body cannot
	// be taken whole.
	With string `yaml:"extract_with"`
	// Header names the header to look in.
	Header string `yaml:"header"`
	// Param names the parameter to look in.
	Param string `yaml:"param"`
	// Expression is the regular expression, or the XPath, which must select
	// nodes.
	Expression string `yaml:"expression"`
	// Index says which match of a regular expression counts, from 0; it is
	// the whole match, not a group of it.
	Index int `yaml:"index"`
}
