package tyk

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// expiryLayout is how definitions write when something ends, in UTC [7.2].
const expiryLayout = "2006-01-02 15:04"

// versions translates the versions of a definition.
type versions struct{ *translation }

// versioning translates the versions and the choice between them [P-20…P-25].
// It is nil for a definition that has no rules at all.
func (t versions) versioning() *grapnel.Versioning {
	data, choice := t.d.VersionData, t.d.Definition
	if choice.Enabled && len(choice.Versions) > 0 {
		t.refuse("definition.versions", "versions that are definitions of their own are not supported")
	}
	v := &grapnel.Versioning{Expires: t.expiry("expiration", t.d.Expiration)}
	switch {
	case !data.NotVersioned && len(data.Versions) == 0 && data.DefaultVersion == "": // [P-22]
		if v.Expires.IsZero() {
			return nil
		}
	case data.NotVersioned:
		t.unversioned(v)
	default:
		t.versioned(v)
	}
	return v
}

// unversioned fills in the one version of an API that is not versioned. Where
// it is not clear which one that is, every request is refused [P-20].
func (t versions) unversioned(v *grapnel.Versioning) {
	all := t.d.VersionData.Versions
	v.Versions = map[string]*grapnel.Version{}
	name, ok := sole(all)
	if !ok {
		t.warn("version_data.versions", "every request is refused: the API is not versioned, and has %d versions without one named Default", len(all))
		for name := range all {
			v.Versions[name] = &grapnel.Version{Name: name}
		}
		return
	}
	v.Default = name
	v.Versions[name] = t.version(name, all[name])
}

// sole finds the version that stands for an API which is not versioned.
func sole(all map[string]version) (string, bool) {
	if len(all) == 1 {
		for name := range all {
			return name, true
		}
	}
	for _, name := range []string{"Default", "default", ""} {
		if _, ok := all[name]; ok {
			return name, true
		}
	}
	return "", false
}

// versioned fills in the choice by what requests say [P-21, P-24].
func (t versions) versioned(v *grapnel.Versioning) {
	data, choice := t.d.VersionData, t.d.Definition
	v.Location, v.Key = choice.Location, choice.Key
	if !slices.Contains([]string{"header", "url-param", "url"}, v.Location) {
		// Nothing can name a version: the default serves, or nothing does.
		if v.Location != "" {
			t.warn("definition.location", "%q is not a place; header, url-param and url are", v.Location)
		}
		v.Location, v.Key = "header", ""
	}
	v.Strip = choice.StripPath || choice.StripVersioningData
	v.Default = orDefault(data.DefaultVersion, choice.Default)
	v.Fallback = choice.FallbackToDefault
	v.Versions = map[string]*grapnel.Version{}
	for _, name := range slices.Sorted(maps.Keys(data.Versions)) {
		v.Versions[name] = t.version(name, data.Versions[name])
	}
}

// expiry reads when something ends. What cannot be read has ended, as in the
// original.
func (t versions) expiry(path, text string) time.Time {
	if text == "" || text == "-1" {
		return time.Time{}
	}
	ends, err := time.Parse(expiryLayout, text)
	if err != nil {
		t.warn(path, "%q is not a time as in %q: it counts as past", text, expiryLayout)
		return time.Unix(0, 0).UTC()
	}
	return ends
}

// version translates one version and its rules.
func (t versions) version(name string, v version) *grapnel.Version {
	at := "version_data.versions." + name
	out := &grapnel.Version{Name: name, Expires: t.expiry(at+".expires", v.Expires)}
	if v.OverrideTarget != "" {
		out.Target = t.target(at+".override_target", v.OverrideTarget, "http", "https", "h2c", "ws", "wss", "tyk")
	}
	r := &rules{translation: t.translation, at: at, ignoreCase: v.IgnoreEndpointCase || t.conf.IgnoreEndpointCase, out: out}
	r.globals(v)
	if v.UseExtendedPaths {
		r.at += ".extended_paths"
		r.lists(v.ExtendedPaths)
		r.transforms(v.ExtendedPaths)
		r.unsupported(v.ExtendedPaths)
	} else {
		if v.ExtendedPaths.listed() {
			t.warn(at+".extended_paths", "has no effect while use_extended_paths is false, as in the original [P-25]")
		}
		r.at += ".paths"
		r.legacy(v.Paths)
	}
	return out
}

// globals translates the rules that hold for all paths of a version.
func (r *rules) globals(v version) {
	if !v.GlobalSizeLimitDisabled {
		r.out.MaxSize = max(v.GlobalSizeLimit, 0)
	}
	if !v.GlobalHeadersDisabled && len(v.GlobalHeaders)+len(v.GlobalHeadersRemove) > 0 {
		r.out.RequestHeaders = append(r.out.RequestHeaders, grapnel.HeaderRule{
			Delete: v.GlobalHeadersRemove, Set: r.values(".global_headers", v.GlobalHeaders),
		})
	}
	if !v.GlobalResponseDisabled && len(v.GlobalResponse)+len(v.GlobalResponseRemove) > 0 {
		r.out.ResponseHeaders = append(r.out.ResponseHeaders, grapnel.HeaderRule{
			Delete: v.GlobalResponseRemove, Set: r.values(".global_response_headers", v.GlobalResponse),
		})
	}
	for i, p := range r.d.ResponseProcessors {
		switch o := p.Options; {
		case p.Name == "header_injector" && len(o.AddHeaders)+len(o.RemoveHeaders) > 0:
			r.out.ResponseHeaders = append(r.out.ResponseHeaders, grapnel.HeaderRule{
				Delete: o.RemoveHeaders, Set: r.values(fmt.Sprintf(".response_processors[%d]", i), o.AddHeaders),
			})
		case !slices.Contains([]string{"header_injector", "custom_mw_res_hook", "response_body_transform"}, p.Name):
			r.warn(fmt.Sprintf("response_processors[%d]", i), "has no effect: there is no %q here", p.Name)
		}
	}
	if v.GlobalEnforceTimeout > 0 && !v.GlobalEnforceTimeoutOff {
		r.out.Timeouts = append(r.out.Timeouts, grapnel.TimeoutRule{Timeout: time.Duration(v.GlobalEnforceTimeout)})
	}
}

// values follows the references to secrets in header values: $secret_env.NAME
// and $secret_conf.key. They do not change while a set-up is served.
func (r *rules) values(at string, headers map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		out[name] = r.text(at+"."+name, headers[name])
	}
	return out
}

// text does the same for one text.
func (r *rules) text(at, text string) string {
	for _, m := range contextNames.FindAllStringSubmatch(text, -1) {
		name := m[1]
		if !slices.Contains([]string{"request_id", "path", "remote_addr"}, name) && !strings.HasPrefix(name, "headers_") {
			r.warn(r.at+at, "$tyk_context.%s is always empty in this version", name)
		}
	}
	return secretNames.ReplaceAllStringFunc(text, func(reference string) string {
		kind, name, _ := strings.Cut(strings.TrimPrefix(reference, "$secret_"), ".")
		if kind == "conf" {
			kind = "secrets"
		}
		value, err := r.references().follow(kind + "://" + name)
		if err != nil {
			r.refuse(r.at+at, "%v", err)
		}
		return value
	})
}
