package config

import "github.com/grapnel-gateway/grapnel"

// A Warning is something that a configuration may say and that nobody should say
// by accident.
type Warning struct {
	Path    string // of keys, as in apis[2].id
	Message string
}

// Warnings lists them for a configuration that was finished.
func Warnings(c *grapnel.Config) []Warning {
	var out []Warning
	for i, a := range c.APIs {
		for _, p := range placesOf(a, item("apis", i)) {
			if p.hook.FailOpen {
				out = append(out, Warning{
					child(p.path, "let_anyone_in_while_the_plugin_is_down"),
					"while the plugin " + p.hook.Plugin + " is down, the API " + a.ID + " is open to everyone",
				})
			}
		}
	}
	return out
}
